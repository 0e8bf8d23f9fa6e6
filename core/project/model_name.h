#pragma once
// What MODEL means on the command line: a folder with config.json and safetensors, a run, or a name that the project
// gives one of its models (design.md section 5).

#include <filesystem>
#include <optional>
#include <string>

#include "core/base/error.h"

namespace strata {

struct ModelLocation {
  std::filesystem::path folder;             // with config.json
  std::filesystem::path adapter;            // of a LoRA run, else empty
  std::filesystem::path run;                // the run's folder, else empty
  std::filesystem::path chatTemplate = {};  // the project's own in place of the model's, else empty
};

/// What is asked of a run's checkpoint: that it is what its manifest says (verifyCheckpoint), for whoever opens the
/// model; or only where it is.
enum class Locate { verified, place };

/// RUN, RUN@STEP and RUN@latest become a checkpoint of the run (the best or else the last, that of the step, the last);
/// one of a LoRA run becomes its base and the adapter. A run's id goes
/// before a name of strata.json, and that before a folder of the same name. A LoRA run over another is refused, also
/// where it is itself.
Result<ModelLocation> locateModel(const std::string& text, const std::optional<std::filesystem::path>& project = {},
                                  Locate how = Locate::verified);

/// The folder whose names, dtypes and shards an export keeps: the model that the run, or the first run of those that it
/// goes back to, started from. A run from random weights is its own. Runs that go back to themselves are refused.
Result<std::filesystem::path> originalOf(const ModelLocation& location);

/// Where a project keeps the chat template that it gives a model in place of its own: a file of templates/, named after
/// the model's folder, or the run's.
std::filesystem::path templateFileOf(const ModelLocation& model, const std::filesystem::path& project);

}  // namespace strata
