#pragma once
// The operations of kernel_calls.h by libstrata_cuda.so, for tensors of a GPU. Each says with an undefined tensor or
// with false that the module is not loaded, does not take these dtypes and sizes, or could not be started (logged
// once): then LibTorch computes.

#include <ATen/core/Tensor.h>

#include <vector>

#include "kernels/matvec.h"

namespace strata::calls::cuda {

/// The cudaStream_t that LibTorch computes with x on now.
void* streamOf(const at::Tensor& x);

at::Tensor rmsNorm(const at::Tensor& x, const at::Tensor& weight, double eps);
/// cos, sin: F32 [B, T, D/2], contiguous.
bool rotate(at::Tensor& x, const at::Tensor& cos, const at::Tensor& sin);
at::Tensor siluMul(const at::Tensor& gate, const at::Tensor& up);
/// x [..., K] of few rows; the targets' arrays are on x's device, weights in its dtype, y in `out`.
bool matvec(const at::Tensor& x, at::ScalarType out, const std::vector<kernels::MatvecTarget>& targets);
at::Tensor softmaxCrossEntropy(at::Tensor& logits, const at::Tensor& targets, double scale);
bool appendOne(const at::Tensor& k, const at::Tensor& v, at::Tensor& kCache, at::Tensor& vCache,
               const std::vector<std::int64_t>& positions);
/// q [B, T, H, D] of the positions start … start+T-1, each over the keys up to its own in a cache [B, Hkv, capacity,
/// D]: [B, T, H·D].
at::Tensor cacheAttention(const at::Tensor& q, const at::Tensor& kCache, const at::Tensor& vCache, std::int64_t start,
                          std::int64_t window, double scale);
/// `most`: the largest number of keys that a query sees.
at::Tensor decodeAttention(const at::Tensor& q, const at::Tensor& kCache, const at::Tensor& vCache,
                           const std::vector<std::int64_t>& lengths, std::int64_t window, std::int64_t most,
                           double scale);

}  // namespace strata::calls::cuda
