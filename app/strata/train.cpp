// strata train: a new run, or one resumed or extended.

#include <fmt/format.h>

#include <algorithm>

#include "app/strata/cli.h"
#include "app/strata/field_options.h"
#include "core/config/train_config.h"
#include "core/training/train_job.h"

namespace strata {
namespace fs = std::filesystem;
namespace {

struct TrainArguments {
  explicit TrainArguments(CLI::App& verb) : fields(verb) {}
  std::string preset, config, resume, extend, project;
  FieldOptions fields;
};

/// A project that this command makes goes again where training never began.
class ProjectFolder {
 public:
  static Result<ProjectFolder> open(const std::string& folder) {
    std::error_code ignored;
    const bool existed = fs::exists(folder, ignored);
    STRATA_TRY(Project project, Project::openOrCreate(folder));
    return ProjectFolder(std::move(project), !existed);
  }
  const Project& project() const { return m_project; }
  void removeIfUnused() const {
    std::error_code ignored;
    const bool hasRuns = fs::exists(m_project.runsFolder(), ignored) && !fs::is_empty(m_project.runsFolder(), ignored);
    if (m_made && !hasRuns) fs::remove_all(m_project.folder(), ignored);
  }

 private:
  ProjectFolder(Project project, bool made) : m_project(std::move(project)), m_made(made) {}
  Project m_project;
  bool m_made;
};

Result<fs::path> presetFile(const std::string& name) {
  STRATA_TRY(const fs::path folder, resourceFolder("presets"));
  const bool plain = name.find_first_of("/\\.") == std::string::npos;
  std::error_code ignored;
  if (plain && fs::exists(folder / (name + ".json"), ignored)) return folder / (name + ".json");
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (entry.path().extension() == ".json") names.push_back(entry.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  std::string known;
  for (const std::string& one : names) known += (known.empty() ? "" : ", ") + one;
  return fail(ErrorCode::usage, "There is no preset \"" + name + "\"; give one of: " + known + ".", "--preset");
}

/// model and init replace each other: what the command line names wins over the file's other one.
void dropReplacedSource(const FieldOptions& fields, TrainConfig& config) {
  if (fields.isGiven("model") && !fields.isGiven("init")) config.init.clear();
  if (fields.isGiven("init") && !fields.isGiven("model")) config.model.clear();
}

/// A run's id or a project's name for a model becomes its path: the stored configuration must not depend on --project.
Result<void> resolveModelName(const std::string& project, TrainConfig& config) {
  if (project.empty() || config.model.empty()) return {};
  if (const auto run = findRun(config.model, fs::path(project))) {
    config.model = run->folder.string() + (run->step ? "@" + std::to_string(*run->step) : "");
    return {};
  }
  STRATA_TRY(const ModelLocation location, locateModel(config.model, fs::path(project)));
  config.model = location.folder.string();
  return {};
}

/// Reads --preset or --config over `config`; which options the file names, where one is given.
Result<Json> applyFile(const TrainArguments& arguments, TrainConfig& config) {
  if (!arguments.preset.empty() && !arguments.config.empty()) {
    return fail(ErrorCode::usage, "Both --preset and --config are given; give one.", "--preset");
  }
  fs::path file = arguments.config;
  if (!arguments.preset.empty()) {
    STRATA_TRY(file, presetFile(arguments.preset));
  }
  if (file.empty()) return Json::object();
  STRATA_TRY(Json json, readJson(file));
  STRATA_CHECK(configFromJson(json, file.string(), config));
  return json;
}

Result<TrainConfig> newConfig(const TrainArguments& arguments) {
  TrainConfig config;
  STRATA_CHECK(applyFile(arguments, config));
  dropReplacedSource(arguments.fields, config);
  STRATA_CHECK(arguments.fields.applyTo(config));
  STRATA_CHECK(resolveModelName(arguments.project, config));
  return config;
}

Result<fs::path> runFolder(const std::string& text, const std::string& project, const char* option) {
  const auto run = findRun(text, project.empty() ? std::nullopt : std::optional<fs::path>(project));
  if (!run) {
    return fail(ErrorCode::notFound,
                "There is no run " + text + "; give a path DIR/runs/ID, or an id with --project DIR.", option);
  }
  if (run->step) {
    return fail(
        ErrorCode::usage,
        std::string(option) + " goes on from a run's last checkpoint; leave @" + std::to_string(*run->step) + " out.",
        option);
  }
  STRATA_TRY(const RunInfo info, readRun(run->folder));
  if (info.kind != "train") {
    return fail(ErrorCode::usage,
                "The run " + info.id + " is of the kind " + info.kind + "; only training goes on by " + option + ".",
                option);
  }
  return fs::absolute(run->folder).lexically_normal();
}

Result<TrainAnswer> resume(const TrainArguments& arguments, const TrainHooks& hooks) {
  if (!arguments.preset.empty() || !arguments.config.empty()) {
    return fail(ErrorCode::usage, "A resumed run keeps its configuration; leave --preset and --config out.",
                "--resume");
  }
  for (const std::string& name : arguments.fields.namesGiven()) {
    if (name == "micro-batch" || name == "threads" || name == "eval-every") continue;
    return fail(ErrorCode::usage,
                "A resumed run keeps its --" + name +
                    "; only --micro-batch, --threads and --eval-every may change (or use --extend).",
                "--" + name);
  }
  STRATA_TRY(const fs::path folder, runFolder(arguments.resume, arguments.project, "--resume"));
  STRATA_TRY(TrainConfig config, configOfRun(folder));
  STRATA_CHECK(arguments.fields.applyTo(config));
  ResumeChanges changes;
  if (arguments.fields.isGiven("micro-batch")) changes.microBatch = config.microBatch;
  if (arguments.fields.isGiven("threads")) changes.threads = config.threads;
  if (arguments.fields.isGiven("eval-every")) changes.evalEvery = config.evalEvery;
  return resumeTraining(folder, changes, hooks);
}

Result<TrainAnswer> extend(const TrainArguments& arguments, const TrainHooks& hooks) {
  STRATA_TRY(const fs::path folder, runFolder(arguments.extend, arguments.project, "--extend"));
  STRATA_TRY(TrainConfig config, configOfRun(folder));
  const int rank = config.lora;
  STRATA_TRY(const Json file, applyFile(arguments, config));
  dropReplacedSource(arguments.fields, config);
  const auto isGiven = [&](const char* name) { return arguments.fields.isGiven(name) || file.contains(name); };
  // The stored split belongs to the old batch.
  if (isGiven("batch") && !file.contains("micro-batch")) config.microBatch = 0;
  if ((isGiven("batch") || isGiven("micro-batch")) && !file.contains("routing-groups")) config.routingGroups = 0;
  if (isGiven("sampler") && !isGiven("p-cross")) config.pCross.reset();
  STRATA_CHECK(arguments.fields.applyTo(config));
  if (config.lora != rank) {
    return fail(ErrorCode::usage,
                fmt::format("The run {} has the LoRA rank {} and an extension goes on with its optimiser; leave --lora "
                            "out, or start from the run with --model.",
                            folder.filename().string(), rank),
                "--lora");
  }
  STRATA_CHECK(resolveModelName(arguments.project, config));
  const fs::path project = arguments.project.empty() ? folder.parent_path().parent_path() : fs::path(arguments.project);
  STRATA_TRY(const ProjectFolder opened, ProjectFolder::open(project.string()));
  Result<TrainAnswer> answer = extendTraining(opened.project(), folder, config, hooks);
  if (!answer) opened.removeIfUnused();
  return answer;
}

Result<TrainAnswer> start(const TrainArguments& arguments, const TrainHooks& hooks) {
  STRATA_TRY(const TrainConfig config, newConfig(arguments));
  STRATA_CHECK(checkTrainConfig(config));
  if (arguments.project.empty()) {
    return fail(ErrorCode::usage, "A run needs a project to live in; give --project DIR.", "--project");
  }
  if (config.lora > 0) {
    STRATA_TRY(const ModelLocation base, locateModel(config.model));
    if (!base.adapter.empty()) {
      return fail(ErrorCode::unsupported,
                  "The run " + config.model +
                      " is a LoRA, and a LoRA over a LoRA cannot be opened; export it and train "
                      "on the export, or leave --lora out.",
                  "--model");
    }
  }
  STRATA_TRY(const ProjectFolder opened, ProjectFolder::open(arguments.project));
  Result<TrainAnswer> answer = startTraining(opened.project(), config, hooks);
  if (!answer) opened.removeIfUnused();
  return answer;
}

Result<int> run(const TrainArguments& arguments, const Output& out) {
  if (!arguments.resume.empty() && !arguments.extend.empty()) {
    return fail(ErrorCode::usage, "Both --resume and --extend are given; give one.", "--resume");
  }
  std::optional<Progress> progress;
  TrainHooks hooks;
  hooks.stop = [] { return cancelFlag().load(); };
  hooks.onStart = [&](const RunInfo& info, std::int64_t first, std::int64_t steps) {
    progress.emplace("Training", steps, first);
    progress->note("run " + info.id);
  };
  hooks.onStep = [&](const StepResult& step) {
    if (progress) progress->update(step.step + 1, fmt::format("loss {:.4f}  lr {:.2e}", step.loss, step.learningRate));
  };
  hooks.onEvaluation = [&](const EvaluationPoint& point) {
    if (progress) progress->note(fmt::format("step {}  map {}  nll {:.4f}", point.step, point.map, point.nll));
  };
  Result<TrainAnswer> trained = !arguments.resume.empty()   ? resume(arguments, hooks)
                                : !arguments.extend.empty() ? extend(arguments, hooks)
                                                            : start(arguments, hooks);
  progress.reset();
  STRATA_TRY(const TrainAnswer answer, std::move(trained));

  std::string text = fmt::format("run {}: {} after {} steps", answer.run, toString(answer.state), answer.steps);
  if (!answer.loss.empty())
    text += fmt::format(", loss {:.4f} at first and {:.4f} at last", answer.loss.front(), answer.loss.back());
  text += "\ncheckpoint " + answer.checkpoint.string();
  out.answer({{"run", answer.run},
              {"steps", answer.steps},
              {"loss", answer.loss},
              {"tokens", answer.tokens},
              {"checkpoint", answer.checkpoint.string()},
              {"state", toString(answer.state)},
              {"folder", answer.folder.string()}},
             text);
  return answer.state == RunState::stopped ? 130 : 0;
}

}  // namespace

VerbAction addTrain(CLI::App& verb, const Output& out) {
  auto arguments = std::make_shared<TrainArguments>(verb);
  verb.add_option("--preset", arguments->preset, "a shipped configuration: try-it, routed");
  verb.add_option("--config", arguments->config, "JSON file with the options below; the command line goes over it")
      ->type_name("FILE");
  verb.add_option("--resume", arguments->resume, "go on with a stopped, paused or failed run")->type_name("RUN");
  verb.add_option("--extend", arguments->extend, "a new run from another's last checkpoint, with its own schedule")
      ->type_name("RUN");
  verb.add_option("--project", arguments->project, "project folder; made where there is none")->type_name("DIR");
  arguments->fields.add(TrainConfig());
  arguments->fields.joinRepeated("eval-maps");
  return [arguments, &out] { return run(*arguments, out); };
}

}  // namespace strata
