#pragma once
// Matrix products of many rows: kernels/gemm.h where that is the fast way (bf16 on most x86 processors), else LibTorch.
// Not differentiable; see differentiable.h.

#include <ATen/core/Tensor.h>

#include <vector>

#include "core/model/weights.h"

namespace strata::calls {

/// inputs[input] · bᵀ. b [n, K] may be a transposed view, and fp32 where the inputs are bf16 (rounded as it is read).
struct Factor {
  int input = 0;
  at::Tensor b;
};

/// y [M, n] = the sum of its factors, plus bias [n] where defined.
struct Products {
  std::vector<Factor> factors;
  at::Tensor bias;
  at::Tensor into = {};  // y, contiguous rows; undefined: a new tensor in `dtype`
  bool adds = false;     // to what `into` holds
};

/// inputs: [M, K] each, or transposed views, of one dtype. One y for each of `sums`.
std::vector<at::Tensor> products(const std::vector<at::Tensor>& inputs, const std::vector<Products>& sums,
                                 at::ScalarType dtype);
/// a [M, K] · bᵀ of b [n, K], in `dtype`.
at::Tensor product(const at::Tensor& a, const at::Tensor& b, at::ScalarType dtype);

struct LinearProducts {
  std::vector<at::Tensor> results;  // [..., out] each
  std::vector<at::Tensor> reduced;  // scale · A x of each layer [rank, rows], undefined without a LoRA
};

/// x [..., in] through layers that read it, many rows, LoRA included. The layers may be in fp32 where x is bf16.
LinearProducts linearProducts(const at::Tensor& x, const std::vector<const Linear*>& layers);

}  // namespace strata::calls
