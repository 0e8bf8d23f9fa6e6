#pragma once
// Rotary position embedding (Su et al., arXiv 2104.09864) as tensors, rotate-half pairing as Hugging Face's Llama:
// element i turns with i + D/2.

#include <ATen/core/Tensor.h>

#include "core/checkpoint/model_config.h"

namespace strata {

/// ropeFrequencies() on a device.
struct Rope {
  at::Tensor inverseFrequencies;  // [D/2] F32
  double scaling = 1;             // of cos and sin
};
/// `context`: the declared one, for which `dynamic` fixes its base.
Rope makeRope(const ModelConfig& config, std::int64_t context, c10::Device device);

/// cos and sin of position x inverse frequency, times the scaling.
struct Rotation {
  at::Tensor cos;  // F32, [T, D/2], or [B, T, D/2] where rows differ
  at::Tensor sin;
};
/// positions: int64 [T] or [B, T], any device.
Rotation rotationOf(const Rope& rope, const at::Tensor& positions);

}  // namespace strata
