// strata eval: a task under several maps, or the scores of answers made elsewhere.

#include <fmt/format.h>

#include "app/strata/cli.h"
#include "app/strata/eval_predictions.h"
#include "app/strata/eval_run.h"
#include "app/strata/field_options.h"
#include "app/strata/run_progress.h"
#include "core/protocol/job_kinds.h"

namespace strata {
namespace {

struct EvalArguments {
  ModelOptions model;
  std::string task, data, predictions;
  std::vector<std::string> maps;
  int limit = 0;

  EvalConfig config() const {
    return {.model = model.model,
            .adapter = model.adapter,
            .task = task,
            .data = data,
            .maps = maps,
            .limit = limit,
            .dtype = model.dtype,
            .device = model.device,
            .context = model.context,
            .threads = model.threads};
  }
};

std::string toText(const std::vector<TaskResult>& results) {
  const bool longAnswers = !results.empty() && results.front().metrics.contains("rouge_l");
  std::string text =
      fmt::format("{:<20} {:>9} {:>8} {:>8} {:>9} {:>7} {:>10} {:>12}{}\n", "map", "retention", "F1 %", "EM %", "nll",
                  "n", "truncated", "KV B/token", longAnswers ? "  ROUGE-L %   BLEU-1 %" : "");
  const auto percent = [](const TaskResult& result, const char* metric) {
    const auto found = result.metrics.find(metric);
    return found == result.metrics.end() ? "-" : fmt::format("{:.2f}", 100 * found->second);
  };
  for (const TaskResult& result : results) {
    text += fmt::format("{:<20} {:>9.4f} {:>8} {:>8} {:>9.5f} {:>7} {:>10} {:>12}", result.map, result.retention,
                        percent(result, "f1"), percent(result, "em"), result.metrics.at("nll"), result.n,
                        result.truncated, result.kvBytesPerToken);
    if (longAnswers) text += fmt::format(" {:>11} {:>10}", percent(result, "rouge_l"), percent(result, "bleu_1"));
    text += '\n';
  }
  return text;
}

Result<int> run(const EvalArguments& arguments, const Output& out) {
  if (!arguments.predictions.empty()) {
    const EvalTask* task = findEvalTask(arguments.task);
    if (task != nullptr && task->questions)
      return scorePredictions(*task->questions, arguments.data, arguments.predictions, arguments.limit, out);
    if (arguments.task == "nll") {
      return fail(ErrorCode::usage, "The task nll has no answers to score; leave --predictions out.", "--predictions");
    }
  }
  EvalConfig config = arguments.config();
  if (!arguments.model.project.empty()) {
    STRATA_TRY(const ProjectData data, Project::findData(config.data, arguments.model.project));
    config.data = data.path.string();
  }
  STRATA_TRY(const Evaluation evaluation, Evaluation::prepare(config, arguments.model.project));
  std::optional<RunLog> log;
  EvalProgress progress;
  std::vector<TaskResult> results;
  std::string runId;
  if (arguments.model.project.empty()) {
    STRATA_TRY(results, evaluation.run(progress.hooks()));
  } else {
    STRATA_TRY(const Project project, Project::openOrCreate(arguments.model.project));
    STRATA_TRY(Run run, Run::create(project, kEvalKind, evaluation.stored()));
    runId = run.info().id;
    log.emplace(run.folder());
    progress.logTo(&*log);
    Result<std::vector<TaskResult>> done = evaluation.runIn(run, progress.hooks());
    if (!done) log->line("strata: " + done.error().message);
    STRATA_TRY(results, std::move(done));
    log->line(toText(results));
  }
  progress.end();
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
  verb.add_option("--task", arguments->task)->required();
  verb.add_option("--data", arguments->data)->required()->type_name("FILE");
  verb.add_option("--maps,--map", arguments->maps)->allow_extra_args(false);
  verb.add_option("--limit", arguments->limit)->check(CLI::Range(1, 1000000000))->type_name("N");
  describeOptions(verb, describe(EvalConfig()));
  verb.add_option("--predictions", arguments->predictions,
                  "score these answers: {\"question id\": \"answer\"}; hotpotqa also {\"answer\": …, \"sp\": …}; "
                  "msmarco a line "
                  "{\"query_id\", \"answers\": [one]} each")
      ->type_name("FILE");
  return [arguments, &out] { return run(*arguments, out); };
}

}  // namespace strata
