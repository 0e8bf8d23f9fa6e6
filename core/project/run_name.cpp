#include "core/project/run_name.h"

#include <cstdio>
#include <set>
#include <string_view>

#include "core/base/json_values.h"
#include "core/project/project_files.h"
#include "core/project/run_file.h"
#include "core/protocol/job_kinds.h"

namespace strata {
namespace {

namespace fs = std::filesystem;

/// "0.5" rather than "0.500000".
std::string printShort(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.4g", value);
  return text;
}

/// "…/models--org--name/snapshots/<revision>" is org/name; of another path its last part.
std::string nameOfFolder(const fs::path& given) {
  constexpr std::string_view kHub = "models--";
  const fs::path folder = given.has_filename() ? given : given.parent_path();
  const std::string repository = folder.parent_path().parent_path().filename().string();
  if (folder.parent_path().filename() != "snapshots" || !repository.starts_with(kHub))
    return folder.filename().string();
  std::string name = repository.substr(kHub.size());
  if (const std::size_t at = name.find("--"); at != std::string::npos) name.replace(at, 2, "/");
  return name;
}

/// A model as the project calls it; a run by its name.
std::string nameOfModel(const Project& project, const std::string& model) {
  if (model.empty()) return {};
  if (const auto run = findRun(model, project.folder())) {
    const Result<RunInfo> info = readRunFile(run->folder);
    return info && !info->name.empty() ? info->name : run->folder.filename().string();
  }
  for (const auto& [name, folder] : project.models()) {
    if (name == model || folder == fs::path(model).lexically_normal()) return name;
  }
  return nameOfFolder(model);
}

std::string of(const std::string& what, const std::string& model) {
  return model.empty() ? what : what + " of " + model;
}

std::string trainingName(const Project& project, const Json& config) {
  const auto rank = config.find("lora");
  const bool isLora = rank != config.end() && rank->is_number() && *rank > 0;
  const std::string init = textIn(config, "init");
  std::string name = !init.empty() ? of("Training", nameOfModel(project, init)) + " from scratch"
                                   : of(isLora ? "LoRA" : "Fine-tune", nameOfModel(project, textIn(config, "model")));
  const auto pCross = config.find("p-cross");
  if (pCross != config.end() && pCross->is_number()) name += ", p " + printShort(pCross->get<double>());
  return name;
}

void addNames(const Project& project, const char* folder, std::set<std::string>& names) {
  std::error_code error;
  if (!requireFolder({project.folder(), folder})) return;
  for (fs::directory_iterator entry(project.folder() / folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().filename().string().starts_with('.')) continue;
    if (const Result<RunInfo> info = readRunFile(entry->path())) names.insert(info->name);
  }
}

}  // namespace

std::string plainRunName(const Project& project, const std::string& kind, const Json& config) {
  if (!config.is_object()) return kind;
  if (kind == kTrainKind) return trainingName(project, config);
  const std::string model = nameOfModel(project, textIn(config, "model"));
  const std::string task = textIn(config, "task");
  if (kind == kEvalKind && !task.empty()) return of(task, model);
  const JobKind* known = findJobKind(kind);
  return of(known != nullptr ? known->label : kind, model);
}

std::string freeRunName(const Project& project, const std::string& name) {
  std::set<std::string> taken;
  addNames(project, "runs", taken);
  addNames(project, "trash", taken);
  std::string free = name;
  for (int number = 2; taken.contains(free); ++number) free = name + " (" + std::to_string(number) + ")";
  return free;
}

}  // namespace strata
