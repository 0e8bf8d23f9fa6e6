#include "app/strata/eval_run.h"

#include <atomic>
#include <chrono>
#include <thread>

#include "core/base/files.h"
#include "core/data/template_renderer.h"
#include "core/model/device.h"
#include "core/project/job_phase.h"
#include "core/project/project_files.h"
#include "core/project/run_database.h"
#include "core/project/run_reader.h"
#include "core/service/model_hash.h"

namespace strata {
namespace fs = std::filesystem;
namespace {

using Clock = std::chrono::steady_clock;

constexpr const char* kResultsFile = "results.json";
constexpr std::int64_t kAllAnswers = 1'000'000'000;
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

Result<void> writeInRun(const Run& run, const char* name, const Json& json) {
  return writeFile(run.folder() / name, json.dump(2) + "\n");
}

/// Refuses to go on where model or data have changed since.
Result<void> checkSame(const Run& run, const Json& header) {
  const Result<std::string> bytes = readInProject(inRun(run.folder(), kResultsFile));
  if (!bytes && bytes.error().code == ErrorCode::notFound) return {};
  if (!bytes) return tl::unexpected(bytes.error());
  STRATA_TRY(const Json file, parseJson(*bytes, kResultsFile));
  for (const char* key : {"model_hash", "data_hash"}) {
    if (!file.is_object() || !file.contains(key) || file[key] == header[key]) continue;
    return fail(ErrorCode::invalidData,
                "The run " + run.info().id +
                    " began with another model or other data, which have changed since; start a new one.",
                run.info().id);
  }
  return {};
}

/// What the run found before it stopped.
Result<KnownAnswers> storedAnswers(const Run& run) {
  KnownAnswers known;
  const Result<RunReader> reader = RunReader::open(run.folder());
  if (!reader && reader.error().code == ErrorCode::notFound) return known;
  if (!reader) return tl::unexpected(reader.error());
  STRATA_TRY(const std::vector<std::string> maps, reader->answerMaps());
  for (const std::string& map : maps) {
    STRATA_TRY(std::vector<RunAnswer> answers, reader->answers(map, 0, kAllAnswers));
    for (RunAnswer& each : answers) {
      TaskAnswer answer{map, each.question, std::move(each.answer), std::move(each.scores), std::move(each.asked)};
      known[{map, each.question}] = std::move(answer);
    }
  }
  return known;
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

Result<Evaluation> Evaluation::prepare(const EvalConfig& config, const std::string& project, Communicator* ranks) {
  Result<Evaluation> evaluation = prepareAlone(config, project);
  STRATA_CHECK(agree(ranks, evaluation ? Result<void>() : tl::unexpected(evaluation.error())));
  evaluation->m_ranks = ranks;
  return evaluation;
}

Result<void> Evaluation::follow() const {
  STRATA_CHECK(runTask({}));
  return {};
}

Result<std::vector<TaskResult>> Evaluation::runTask(TaskHooks hooks) const {
  if (m_ranks == nullptr) return m_task.run(hooks);
  using Keys = std::vector<std::pair<std::string, std::string>>;
  Keys keys;
  if (hooks.known != nullptr) {
    for (const auto& [key, answer] : *hooks.known) keys.push_back(key);
  }
  std::string bytes;
  if (m_ranks->leads()) Json::to_msgpack(Json(keys), bytes);
  m_ranks->broadcast(bytes, 0);
  KnownAnswers known;  // on the others: which, not what
  if (!m_ranks->leads()) {
    for (const auto& key : Json::from_msgpack(bytes).get<Keys>()) known[key] = {};
    hooks.known = &known;
  }
  hooks.ranks = m_ranks;
  return m_task.run(hooks);
}

Result<Evaluation> Evaluation::prepareAlone(const EvalConfig& config, const std::string& project) {
  STRATA_CHECK(checkEvalConfig(config));
  Evaluation evaluation;
  evaluation.m_config = config;
  STRATA_TRY(evaluation.m_opened, openModel(modelOptionsOf(config, project)));
  STRATA_TRY(evaluation.m_maps, chooseMaps(config.maps, *evaluation.m_opened.model));
  const ModelLocation& location = evaluation.m_opened.location;
  STRATA_TRY(ChatTemplate chatTemplate, ChatTemplate::open(location.folder, location.chatTemplate));
  if (config.chat && chatTemplate.source().empty()) {
    return fail(ErrorCode::usage, "The model has no chat template; ask without one, or give the project one for it.",
                "--chat");
  }
  const auto chat = std::make_shared<const TemplateRenderer>(std::move(chatTemplate));
  STRATA_TRY(evaluation.m_task, prepareTask(config, evaluation.m_opened.model, evaluation.m_maps, chat));
  return evaluation;
}

Json Evaluation::stored() const {
  EvalConfig config = m_config;
  const auto absolute = [](const fs::path& path) { return fs::absolute(path).lexically_normal().string(); };
  if (m_opened.location.run.empty()) config.model = absolute(m_opened.location.folder);
  if (!config.adapter.empty()) config.adapter = absolute(config.adapter);
  if (!config.data.empty()) config.data = absolute(config.data);
  if (!config.shotsData.empty()) config.shotsData = absolute(config.shotsData);
  config.maps.clear();
  for (const NamedMap& map : m_maps) config.maps.push_back(map.name);
  config.dtype = configName(fromTorch(m_opened.model->dtype()));
  return configToJson(config);
}

namespace {

/// The processor or card that the model is on.
std::string hardwareOf(const Model& model) {
  const std::string name = model.device().is_cpu() ? "cpu" : model.device().str();
  for (const DeviceInfo& device : listDevices()) {
    if (device.name == name) return device.description;
  }
  return name;
}

}  // namespace

Result<Json> Evaluation::describe() const {
  const ModelLocation& location = m_opened.location;
  const fs::path adapter = m_config.adapter.empty() ? location.adapter : fs::path(m_config.adapter);
  STRATA_TRY(const std::string model, ModelHashes().of(*m_opened.model->checkpoint(), adapter, &cancelFlag()));
  std::string data;  // none where questions are drawn
  if (!m_config.data.empty()) {
    STRATA_TRY(data, sha256OfFile(m_config.data));
  }
  return Json{{"task", m_config.task},
              {"model_hash", model},
              {"data_hash", data},
              {"strata", STRATA_VERSION},
              {"hardware", hardwareOf(*m_opened.model)},
              {"settings", settings()},
              {"results", Json::array()}};
}

Result<std::vector<TaskResult>> Evaluation::record(Run& run, const TaskHooks& outer) const {
  STRATA_CHECK(run.setState(RunState::running));
  STRATA_TRY(const Json header, describe());
  STRATA_CHECK(checkSame(run, header));
  STRATA_TRY(const KnownAnswers known, storedAnswers(run));
  STRATA_TRY(RunDatabase database, RunDatabase::open(run.folder()));
  STRATA_TRY(const Metric before, database.newest());
  PhaseFile phase(run.folder());
  phase.enter(JobPhase::evaluating);
  const StopWatcher watcher(run, outer.cancel);
  TaskHooks hooks = outer;
  hooks.cancel = &watcher.flag();
  hooks.known = &known;
  hooks.onAnswers = [&](const std::vector<TaskAnswer>& answers) -> Result<void> {
    phase.progress();
    std::vector<RunAnswer> rows;
    for (const TaskAnswer& each : answers) {
      rows.push_back({each.map, each.question, each.answer, each.scores, each.asked});
    }
    STRATA_CHECK(database.addAnswers(rows));
    return database.flush();
  };
  // "done" at step n is the number in all, "seconds" what n took, over all starts of the run.
  const auto started = Clock::now();
  const auto seconds = [&] { return before.seconds + secondsSince(started); };
  Clock::time_point told = started - kProgressInterval;
  Result<void> written;
  hooks.onProgress = [&](std::int64_t done, std::int64_t all) {
    if (outer.onProgress) outer.onProgress(done, all);
    phase.progress();
    const auto now = Clock::now();
    if (!written || (now - told < kProgressInterval && done < all)) return;
    told = now;
    written = database.addMetric({done, "done", static_cast<double>(all), 0, seconds()});
    if (written) written = database.addMetric({done, "seconds", seconds(), 0, seconds()});
    if (written) written = database.flush();
  };
  STRATA_CHECK(writeInRun(run, kResultsFile, header));
  STRATA_TRY(std::vector<TaskResult> results, runTask(hooks));
  STRATA_CHECK(written);
  if (hooks.cancel->load()) return fail(ErrorCode::cancelled, "The evaluation was stopped.");
  Json file = header;
  for (const TaskResult& result : results) {
    file["results"].push_back(toJson(result));
    STRATA_CHECK(addScores(database, result, seconds()));
  }
  STRATA_CHECK(database.flush());
  STRATA_CHECK(writeInRun(run, kResultsFile, file));
  STRATA_CHECK(run.setState(RunState::done));
  return results;
}

Result<std::vector<TaskResult>> Evaluation::runIn(Run& run, const TaskHooks& hooks) const {
  Result<std::vector<TaskResult>> results = record(run, hooks);
  if (results) return results;
  const Error& error = results.error();
  const bool stopped = error.code == ErrorCode::cancelled;
  STRATA_CHECK(run.setState(stopped ? RunState::stopped : stateAfter(error), error.message));
  run.clearStop();
  return results;
}

}  // namespace strata
