#include "core/checkpoint/adapter.h"

#include <algorithm>
#include <cmath>
#include <new>
#include <set>

#include "core/checkpoint/adapter_config.h"
#include "core/checkpoint/safetensors_header.h"
#include "core/checkpoint/weight_files.h"

namespace strata {
namespace fs = std::filesystem;
namespace {

constexpr const char* kAdapterConfigFile = "adapter_config.json";
constexpr const char* kWeightsFile = "adapter_model.safetensors";
constexpr std::string_view kPrefix = "base_model.model.";
constexpr std::string_view kWeight = ".weight";
constexpr const char* kEmbeddingModule = "model.embed_tokens";
constexpr const char* kHeadModule = "lm_head";

struct Module {
  std::string name;
  std::int64_t out = 0;
  std::int64_t in = 0;
};

/// The modules that PEFT could put a LoRA on: every matrix of the model, the embedding and a tied head included (to be
/// refused by name).
std::vector<Module> matrixModules(const ModelConfig& model) {
  std::vector<Module> modules;
  for (const auto& [name, shape] : parameterShapes(model)) {
    if (shape.size() == 2) modules.push_back({name.substr(0, name.size() - kWeight.size()), shape[0], shape[1]});
  }
  if (model.tied) modules.push_back({kHeadModule, model.vocab, model.width});
  return modules;
}

Result<void> checkPair(const Module& module, const LoraPair& pair, std::int64_t rank, const std::string& where) {
  const std::vector<std::int64_t> a = {rank, module.in};
  const std::vector<std::int64_t> b = {module.out, rank};
  if (pair.a.shape == a && pair.b.shape == b) return {};
  const bool firstWrong = pair.a.shape != a;
  return fail(ErrorCode::invalidData,
              where + ": the " + (firstWrong ? "lora_A" : "lora_B") + " of " + quotedName(module.name) +
                  " has the shape " + printShape(firstWrong ? pair.a.shape : pair.b.shape) + " where the model and " +
                  kAdapterConfigFile + " ask for " + printShape(firstWrong ? a : b) + ".",
              module.name);
}

Result<Adapter> readChecked(const fs::path& folder, const ModelConfig& model) {
  const fs::path configPath = folder / kAdapterConfigFile;
  const fs::path weightsPath = folder / kWeightsFile;
  std::error_code error;
  STRATA_CHECK(requireRegularFile(configPath));
  STRATA_TRY(Json file, readJson(configPath));
  STRATA_TRY(const AdapterConfig config, AdapterConfig::parse(file, configPath.string()));
  if (!fs::exists(weightsPath, error) && fs::exists(folder / "adapter_model.bin", error)) {
    return fail(ErrorCode::unsupported,
                folder.string() +
                    " holds adapter_model.bin only: that is a pickle file, which can run code when it is "
                    "opened; convert it to " +
                    kWeightsFile + ".",
                folder.string());
  }
  STRATA_CHECK(requireRegularFile(weightsPath));
  SkippedTensors skipped;
  STRATA_TRY(TensorMap tensors, readSafetensors(weightsPath, &skipped));
  const std::string where = weightsPath.string();

  Adapter adapter;
  for (const Module& module : matrixModules(model)) {
    STRATA_TRY(const bool targeted, config.targets(module.name));
    // "all-linear" leaves out the embedding, which is no linear layer, and the head.
    if (!targeted || (module.name == kEmbeddingModule && file["target_modules"] == "all-linear")) continue;
    if (module.name == kEmbeddingModule || (model.tied && module.name == kHeadModule)) {
      return fail(ErrorCode::unsupported,
                  configPath.string() + ": the key \"target_modules\" names " + quotedName(module.name) +
                      (model.tied ? ", whose weight is tied to another; " : "; ") +
                      "a LoRA there is not supported: train it without.",
                  configPath.string());
    }
    LoraPair pair;
    for (const auto& [part, view] : {std::pair(".lora_A.weight", &pair.a), std::pair(".lora_B.weight", &pair.b)}) {
      const auto found = tensors.find(std::string(kPrefix) + module.name + part);
      if (found == tensors.end()) {
        return fail(ErrorCode::invalidData,
                    where + ": tensor " + quotedName(std::string(kPrefix) + module.name + part) +
                        " is missing, though target_modules covers it.",
                    where);
      }
      *view = found->second;
      tensors.erase(found);
    }
    STRATA_TRY(const std::int64_t rank, config.rankOf(module.name));
    STRATA_CHECK(checkPair(module, pair, rank, where));
    STRATA_TRY(pair.scale, config.scaleOf(module.name));
    adapter.pairs.emplace(module.name, std::move(pair));
  }
  if (!tensors.empty() || !skipped.empty()) {
    return fail(ErrorCode::unsupported,
                where + ": tensor " + quotedName(tensors.empty() ? skipped.begin()->first : tensors.begin()->first) +
                    " belongs to no module that target_modules covers and this model has; the adapter fits another "
                    "model or kind.",
                where);
  }
  if (adapter.pairs.empty()) {
    return fail(ErrorCode::invalidData,
                configPath.string() + ": the key \"target_modules\" matches no module of the model.",
                configPath.string());
  }
  adapter.config = std::move(file);
  return adapter;
}

}  // namespace

Result<Adapter> readAdapter(const fs::path& folder, const ModelConfig& model) {
  try {
    return readChecked(folder, model);
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::outOfMemory, folder.string() + ": not enough memory to open it; close something and retry.",
                folder.string());
  }
}

Result<void> writeAdapter(const fs::path& folder, const LoraSettings& settings, const std::string& baseModel,
                          const std::vector<TensorToWrite>& tensors) {
  std::vector<TensorToWrite> named = tensors;
  for (TensorToWrite& tensor : named) tensor.name = std::string(kPrefix) + tensor.name;
  STRATA_CHECK(writeSafetensors(folder / kWeightsFile, named));

  const bool whole = settings.alpha == std::floor(settings.alpha) && std::abs(settings.alpha) < 1e9;
  std::vector<std::string> targets = settings.targets;
  std::sort(targets.begin(), targets.end());
  // Fields that every PEFT since 0.5 knows, each with the meaning it has there.
  const Json config = {{"alpha_pattern", Json::object()},
                       {"base_model_name_or_path", baseModel},
                       {"bias", "none"},
                       {"fan_in_fan_out", false},
                       {"inference_mode", true},
                       {"init_lora_weights", true},
                       {"layers_pattern", nullptr},
                       {"layers_to_transform", nullptr},
                       {"lora_alpha", whole ? Json(static_cast<std::int64_t>(settings.alpha)) : Json(settings.alpha)},
                       {"lora_dropout", settings.dropout},
                       {"modules_to_save", nullptr},
                       {"peft_type", "LORA"},
                       {"r", settings.rank},
                       {"rank_pattern", Json::object()},
                       {"revision", nullptr},
                       {"target_modules", targets},
                       {"task_type", "CAUSAL_LM"}};
  return writeFile(folder / kAdapterConfigFile, config.dump(2, ' ', false, Json::error_handler_t::replace) + "\n");
}

}  // namespace strata
