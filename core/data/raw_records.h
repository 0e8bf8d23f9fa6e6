#pragma once
// What data files hold, one record after another, before their shape is known: JSON lines, JSON (a list of records, an
// object holding one, or objects one after another), CSV and TSV, Parquet, and documents of plain text; each may be
// gzipped, but for Parquet.
//
//   RecordSink sink{.take = …, .drop = …};
//   STRATA_CHECK(readRawRecords(file, {}, sink));
// One record is in memory at a time (Parquet: a batch of rows; text: a file). A record that cannot be read goes to
// `drop` with the reason and reading goes on; an error is returned where the file cannot be read any further.

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/json.h"

namespace strata {

struct RawRecord {
  Json value;
  std::string file;
  std::int64_t line = 0;  // 1-based, where the record begins; Parquet: the row; 0: a document of a text file
};

/// A record that gives no row.
struct DroppedRow {
  std::int64_t line = 0;  // as RawRecord's
  std::string reason;     // a sentence
  std::string file;
  bool broken = true;     // false: well-formed, but with nothing to train on (an empty completion)
  bool fileEnds = false;  // it stands for the rest of its file, which cannot be read

  /// "file:line: reason"
  std::string sentence() const;
};

/// "file:line", or the file alone.
std::string placeOf(const std::string& file, std::int64_t line);

/// Where records go. An error from either ends the reading with it.
struct RecordSink {
  std::function<Result<void>(RawRecord&&)> take;
  std::function<Result<void>(DroppedRow&&)> drop;
};

/// Whether an object with these keys is one record, rather than a wrapping around a list of them.
using IsRecord = std::function<bool(const std::vector<std::string>& keys)>;

/// The data files that `path` names: itself, or those directly in the folder, in name order. A folder's other files are
/// left alone, and so are hidden ones (".a.csv"); a single file with an unknown ending is refused.
Result<std::vector<std::filesystem::path>> dataFiles(const std::filesystem::path& path);

/// What a file's name says of its content: its ending in lower case, without .gz.
std::string endingOf(const std::filesystem::path& path);

/// One file, by its ending.
Result<void> readRawRecords(const std::filesystem::path& file, const IsRecord& isRecord, const RecordSink& sink);

/// The readers of single formats.
Result<void> readJsonLines(const std::filesystem::path& file, const IsRecord& isRecord, const RecordSink& sink);
Result<void> readJsonFile(const std::filesystem::path& file, const IsRecord& isRecord, const RecordSink& sink);
/// `delimiter` 0: the one of , ; and tab that the first line has most of.
Result<void> readCsv(const std::filesystem::path& file, char delimiter, const RecordSink& sink);
Result<void> readParquet(const std::filesystem::path& file, const RecordSink& sink);

}  // namespace strata
