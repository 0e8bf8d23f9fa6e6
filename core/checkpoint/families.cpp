#include "core/checkpoint/families.h"

#include <algorithm>
#include <string>

#include "core/checkpoint/safetensors_header.h"

namespace strata {
namespace {

constexpr std::int64_t kLongestWindow = 1 << 24;

std::vector<std::int64_t> sameWindow(int layers, std::int64_t window) {
  return std::vector<std::int64_t>(static_cast<std::size_t>(layers), window);
}

/// sliding_window: null means none, a missing key 4096.
Result<std::int64_t> readWindow(const JsonFields& config) {
  constexpr std::int64_t kMissing = 4096;
  if (config.isMissing("sliding_window")) return kMissing;
  if (!config.has("sliding_window")) return 0;
  return config.integer("sliding_window", 1, kLongestWindow);
}

Result<LayerTraits> readLlama(const JsonFields& config, int layers) {
  LayerTraits traits;
  STRATA_TRY(traits.qkvBias, config.boolean("attention_bias", false));
  traits.outputBias = traits.qkvBias;
  STRATA_TRY(traits.mlpBias, config.boolean("mlp_bias", false));
  traits.windows = sameWindow(layers, 0);
  return traits;
}

Result<LayerTraits> readMistral(const JsonFields& config, int layers) {
  LayerTraits traits;
  STRATA_TRY(const std::int64_t window, readWindow(config));
  traits.windows = sameWindow(layers, window);
  return traits;
}

/// Qwen's rule: nothing slides unless use_sliding_window; then the layers that layer_types names, or, without it, those
/// from max_window_layers on.
Result<std::vector<std::int64_t>> readQwenWindows(const JsonFields& config, int layers) {
  STRATA_TRY(const bool used, config.boolean("use_sliding_window", false));
  if (!used) return sameWindow(layers, 0);
  STRATA_TRY(const std::int64_t window, readWindow(config));
  std::vector<std::int64_t> windows = sameWindow(layers, 0);
  const Json* types = config.find("layer_types");
  if (types == nullptr) {
    STRATA_TRY(const std::int64_t whole, config.integer("max_window_layers", 0, kLongestWindow, 28));
    for (std::int64_t l = whole; l < layers; ++l) windows[static_cast<std::size_t>(l)] = window;
    return windows;
  }
  if (!types->is_array() || types->size() != windows.size()) {
    return config.refuse("layer_types", "must be a list of " + std::to_string(layers) + " texts, one for each layer.");
  }
  for (std::size_t l = 0; l < windows.size(); ++l) {
    const Json& type = (*types)[l];
    const std::string name = type.is_string() ? type.get<std::string>() : "";
    if (name == "full_attention") continue;
    if (name != "sliding_attention") {
      return config.refuse("layer_types", "says " + shortDump(type) + " for layer " + std::to_string(l) +
                                              "; supported are full_attention and sliding_attention.");
    }
    if (window == 0) {
      return config.refuse("layer_types",
                           "lets layer " + std::to_string(l) + " slide, but there is no sliding_window.");
    }
    windows[l] = window;
  }
  return windows;
}

Result<LayerTraits> readQwen2(const JsonFields& config, int layers) {
  LayerTraits traits;
  traits.qkvBias = true;
  STRATA_TRY(traits.windows, readQwenWindows(config, layers));
  return traits;
}

Result<LayerTraits> readQwen3(const JsonFields& config, int layers) {
  LayerTraits traits;
  traits.qkNorm = true;
  STRATA_TRY(traits.qkvBias, config.boolean("attention_bias", false));
  traits.outputBias = traits.qkvBias;
  STRATA_TRY(traits.windows, readQwenWindows(config, layers));
  return traits;
}

const std::vector<Family>& families() {
  static const std::vector<Family> all = {
      {"LlamaForCausalLM", "llama", 2048, {}, {}, {1}, {2}, readLlama},
      {"MistralForCausalLM", "mistral", 131072, 8, {}, {1}, {2}, readMistral},
      {"Qwen2ForCausalLM", "qwen2", 32768, 32, {}, {}, {}, readQwen2},
      {"Qwen3ForCausalLM", "qwen3", 32768, 32, 128, {}, {}, readQwen3},
  };
  return all;
}

std::string supportedArchitectures() {
  std::string out;
  for (const Family& family : families()) out += (out.empty() ? "" : ", ") + std::string(family.architecture);
  return out;
}

}  // namespace

Result<const Family*> findFamily(const JsonFields& config) {
  const Json* modelType = config.find("model_type");
  if (modelType != nullptr && !modelType->is_string()) {
    return config.refuse("model_type", "must be a text, not " + shortDump(*modelType) + ".");
  }
  const auto typeMatches = [&](const Family& family) {
    return modelType == nullptr || modelType->get_ref<const std::string&>() == family.modelType;
  };
  const auto unsupported = [&](const char* key, const std::string& name) {
    return namedError(
        "unknown_architecture", {{"architecture", quotedName(name)}, {"supported", supportedArchitectures()}},
        config.refuse(key, "says " + quotedName(name) + "; supported are " + supportedArchitectures() + ".",
                      ErrorCode::unsupported));
  };
  const Json* architectures = config.find("architectures");
  if (architectures == nullptr || (architectures->is_array() && architectures->empty())) {
    if (modelType == nullptr) return config.refuse("architectures", "is missing; it is needed.");
    const auto found = std::find_if(families().begin(), families().end(), typeMatches);
    if (found != families().end()) return &*found;
    return unsupported("model_type", modelType->get<std::string>());
  }
  const auto isText = [](const Json& name) { return name.is_string(); };
  if (!architectures->is_array() || !std::all_of(architectures->begin(), architectures->end(), isText)) {
    return config.refuse("architectures", "must be a list of texts.");
  }
  for (const Json& given : *architectures) {
    const std::string& name = given.get_ref<const std::string&>();
    for (const Family& family : families()) {
      if (name != family.architecture) continue;
      if (typeMatches(family)) return &family;
      return config.refuse("model_type", "is " + shortDump(*modelType) + ", which does not belong to " + name + ".");
    }
  }
  return unsupported("architectures", architectures->front().get_ref<const std::string&>());
}

}  // namespace strata
