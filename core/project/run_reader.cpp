#include "core/project/run_reader.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "core/base/json_values.h"
#include "core/project/run_schema.h"
#include "core/protocol/job_kinds.h"

namespace strata {
namespace {

namespace fs = std::filesystem;

constexpr int kRecentSteps = 8;  // that a step's time is taken from

double valueOf(const Statement& row, int column) {
  return row.isNull(column) ? std::numeric_limits<double>::quiet_NaN() : row.real(column);
}

/// Whatever is no number is left out.
std::map<std::string, double> scoresIn(const std::string& text) {
  std::map<std::string, double> scores;
  const Result<Json> json = parseJson(text, "The scores");
  if (!json || !json->is_object()) return scores;
  for (const auto& [name, score] : json->items()) {
    if (score.is_number()) scores[name] = score.get<double>();
  }
  return scores;
}

}  // namespace

Result<RunReader> RunReader::open(const fs::path& runFolder, std::int64_t fromStep) {
  const ProjectPath file = inRun(runFolder, "run.sqlite");
  const auto notYet = [&] {
    return fail(ErrorCode::notFound, "The run " + runFolder.filename().string() + " has no metrics yet.",
                file.whole().string());
  };
  const Result<fs::path> path = plainPath(file);
  if (!path && path.error().code != ErrorCode::notFound) return tl::unexpected(path.error());
  std::error_code ignored;
  if (!path || !fs::exists(*path, ignored)) return notYet();
  STRATA_TRY(Database database, Database::open(file, Database::Mode::read));
  STRATA_TRY(const int version, database.version(kRunDatabaseVersion));
  if (version == 0) return notYet();  // its process has not made the tables
  RunReader reader(std::move(database));
  reader.m_fromStep = fromStep;
  return reader;
}

bool RunReader::isFrom(int version) const {
  const Result<int> own = m_database.version(kRunDatabaseVersion);
  return own && *own >= version;
}

Result<std::optional<Metric>> RunReader::newest(const char* name) const {
  Statement query(m_database, isTimed() ? "SELECT step, value, tokens, seconds FROM metrics WHERE name = ?"
                                          " ORDER BY step DESC LIMIT 1"
                                        : "SELECT step, value, 0, 0.0 FROM metrics WHERE name = ?"
                                          " ORDER BY step DESC LIMIT 1");
  const std::string text = name;
  const int code = query.bind(1, text).step();
  STRATA_CHECK(m_database.check(code));
  if (code != SQLITE_ROW) return std::optional<Metric>();
  return std::optional(Metric{query.integer(0), text, valueOf(query, 1), query.integer(2), query.real(3)});
}

Result<RunProgress> RunReader::progress(const RunInfo& run) const {
  STRATA_TRY(RunProgress progress, run.kind == kTrainKind ? training(run) : evaluation());
  STRATA_TRY(progress.best, bestScores());
  return progress;
}

/// Of the losses the least, of the other scores the most; bounds of intervals are no scores.
Result<std::map<std::string, double>> RunReader::bestScores() const {
  std::map<std::string, double> best;
  STRATA_TRY(const std::vector<std::string> names, metricNames());
  for (const std::string& name : names) {
    const std::string score = name.substr(0, name.find('/'));
    if (score == name || score.ends_with("_low") || score.ends_with("_high")) continue;
    Statement query(m_database, score.ends_with("nll") ? "SELECT MIN(value) FROM metrics WHERE name = ?"
                                                       : "SELECT MAX(value) FROM metrics WHERE name = ?");
    STRATA_CHECK(m_database.check(query.bind(1, name).step()));
    if (!query.isNull(0) && std::isfinite(query.real(0))) best[name] = query.real(0);
  }
  return best;
}

Result<RunProgress> RunReader::training(const RunInfo& run) const {
  RunProgress progress;
  // How many steps epochs make is known once the job has read the data.
  const auto epochs = run.config.find("epochs");
  if (epochs == run.config.end() || epochs->is_null()) progress.steps = countIn(run.config, "steps");
  STRATA_TRY(const std::optional<Metric> loss, newest("loss"));
  if (!loss) return progress;
  progress.step = loss->step;
  if (isTimed()) progress.seconds = loss->seconds;
  if (loss->value == loss->value) progress.loss = loss->value;
  Statement steps(
      m_database,
      "SELECT AVG(value) FROM (SELECT value FROM metrics WHERE name = 'step_s' ORDER BY step DESC LIMIT ?)");
  STRATA_CHECK(m_database.check(steps.bind(1, std::int64_t{kRecentSteps}).step()));
  if (!steps.isNull(0)) {
    progress.stepSeconds = steps.real(0);
    return progress;
  }
  // A run of version 0.4: its tokens_s counts padding.
  Statement speed(
      m_database,
      "SELECT AVG(value) FROM (SELECT value FROM metrics WHERE name = 'tokens_s' ORDER BY step DESC LIMIT ?)");
  STRATA_CHECK(m_database.check(speed.bind(1, std::int64_t{kRecentSteps}).step()));
  const auto tokens = static_cast<double>(countIn(run.config, "batch") * countIn(run.config, "length"));
  if (!speed.isNull(0) && speed.real(0) > 0) progress.stepSeconds = tokens / speed.real(0);
  return progress;
}

/// "done" at step n: the number in all; "seconds": what n took.
Result<RunProgress> RunReader::evaluation() const {
  RunProgress progress;
  STRATA_TRY(const std::optional<Metric> done, newest("done"));
  if (!done) return progress;
  progress.step = done->step;
  progress.steps = static_cast<std::int64_t>(done->value);
  STRATA_TRY(const std::optional<Metric> seconds, newest("seconds"));
  if (seconds) progress.seconds = seconds->value;
  if (seconds && seconds->step > 0) progress.stepSeconds = seconds->value / static_cast<double>(seconds->step);
  return progress;
}

Result<std::vector<MetricPoints>> RunReader::next(std::size_t most) {
  std::vector<MetricPoints> found;
  const std::int64_t version = m_database.dataVersion();
  if (version == m_seen) return found;
  STRATA_TRY(const std::vector<std::string> names, metricNames());
  const std::size_t limit = std::max<std::size_t>(1, most / std::max<std::size_t>(1, names.size()));
  Statement newest(m_database, "SELECT MAX(step) FROM metrics WHERE name = ?");
  bool all = true;
  for (const std::string& name : names) {
    STRATA_CHECK(m_database.check(newest.bind(1, name).step()));
    std::int64_t& last = m_last.try_emplace(name, m_fromStep - 1).first->second;
    last = std::min(last, newest.integer(0));  // a run that went back
    newest.reset();
    MetricPoints points;
    points.name = name;
    PointRows rows(m_database, name, last, isTimed());
    while (points.step.size() < limit && rows.next()) {
      const SeriesBucket point = rows.point();
      last = point.last.step;
      points.step.push_back(static_cast<double>(last));
      points.tokens.push_back(static_cast<double>(point.last.tokens));
      points.seconds.push_back(point.last.seconds);
      points.value.push_back(point.lastValue);
    }
    STRATA_CHECK(rows.check());
    all = all && points.step.size() < limit;
    if (!points.step.empty()) found.push_back(std::move(points));
  }
  if (all) m_seen = version;
  return found;
}

Result<std::vector<std::string>> RunReader::answerMaps() const {
  std::vector<std::string> maps;
  Statement rows(m_database, "SELECT DISTINCT map FROM answers ORDER BY map");
  while (rows.step() == SQLITE_ROW) maps.push_back(rows.text(0));
  STRATA_CHECK(m_database.check(rows.code()));
  return maps;
}

Result<std::int64_t> RunReader::answerCount(const std::string& map, std::int64_t fromStep) const {
  const std::string since = isFrom(kFirstSteppedVersion) ? " AND step >= ?" : "";
  Statement rows(m_database, ("SELECT count(*) FROM answers WHERE map = ?" + since).c_str());
  rows.bind(1, map);
  if (!since.empty()) rows.bind(2, fromStep);
  STRATA_CHECK(m_database.check(rows.step()));
  return rows.integer(0);
}

Result<std::vector<RunAnswer>> RunReader::answers(const std::string& map, std::int64_t from, std::int64_t count,
                                                  std::int64_t fromStep) const {
  const bool stepped = isFrom(kFirstSteppedVersion);
  std::string sql = "SELECT question, answer, ";
  sql += isTimed() ? "scores, " : "json_object('em', exact, 'f1', f1), ";
  sql += isFrom(kFirstAskedVersion) ? "questions.text, questions.expected, " : "NULL, NULL, ";
  sql += isFrom(kFirstContextVersion) ? "questions.cluster, questions.answerable, " : "NULL, 1, ";
  sql += stepped ? "step FROM answers" : "0 FROM answers";
  if (isFrom(kFirstAskedVersion)) sql += " LEFT JOIN questions ON questions.id = question";
  sql += stepped ? " WHERE map = ? AND step >= ?" : " WHERE map = ?";
  sql += " ORDER BY question LIMIT ? OFFSET ?";
  Statement rows(m_database, sql.c_str());
  int parameter = 1;
  rows.bind(parameter++, map);
  if (stepped) rows.bind(parameter++, fromStep);
  rows.bind(parameter, count).bind(parameter + 1, from);
  std::vector<RunAnswer> found;
  while (rows.step() == SQLITE_ROW) {
    RunAnswer answer{map, rows.text(0), rows.text(1), scoresIn(rows.text(2)), {}, rows.integer(7)};
    answer.asked.text = rows.text(3);
    answer.asked.expected = rows.text(4);
    answer.asked.cluster = rows.text(5);
    answer.asked.answerable = rows.isNull(6) || rows.integer(6) != 0;
    found.push_back(std::move(answer));
  }
  STRATA_CHECK(m_database.check(rows.code()));
  return found;
}

Result<std::optional<RunQuestion>> RunReader::question(const std::string& id) const {
  if (!isFrom(kFirstAskedVersion)) return std::optional<RunQuestion>();
  Statement row(m_database,
                isFrom(kFirstContextVersion)
                    ? "SELECT text, expected, context, cluster, refs, answerable FROM questions WHERE id = ?"
                    : "SELECT text, expected, '', '', '[]', 1 FROM questions WHERE id = ?");
  const int code = row.bind(1, id).step();
  STRATA_CHECK(m_database.check(code));
  if (code != SQLITE_ROW) return std::optional<RunQuestion>();
  RunQuestion question{row.text(0), row.text(1), row.text(2), row.text(3), {}, row.integer(5) != 0};
  STRATA_TRY(const Json references, parseJson(row.text(4), "The references of question " + id));
  for (const Json& each : references) {
    if (each.is_string()) question.references.push_back(each.get<std::string>());
  }
  return std::optional(std::move(question));
}

Result<std::int64_t> RunReader::eventCount() const {
  Statement rows(m_database, "SELECT count(*) FROM events");
  STRATA_CHECK(m_database.check(rows.step()));
  return rows.integer(0);
}

Result<std::vector<RunEvent>> RunReader::events(std::int64_t count) const {
  Statement rows(m_database, "SELECT step, time, kind, text FROM events ORDER BY id DESC LIMIT ?");
  rows.bind(1, count);
  std::vector<RunEvent> found;
  while (rows.step() == SQLITE_ROW) found.push_back({rows.integer(0), rows.real(1), rows.text(2), rows.text(3)});
  STRATA_CHECK(m_database.check(rows.code()));
  return found;
}

}  // namespace strata
