#include "core/service/run_contents.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "core/base/file_errors.h"
#include "core/config/describe.h"
#include "core/config/eval_config.h"
#include "core/config/search_config.h"
#include "core/config/train_config.h"
#include "core/project/job.h"
#include "core/project/project_files.h"
#include "core/project/run_export.h"
#include "core/project/run_reader.h"
#include "core/protocol/columns.h"
#include "core/protocol/job_kinds.h"
#include "core/service/job_info.h"
#include "core/training/borrowed_reads.h"
#include "core/training/run_setup.h"

namespace strata {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kLogBytes = 64 << 10;
constexpr std::size_t kPageBytes = 256 << 10;
constexpr std::size_t kMostNames = 256;

/// Cut so that no character is broken at its end, nor, where `midway`, at its begin.
std::string wholeCharacters(std::string bytes, bool midway) {
  const auto continues = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; };
  if (midway) bytes.erase(bytes.begin(), std::find_if_not(bytes.begin(), bytes.end(), continues));
  std::size_t last = bytes.size();
  while (last > 0 && continues(bytes[last - 1])) --last;
  if (last == 0) return bytes;
  const auto lead = static_cast<unsigned char>(bytes[last - 1]);
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : lead >= 0xC0 ? 2 : 1;
  if (bytes.size() - (last - 1) < length) bytes.resize(last - 1);
  return bytes;
}

/// Nothing while the run has no database.
Result<std::optional<RunReader>> openReader(const fs::path& runFolder) {
  Result<RunReader> reader = RunReader::open(runFolder);
  if (reader) return std::optional<RunReader>(std::move(*reader));
  if (reader.error().code == ErrorCode::notFound) return std::optional<RunReader>();
  return tl::unexpected(std::move(reader).error());
}

Result<SeriesAxis> checkedAxis(const protocol::ReadSeries::Params& params) {
  const auto axis = seriesAxisOf(params.x);
  if (!axis) return fail(ErrorCode::usage, "x is \"" + params.x + "\"; give step, tokens or seconds.", "x");
  if (params.names.size() > kMostNames) {
    return fail(ErrorCode::usage,
                std::to_string(params.names.size()) + " metrics are asked for at once; ask for at most " +
                    std::to_string(kMostNames) + ".",
                "names");
  }
  if (params.from && params.to && *params.from > *params.to) {
    return fail(ErrorCode::usage, "The stretch begins behind its end; give a from that is at most to.", "from");
  }
  return *axis;
}

protocol::SeriesBuckets toMessage(const std::string& name, const SeriesColumns& columns) {
  using protocol::encodeColumn;
  return {name,
          encodeColumn(columns.x),
          encodeColumn(columns.step),
          encodeColumn(columns.tokens),
          encodeColumn(columns.seconds),
          encodeColumn(columns.min),
          encodeColumn(columns.max),
          encodeColumn(columns.last),
          encodeColumn(columns.count)};
}

/// What an extended run has in common with its parent need not be said. Empty: the parent is gone.
std::string trainCommand(const RunInfo& run, const TrainConfig& config, const fs::path& runs,
                         const std::string& project) {
  if (run.parent.empty()) return commandLine("strata train" + project, config);
  if (!isPlainId(run.parent)) return {};
  const Result<TrainConfig> parent = configOfRun(runs / run.parent);
  if (!parent) return {};
  return commandLine("strata train" + project + " --extend " + shellQuoted(run.parent), describe(config, *parent));
}

std::size_t bytesOf(const protocol::SeriesBuckets& buckets) {
  return buckets.name.size() + 8 * buckets.x.size();
}

}  // namespace

Result<protocol::ReadLog::Answer> readLog(const fs::path& runFolder, const protocol::ReadLog::Params& params) {
  protocol::ReadLog::Answer answer;
  const ProjectPath path = inRun(runFolder, "log");
  const Result<Descriptor> file = openInProject(path, O_RDONLY);
  if (!file && file.error().code == ErrorCode::notFound) return answer;  // a run of the command line has none
  if (!file) return tl::unexpected(file.error());
  const off_t end = ::lseek(file->get(), 0, SEEK_END);
  if (end < 0) return systemFailure(errno, "read", path.whole());
  const std::int64_t size = end;
  const auto most = static_cast<std::int64_t>(kLogBytes);
  const std::int64_t from = params.from < 0 ? std::max<std::int64_t>(0, size - most) : std::min(params.from, size);
  std::string bytes(static_cast<std::size_t>(std::min(most, size - from)), '\0');
  const ssize_t count = ::pread(file->get(), bytes.data(), bytes.size(), from);
  if (count < 0) return systemFailure(errno, "read", path.whole());
  bytes.resize(static_cast<std::size_t>(count));
  const std::string read = bytes;
  answer.text = wholeCharacters(std::move(bytes), params.from < 0 && from > 0);
  const std::size_t cutBefore = answer.text.empty() ? 0 : read.find(answer.text);
  answer.next = from + static_cast<std::int64_t>(cutBefore + answer.text.size());
  return answer;
}

Result<protocol::ReadJobConfig::Answer> readConfig(const fs::path& runFolder) {
  STRATA_TRY(const RunInfo run, readRun(runFolder));
  protocol::ReadJobConfig::Answer answer{run.kind, run.config, {}};
  const std::string project = " --project " + shellQuoted(runFolder.parent_path().parent_path().string());
  if (run.kind == kTrainKind) {
    STRATA_TRY(const TrainConfig config, configOfRun(runFolder));
    answer.config = configToJson(config);
    answer.command = trainCommand(run, config, runFolder.parent_path(), project);
  } else if (run.kind == kEvalKind) {
    EvalConfig config;
    STRATA_CHECK(configFromJson(run.config, (runFolder / "run.json").string(), config, UnknownKeys::ignore));
    answer.config = configToJson(config);
    answer.command = commandLine("strata eval" + project, config);
  } else if (run.kind == kSearchKind) {
    SearchConfig config;
    STRATA_CHECK(configFromJson(run.config, (runFolder / "run.json").string(), config, UnknownKeys::ignore));
    answer.config = configToJson(config);
    answer.command = commandLine("strata search" + project, config);
  } else if (run.kind == kSensitivityKind) {
    SensitivityConfig config;
    STRATA_CHECK(configFromJson(run.config, (runFolder / "run.json").string(), config, UnknownKeys::ignore));
    answer.config = configToJson(config);
    answer.command = commandLine("strata sensitivity" + project, config);
  }
  return answer;
}

Result<protocol::ExportJob::Answer> exportRun(const fs::path& runFolder, const protocol::ExportJob::Params& params) {
  if (params.format != "csv" && params.format != "tensorboard") {
    return fail(ErrorCode::usage, "format is " + params.format + ", but a run is exported as csv or tensorboard.",
                "format");
  }
  const bool asCsv = params.format == "csv";
  const fs::path project = runFolder.parent_path().parent_path();
  fs::path path = project / params.path;
  if (params.path.empty()) {
    const fs::path inside = fs::path("exports") / (asCsv ? fs::path() : fs::path("tensorboard") / runFolder.filename());
    STRATA_CHECK(makeFolder({project, inside}));
    path = asCsv ? project / inside / (runFolder.filename().string() + ".csv") : project / inside;
  }
  STRATA_TRY(const std::int64_t points, asCsv ? exportCsv(runFolder, path) : exportTensorboard(runFolder, path));
  return protocol::ExportJob::Answer{path.string(), points};
}

Result<protocol::ReadSeries::Answer> readSeries(const fs::path& runFolder, const protocol::ReadSeries::Params& params) {
  protocol::ReadSeries::Answer answer;
  STRATA_TRY(const SeriesAxis axis, checkedAxis(params));
  STRATA_TRY(const std::optional<RunReader> reader, openReader(runFolder));
  if (reader && params.names.empty()) {
    STRATA_TRY(answer.names, reader->metricNames());
  }
  std::size_t bytes = 0;
  for (const std::string& name : params.names) {
    SeriesColumns columns;
    if (reader) {
      STRATA_TRY(columns, reader->series({name, axis, params.from, params.to, params.buckets}));
    }
    protocol::SeriesBuckets buckets = toMessage(name, columns);
    bytes += bytesOf(buckets);
    if (bytes > kPageBytes && !answer.series.empty()) {
      answer.left.assign(params.names.begin() + static_cast<std::ptrdiff_t>(answer.series.size()), params.names.end());
      break;
    }
    answer.series.push_back(std::move(buckets));
  }
  return answer;
}

Result<protocol::ReadAnswers::Answer> readAnswers(const fs::path& runFolder,
                                                  const protocol::ReadAnswers::Params& params) {
  protocol::ReadAnswers::Answer answer;
  STRATA_TRY(const std::optional<RunReader> reader, openReader(runFolder));
  if (!reader) return answer;
  STRATA_TRY(answer.maps, reader->answerMaps());
  STRATA_TRY(answer.total, reader->answerCount(params.map, params.fromStep));
  STRATA_TRY(const std::vector<RunAnswer> found,
             reader->answers(params.map, params.from, params.count, params.fromStep));
  std::size_t bytes = 0;
  for (const RunAnswer& each : found) {
    constexpr std::size_t kScoreBytes = 48;
    bytes += each.question.size() + each.answer.size() + each.asked.text.size() + each.asked.expected.size() +
             kScoreBytes * each.scores.size();
    if (bytes > kPageBytes && !answer.answers.empty()) break;
    answer.answers.push_back(
        {each.question, each.answer, toScores(each.scores), each.asked.text, each.asked.expected, each.step});
  }
  return answer;
}

Result<protocol::ReadBorrowed::Answer> readBorrowed(const fs::path& runFolder) {
  STRATA_TRY(const RunInfo run, readRun(runFolder));
  if (run.kind != kTrainKind) {
    return fail(ErrorCode::usage, "The run " + run.id + " is no training run, so it has drawn no routings.", run.id);
  }
  protocol::ReadBorrowed::Answer answer;
  STRATA_TRY(const std::optional<RunReader> reader, openReader(runFolder));
  if (!reader) return answer;
  STRATA_TRY(const RunProgress progress, reader->progress(run));
  STRATA_TRY(const TrainConfig config, configOfRun(runFolder));
  fs::path folder = config.init;
  if (folder.empty()) {
    STRATA_TRY(const ModelLocation location, locateModel(config.model, {}, Locate::place));
    folder = location.folder;
  }
  STRATA_TRY(const ModelConfig model, readModelConfig(folder));
  STRATA_TRY(BorrowedReads reads, countBorrowedReads(config, model.layers, progress.step));
  answer.steps = progress.step;
  answer.share = std::move(reads.share);
  answer.counted = reads.counted;
  answer.replayed = reads.replayed;
  return answer;
}

Result<protocol::ReadEvents::Answer> readEvents(const fs::path& runFolder, const protocol::ReadEvents::Params& params) {
  protocol::ReadEvents::Answer answer;
  STRATA_TRY(const std::optional<RunReader> reader, openReader(runFolder));
  if (!reader) return answer;
  STRATA_TRY(answer.total, reader->eventCount());
  STRATA_TRY(const std::vector<RunEvent> found, reader->events(params.count));
  for (const RunEvent& each : found) answer.events.push_back({each.step, each.time, each.kind, each.text});
  return answer;
}

}  // namespace strata
