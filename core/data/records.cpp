#include "core/data/records.h"

#include <algorithm>
#include <optional>

#include "core/base/files.h"
#include "core/base/json.h"
#include "core/data/line_reader.h"
#include "core/text/tokenizer.h"
#include "core/text/utf8.h"

namespace strata {
namespace {

namespace fs = std::filesystem;
using Take = std::function<Result<void>(DataRecord&&)>;

bool isDataFile(const fs::path& path) {
  return path.extension() == ".txt" || path.extension() == ".jsonl";
}

bool isBlank(std::string_view line) {
  return line.find_first_not_of(" \t\r\v\f") == std::string_view::npos;
}

tl::unexpected<Error> broken(const std::string& where, const std::string& what) {
  return fail(ErrorCode::invalidData, where + ": " + what, where);
}

Result<std::string> textOf(const Json& object, const char* key, const std::string& where) {
  const auto found = object.find(key);
  if (found == object.end()) return broken(where, std::string("the key \"") + key + "\" is missing; add it.");
  if (!found->is_string()) return broken(where, std::string("\"") + key + "\" must be a string.");
  return found->get<std::string>();
}

Result<DataRecord> parseLine(std::string_view line, const std::string& where) {
  STRATA_TRY(const Json object, parseJson(line, where));
  if (!object.is_object()) {
    return broken(where, "the line must be a JSON object, {\"prompt\": …, \"completion\": …} or {\"text\": …}.");
  }
  DataRecord record;
  if (object.contains("prompt") || object.contains("completion")) {
    record.format = DataFormat::promptCompletion;
    STRATA_TRY(record.prompt, textOf(object, "prompt", where));
    STRATA_TRY(record.completion, textOf(object, "completion", where));
    return record;
  }
  if (!object.contains("text")) {
    return broken(where, "the object has neither \"prompt\" and \"completion\" nor \"text\"; add them.");
  }
  STRATA_TRY(record.text, textOf(object, "text", where));
  return record;
}

Result<void> readJsonLines(const fs::path& path, const Take& take) {
  STRATA_TRY(LineReader reader, LineReader::open(path));
  std::string line;
  for (;;) {
    STRATA_TRY(const bool more, reader.next(line));
    if (!more) return {};
    if (isBlank(line)) continue;
    STRATA_TRY(DataRecord record, parseLine(line, reader.where()));
    record.file = path.string();
    record.line = reader.number();
    STRATA_CHECK(take(std::move(record)));
  }
}

Result<void> readTextFile(const fs::path& path, const Take& take) {
  STRATA_TRY(const std::string content, readFile(path));
  const std::string_view text = withoutByteOrderMark(content);
  if (const auto at = findInvalidUtf8(text)) {
    const auto line = std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(*at), '\n') + 1;
    return broken(path.string() + ":" + std::to_string(line), "the text is not UTF-8; convert the file.");
  }
  for (std::string& document : splitDocuments(text)) {
    DataRecord record;
    record.text = std::move(document);
    record.file = path.string();
    STRATA_CHECK(take(std::move(record)));
  }
  return {};
}

}  // namespace

const char* toString(DataFormat format) {
  return format == DataFormat::text ? "text" : "prompt/completion";
}

std::string DataRecord::where() const {
  return line > 0 ? file + ":" + std::to_string(line) : file;
}

Result<std::vector<fs::path>> dataFiles(const fs::path& path) {
  std::error_code failed;
  if (!fs::exists(path, failed)) {
    return fail(ErrorCode::notFound, "There is no file or folder " + path.string() + ".", path.string());
  }
  std::vector<fs::path> files;
  if (!fs::is_directory(path, failed)) {
    if (!isDataFile(path)) {
      return fail(ErrorCode::unsupported,
                  path.string() + " is neither .txt nor .jsonl; give a text file, JSON lines or a folder of them.",
                  path.string());
    }
    return std::vector{path};
  }
  fs::directory_iterator entries(path, failed);
  if (failed) return fail(ErrorCode::io, "Cannot list " + path.string() + ": " + failed.message(), path.string());
  for (; entries != fs::directory_iterator(); entries.increment(failed)) {
    std::error_code ignored;
    if (isDataFile(entries->path()) && entries->is_regular_file(ignored)) files.push_back(entries->path());
  }
  if (failed) return fail(ErrorCode::io, "Cannot list " + path.string() + ": " + failed.message(), path.string());
  if (files.empty()) {
    return fail(ErrorCode::notFound, "The folder " + path.string() + " holds no .txt or .jsonl files.", path.string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

Result<void> readRecords(const fs::path& path, const Take& take) {
  STRATA_TRY(const std::vector<fs::path> files, dataFiles(path));
  std::optional<DataFormat> format;
  const Take takeOneFormat = [&](DataRecord&& record) -> Result<void> {
    if (format && *format != record.format) {
      return broken(record.where(), std::string("this is ") + toString(record.format) +
                                        ", but the data set began with " + toString(*format) +
                                        "; keep one format a data set.");
    }
    format = record.format;
    return take(std::move(record));
  };
  for (const fs::path& file : files) {
    STRATA_CHECK(file.extension() == ".txt" ? readTextFile(file, takeOneFormat) : readJsonLines(file, takeOneFormat));
  }
  return {};
}

}  // namespace strata
