// strata eval: a task under several maps, or the scores of answers made elsewhere.

#include <fmt/format.h>

#include "app/strata/cli.h"
#include "app/strata/eval_predictions.h"
#include "core/base/files.h"
#include "core/data/template_renderer.h"
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

Json toJson(const TaskResult& result) {
  const auto orNull = [](const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); };
  Json json = {{"map", result.map},
               {"src", result.src.src()},
               {"retention", result.retention},
               {"f1", orNull(result.f1)},
               {"em", orNull(result.exact)},
               {"nll", result.nll},
               {"tokens", result.tokens},
               {"n", result.n},
               {"truncated", result.truncated},
               {"kv_bytes_per_token", result.kvBytesPerToken},
               {"seconds", result.seconds}};
  if (result.rougeL) json["rouge_l"] = *result.rougeL;
  if (result.bleu1) json["bleu_1"] = *result.bleu1;
  if (result.answerableF1) json["answerable_f1"] = *result.answerableF1;
  return json;
}

std::string toText(const std::vector<TaskResult>& results) {
  const bool longAnswers = !results.empty() && results.front().rougeL.has_value();
  std::string text =
      fmt::format("{:<20} {:>9} {:>8} {:>8} {:>9} {:>7} {:>10} {:>12}{}\n", "map", "retention", "F1 %", "EM %", "nll",
                  "n", "truncated", "KV B/token", longAnswers ? "  ROUGE-L %   BLEU-1 %" : "");
  const auto percent = [](const std::optional<double>& value) {
    return value ? fmt::format("{:.2f}", 100 * *value) : "-";
  };
  for (const TaskResult& result : results) {
    text += fmt::format("{:<20} {:>9.4f} {:>8} {:>8} {:>9.5f} {:>7} {:>10} {:>12}", result.map, result.retention,
                        percent(result.f1), percent(result.exact), result.nll, result.n, result.truncated,
                        result.kvBytesPerToken);
    if (longAnswers) text += fmt::format(" {:>11} {:>10}", percent(result.rougeL), percent(result.bleu1));
    text += '\n';
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
    if (result.rougeL) STRATA_CHECK(database.addMetric({0, "rouge_l/" + result.map, *result.rougeL}));
    if (result.bleu1) STRATA_CHECK(database.addMetric({0, "bleu_1/" + result.map, *result.bleu1}));
  }
  STRATA_CHECK(database.flush());
  STRATA_CHECK(writeFile(run.folder() / "results.json", Json({{"results", list}}).dump(2) + "\n"));
  STRATA_CHECK(run.setState(RunState::done));
  return results;
}

Result<Evaluate> evaluationOf(const EvalArguments& arguments, const OpenedModel& opened,
                              const std::vector<NamedMap>& maps) {
  const TaskOptions options{.limit = arguments.limit};
  const std::optional<QaFormat> questions = questionTaskOf(arguments.task);
  if (!questions) {
    STRATA_TRY(ChatTemplate chatTemplate, ChatTemplate::open(opened.location.folder));
    const auto chat = std::make_shared<const TemplateRenderer>(std::move(chatTemplate));
    return Evaluate([=](const TaskHooks& hooks) {
      return evaluateNll(*opened.model, maps, arguments.data, {.limit = arguments.limit, .chat = chat.get()}, hooks);
    });
  }
  STRATA_TRY(const QuestionSet data, readQuestions(arguments.data, *questions));
  return Evaluate([=](const TaskHooks& hooks) { return evaluateQuestions(opened.model, maps, data, options, hooks); });
}

Result<int> run(const EvalArguments& arguments, const Output& out) {
  const std::optional<QaFormat> questions = questionTaskOf(arguments.task);
  if (!questions && arguments.task != "nll") {
    return fail(ErrorCode::usage,
                "The task \"" + arguments.task + "\" is unknown; give squad, nll, hotpotqa, triviaqa or msmarco.",
                "--task");
  }
  if (!arguments.predictions.empty()) {
    if (!questions)
      return fail(ErrorCode::usage, "The task nll has no answers to score; leave --predictions out.", "--predictions");
    return scorePredictions(*questions, arguments.data, arguments.predictions, arguments.limit, out);
  }
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
  verb.add_option("--task", arguments->task, "squad | nll | hotpotqa | triviaqa | msmarco")->required();
  verb.add_option("--data", arguments->data, "questions in the task's official form or as rows, or text or JSONL (nll)")
      ->required()
      ->type_name("FILE");
  verb.add_option("--maps,--map", arguments->maps,
                  "maps, separated by ';' or by repeating the option (default: the model's own)")
      ->allow_extra_args(false);
  verb.add_option("--limit", arguments->limit, "only the first N questions, documents or rows")
      ->check(CLI::Range(1, 1000000000))
      ->type_name("N");
  verb.add_option("--predictions", arguments->predictions,
                  "score these answers: {\"question id\": \"answer\"}; hotpotqa also {\"answer\": …, \"sp\": …}; "
                  "msmarco a line "
                  "{\"query_id\", \"answers\": [one]} each")
      ->type_name("FILE");
  return [arguments, &out] { return run(*arguments, out); };
}

}  // namespace strata
