// strata train: a new run, or one resumed or extended.

#include <fmt/format.h>

#include "app/strata/cli.h"
#include "app/strata/field_options.h"
#include "app/strata/ranks.h"
#include "app/strata/run_progress.h"
#include "core/config/presets.h"
#include "core/config/train_config.h"
#include "core/training/run_request.h"

namespace strata {
namespace fs = std::filesystem;
namespace {

struct TrainArguments {
  explicit TrainArguments(CLI::App& verb) : fields(verb) {}
  std::string preset, config, resume, extend, project;
  bool distributed = false;
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

std::optional<fs::path> projectOf(const TrainArguments& arguments) {
  return arguments.project.empty() ? std::nullopt : std::optional<fs::path>(arguments.project);
}

/// --preset or --config, and the options that go over it.
Result<RunRequest> requestOf(const TrainArguments& arguments) {
  if (!arguments.preset.empty() && !arguments.config.empty()) {
    return fail(ErrorCode::usage, "Both --preset and --config are given; give one.", "--preset");
  }
  RunRequest request;
  request.where = "The command line";
  request.fileName = arguments.config;
  if (!arguments.preset.empty()) {
    STRATA_TRY(const fs::path folder, resourceFolder("presets"));
    STRATA_TRY(const Preset preset, findPreset(folder, arguments.preset));
    request.fileName = "The preset " + preset.name;
    request.file = optionsIn(preset, arguments.project);
  } else if (!arguments.config.empty()) {
    STRATA_TRY(request.file, readJson(arguments.config));
  }
  STRATA_TRY(request.given, arguments.fields.given());
  if (request.given.contains("steps") && request.given.contains("epochs")) {
    return fail(ErrorCode::usage, "Both --steps and --epochs are given; give one.", "--epochs");
  }
  return request;
}

Result<TrainAnswer> resume(const TrainArguments& arguments, const TrainHooks& hooks) {
  if (!arguments.preset.empty() || !arguments.config.empty()) {
    return fail(ErrorCode::usage, "A resumed run keeps its configuration; leave --preset and --config out.",
                "--resume");
  }
  STRATA_TRY(const fs::path folder, trainingRunFolder(arguments.resume, projectOf(arguments), "--resume"));
  STRATA_TRY(const RunRequest request, requestOf(arguments));
  STRATA_TRY(const ResumeChanges changes, resumeChangesOf(folder, request));
  return resumeTraining(folder, changes, hooks);
}

/// The configuration of a new run, of one that extends `parent` where it is given.
Result<TrainConfig> configOf(const TrainArguments& arguments, const fs::path& parent = {}) {
  STRATA_TRY(const RunRequest request, requestOf(arguments));
  STRATA_TRY(TrainConfig config, parent.empty() ? newRunConfig(request) : extendedRunConfig(parent, request));
  STRATA_CHECK(resolveNames(projectOf(arguments), config));
  return config;
}

Result<TrainAnswer> extend(const TrainArguments& arguments, const TrainHooks& hooks) {
  STRATA_TRY(const fs::path folder, trainingRunFolder(arguments.extend, projectOf(arguments), "--extend"));
  STRATA_TRY(const TrainConfig config, configOf(arguments, folder));
  const fs::path project = projectOf(arguments).value_or(folder.parent_path().parent_path());
  STRATA_TRY(const ProjectFolder opened, ProjectFolder::open(project.string()));
  Result<TrainAnswer> answer = extendTraining(opened.project(), folder, config, hooks);
  if (!answer) opened.removeIfUnused();
  return answer;
}

Result<TrainAnswer> start(const TrainArguments& arguments, const TrainHooks& hooks) {
  STRATA_TRY(const TrainConfig config, configOf(arguments));
  STRATA_CHECK(checkTrainConfig(config));
  if (arguments.project.empty()) {
    return fail(ErrorCode::usage, "A run needs a project to live in; give --project DIR.", "--project");
  }
  STRATA_CHECK(refuseStackedLora(config));
  STRATA_TRY(const ProjectFolder opened, ProjectFolder::open(arguments.project));
  Result<TrainAnswer> answer = startTraining(opened.project(), config, hooks);
  if (!answer) opened.removeIfUnused();
  return answer;
}

/// What rank 0 trains, as the other ranks read it.
Result<TrainConfig> followedConfig(const TrainArguments& arguments) {
  if (!arguments.resume.empty()) {
    STRATA_TRY(const fs::path folder, trainingRunFolder(arguments.resume, projectOf(arguments), "--resume"));
    STRATA_TRY(const RunRequest request, requestOf(arguments));
    STRATA_TRY(const ResumeChanges changes, resumeChangesOf(folder, request));
    return resumedConfig(folder, changes);
  }
  if (arguments.extend.empty()) return configOf(arguments);
  STRATA_TRY(const fs::path folder, trainingRunFolder(arguments.extend, projectOf(arguments), "--extend"));
  return configOf(arguments, folder);
}

Result<int> run(const TrainArguments& arguments, const Output& out, Communicator* ranks) {
  TrainProgress progress;
  progress.lead(ranks);
  progress.keepLog([&arguments](const std::string& id) -> fs::path {
    if (!arguments.project.empty()) return fs::path(arguments.project) / "runs" / id;
    const auto run = findRun(!arguments.resume.empty() ? arguments.resume : arguments.extend, {});
    return run ? run->folder.parent_path() / id : fs::path();
  });
  const TrainHooks& hooks = progress.hooks();
  Result<TrainAnswer> trained = !arguments.resume.empty()   ? resume(arguments, hooks)
                                : !arguments.extend.empty() ? extend(arguments, hooks)
                                                            : start(arguments, hooks);
  progress.end();
  if (!trained && progress.log() != nullptr) progress.log()->line("strata: " + trained.error().message);
  STRATA_TRY(const TrainAnswer answer, std::move(trained));

  std::string text = fmt::format("run {}: {} after {} steps", answer.run, toString(answer.state), answer.steps);
  if (!answer.loss.empty())
    text += fmt::format(", loss {:.4f} at first and {:.4f} at last", answer.loss.front(), answer.loss.back());
  if (!answer.checkpoint.empty()) text += "\ncheckpoint " + answer.checkpoint.string();
  Json json = {{"run", answer.run},
               {"steps", answer.steps},
               {"loss", answer.loss},
               {"tokens", answer.tokens},
               {"checkpoint", answer.checkpoint.string()},
               {"state", toString(answer.state)},
               {"folder", answer.folder.string()}};
  if (answer.problem) json["error"] = errorToJson(*answer.problem);
  out.answer(json, text);
  if (RunLog* log = progress.log()) {
    log->line(text);
    if (answer.problem) log->line("strata: " + answer.problem->message);
  }
  if (answer.problem) Output().error(*answer.problem);  // on stderr; --json has it in the answer
  return exitCodeOf(answer.state);
}

Result<int> runTraining(const TrainArguments& arguments, const Output& out) {
  if (!arguments.resume.empty() && !arguments.extend.empty()) {
    return fail(ErrorCode::usage, "Both --resume and --extend are given; give one.", "--resume");
  }
  if (!arguments.distributed) return run(arguments, out, nullptr);
  return onRanks(
      out, [&](Communicator& ranks) { return run(arguments, out, &ranks); },
      [&](Communicator& ranks) -> Result<void> { return followTraining(followedConfig(arguments), ranks); });
}

}  // namespace

VerbAction addTrain(CLI::App& verb, const Output& out) {
  auto arguments = std::make_shared<TrainArguments>(verb);
  verb.add_option("--preset", arguments->preset,
                  "a shipped configuration: sample, lora, full, paper, distill, baseline");
  verb.add_option("--config", arguments->config, "JSON file with the options below; the command line goes over it")
      ->type_name("FILE");
  verb.add_option("--resume", arguments->resume, "go on with a stopped, paused or failed run")->type_name("RUN");
  verb.add_option("--extend", arguments->extend, "a new run from another's last checkpoint, with its own schedule")
      ->type_name("RUN");
  verb.add_option("--project", arguments->project, "project folder; made where there is none")->type_name("DIR");
  verb.add_flag("--distributed", arguments->distributed, kDistributedHelp);
  arguments->fields.add(TrainConfig());
  arguments->fields.joinRepeated("eval-maps");
  return [arguments, &out] { return runTraining(*arguments, out); };
}

}  // namespace strata
