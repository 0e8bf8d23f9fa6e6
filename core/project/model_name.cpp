#include "core/project/model_name.h"

#include <span>

#include "core/base/files.h"
#include "core/project/project.h"
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

Result<ModelLocation> locate(const std::string& text, const std::optional<std::filesystem::path>& project) {
  const std::optional<RunName> name = findRun(text, project);
  if (!name) {
    STRATA_TRY(const std::filesystem::path folder, folderOfName(text, project));
    return ModelLocation{folder, {}, {}};
  }
  STRATA_TRY(const std::filesystem::path checkpoint, resolveCheckpoint(name->folder, name->step));
  std::error_code ignored;
  if (!std::filesystem::exists(checkpoint / "adapter_config.json", ignored))
    return ModelLocation{checkpoint, {}, name->folder};
  STRATA_TRY(const RunInfo info, readRun(name->folder));
  const auto base = info.config.find("model");
  if (base == info.config.end() || !base->is_string()) {
    return fail(ErrorCode::invalidData,
                "The run " + name->folder.string() + " does not say which model its adapter belongs to.",
                (name->folder / "run.json").string());
  }
  STRATA_TRY(const ModelLocation location, locate(base->get<std::string>(), project));
  if (!location.adapter.empty()) {
    return fail(ErrorCode::unsupported,
                "The run " + name->folder.string() +
                    " is an adapter over another adapter; export the first one and train on that.");
  }
  return ModelLocation{location.folder, checkpoint, name->folder};
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

Result<ModelLocation> locateModel(const std::string& text, const std::optional<std::filesystem::path>& project) {
  STRATA_TRY(ModelLocation location, locate(text, project));
  if (!project) return location;
  std::error_code ignored;
  const std::filesystem::path file = templateFileOf(location, *project);
  if (std::filesystem::exists(file, ignored)) location.chatTemplate = file;
  return location;
}

}  // namespace strata
