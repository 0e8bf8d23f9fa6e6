// CSV data files: no crash, every row has a field for each column of the first and UTF-8 in all of them.

#include <cstdlib>
#include <optional>

#include "core/data/raw_records.h"
#include "core/text/utf8.h"
#include "memory_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static strata::fuzz::MemoryFile memory;
  const auto path = memory.with(data, size);
  for (const char delimiter : {'\0', '\t'}) {
    std::optional<std::size_t> columns;
    strata::RecordSink sink;
    sink.take = [&](strata::RawRecord&& record) -> strata::Result<void> {
      if (columns.value_or(record.value.size()) != record.value.size()) std::abort();
      columns = record.value.size();
      for (const auto& [name, field] : record.value.items()) {
        if (strata::findInvalidUtf8(name) || strata::findInvalidUtf8(field.get_ref<const std::string&>())) std::abort();
      }
      return {};
    };
    sink.drop = [](strata::DroppedRow&& row) -> strata::Result<void> {
      if (row.line < 1 || row.reason.empty()) std::abort();
      return {};
    };
    const auto read = strata::readCsv(path, delimiter, sink);
    if (!read && read.error().message.empty()) std::abort();
  }
  return 0;
}
