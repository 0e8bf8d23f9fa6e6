#pragma once
// From what is asked for a training run (options by their names, as JSON) to its configuration: the same rules for the
// command line and for jobs.
//
//   STRATA_TRY(TrainConfig config, newRunConfig({file, given, "The command line"}));
//   STRATA_CHECK(resolveNames(project, config));

#include <filesystem>
#include <optional>
#include <string>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/config/train_config.h"
#include "core/training/train_job.h"

namespace strata {

struct RunRequest {
  Json file = Json::object();         // of a preset or a configuration file
  std::string fileName;               // for errors
  Json given = Json::object();        // goes over the file
  std::string where = "The request";  // the source of `given`, for errors
};

/// The file over the defaults, what is given over the file. Of model and init, steps and epochs, split and eval-data
/// the one given replaces the other.
Result<TrainConfig> newRunConfig(const RunRequest& request);
/// Over the configuration of `parent`: the stored split belongs to the old batch, p-cross to the old sampler. Another
/// LoRA rank is refused.
Result<TrainConfig> extendedRunConfig(const std::filesystem::path& parent, const RunRequest& request);
/// What a resume may change; anything else is refused by name.
Result<ResumeChanges> resumeChangesOf(const std::filesystem::path& runFolder, const RunRequest& request);

/// A run's id or a project's name for a model becomes its path, and the name of a data set its path and columns: the
/// stored configuration must not depend on the project that is open.
Result<void> resolveNames(const std::optional<std::filesystem::path>& project, TrainConfig& config);
/// A LoRA over a LoRA cannot be opened.
Result<void> refuseStackedLora(const TrainConfig& config);

/// The folder of a training run that `option` (--resume, --extend) goes on with; RUN without @STEP.
Result<std::filesystem::path> trainingRunFolder(const std::string& text,
                                                const std::optional<std::filesystem::path>& project,
                                                const char* option);

}  // namespace strata
