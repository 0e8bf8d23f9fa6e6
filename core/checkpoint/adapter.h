#pragma once
// LoRA adapters in PEFT's form: adapter_config.json and adapter_model.safetensors.

#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/checkpoint/model_config.h"
#include "core/checkpoint/safetensors.h"

namespace strata {

/// The low-rank pair of one linear layer: y += scale · B (A x).
struct LoraPair {
  TensorView a;        // [r, in]
  TensorView b;        // [out, r]
  double scale = 1.0;  // alpha / r, or alpha / sqrt(r) with use_rslora
};

struct Adapter {
  std::map<std::string, LoraPair> pairs;  // key: "model.layers.0.self_attn.q_proj" (module, no ".weight")
  Json config;                            // adapter_config.json as it came
};

/// Fields honoured: r, lora_alpha, rank_pattern, alpha_pattern, use_rslora, target_modules (list, regex, "all-linear"),
/// layers_to_transform. Any other field that would change the result (use_dora, bias != none, modules_to_save,
/// fan_in_fan_out, layer_replication, …), known here or not, is refused by name. Refused too: the embedding, a tied
/// lm_head (that of an untied model is the pair "lm_head"), a targeted module without tensors, a tensor without a
/// targeted module. Shapes are checked against `model`.
Result<Adapter> readAdapter(const std::filesystem::path& folder, const ModelConfig& model);

struct LoraSettings {
  int rank = 16;
  double alpha = 32;
  double dropout = 0;
  std::vector<std::string> targets = {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"};
};
/// Writes both files into `folder` (which exists). `tensors` are named "<module>.lora_A.weight" / "lora_B" with module
/// as above; PEFT's "base_model.model." prefix is added here.
Result<void> writeAdapter(const std::filesystem::path& folder, const LoraSettings& settings,
                          const std::string& baseModel, const std::vector<TensorToWrite>& tensors);

}  // namespace strata
