#include "core/data/raw_records.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "core/data/input_file.h"
#include "core/data/line_reader.h"
#include "core/text/tokenizer.h"
#include "core/text/utf8.h"

namespace strata {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 8> kEndings = {".txt", ".jsonl", ".ndjson",  ".json",
                                                      ".csv", ".tsv",   ".parquet", ".text"};
constexpr const char* kEndingsInWords = ".txt, .jsonl, .json, .csv, .tsv and .parquet (all but the last also with .gz)";

bool isDataFile(const fs::path& path) {
  return std::find(kEndings.begin(), kEndings.end(), endingOf(path)) != kEndings.end();
}

Result<void> readTextFile(const fs::path& file, const RecordSink& sink) {
  STRATA_TRY(const std::string content, readAll(file));
  const std::string_view text = withoutByteOrderMark(content);
  if (const auto at = findInvalidUtf8(text)) {
    const auto line = std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(*at), '\n') + 1;
    const std::string where = placeOf(file.string(), line);
    return fail(ErrorCode::invalidData, where + ": the text is not UTF-8; convert the file.", where);
  }
  for (std::string& document : splitDocuments(text)) {
    STRATA_CHECK(sink.take({Json{{"text", std::move(document)}}, file.string(), 0}));
  }
  return {};
}

}  // namespace

std::string endingOf(const fs::path& path) {
  std::string ending = withoutGzip(path).extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return ending;
}

std::string placeOf(const std::string& file, std::int64_t line) {
  return line > 0 ? file + ":" + std::to_string(line) : file;
}

std::string DroppedRow::sentence() const {
  return placeOf(file, line) + ": " + reason;
}

Result<std::vector<fs::path>> dataFiles(const fs::path& path) {
  std::error_code failed;
  if (!fs::exists(path, failed)) {
    return fail(ErrorCode::notFound, "There is no file or folder " + path.string() + ".", path.string());
  }
  if (!fs::is_directory(path, failed)) {
    if (!isDataFile(path)) {
      return fail(ErrorCode::unsupported,
                  "The ending of " + path.string() + " says no format that can be read; there are " + kEndingsInWords +
                      ", and folders of them.",
                  path.string());
    }
    return std::vector{path};
  }
  std::vector<fs::path> files;
  fs::directory_iterator entries(path, failed);
  if (failed) return fail(ErrorCode::io, "Cannot list " + path.string() + ": " + failed.message(), path.string());
  for (; entries != fs::directory_iterator(); entries.increment(failed)) {
    std::error_code ignored;
    const bool hidden = entries->path().filename().string().starts_with('.');  // "._a.csv" of macOS, say
    if (!hidden && isDataFile(entries->path()) && entries->is_regular_file(ignored)) files.push_back(entries->path());
  }
  if (failed) return fail(ErrorCode::io, "Cannot list " + path.string() + ": " + failed.message(), path.string());
  if (files.empty()) {
    return fail(ErrorCode::notFound,
                "The folder " + path.string() + " holds no data files; there can be " + kEndingsInWords + ".",
                path.string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

Result<void> readRawRecords(const fs::path& file, const IsRecord& isRecord, const RecordSink& sink) {
  const std::string ending = endingOf(file);
  if (ending == ".jsonl" || ending == ".ndjson") return readJsonLines(file, isRecord, sink);
  if (ending == ".json") return readJsonFile(file, isRecord, sink);
  if (ending == ".csv") return readCsv(file, 0, sink);
  if (ending == ".tsv") return readCsv(file, '\t', sink);
  if (ending == ".parquet") return readParquet(file, sink);
  return readTextFile(file, sink);
}

}  // namespace strata
