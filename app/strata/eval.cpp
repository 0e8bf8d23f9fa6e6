// strata eval: a task under several maps, or the scores of answers made elsewhere.

#include <fmt/format.h>

#include "app/strata/cli.h"
#include "core/base/files.h"
#include "core/evaluation/answer_metrics.h"
#include "core/evaluation/tasks.h"
#include "core/project/project.h"
#include "core/project/run_database.h"

namespace strata {
namespace fs = std::filesystem;
namespace {

struct EvalArguments {
  ModelOptions model;
  std::string task, data, predictions;
  std::vector<std::string> maps;
  int limit = 0;
};

Json scoresToJson(const SquadScores& scores) {
  return {{"f1", scores.f1},
          {"em", scores.exact},
          {"n", scores.n},
          {"missing", scores.missing},
          {"has_answer", {{"f1", scores.hasAnswerF1}, {"em", scores.hasAnswerExact}, {"n", scores.hasAnswer}}},
          {"no_answer", {{"f1", scores.noAnswerF1}, {"em", scores.noAnswerExact}, {"n", scores.noAnswer}}}};
}

Result<int> scorePredictions(const EvalArguments& arguments, const Output& out) {
  if (arguments.task != "squad") {
    return fail(ErrorCode::usage, "Answers made elsewhere are scored by --task squad alone.", "--task");
  }
  STRATA_TRY(SquadData data, readSquad(arguments.data));
  if (arguments.limit > 0 && data.questions.size() > static_cast<std::size_t>(arguments.limit)) {
    data.questions.resize(static_cast<std::size_t>(arguments.limit));
  }
  STRATA_TRY(const auto predictions, readPredictions(arguments.predictions));
  const SquadScores scores = scoreSquad(data, predictions);
  out.answer(scoresToJson(scores),
             fmt::format("F1 {:.2f} %, exact match {:.2f} %, {} questions, {} without an answer given", 100 * scores.f1,
                         100 * scores.exact, scores.n, scores.missing));
  return 0;
}

Json toJson(const TaskResult& result) {
  return {{"map", result.map},
          {"src", result.src.src()},
          {"retention", result.retention},
          {"f1", result.f1 ? Json(*result.f1) : Json(nullptr)},
          {"em", result.exact ? Json(*result.exact) : Json(nullptr)},
          {"nll", result.nll},
          {"tokens", result.tokens},
          {"n", result.n},
          {"truncated", result.truncated},
          {"kv_bytes_per_token", result.kvBytesPerToken},
          {"seconds", result.seconds}};
}

std::string toText(const std::vector<TaskResult>& results) {
  std::string text = fmt::format("{:<20} {:>9} {:>8} {:>8} {:>9} {:>7} {:>10} {:>12}\n", "map", "retention", "F1 %",
                                 "EM %", "nll", "n", "truncated", "KV B/token");
  const auto percent = [](const std::optional<double>& value) {
    return value ? fmt::format("{:.2f}", 100 * *value) : "-";
  };
  for (const TaskResult& result : results) {
    text += fmt::format("{:<20} {:>9.4f} {:>8} {:>8} {:>9.5f} {:>7} {:>10} {:>12}\n", result.map, result.retention,
                        percent(result.f1), percent(result.exact), result.nll, result.n, result.truncated,
                        result.kvBytesPerToken);
  }
  return text;
}

using Evaluate = std::function<Result<std::vector<TaskResult>>(const TaskHooks&)>;

/// The evaluation as a run of the project: its answers, metrics and results.json.
Result<std::vector<TaskResult>> evaluateInRun(Run& run, const Evaluate& evaluate, TaskHooks hooks) {
  STRATA_CHECK(run.setState(RunState::running));
  STRATA_TRY(RunDatabase database, RunDatabase::open(run.folder()));
  hooks.onAnswer = [&](const TaskAnswer& answer) {
    return database.addAnswer(answer.map, answer.question, answer.answer, answer.exact, answer.f1);
  };
  const auto cancel = [&hooks] { return hooks.cancel != nullptr && hooks.cancel->load(); };
  STRATA_TRY(std::vector<TaskResult> results, evaluate(hooks));
  if (cancel()) return fail(ErrorCode::cancelled, "The evaluation was cancelled.");
  Json list = Json::array();
  for (const TaskResult& result : results) {
    list.push_back(toJson(result));
    STRATA_CHECK(database.addMetric({0, "nll/" + result.map, result.nll}));
    if (result.f1) STRATA_CHECK(database.addMetric({0, "f1/" + result.map, *result.f1}));
    if (result.exact) STRATA_CHECK(database.addMetric({0, "em/" + result.map, *result.exact}));
  }
  STRATA_CHECK(database.flush());
  STRATA_CHECK(writeFile(run.folder() / "results.json", Json({{"results", list}}).dump(2) + "\n"));
  STRATA_CHECK(run.setState(RunState::done));
  return results;
}

Result<Evaluate> evaluationOf(const EvalArguments& arguments, const OpenedModel& opened,
                              const std::vector<NamedMap>& maps) {
  const TaskOptions options{arguments.limit};
  if (arguments.task == "nll") {
    return Evaluate(
        [=](const TaskHooks& hooks) { return evaluateNll(*opened.model, maps, arguments.data, options, hooks); });
  }
  STRATA_TRY(const SquadData data, readSquad(arguments.data));
  return Evaluate([=](const TaskHooks& hooks) { return evaluateSquad(opened.model, maps, data, options, hooks); });
}

Result<int> run(const EvalArguments& arguments, const Output& out) {
  if (arguments.task != "squad" && arguments.task != "nll") {
    return fail(ErrorCode::usage, "The task \"" + arguments.task + "\" is unknown; give squad or nll.", "--task");
  }
  if (!arguments.predictions.empty()) return scorePredictions(arguments, out);
  if (arguments.model.model.empty()) {
    return fail(ErrorCode::usage, "No model is given; name one, or score answers made elsewhere with --predictions.",
                "MODEL");
  }
  STRATA_TRY(const OpenedModel opened, openModel(arguments.model));
  STRATA_TRY(const std::vector<NamedMap> maps, chooseMaps(arguments.maps, *opened.model));
  STRATA_TRY(const Evaluate evaluate, evaluationOf(arguments, opened, maps));

  std::optional<Progress> progress;
  std::string shown;
  TaskHooks hooks;
  hooks.cancel = &cancelFlag();
  hooks.onProgress = [&](const std::string& map, std::int64_t done, std::int64_t all) {
    if (shown != map || !progress) progress.emplace("Evaluating " + map, all);
    shown = map;
    progress->update(done);
  };

  std::vector<TaskResult> results;
  std::string runId;
  if (arguments.model.project.empty()) {
    STRATA_TRY(results, evaluate(hooks));
  } else {
    STRATA_TRY(const Project project, Project::openOrCreate(arguments.model.project));
    Json config = {{"model", fs::absolute(arguments.model.model).lexically_normal().string()},
                   {"adapter", arguments.model.adapter},
                   {"task", arguments.task},
                   {"data", fs::absolute(arguments.data).lexically_normal().string()},
                   {"maps", Json::array()},
                   {"limit", arguments.limit},
                   {"dtype", configName(fromTorch(opened.model->dtype()))}};
    if (!opened.location.run.empty()) config["model"] = arguments.model.model;
    for (const NamedMap& map : maps) config["maps"].push_back(map.name);
    STRATA_TRY(Run run, Run::create(project, "eval", config));
    runId = run.info().id;
    Result<std::vector<TaskResult>> evaluated = evaluateInRun(run, evaluate, hooks);
    if (!evaluated) {
      const bool cancelled = evaluated.error().code == ErrorCode::cancelled;
      STRATA_CHECK(run.setState(cancelled ? RunState::stopped : RunState::failed, evaluated.error().message));
      return tl::unexpected(evaluated.error());
    }
    results = std::move(*evaluated);
  }
  progress.reset();
  Json json = {{"results", Json::array()}};
  for (const TaskResult& result : results) json["results"].push_back(toJson(result));
  json["task"] = arguments.task;
  if (!runId.empty()) json["run"] = runId;
  out.answer(json, toText(results));
  return 0;
}

}  // namespace

VerbAction addEval(CLI::App& verb, const Output& out) {
  auto arguments = std::make_shared<EvalArguments>();
  arguments->model.addTo(verb);
  verb.get_option("model")->required(false);
  verb.add_option("--task", arguments->task, "squad | nll")->required();
  verb.add_option("--data", arguments->data, "questions (squad), or text or JSONL (nll)")
      ->required()
      ->type_name("FILE");
  verb.add_option("--maps,--map", arguments->maps,
                  "maps, separated by ';' or by repeating the option (default: the model's own)")
      ->allow_extra_args(false);
  verb.add_option("--limit", arguments->limit, "only the first N questions, documents or rows")
      ->check(CLI::Range(1, 1000000000))
      ->type_name("N");
  verb.add_option("--predictions", arguments->predictions, "score these answers: {\"question id\": \"answer\"}")
      ->type_name("FILE");
  return [arguments, &out] { return run(*arguments, out); };
}

}  // namespace strata
