// data/*.

#include <algorithm>
#include <set>

#include "core/base/files.h"
#include "core/data/columns.h"
#include "core/data/overlap.h"
#include "core/data/records.h"
#include "core/service/project_state.h"
#include "core/training/data_check.h"
#include "core/training/run_setup.h"

namespace strata {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kMostBins = 24;
constexpr std::size_t kMostDropped = 200;
constexpr std::size_t kMostRowBytes = 32 << 10, kMostPreviewBytes = 128 << 10;
constexpr std::int64_t kToldEvery = 500;  // records
constexpr std::size_t kMostSample = 120;  // characters

/// Bins of equal width, a round number of tokens.
std::vector<protocol::LengthBin> histogram(const std::vector<std::uint32_t>& ascending) {
  std::vector<protocol::LengthBin> bins;
  if (ascending.empty()) return bins;
  const std::int64_t least = ascending.front(), most = ascending.back();
  std::int64_t width = 1;
  for (std::int64_t power = 1;; power *= 10) {
    bool fits = false;
    for (const std::int64_t step : {1, 2, 5}) {
      width = step * power;
      fits = most / width - least / width < static_cast<std::int64_t>(kMostBins);
      if (fits) break;
    }
    if (fits) break;
  }
  const std::int64_t first = least / width;
  for (std::int64_t bin = first; bin <= most / width; ++bin) bins.push_back({bin * width, (bin + 1) * width, 0});
  for (const std::uint32_t length : ascending) ++bins[static_cast<std::size_t>(length / width - first)].rows;
  return bins;
}

protocol::PreviewRow previewOf(const Row& row, const Tokenizer& tokenizer) {
  protocol::PreviewRow preview;
  preview.tokens = static_cast<std::int64_t>(row.ids.size());
  preview.trained = std::count(row.trained.begin(), row.trained.end(), true);
  std::size_t bytes = 0;
  for (RowToken& token : tokensOf(row, tokenizer)) {
    if (token.text.empty()) continue;  // BOS, say
    bytes += token.text.size();
    if (bytes > kMostRowBytes) {
      preview.parts.push_back({"…", false});
      break;
    }
    if (preview.parts.empty() || preview.parts.back().trained != token.trained) {
      preview.parts.push_back({{}, token.trained});
    }
    preview.parts.back().text += token.text;
  }
  return preview;
}

void addPreview(const protocol::CheckData::Params& params, const std::vector<Row>& rows, const Tokenizer& tokenizer,
                protocol::CheckData::Answer& answer) {
  std::size_t bytes = 0;
  const auto begin = std::min(rows.size(), static_cast<std::size_t>(params.skip));
  const auto end = std::min(rows.size(), begin + static_cast<std::size_t>(params.preview));
  for (std::size_t i = begin; i < end && bytes < kMostPreviewBytes; ++i) {
    answer.preview.push_back(previewOf(rows[i], tokenizer));
    for (const protocol::TextPart& part : answer.preview.back().parts) bytes += part.text.size();
  }
}

/// A value on one line: a text as it is, anything else as JSON.
std::string sampleOf(const Json& value) {
  std::string text = value.is_string() ? value.get<std::string>() : dumpLine(value);
  std::string line;
  std::size_t characters = 0;
  for (const char each : text) {
    const bool begins = (static_cast<unsigned char>(each) & 0xc0) != 0x80;  // of a UTF-8 character
    if (begins && characters++ == kMostSample - 1) {
      line += "…";
      break;
    }
    line += static_cast<unsigned char>(each) < ' ' ? ' ' : each;
  }
  return line;
}

/// Of the first record that is an object; text has none.
std::vector<protocol::DataKey> keysOf(const fs::path& path) {
  std::vector<protocol::DataKey> keys;
  const Result<std::vector<fs::path>> files = dataFiles(path);
  if (!files || files->empty()) return keys;
  RecordSink sink;
  sink.take = [&](RawRecord&& record) -> Result<void> {
    if (record.value.is_object() && record.line > 0) {
      for (const auto& member : record.value.items()) keys.push_back({member.key(), sampleOf(member.value())});
    }
    return fail(ErrorCode::cancelled, "");  // one is enough
  };
  sink.drop = [](DroppedRow&&) -> Result<void> { return {}; };
  (void)readRawRecords(files->front(), hasRecordKeys, sink);  // what is wrong with the file the report says
  return keys;
}

Result<protocol::CheckData::Answer> check(const protocol::CheckData::Params& params, RequestContext& context,
                                          const std::optional<fs::path>& project) {
  TrainConfig config;
  config.length = params.length;
  config.trainOnPrompt = params.trainOnPrompt;
  config.columns = params.columns;
  fs::path path = params.path;
  if (path.is_relative() && project) path = *project / path;
  std::optional<DataReader> reader;
  if (!params.model.empty()) {
    STRATA_TRY(const ModelLocation location, locateModel(params.model, project));
    STRATA_TRY(reader, DataReader::of(location, params.model));
  }
  DataOptions options = rowOptions(config);
  options.goOn = [&context](std::int64_t records) {
    if (records % kToldEvery == 0) context.progress("Reading records", records, 0);
    return !context.cancelled;
  };
  STRATA_TRY(const CheckedData checked, checkDataSet(path, options, reader ? &*reader : nullptr));
  const DataReport& report = checked.report;
  protocol::CheckData::Answer answer;
  answer.path = fs::absolute(path).lexically_normal().string();
  answer.format = report.format;
  if (checked.refused) answer.refused = checked.refused->message;
  answer.files = report.files;
  answer.keys = keysOf(path);
  answer.records = report.records;
  answer.rows = report.rows;
  answer.dropped = report.droppedRows;
  answer.duplicates = report.duplicateRows;
  for (std::size_t i = 0; i < std::min(kMostDropped, report.dropped.size()); ++i) {
    const DroppedRow& row = report.dropped[i];
    answer.droppedRecords.push_back({row.file, row.reason, row.line});
  }
  if (checked.data) {
    answer.hasTokens = true;
    answer.truncated = report.truncated;
    answer.lostPassages = report.lostPassages;
    answer.tokens = report.tokens;
    answer.trainedTokens = report.trainedTokens;
    answer.lengths = histogram(report.lengths);
    if (!report.lengths.empty()) {
      answer.medianLength = report.lengths[(report.lengths.size() - 1) / 2];
      answer.longestLength = report.lengths.back();
    }
    addPreview(params, checked.data->rows(), *reader->tokenizer, answer);
  }
  if (!params.evalData.empty()) {
    fs::path other = params.evalData;
    if (other.is_relative() && project) other = *project / other;
    context.progress("Comparing with the evaluation data", 0, 0);
    // What is wrong with the other set is said where it is checked itself.
    if (const auto overlap = findOverlap(other, path, config.columns)) {
      answer.overlap = {overlap->records, overlap->sameRows, overlap->samePassages, overlap->sameWords};
    }
  }
  std::error_code ignored;
  if (fs::is_regular_file(path, ignored)) {
    context.progress("Hashing the file", 0, 0);
    STRATA_TRY(answer.hash, sha256OfFile(path));
  }
  return answer;
}

protocol::ListData::Answer listData(const Project& opened) {
  protocol::ListData::Answer answer;
  std::set<fs::path> added;
  for (const auto& [name, data] : opened.data()) {
    answer.files.push_back({name, data.path.string(), true, data.columns});
    added.insert(data.path);
  }
  const fs::path& project = opened.folder();
  std::vector<fs::path> paths;
  for (const fs::path& folder : {project, project / "uploads"}) {
    std::error_code error;
    for (fs::directory_iterator entry(folder, error), end; !error && entry != end; entry.increment(error)) {
      std::error_code ignored;
      const std::string name = entry->path().filename().string();
      if (!entry->is_regular_file(ignored) || name.starts_with('.') || name == "strata.json") continue;
      if (!added.contains(entry->path()) && dataFiles(entry->path())) paths.push_back(entry->path());
    }
  }
  std::sort(paths.begin(), paths.end());
  for (const fs::path& path : paths) answer.files.push_back({path.filename().string(), path.string(), false, {}});
  return answer;
}

}  // namespace

void addDataMethods(MethodTable& methods, const ProjectAccess& project) {
  using namespace protocol;
  methods.add<CheckData>(
      [project](const CheckData::Params& params, RequestContext& context) -> Result<CheckData::Answer> {
        const auto held = project();  // a file can be checked without a project
        return check(params, context, held ? std::optional<fs::path>((*held)->folder()) : std::nullopt);
      });
  methods.add<ListData>([project](const ListData::Params&, RequestContext&) -> Result<ListData::Answer> {
    STRATA_TRY(const auto held, project());
    STRATA_TRY(const Project opened, Project::open(held->folder()));
    return listData(opened);
  });
  methods.add<AddData>(
      [project](const AddData::Params& params, RequestContext&) -> Result<ListData::Answer> {
        STRATA_TRY(const auto held, project());
        STRATA_TRY(Columns columns, checkedColumns(params.columns));
        const std::lock_guard guard(held->fileMutex());
        STRATA_TRY(Project opened, Project::open(held->folder()));
        const fs::path path = held->folder() / params.path;  // an absolute one is itself
        STRATA_CHECK(opened.addData({path, std::move(columns)}, params.name));
        return listData(opened);
      },
      Lane::ordered);
  methods.add<RemoveData>(
      [project](const RemoveData::Params& params, RequestContext&) -> Result<ListData::Answer> {
        STRATA_TRY(const auto held, project());
        const std::lock_guard guard(held->fileMutex());
        STRATA_TRY(Project opened, Project::open(held->folder()));
        STRATA_CHECK(opened.removeData(params.name));
        return listData(opened);
      },
      Lane::ordered);
}

}  // namespace strata
