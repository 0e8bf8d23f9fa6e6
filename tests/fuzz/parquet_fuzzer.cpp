// Parquet data files: no crash, no memory beyond what the reader allows, and values that can be written as JSON.

#include <cstdlib>

#include "core/data/raw_records.h"
#include "memory_file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static strata::fuzz::MemoryFile memory;
  const auto path = memory.with(data, size);
  strata::RecordSink sink;
  sink.take = [](strata::RawRecord&& record) -> strata::Result<void> {
    if (strata::dumpLine(record.value).empty()) std::abort();
    return {};
  };
  sink.drop = [](strata::DroppedRow&& row) -> strata::Result<void> {
    if (row.reason.empty()) std::abort();
    return {};
  };
  const auto read = strata::readParquet(path, sink);
  if (!read && read.error().message.empty()) std::abort();
  return 0;
}
