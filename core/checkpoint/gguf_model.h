#pragma once
// A Llama, Mistral, Qwen2 or Qwen3 model in a GGUF file, as its Hugging Face folder would have it: config.json's
// content, and the weights by their names there.

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/checkpoint/gguf.h"
#include "core/checkpoint/model_config.h"

namespace strata {

/// config.json's content (for parseModelConfig). Refused, naming the key: other architectures, mixtures of experts,
/// heads that are rotated in part, layers with head counts of their own, a RoPE scaling of another kind, one part of a
/// split file. Mistral is "llama" with a sliding window; llama.cpp knows no window for Qwen, so that none is taken
/// over. The scaling of Llama 3.1 is found from the factors of rope_freqs.weight.
Result<Json> configOfGguf(const Gguf& gguf);

/// Every tensor but rope_freqs.weight by its Hugging Face name; those of unknown names are refused, since the model
/// would not be what it was without them.
Result<TensorMap> weightsOfGguf(const Gguf& gguf, const ModelConfig& config);

}  // namespace strata
