// JSON and JSON-lines data files in every shape: no crash, every record comes from a line of the file and every dropped
// one has a reason. The first byte says which of the two.

#include <algorithm>
#include <cstdlib>

#include "core/data/records.h"
#include "memory_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size == 0) return 0;
  static strata::fuzz::MemoryFile memory;
  const auto path = memory.with(data + 1, size - 1);
  const auto lines = 1 + std::count(data + 1, data + size, '\n');
  const auto check = [&](std::int64_t line) {
    if (line < 1 || line > lines) std::abort();
  };
  strata::RecordSink sink;
  sink.take = [&](strata::RawRecord&& record) -> strata::Result<void> {
    check(record.line);
    const auto records = strata::recogniseRecord(std::move(record.value), {});
    if (!records && records.error().message.empty()) std::abort();
    if (records) {
      for (const strata::DataRecord& one : *records) {
        if (one.kind == strata::RecordKind::conversation && one.conversation.trained.empty()) std::abort();
      }
    }
    return {};
  };
  sink.drop = [&](strata::DroppedRow&& row) -> strata::Result<void> {
    check(row.line);
    if (row.reason.empty()) std::abort();
    return {};
  };
  const strata::IsRecord isRecord = [](const std::vector<std::string>& keys) { return strata::hasRecordKeys(keys); };
  const auto read =
      data[0] % 2 == 0 ? strata::readJsonFile(path, isRecord, sink) : strata::readJsonLines(path, isRecord, sink);
  if (!read && read.error().message.empty()) std::abort();
  return 0;
}
