// From a request for a job to its run in the state queued, by the rules of the command line.

#include <algorithm>
#include <cstdio>
#include <random>

#include "core/config/eval_config.h"
#include "core/project/model_name.h"
#include "core/project/run_checkpoint.h"
#include "core/protocol/job_kinds.h"
#include "core/service/job_board.h"
#include "core/service/search_methods.h"
#include "core/training/run_request.h"
#include "core/training/run_setup.h"
#include "core/training/train_plan.h"

namespace strata {
namespace {

namespace fs = std::filesystem;

constexpr const char* kWhere = "The job's configuration";
constexpr std::size_t kMostRuns = 100;  // of a sweep

/// A relative path is meant from the project's folder: the job's own folder is nobody's business.
void rootIn(const fs::path& project, std::string& path) {
  if (!path.empty() && fs::path(path).is_relative()) path = (project / path).lexically_normal().string();
}

void rootIn(const fs::path& project, TrainConfig& config) {
  for (std::string* path : {&config.data, &config.evalData, &config.evalQuestions, &config.routings, &config.init}) {
    rootIn(project, *path);
  }
}

/// The lock is let go with the Run: the job takes it.
Result<std::string> created(const fs::path& folder, const std::string& kind, const Json& config,
                            const std::string& parent = {}, const std::string& sweep = {}) {
  STRATA_TRY(const Project project, Project::open(folder));
  STRATA_TRY(const Run run, Run::create(project, kind, config, parent, sweep));
  return run.info().id;
}

Result<RunRequest> requestOf(const Json& given) {
  RunRequest request;
  request.where = kWhere;
  if (given.is_null()) return request;
  if (!given.is_object()) return fail(ErrorCode::usage, std::string(kWhere) + " is no JSON object.", "config");
  request.given = given;
  return request;
}

/// A run that is not made yet.
struct Planned {
  TrainConfig config;
  std::string parent = {};
};

Result<Planned> plan(const fs::path& project, const Json& given, const std::string& extend) {
  STRATA_TRY(TrainConfig config, requestedTraining(project, {given, extend}));
  STRATA_CHECK(checkTrainConfig(config));
  STRATA_CHECK(refuseStackedLora(config));
  STRATA_CHECK(checkRoom(project, planTraining(config).runBytes));
  if (extend.empty()) return Planned{std::move(config)};
  STRATA_TRY(const fs::path folder, trainingRunFolder(extend, project, "extend"));
  if (checkpointSteps(folder).empty()) {
    return fail(ErrorCode::notFound, "The run " + extend + " has no checkpoint to extend; resume it first.", "extend");
  }
  return Planned{std::move(config), folder.filename().string()};
}

/// The options of each run: those of the sweep go over `config`.
Result<std::vector<Json>> optionsOf(const Json& config, const protocol::StartJob::Params& params) {
  if (!params.pCross.empty() && !params.configs.empty()) {
    return fail(ErrorCode::usage, "Both p_cross and configs are given; a sweep has one of them.", "p_cross");
  }
  if (std::max(params.pCross.size(), params.configs.size()) > kMostRuns) {
    return fail(ErrorCode::usage, "A sweep has at most " + std::to_string(kMostRuns) + " runs.", "p_cross");
  }
  std::vector<Json> runs;
  for (const double pCross : params.pCross) {
    runs.push_back(config);
    runs.back()["p-cross"] = pCross;
  }
  for (const Json& changes : params.configs) {
    if (!changes.is_object()) return fail(ErrorCode::usage, "A run of the sweep is no JSON object.", "configs");
    runs.push_back(config);
    runs.back().update(changes);
  }
  if (runs.empty()) runs.push_back(config);
  return runs;
}

std::string newSweepId() {
  std::random_device device;
  char text[16];
  std::snprintf(text, sizeof text, "sweep-%08x", device());
  return text;
}

/// All of a sweep are checked before the first is made.
Result<std::vector<std::string>> queueTraining(const fs::path& project, const Json& config,
                                               const protocol::StartJob::Params& params) {
  STRATA_TRY(const std::vector<Json> options, optionsOf(config, params));
  std::vector<Planned> planned;
  for (const Json& each : options) {
    STRATA_TRY(Planned run, plan(project, each, params.extend));
    planned.push_back(std::move(run));
  }
  const bool isSweep = !params.pCross.empty() || !params.configs.empty();
  const std::string sweep = isSweep ? newSweepId() : "";
  std::vector<std::string> ids;
  for (const Planned& run : planned) {
    STRATA_TRY(ids.emplace_back(), created(project, kTrainKind, configToJson(run.config), run.parent, sweep));
  }
  return ids;
}

Result<std::string> queueAgain(const fs::path& project, const std::string& id, const RunRequest& request) {
  STRATA_TRY(const fs::path folder, trainingRunFolder(id, project, "resume"));
  STRATA_TRY(const ResumeChanges changes, resumeChangesOf(folder, request));
  STRATA_TRY(TrainConfig config, configOfRun(folder));
  if (changes.microBatch) config.microBatch = *changes.microBatch;
  if (changes.threads) config.threads = *changes.threads;
  if (changes.evalEvery) config.evalEvery = *changes.evalEvery;
  STRATA_TRY(Run run, Run::reopen(folder, Run::Purpose::change));
  if (run.info().state == RunState::done) {
    return fail(ErrorCode::usage, "The run " + run.info().id + " is done; continue it as a new run by extending it.",
                "resume");
  }
  run.clearStop();  // of its earlier life; before the run is said to begin another
  STRATA_CHECK(run.setConfig(configToJson(config)));
  STRATA_CHECK(run.setState(RunState::queued));
  return run.info().id;
}

Result<std::string> queueEvaluation(const fs::path& project, Json options) {
  // A text is one or several maps, as on the command line.
  if (options.contains("maps") && options["maps"].is_string()) options["maps"] = Json::array({options["maps"]});
  EvalConfig config;
  STRATA_CHECK(configFromJson(options, kWhere, config));
  STRATA_TRY(const ProjectData data, Project::findData(config.data, project));
  config.data = data.path.string();
  if (config.columns.empty()) config.columns = data.columns;
  rootIn(project, config.data);
  rootIn(project, config.adapter);
  rootIn(project, config.shotsData);
  STRATA_CHECK(checkEvalConfig(config));
  STRATA_CHECK(locateModel(config.model, project, Locate::place));  // the job verifies it
  return created(project, kEvalKind, configToJson(config));
}

/// A run that stopped or failed goes on with what it was told.
Result<std::string> resumeMeasuring(const fs::path& project, const protocol::StartJob::Params& params) {
  const auto name = findRun(params.resume, project);
  if (!name || name->step) {
    return fail(ErrorCode::notFound, "The project has no run " + params.resume + ".", "resume");
  }
  STRATA_TRY(Run run, Run::reopen(name->folder, Run::Purpose::change));
  if (run.info().kind != params.kind) {
    return fail(ErrorCode::usage, "The run " + run.info().id + " is no " + params.kind + ".", "resume");
  }
  if (run.info().state == RunState::done) {
    return fail(ErrorCode::usage, "The run " + run.info().id + " is done; there is nothing to go on with.", "resume");
  }
  run.clearStop();
  STRATA_CHECK(run.setState(RunState::queued));
  return run.info().id;
}

}  // namespace

Result<TrainConfig> requestedTraining(const fs::path& project, const protocol::EstimateTraining::Params& params) {
  STRATA_TRY(const RunRequest request, requestOf(params.config));
  TrainConfig config;
  if (params.extend.empty()) {
    STRATA_TRY(config, newRunConfig(request));
  } else {
    STRATA_TRY(const fs::path folder, trainingRunFolder(params.extend, project, "extend"));
    STRATA_TRY(config, extendedRunConfig(folder, request));
  }
  STRATA_CHECK(resolveNames(project, config));
  rootIn(project, config);
  return config;
}

Result<std::vector<std::string>> queueJobs(const fs::path& project, const protocol::StartJob::Params& params) {
  const Json config = params.config.is_null() ? Json::object() : params.config;
  if (!config.is_object()) return fail(ErrorCode::usage, std::string(kWhere) + " is no JSON object.", "config");
  if (!params.resume.empty() && !params.extend.empty()) {
    return fail(ErrorCode::usage, "Both resume and extend are given; give one.", "resume");
  }
  const bool isSweep = !params.pCross.empty() || !params.configs.empty();
  if (isSweep && (!params.resume.empty() || params.kind != kTrainKind)) {
    return fail(ErrorCode::usage, "A sweep makes new runs of training; leave p_cross and configs out.", "p_cross");
  }
  const auto one = [](std::string id) { return std::vector{std::move(id)}; };
  const bool measures = params.kind == kSearchKind || params.kind == kSensitivityKind;
  if (measures || params.kind == kEvalKind) {
    if (!params.extend.empty()) {
      return fail(ErrorCode::usage, "Only training can be extended; leave extend out.", "extend");
    }
    if (!params.resume.empty()) return resumeMeasuring(project, params).map(one);
    return (measures ? queueMeasure(project, params) : queueEvaluation(project, config)).map(one);
  }
  if (params.kind != kTrainKind) {
    return fail(
        ErrorCode::usage,
        "The kind of job \"" + params.kind + "\" cannot be started so; give train, eval, search or sensitivity.",
        "kind");
  }
  if (params.resume.empty()) return queueTraining(project, config, params);
  STRATA_TRY(const RunRequest request, requestOf(config));
  return queueAgain(project, params.resume, request).map(one);
}

}  // namespace strata
