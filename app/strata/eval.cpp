// strata eval: a task under several maps, or the scores of answers made elsewhere.

#include <fmt/format.h>

#include "app/strata/cli.h"
#include "app/strata/eval_predictions.h"
#include "app/strata/eval_run.h"
#include "app/strata/field_options.h"
#include "app/strata/ranks.h"
#include "app/strata/run_progress.h"
#include "core/evaluation/question_preparer.h"
#include "core/protocol/job_kinds.h"

namespace strata {
namespace {

struct EvalArguments {
  ModelOptions model;
  std::string task, data, predictions, resumed;
  std::vector<std::string> maps;
  int limit = 0;
  bool showPrompt = false, distributed = false;
  FieldOptions fields;  // of the configuration but those above

  explicit EvalArguments(CLI::App& verb) : fields(verb) {}
  Result<EvalConfig> config() const;
};

/// A template as it is, or the file that holds it.
Result<std::string> promptOf(const std::string& given) {
  if (given.empty() || given.find("{{") != std::string::npos || given.find("{%") != std::string::npos) return given;
  std::error_code failed;
  if (std::filesystem::is_regular_file(given, failed)) return readUtf8File(given);
  return fail(ErrorCode::usage,
              "The prompt " + given + " is neither a file nor a template; give one with {{ question }}, for example.",
              "--prompt");
}

Result<EvalConfig> EvalArguments::config() const {
  EvalConfig config;
  config.model = model.model;
  config.adapter = model.adapter;
  config.task = task;
  config.data = data;
  config.maps = maps;
  config.limit = limit;
  config.dtype = model.dtype;
  config.weights = model.weights;
  config.kv = model.kv;
  config.device = model.device;
  config.context = model.context;
  config.threads = model.threads;
  STRATA_CHECK(fields.applyTo(config));
  STRATA_TRY(config.prompt, promptOf(config.prompt));
  return config;
}

/// The template, and the first question as it is asked where data are given.
Result<int> showPrompt(EvalConfig config, const Output& out) {
  if (const std::string task = config.task; *defaultPrompt(task) == '\0') {
    return fail(ErrorCode::usage, "The task " + task + " has no prompt; give one that asks.", "--show-prompt");
  }
  const std::string source = config.prompt.empty() ? defaultPrompt(config.task) : config.prompt;
  Json json = {{"task", config.task}, {"prompt", source}};
  std::string text = source;
  if (!config.data.empty() || config.kvPairs > 0) {
    STRATA_TRY(const AskedQuestions asked, readAsked(config));
    STRATA_TRY(const TaskPrompt prompt, TaskPrompt::make(asked.data, asked.ask));
    STRATA_TRY(const auto questions, askedOf(asked.data, 1));
    STRATA_TRY(const QuestionPrompt first, prompt.of(*questions.front(), 0));
    json["example"] = first.whole();
    json["expected"] = prompt.target(*questions.front());
    text += "\n--\n" + first.whole();
  }
  out.answer(json, text);
  return 0;
}

std::string toText(const std::vector<TaskResult>& results) {
  // What a task measures beside the columns that all have.
  constexpr std::pair<const char*, const char*> kOthers[] = {{"rouge_l", "ROUGE-L %"},   {"bleu_1", "BLEU-1 %"},
                                                             {"subspan_em", "found %"},  {"acc", "acc %"},
                                                             {"acc_norm", "acc_norm %"}, {"perplexity", "perplexity"}};
  std::size_t width = 20;
  for (const TaskResult& result : results) width = std::max(width, result.map.size());
  std::string text = fmt::format("{:<{}} {:>9} {:>8} {:>8} {:>9} {:>7} {:>10} {:>12}", "map", width, "retention",
                                 "F1 %", "EM %", "nll", "n", "truncated", "KV B/token");
  const auto has = [&](const char* metric) { return !results.empty() && results.front().metrics.contains(metric); };
  for (const auto& [metric, title] : kOthers) {
    if (has(metric)) text += fmt::format(" {:>10}", title);
  }
  text += '\n';
  const auto percent = [](const TaskResult& result, const char* metric) {
    const auto found = result.metrics.find(metric);
    return found == result.metrics.end() ? "-" : fmt::format("{:.2f}", 100 * found->second);
  };
  for (const TaskResult& result : results) {
    text += fmt::format("{:<{}} {:>9.4f} {:>8} {:>8} {:>9.5f} {:>7} {:>10} {:>12}", result.map, width, result.retention,
                        percent(result, "f1"), percent(result, "em"), result.metrics.at("nll"), result.n,
                        result.truncated, result.kvBytesPerToken);
    for (const auto& [metric, title] : kOthers) {
      if (!has(metric)) continue;
      const bool isShare = std::string_view(metric) != "perplexity";
      text +=
          fmt::format(" {:>10}", isShare ? percent(result, metric) : fmt::format("{:.2f}", result.metrics.at(metric)));
    }
    text += '\n';
  }
  return text;
}

Json answerOf(const Evaluation& evaluation, const std::vector<TaskResult>& results) {
  Json json = {{"results", Json::array()}, {"task", evaluation.task()}, {"settings", evaluation.settings()}};
  for (const TaskResult& result : results) json["results"].push_back(toJson(result));
  return json;
}

Result<int> evaluateIn(Run& run, const Evaluation& evaluation, const Output& out) {
  RunLog log(run.folder());
  EvalProgress progress;
  progress.logTo(&log);
  const Result<std::vector<TaskResult>> results = evaluation.runIn(run, progress.hooks());
  if (!results) log.line("strata: " + results.error().message);
  if (!results) return tl::unexpected(results.error());
  log.line(toText(*results));
  progress.end();
  Json json = answerOf(evaluation, *results);
  json["run"] = run.info().id;
  out.answer(json, toText(*results));
  return 0;
}

/// Goes on with what is missing of an evaluation that was stopped or killed.
Result<int> resume(const EvalArguments& arguments, const Output& out, Communicator* ranks) {
  const auto name = findRun(arguments.resumed, std::filesystem::path(arguments.model.project));
  if (!name || name->step) {
    return fail(ErrorCode::notFound,
                "There is no evaluation " + arguments.resumed + "; give its id with --project, or its folder.",
                "--resume");
  }
  const auto prepare = [&](const RunInfo& info) -> Result<Evaluation> {
    EvalConfig config;
    STRATA_CHECK(configFromJson(info.config, (name->folder / "run.json").string(), config, UnknownKeys::ignore));
    return Evaluation::prepare(config, name->folder.parent_path().parent_path().string(), ranks);
  };
  if (!leads(ranks)) {
    STRATA_TRY(const RunInfo info, readRun(name->folder));
    STRATA_TRY(const Evaluation evaluation, prepare(info));
    STRATA_CHECK(evaluation.follow());
    return 0;
  }
  STRATA_TRY(Run run, Run::reopen(name->folder));
  if (run.info().kind != kEvalKind || run.info().state == RunState::done) {
    const bool done = run.info().kind == kEvalKind;
    return fail(
        ErrorCode::usage,
        "The run " + run.info().id + (done ? " is done; there is nothing to go on with." : " is no evaluation."),
        "--resume");
  }
  run.clearStop();
  STRATA_TRY(const Evaluation evaluation, prepare(run.info()));
  return evaluateIn(run, evaluation, out);
}

Result<int> run(const EvalArguments& arguments, const Output& out, Communicator* ranks) {
  if (!arguments.resumed.empty()) return resume(arguments, out, ranks);
  STRATA_TRY(EvalConfig config, arguments.config());
  if (arguments.showPrompt) return showPrompt(std::move(config), out);
  if (!arguments.predictions.empty()) {
    const EvalTask* task = findEvalTask(arguments.task);
    if (task != nullptr && task->questions && hasPredictions(*task->questions)) {
      if (config.data.empty()) return fail(ErrorCode::usage, "No data is given; name a file with data.", "--data");
      STRATA_TRY(QuestionSet questions, readQuestions(config.data, task->questions, config.columns));
      return scorePredictions(std::move(questions), arguments.predictions, arguments.limit, out);
    }
    if (task != nullptr) {
      return fail(ErrorCode::usage, "The task " + arguments.task + " has no answers to score; leave --predictions out.",
                  "--predictions");
    }
  }
  if (!arguments.model.project.empty() && !config.data.empty()) {
    STRATA_TRY(const ProjectData data, Project::findData(config.data, arguments.model.project));
    config.data = data.path.string();
    if (config.columns.empty()) config.columns = data.columns;
  }
  STRATA_TRY(const Evaluation evaluation, Evaluation::prepare(config, arguments.model.project, ranks));
  if (!leads(ranks)) {
    STRATA_CHECK(evaluation.follow());
    return 0;
  }
  if (!arguments.model.project.empty()) {
    STRATA_TRY(const Project project, Project::openOrCreate(arguments.model.project));
    STRATA_TRY(Run run, Run::create(project, kEvalKind, evaluation.stored()));
    return evaluateIn(run, evaluation, out);
  }
  EvalProgress progress;
  STRATA_TRY(const std::vector<TaskResult> results, evaluation.run(progress.hooks()));
  progress.end();
  out.answer(answerOf(evaluation, results), toText(results));
  return 0;
}

}  // namespace

VerbAction addEval(CLI::App& verb, const Output& out) {
  auto arguments = std::make_shared<EvalArguments>(verb);
  arguments->model.addTo(verb);
  verb.get_option("model")->required(false);
  verb.add_option("--task", arguments->task);
  verb.add_option("--resume", arguments->resumed, "go on with an evaluation that was stopped or killed")
      ->type_name("RUN");
  verb.add_option("--data", arguments->data)->type_name("FILE");
  verb.add_option("--maps,--map", arguments->maps)->allow_extra_args(false);
  verb.add_option("--limit", arguments->limit)->check(CLI::Range(1, 1000000000))->type_name("N");
  arguments->fields.add(EvalConfig(), {"model", "data", "adapter", "task", "maps", "limit", "dtype", "weights", "kv",
                                       "device", "context", "threads"});
  describeOptions(verb, describe(EvalConfig()));
  verb.add_flag("--show-prompt", arguments->showPrompt,
                "print the task's template (or the given one), with data also the first question");
  verb.add_option("--predictions", arguments->predictions,
                  "score these answers: {\"question id\": \"answer\"}; hotpotqa also {\"answer\": …, \"sp\": …}; "
                  "msmarco a line "
                  "{\"query_id\", \"answers\": [one]} each")
      ->type_name("FILE");
  verb.add_flag("--distributed", arguments->distributed, kDistributedHelp);
  return [arguments, &out] {
    const auto work = [&](Communicator* ranks) { return run(*arguments, out, ranks); };
    return arguments->distributed ? alike(out, work) : work(nullptr);
  };
}

}  // namespace strata
