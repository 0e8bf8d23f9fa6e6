#pragma once
// Which models there are on the engine's machine: the project's, its runs, those of the Hugging Face cache and of
// folders. Headers are read, no weights.
//
//   ModelList answer = listModels(project, folders, cancelled, progress);

#include <atomic>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/protocol/model_messages.h"

namespace strata {

/// HF_HUB_CACHE, HF_HOME/hub, or ~/.cache/huggingface/hub, as huggingface_hub has it.
std::filesystem::path hubFolder();

/// By source (project, run, hub, folder), then by name; each folder once. What is asked for is a list: a project that
/// cannot be read, a folder that is not there, give none. A cancelled one is an error.
Result<protocol::ListModels::Answer> listModels(const std::optional<std::filesystem::path>& project,
                                                const std::vector<std::string>& folders,
                                                const std::atomic<bool>& cancelled,
                                                const std::function<void(std::int64_t done, std::int64_t total)>& tell);

/// A model's card; `project` gives names and runs.
Result<protocol::ModelCard> inspectModel(const protocol::ModelRef& ref,
                                         const std::optional<std::filesystem::path>& project);

Result<protocol::EstimateMemory::Answer> estimateModel(const protocol::EstimateMemory::Params& params,
                                                       const std::optional<std::filesystem::path>& project);

}  // namespace strata
