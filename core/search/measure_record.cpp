#include "core/search/measure_record.h"

#include "core/base/files.h"
#include "core/project/project_files.h"
#include "core/project/run_reader.h"

namespace strata {
namespace {

constexpr auto kLookInterval = std::chrono::milliseconds(50);
constexpr auto kTellInterval = std::chrono::milliseconds(500);
constexpr auto kWriteInterval = std::chrono::seconds(1);
constexpr std::int64_t kPage = 10000;
constexpr double kMostTokens = 1e9;  // of a window

/// Refuses a file that says another thing was measured.
Result<void> checkSame(const Run& run, const std::string& name, const Json& header) {
  const Result<std::string> bytes = readInProject(inRun(run.folder(), name));
  if (!bytes && bytes.error().code == ErrorCode::notFound) return {};
  if (!bytes) return tl::unexpected(bytes.error());
  STRATA_TRY(const Json file, parseJson(*bytes, name));
  for (const char* key : {"model_hash", "text_hash", "tokens", "windows"}) {
    if (!file.is_object() || !header.contains(key) || !file.contains(key) || file[key] == header[key]) continue;
    return fail(ErrorCode::invalidData,
                "The run " + run.info().id +
                    " began with another model or text, which has changed since; start a new "
                    "one.",
                run.info().id);
  }
  return {};
}

Result<std::map<std::string, Losses>> storedLosses(const Run& run, std::size_t windows) {
  std::map<std::string, Losses> known;
  const Result<RunReader> reader = RunReader::open(run.folder());
  if (!reader && reader.error().code == ErrorCode::notFound) return known;
  if (!reader) return tl::unexpected(reader.error());
  STRATA_TRY(const std::vector<std::string> keys, reader->answerMaps());
  for (const std::string& key : keys) {
    Losses losses(windows);
    for (std::int64_t from = 0;; from += kPage) {
      STRATA_TRY(const std::vector<RunAnswer> page, reader->answers(key, from, kPage));
      for (const RunAnswer& answer : page) {
        const auto sum = answer.scores.find("sum"), tokens = answer.scores.find("tokens");
        const std::size_t window = std::strtoull(answer.question.c_str(), nullptr, 10);
        if (sum == answer.scores.end() || tokens == answer.scores.end() || window < 1 || window > windows) continue;
        if (!(tokens->second >= 1 && tokens->second <= kMostTokens)) continue;
        losses[window - 1] = {sum->second, static_cast<std::int64_t>(tokens->second)};
      }
      if (static_cast<std::int64_t>(page.size()) < kPage) break;
    }
    known.emplace(key, std::move(losses));
  }
  return known;
}

}  // namespace

Result<MeasureRecord> MeasureRecord::open(Run* run, const std::string& file, const Json& header, std::size_t windows) {
  MeasureRecord record;
  record.m_run = run;
  record.m_header = header;
  if (run == nullptr) return record;
  STRATA_CHECK(checkSame(*run, file, header));
  STRATA_TRY(record.m_known, storedLosses(*run, windows));
  STRATA_TRY(RunDatabase database, RunDatabase::open(run->folder()));
  STRATA_TRY(const Metric newest, database.newest());
  record.m_before = newest.seconds;
  record.m_database = std::make_unique<RunDatabase>(std::move(database));
  record.m_phase = std::make_unique<PhaseFile>(run->folder());
  record.m_phase->enter(JobPhase::evaluating);
  return record;
}

Result<void> MeasureRecord::add(const std::string& key, std::size_t window, const WindowLoss& loss) {
  if (!m_database) return {};
  RunAnswer answer;
  answer.map = key;
  answer.question = std::to_string(window + 1);
  const auto tokens = static_cast<double>(loss.tokens);
  answer.scores = {{"nll", loss.sum / tokens}, {"sum", loss.sum}, {"tokens", tokens}};
  return m_database->addAnswer(answer);
}

bool MeasureRecord::goOn() {
  const auto now = Clock::now();
  if (m_run == nullptr || !m_goOn || now - m_looked < kLookInterval) return m_goOn;
  m_looked = now;
  m_phase->progress();
  m_goOn = !m_run->stopRequested();
  return m_goOn;
}

Result<void> MeasureRecord::tell(std::int64_t done, std::int64_t total) {
  if (!m_database) return {};
  const auto now = Clock::now();
  if (now - m_told < kTellInterval && done < total) return {};
  m_told = now;
  m_step = std::max(m_step, done);
  STRATA_CHECK(m_database->addMetric({m_step, "done", static_cast<double>(total), 0, seconds()}));
  STRATA_CHECK(m_database->addMetric({m_step, "seconds", seconds(), 0, seconds()}));
  return m_database->flush();
}

Result<void> MeasureRecord::tellBest(const std::string& metric, const std::string& map, double value) {
  if (!m_database) return {};
  return m_database->addMetric({m_step, metric + "/" + map, value, 0, seconds()});
}

Result<void> MeasureRecord::write(const std::string& file, const std::function<Json()>& rest, bool now) {
  if (m_run == nullptr) return {};
  Clock::time_point& written = m_written[file];
  if (!now && Clock::now() - written < kWriteInterval) return {};
  Json contents = m_header;
  contents.update(rest());
  STRATA_CHECK(m_database->flush());
  STRATA_CHECK(writeFile(m_run->folder() / file, dumpLine(contents) + "\n"));
  written = Clock::now();
  return {};
}

double MeasureRecord::seconds() const {
  return m_before + std::chrono::duration<double>(Clock::now() - m_started).count();
}

Result<void> endUnfinished(Run& run, const Error& error) {
  STRATA_CHECK(run.setState(error.code == ErrorCode::cancelled ? RunState::stopped : RunState::failed, error.message));
  run.clearStop();
  return {};
}

}  // namespace strata
