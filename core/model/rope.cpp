#include "core/model/rope.h"

#include <ATen/ATen.h>

#include <cmath>
#include <numbers>

namespace strata {

at::Tensor inverseFrequencies(const RopeConfig& rope, int headDim) {
  const int half = headDim / 2;
  at::Tensor result = at::empty({half}, at::kFloat);
  float* values = result.data_ptr<float>();
  for (int i = 0; i < half; ++i) {
    double frequency = std::pow(rope.theta, -2.0 * i / headDim);
    if (rope.type == RopeType::llama3) {
      const double wavelength = 2 * std::numbers::pi / frequency;
      const auto original = static_cast<double>(rope.originalMaxPositions);
      if (wavelength > original / rope.lowFreqFactor) {
        frequency /= rope.factor;
      } else if (wavelength >= original / rope.highFreqFactor) {
        const double smooth = (original / wavelength - rope.lowFreqFactor) / (rope.highFreqFactor - rope.lowFreqFactor);
        frequency = (1 - smooth) * frequency / rope.factor + smooth * frequency;
      }
    }
    values[i] = static_cast<float>(frequency);
  }
  return result;
}

Rotation rotationOf(const at::Tensor& inverseFrequencies, const at::Tensor& positions) {
  const at::Tensor angles = positions.to(at::kFloat).unsqueeze(-1) * inverseFrequencies;
  return {angles.cos(), angles.sin()};
}

}  // namespace strata
