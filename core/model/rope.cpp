#include "core/model/rope.h"

#include <ATen/ATen.h>

namespace strata {

Rope makeRope(const ModelConfig& config, std::int64_t context, c10::Device device) {
  const RopeFrequencies frequencies = ropeFrequencies(config.rope, config.headDim, context);
  return {at::tensor(frequencies.inverse, at::kDouble).to(at::kFloat).to(device), frequencies.attentionScaling};
}

Rotation rotationOf(const Rope& rope, const at::Tensor& positions) {
  const at::Tensor angles = positions.to(at::kFloat).unsqueeze(-1) * rope.inverseFrequencies;
  Rotation rotation{angles.cos(), angles.sin()};
  if (rope.scaling == 1) return rotation;
  return {rotation.cos * rope.scaling, rotation.sin * rope.scaling};
}

}  // namespace strata
