// From a request for a job to its run in the state queued, by the rules of the command line.

#include "core/config/eval_config.h"
#include "core/protocol/job_kinds.h"
#include "core/project/model_name.h"
#include "core/project/run_checkpoint.h"
#include "core/service/job_board.h"
#include "core/training/run_request.h"
#include "core/training/run_setup.h"

namespace strata {
namespace {

namespace fs = std::filesystem;

constexpr const char* kWhere = "The job's configuration";

/// A relative path is meant from the project's folder: the job's own folder is nobody's business.
void rootIn(const fs::path& project, std::string& path) {
  if (!path.empty() && fs::path(path).is_relative()) path = (project / path).lexically_normal().string();
}

void rootIn(const fs::path& project, TrainConfig& config) {
  for (std::string* path : {&config.data, &config.evalData, &config.routings, &config.init}) rootIn(project, *path);
}

/// The lock is let go with the Run: the job takes it.
Result<std::string> created(const fs::path& folder, const std::string& kind, const Json& config,
                            const std::string& parent = {}) {
  STRATA_TRY(const Project project, Project::open(folder));
  STRATA_TRY(const Run run, Run::create(project, kind, config, parent));
  return run.info().id;
}

Result<std::string> queueNew(const fs::path& project, const RunRequest& request) {
  STRATA_TRY(TrainConfig config, newRunConfig(request));
  STRATA_CHECK(resolveNames(project, config));
  rootIn(project, config);
  STRATA_CHECK(checkTrainConfig(config));
  STRATA_CHECK(refuseStackedLora(config));
  return created(project, kTrainKind, configToJson(config));
}

Result<std::string> queueExtension(const fs::path& project, const std::string& parent, const RunRequest& request) {
  STRATA_TRY(const fs::path folder, trainingRunFolder(parent, project, "extend"));
  STRATA_TRY(TrainConfig config, extendedRunConfig(folder, request));
  STRATA_CHECK(resolveNames(project, config));
  rootIn(project, config);
  STRATA_CHECK(checkTrainConfig(config));
  if (checkpointSteps(folder).empty()) {
    return fail(ErrorCode::notFound, "The run " + parent + " has no checkpoint to extend; resume it first.", "extend");
  }
  return created(project, kTrainKind, configToJson(config), folder.filename().string());
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
  rootIn(project, config.data);
  rootIn(project, config.adapter);
  STRATA_CHECK(checkEvalConfig(config));
  STRATA_CHECK(locateModel(config.model, project, Locate::place));  // the job verifies it
  return created(project, kEvalKind, configToJson(config));
}

}  // namespace

Result<std::string> queueJob(const fs::path& project, const protocol::StartJob::Params& params) {
  const Json config = params.config.is_null() ? Json::object() : params.config;
  if (!config.is_object()) return fail(ErrorCode::usage, std::string(kWhere) + " is no JSON object.", "config");
  if (!params.resume.empty() && !params.extend.empty()) {
    return fail(ErrorCode::usage, "Both resume and extend are given; give one.", "resume");
  }
  if (params.kind == kEvalKind && params.resume.empty() && params.extend.empty())
    return queueEvaluation(project, config);
  if (params.kind != kTrainKind) {
    return fail(ErrorCode::usage, "The kind of job \"" + params.kind + "\" cannot be started so; give train or eval.",
                "kind");
  }
  RunRequest request;
  request.given = config;
  request.where = kWhere;
  if (!params.resume.empty()) return queueAgain(project, params.resume, request);
  if (!params.extend.empty()) return queueExtension(project, params.extend, request);
  return queueNew(project, request);
}

}  // namespace strata
