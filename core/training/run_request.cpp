#include "core/training/run_request.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "core/project/model_name.h"
#include "core/project/project.h"
#include "core/protocol/job_kinds.h"
#include "core/training/run_setup.h"

namespace strata {
namespace fs = std::filesystem;
namespace {

bool isSet(const Json& values, const char* name) {
  return values.contains(name) && !values[name].is_null();
}

/// Of two options of which a run has one, the one given replaces the other.
Result<void> apply(const Json& values, const std::string& where, TrainConfig& config) {
  const auto onlyFirst = [&](const char* a, const char* b) { return isSet(values, a) && !isSet(values, b); };
  if (onlyFirst("model", "init")) config.init.clear();
  if (onlyFirst("init", "model")) config.model.clear();
  if (onlyFirst("steps", "epochs")) config.epochs.reset();
  if (onlyFirst("epochs", "steps")) config.steps = TrainConfig().steps;
  if (onlyFirst("eval-data", "split")) config.split = 0;
  if (onlyFirst("split", "eval-data")) config.evalData.clear();
  return configFromJson(values, where, config);
}

Result<void> applyFile(const RunRequest& request, TrainConfig& config) {
  return request.file.empty() ? Result<void>() : apply(request.file, request.fileName, config);
}

Result<void> applyGiven(const RunRequest& request, TrainConfig& config) {
  return apply(request.given, request.where, config);
}

}  // namespace

Result<TrainConfig> newRunConfig(const RunRequest& request) {
  TrainConfig config;
  STRATA_CHECK(applyFile(request, config));
  STRATA_CHECK(applyGiven(request, config));
  return config;
}

Result<TrainConfig> extendedRunConfig(const fs::path& parent, const RunRequest& request) {
  STRATA_TRY(TrainConfig config, configOfRun(parent));
  const int rank = config.lora;
  STRATA_CHECK(applyFile(request, config));
  const auto isGiven = [&](const char* name) { return request.given.contains(name) || request.file.contains(name); };
  if (isGiven("batch") && !request.file.contains("micro-batch")) config.microBatch = 0;
  if ((isGiven("batch") || isGiven("micro-batch")) && !request.file.contains("routing-groups")) {
    config.routingGroups = 0;
  }
  if (isGiven("sampler") && !isGiven("p-cross")) config.pCross.reset();
  STRATA_CHECK(applyGiven(request, config));
  if (config.lora == rank) return config;
  return fail(
      ErrorCode::usage,
      "The run " + parent.filename().string() + " has the LoRA rank " + std::to_string(rank) +
          " and an extension goes on with its optimiser; keep the rank, or start a new run from this one's weights.",
      "--lora");
}

Result<ResumeChanges> resumeChangesOf(const fs::path& runFolder, const RunRequest& request) {
  constexpr std::array<std::string_view, 3> kChangeable = {"micro-batch", "threads", "eval-every"};
  for (const auto& member : request.given.items()) {
    if (std::find(kChangeable.begin(), kChangeable.end(), member.key()) != kChangeable.end()) continue;
    return fail(ErrorCode::usage,
                "A resumed run keeps its " + member.key() +
                    "; only micro-batch, threads and eval-every may change. To change more, extend it as a new run.",
                "--" + member.key());
  }
  STRATA_TRY(TrainConfig config, configOfRun(runFolder));
  STRATA_CHECK(applyGiven(request, config));
  ResumeChanges changes;
  if (request.given.contains("micro-batch")) changes.microBatch = config.microBatch;
  if (request.given.contains("threads")) changes.threads = config.threads;
  if (request.given.contains("eval-every")) changes.evalEvery = config.evalEvery;
  return changes;
}

Result<void> resolveNames(const std::optional<fs::path>& project, TrainConfig& config) {
  STRATA_TRY(const ProjectData data, Project::findData(config.data, project));
  config.data = data.path.string();
  if (config.columns.empty()) config.columns = data.columns;
  STRATA_TRY(const ProjectData evalData, Project::findData(config.evalData, project));
  config.evalData = evalData.path.string();
  STRATA_TRY(const ProjectData questions, Project::findData(config.evalQuestions, project));
  config.evalQuestions = questions.path.string();
  if (!project || config.model.empty()) return {};
  STRATA_TRY(const ModelLocation location, locateModel(config.model, *project, Locate::place));
  if (config.chatTemplate.empty()) config.chatTemplate = location.chatTemplate.string();
  if (const auto run = findRun(config.model, *project)) {
    config.model = run->folder.string();
    if (run->step) config.model.append("@").append(std::to_string(*run->step));
    return {};
  }
  config.model = location.folder.string();
  return {};
}

Result<void> refuseStackedLora(const TrainConfig& config) {
  if (config.lora == 0) return {};
  STRATA_TRY(const ModelLocation base, locateModel(config.model, {}, Locate::place));
  if (base.adapter.empty()) return {};
  return fail(ErrorCode::unsupported,
              "The run " + config.model +
                  " is a LoRA, and a LoRA over a LoRA cannot be opened; export it and train on the export, or train "
                  "all weights.",
              "--model");
}

Result<fs::path> trainingRunFolder(const std::string& text, const std::optional<fs::path>& project,
                                   const char* option) {
  const auto run = findRun(text, project);
  if (!run) {
    return fail(
        ErrorCode::notFound,
        "There is no run " + text + "; give the path of its folder, or open the project that has it and give its id.",
        option);
  }
  if (run->step) {
    return fail(
        ErrorCode::usage,
        std::string(option) + " goes on from a run's last checkpoint; leave @" + std::to_string(*run->step) + " out.",
        option);
  }
  STRATA_TRY(const RunInfo info, readRun(run->folder));
  if (info.kind != kTrainKind) {
    return fail(ErrorCode::usage,
                "The run " + info.id + " is of the kind " + info.kind + "; only training goes on by " + option + ".",
                option);
  }
  return fs::absolute(run->folder).lexically_normal();
}

}  // namespace strata
