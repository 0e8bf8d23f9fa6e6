#include "core/project/model_name.h"

#include <set>
#include <span>

#include "core/base/files.h"
#include "core/project/project.h"
#include "core/project/project_files.h"
#include "core/project/run_checkpoint.h"

namespace strata {
namespace {

/// The folder of one of the project's models; `text` itself where it is none of their names. A folder that is no
/// project yet, as a run's first may be, has no names.
Result<std::filesystem::path> folderOfName(const std::string& text,
                                           const std::optional<std::filesystem::path>& project) {
  std::error_code ignored;
  if (!project || !std::filesystem::exists(*project / "strata.json", ignored)) return text;
  STRATA_TRY(const Project opened, Project::open(*project));
  const auto found = opened.models().find(text);
  return found == opened.models().end() ? std::filesystem::path(text) : found->second;
}

/// "model" of a run's stored configuration; empty where it started from random weights.
Result<std::string> startOf(const std::filesystem::path& run) {
  STRATA_TRY(const RunInfo info, readRun(run));
  const auto model = info.config.find("model");
  if (model == info.config.end() || !model->is_string()) return std::string();
  return model->get<std::string>();
}

/// Refuses a run that, from run to run, was trained from itself or from such a ring.
Result<void> refuseRing(const std::filesystem::path& run, const std::optional<std::filesystem::path>& project) {
  constexpr std::size_t kMostNamed = 5;
  std::set<std::filesystem::path> seen;
  std::string way;
  for (std::filesystem::path at = run;;) {
    std::error_code ignored;
    const std::string id = at.filename().string();
    if (seen.size() <= kMostNamed) way += (way.empty() ? "" : " -> ") + (seen.size() < kMostNamed ? id : "...");
    if (!seen.insert(std::filesystem::weakly_canonical(at, ignored)).second) break;
    const Result<std::string> start = startOf(at);
    if (!start || start->empty()) return {};
    const std::optional<RunName> next = findRun(*start, project);
    if (!next) return {};
    at = next->folder;
  }
  return fail(ErrorCode::invalidData,
              "The run " + run.string() + " has no original model: the models in run.json go in a ring (" + way +
                  "); correct the \"model\" of one of these runs.",
              (run / "run.json").string());
}

Result<ModelLocation> locate(const std::string& text, const std::optional<std::filesystem::path>& project, Locate how);

/// The base of a LoRA run's checkpoint, and the checkpoint as the adapter.
Result<ModelLocation> locateBase(const std::filesystem::path& run, const std::filesystem::path& checkpoint,
                                 const std::optional<std::filesystem::path>& project, Locate how) {
  STRATA_CHECK(refuseRing(run, project));
  STRATA_TRY(const std::string base, startOf(run));
  if (base.empty()) {
    return fail(ErrorCode::invalidData, "The run " + run.string() + " does not say which model its adapter belongs to.",
                (run / "run.json").string());
  }
  STRATA_TRY(const ModelLocation location, locate(base, project, how));
  if (!location.adapter.empty()) {
    return fail(
        ErrorCode::unsupported,
        "The run " + run.string() + " is an adapter over another adapter; export the first one and train on that.");
  }
  return ModelLocation{location.folder, checkpoint, run};
}

Result<ModelLocation> locate(const std::string& text, const std::optional<std::filesystem::path>& project, Locate how) {
  const std::optional<RunName> name = findRun(text, project);
  if (!name) {
    STRATA_TRY(const std::filesystem::path folder, folderOfName(text, project));
    if (how == Locate::verified) STRATA_CHECK(verifyIfCheckpoint(folder));
    return ModelLocation{folder, {}, {}};
  }
  std::optional<std::int64_t> step = name->step;
  if (name->latest) {
    const std::vector<std::int64_t> saved = checkpointSteps(name->folder);
    if (!saved.empty()) step = saved.back();
  }
  STRATA_TRY(const std::filesystem::path checkpoint, resolveCheckpoint(name->folder, step));
  std::error_code ignored;
  ModelLocation location{checkpoint, {}, name->folder};
  if (std::filesystem::exists(checkpoint / "adapter_config.json", ignored)) {
    STRATA_TRY(location, locateBase(name->folder, checkpoint, project, how));
  }
  if (how == Locate::verified) STRATA_CHECK(verifyCheckpoint(checkpoint));
  return location;
}

}  // namespace

std::filesystem::path templateFileOf(const ModelLocation& model, const std::filesystem::path& project) {
  constexpr std::size_t kDigits = 8;  // of the path's hash: folders of one name differ
  const std::filesystem::path& named = model.run.empty() ? model.folder : model.run;
  std::error_code ignored;
  std::filesystem::path whole = std::filesystem::weakly_canonical(named, ignored);
  if (!whole.has_filename()) whole = whole.parent_path();
  const std::string text = whole.string();
  const std::string hash = sha256(std::as_bytes(std::span(text.data(), text.size()))).substr(0, kDigits);
  return project / "templates" / (whole.filename().string() + "-" + hash + ".jinja");
}

Result<ModelLocation> locateModel(const std::string& text, const std::optional<std::filesystem::path>& project,
                                  Locate how) {
  STRATA_TRY(ModelLocation location, locate(text, project, how));
  if (!project) return location;
  std::error_code ignored;
  const std::filesystem::path file = templateFileOf(location, *project);
  if (!std::filesystem::exists(std::filesystem::symlink_status(file, ignored))) return location;
  STRATA_CHECK(plainPath({*project, file.lexically_relative(*project)}));
  location.chatTemplate = file;
  return location;
}

Result<std::filesystem::path> originalOf(const ModelLocation& location) {
  if (!location.run.empty()) STRATA_CHECK(refuseRing(location.run, {}));
  ModelLocation at = location;
  while (!at.run.empty()) {
    STRATA_TRY(const std::string start, startOf(at.run));
    if (start.empty()) break;
    STRATA_TRY(at, locateModel(start, {}, Locate::place));
  }
  STRATA_CHECK(verifyIfCheckpoint(at.folder));
  return at.folder;
}

}  // namespace strata
