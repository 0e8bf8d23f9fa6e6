#include "core/data/records.h"

#include <algorithm>
#include <charconv>
#include <utility>

namespace strata {

const char* toString(DataFormat format) {
  switch (format) {
    case DataFormat::text:
      return "text";
    case DataFormat::promptCompletion:
      return "prompt/completion";
    case DataFormat::messages:
      return "messages";
    case DataFormat::shareGpt:
      return "ShareGPT";
    case DataFormat::alpaca:
      return "Alpaca";
    case DataFormat::preference:
      return "preference (the chosen answers)";
    case DataFormat::squad:
      return "SQuAD";
    case DataFormat::hotpotQa:
      return "HotpotQA";
    case DataFormat::triviaQa:
      return "TriviaQA";
    case DataFormat::msMarco:
      return "MS MARCO";
    case DataFormat::questions:
      return "questions";
  }
  return "";
}

namespace {

/// A file's error as a dropped row: its place and its reason apart.
DroppedRow brokenFile(const Error& error, const std::filesystem::path& file) {
  DroppedRow row{0, error.message, file.string()};
  row.fileEnds = true;
  if (row.reason.starts_with(error.context + ": ")) row.reason.erase(0, error.context.size() + 2);
  const std::string prefix = row.file + ":";
  if (error.context.starts_with(prefix)) {
    std::from_chars(error.context.data() + prefix.size(), error.context.data() + error.context.size(), row.line);
  }
  return row;
}

}  // namespace

Result<void> readRecords(const std::filesystem::path& path, const RecordOptions& options,
                         const RecordHandlers& handlers) {
  STRATA_TRY(const Columns columns, checkedColumns(options.columns));
  STRATA_TRY(const std::vector<std::filesystem::path> files, dataFiles(path));
  const auto drop = [&](DroppedRow&& row) -> Result<void> {
    if (handlers.drop) return handlers.drop(std::move(row));
    return fail(ErrorCode::invalidData, row.sentence(), placeOf(row.file, row.line));
  };
  const auto take = [&](RawRecord&& raw) -> Result<void> {
    auto records = recogniseRecord(std::move(raw.value), columns);
    if (!records) {
      if (records.error().code != ErrorCode::invalidData) return tl::unexpected(std::move(records).error());
      return drop({raw.line, std::move(records.error().message), raw.file});
    }
    for (DataRecord& record : *records) {
      record.file = raw.file;
      record.line = raw.line;
      STRATA_CHECK(handlers.take(std::move(record)));
    }
    return {};
  };
  bool stopped = false;  // a handler said so, not the file
  const auto noting = [&stopped](auto handler) {
    return [&stopped, handler](auto&& given) -> Result<void> {
      Result<void> done = handler(std::forward<decltype(given)>(given));
      stopped = stopped || !done;
      return done;
    };
  };
  const RecordSink sink{noting(take), noting(drop)};
  const IsRecord isRecord = [&](const std::vector<std::string>& keys) {
    return columns.empty() ? hasRecordKeys(keys) : haveColumns(keys, columns);
  };
  for (const std::filesystem::path& file : files) {
    Result<void> read = readRawRecords(file, isRecord, sink);
    if (read) continue;
    const bool ofFile = !stopped && read.error().code != ErrorCode::outOfMemory;
    if (!ofFile || !options.skipBrokenFiles || !handlers.drop) return read;
    STRATA_CHECK(handlers.drop(brokenFile(read.error(), file)));
  }
  return {};
}

}  // namespace strata
