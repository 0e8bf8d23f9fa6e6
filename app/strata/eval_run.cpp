#include "app/strata/eval_run.h"

#include <atomic>
#include <chrono>
#include <thread>

#include "core/base/files.h"
#include "core/data/template_renderer.h"
#include "core/project/run_database.h"

namespace strata {
namespace fs = std::filesystem;
namespace {

using Clock = std::chrono::steady_clock;

constexpr auto kStopPoll = std::chrono::milliseconds(50);
constexpr auto kProgressInterval = std::chrono::milliseconds(500);

/// Set once the run's stop file appears or `outer` is set.
class StopWatcher {
 public:
  StopWatcher(const Run& run, const std::atomic<bool>* outer)
      : m_thread([this, &run, outer](const std::stop_token& ended) {
          while (!ended.stop_requested() && !m_stop) {
            m_stop = run.stopRequested() || (outer != nullptr && outer->load());
            std::this_thread::sleep_for(kStopPoll);
          }
        }) {}
  const std::atomic<bool>& flag() const { return m_stop; }

 private:
  std::atomic<bool> m_stop{false};
  std::jthread m_thread;
};

double secondsSince(Clock::time_point started) {
  return std::chrono::duration<double>(Clock::now() - started).count();
}

Result<void> addScores(RunDatabase& database, const TaskResult& result, double seconds) {
  for (const auto& [name, score] : result.metrics) {
    STRATA_CHECK(database.addMetric({0, name + '/' + result.map, score, 0, seconds}));
  }
  return {};
}

}  // namespace

Json toJson(const TaskResult& result) {
  Json json = {{"map", result.map},
               {"src", result.src.src()},
               {"retention", result.retention},
               {"f1", nullptr},
               {"em", nullptr},
               {"tokens", result.tokens},
               {"n", result.n},
               {"truncated", result.truncated},
               {"kv_bytes_per_token", result.kvBytesPerToken},
               {"seconds", result.seconds}};
  for (const auto& [name, score] : result.metrics) json[name] = score;
  return json;
}

Result<Evaluation> Evaluation::prepare(const EvalConfig& config, const std::string& project) {
  STRATA_CHECK(checkEvalConfig(config));
  Evaluation evaluation;
  evaluation.m_config = config;
  STRATA_TRY(evaluation.m_opened, openModel(modelOptionsOf(config, project)));
  STRATA_TRY(evaluation.m_maps, chooseMaps(config.maps, *evaluation.m_opened.model));
  const auto opened = evaluation.m_opened.model;
  const auto maps = evaluation.m_maps;
  const EvalTask* task = findEvalTask(config.task);
  if (task != nullptr && task->questions) {
    STRATA_TRY(QuestionSet data, readQuestions(config.data, *task->questions));
    evaluation.m_evaluate = [=, data = std::move(data)](const TaskHooks& hooks) {
      return evaluateQuestions(opened, maps, data, {.limit = config.limit}, hooks);
    };
    return evaluation;
  }
  const ModelLocation& location = evaluation.m_opened.location;
  STRATA_TRY(ChatTemplate chatTemplate, ChatTemplate::open(location.folder, location.chatTemplate));
  const auto chat = std::make_shared<const TemplateRenderer>(std::move(chatTemplate));
  evaluation.m_evaluate = [=](const TaskHooks& hooks) {
    return evaluateNll(*opened, maps, config.data, {.limit = config.limit, .chat = chat.get()}, hooks);
  };
  return evaluation;
}

Json Evaluation::stored() const {
  EvalConfig config = m_config;
  const auto absolute = [](const fs::path& path) { return fs::absolute(path).lexically_normal().string(); };
  if (m_opened.location.run.empty()) config.model = absolute(m_opened.location.folder);
  if (!config.adapter.empty()) config.adapter = absolute(config.adapter);
  config.data = absolute(config.data);
  config.maps.clear();
  for (const NamedMap& map : m_maps) config.maps.push_back(map.name);
  config.dtype = configName(fromTorch(m_opened.model->dtype()));
  return configToJson(config);
}

Result<std::vector<TaskResult>> Evaluation::record(Run& run, const TaskHooks& outer) const {
  STRATA_CHECK(run.setState(RunState::running));
  STRATA_TRY(RunDatabase database, RunDatabase::open(run.folder()));
  const StopWatcher watcher(run, outer.cancel);
  TaskHooks hooks = outer;
  hooks.cancel = &watcher.flag();
  hooks.onAnswer = [&](const TaskAnswer& answer) {
    return database.addAnswer(
        {answer.map, answer.question, answer.answer, answer.scores, answer.text, answer.expected});
  };
  // Progress over all maps: "done" at step n is the number in all, "seconds" what n took.
  const auto started = Clock::now();
  Clock::time_point told = started - kProgressInterval;
  std::string map;
  std::int64_t mapsBefore = -1, last = 0;
  Result<void> written;
  hooks.onProgress = [&](const std::string& current, std::int64_t done, std::int64_t all) {
    if (outer.onProgress) outer.onProgress(current, done, all);
    if (mapsBefore < 0 || current != map || done <= last) ++mapsBefore;
    map = current;
    last = done;
    const auto now = Clock::now();
    if (!written || (now - told < kProgressInterval && done < all)) return;
    told = now;
    const std::int64_t step = mapsBefore * all + done;
    const double seconds = secondsSince(started);
    const auto inAll = static_cast<double>(all * static_cast<std::int64_t>(m_maps.size()));
    written = database.addMetric({step, "done", inAll, 0, seconds});
    if (written) written = database.addMetric({step, "seconds", seconds, 0, seconds});
    if (written) written = database.flush();
  };
  STRATA_TRY(std::vector<TaskResult> results, m_evaluate(hooks));
  STRATA_CHECK(written);
  if (hooks.cancel->load()) return fail(ErrorCode::cancelled, "The evaluation was stopped.");
  Json list = Json::array();
  for (const TaskResult& result : results) {
    list.push_back(toJson(result));
    STRATA_CHECK(addScores(database, result, secondsSince(started)));
  }
  STRATA_CHECK(database.flush());
  STRATA_CHECK(writeFile(run.folder() / "results.json", Json({{"results", list}}).dump(2) + "\n"));
  STRATA_CHECK(run.setState(RunState::done));
  return results;
}

Result<std::vector<TaskResult>> Evaluation::runIn(Run& run, const TaskHooks& hooks) const {
  Result<std::vector<TaskResult>> results = record(run, hooks);
  if (results) return results;
  const bool cancelled = results.error().code == ErrorCode::cancelled;
  STRATA_CHECK(run.setState(cancelled ? RunState::stopped : RunState::failed, results.error().message));
  run.clearStop();
  return results;
}

}  // namespace strata
