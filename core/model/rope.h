#pragma once
// Rotary position embedding (Su et al., arXiv 2104.09864), rotate-half pairing as Hugging Face's Llama: element i turns
// with i + D/2.

#include <ATen/core/Tensor.h>

#include "core/checkpoint/model_config.h"

namespace strata {

/// Inverse frequencies [D/2], F32: theta^(-2i/D); `llama3` scales the low ones by its factor and blends between
/// (Llama 3.1 model card; transformers' modeling_rope_utils names the same parameters).
at::Tensor inverseFrequencies(const RopeConfig& rope, int headDim);

/// cos and sin of position x inverse frequency.
struct Rotation {
  at::Tensor cos;  // F32, [T, D/2], or [B, T, D/2] where rows differ
  at::Tensor sin;
};
/// positions: int64 [T] or [B, T], any device.
Rotation rotationOf(const at::Tensor& inverseFrequencies, const at::Tensor& positions);

}  // namespace strata
