#pragma once
// config.json of a Hugging Face checkpoint, in the spelling of transformers 4 (rope_theta, rope_scaling, torch_dtype)
// and of transformers 5 (rope_parameters, dtype).

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/checkpoint/dtype.h"
#include "core/checkpoint/families.h"
#include "core/checkpoint/rope_config.h"
#include "core/routing/memory.h"
#include "core/routing/sharing_map.h"

namespace strata {

struct ModelConfig {
  std::string architecture;       // "LlamaForCausalLM"
  int layers = 0;                 // L
  int width = 0;                  // C
  int ffn = 0;                    // F
  int heads = 0;                  // H
  int kvHeads = 0;                // Hkv
  int headDim = 0;                // D, even
  std::int64_t vocab = 0;         // V
  std::int64_t maxPositions = 0;  // the model's context
  double rmsNormEps = 1e-6;
  RopeConfig rope;
  LayerTraits traits;
  bool tied = false;
  std::optional<std::int64_t> bosId;  // below vocab, or nothing
  std::vector<std::int64_t> eosIds;
  std::optional<DType> dtype;  // as stored, where the file says
  Json raw;                    // the file as it came

  ModelShape shape() const;                    // parameters counted from the shapes
  std::vector<KvGeometry> kvGeometry() const;  // [L]
};

/// Refused, naming the key: missing or non-integer sizes, sizes out of range (layers 1…4096, others up to 2^24, vocab
/// up to 2^24), heads not a multiple of KV heads, odd head size, an activation other than silu, an unknown rope type or
/// missing rope parameter, an architecture other than the supported ones (listed in the message), quantised
/// checkpoints.
Result<ModelConfig> parseModelConfig(const Json& config, const std::string& where);

/// Every parameter of the model: Hugging Face name -> shape. A tied lm_head is not listed.
std::vector<std::pair<std::string, std::vector<std::int64_t>>> parameterShapes(const ModelConfig& config);

}  // namespace strata
