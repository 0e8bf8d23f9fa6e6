#pragma once
// The operations of a decoder layer for both worlds: with gradients (training) they are autograd functions that save
// little, without (score, inference) they go straight to the kernels.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <initializer_list>
#include <vector>

#include "core/model/rope.h"
#include "core/model/weights.h"

namespace strata {

/// Where a LoRA dropout mask stands, so that it does not depend on micro-batches or resumes. p == 0: none.
struct LoraDropout {
  double p = 0;
  std::uint64_t seed = 0;
  std::uint32_t step = 0;
  std::uint32_t firstSequence = 0;  // number within the step of row 0
  std::uint32_t layer = 0;
  std::uint32_t firstModule = 0;  // of the layer's seven linear layers, the first of this call
};

/// RMS norm in fp32, rounded once. weight may be of another dtype than x (fp32 master weights).
at::Tensor rmsNorm(const at::Tensor& x, const at::Tensor& weight, double eps);
/// x [B, T, heads, D]; without gradients rotated in place (it is fresh from a linear layer), else a copy.
at::Tensor rotate(const at::Tensor& x, const Rotation& rotation);
at::Tensor siluMul(const at::Tensor& gate, const at::Tensor& up);
/// calls::rangeAttention() with its gradient: [B, T, H·D]. Only where calls::hasRangeAttention().
at::Tensor rangeAttention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& first);
/// x [B, T, in] through layers that share their input; weights are cast to x's dtype where they differ.
std::vector<at::Tensor> linears(const at::Tensor& x, std::initializer_list<const Linear*> layers,
                                const LoraDropout& dropout = {});

}  // namespace strata
