#pragma once
// Where tensors meet kernels/ (those of a GPU in cuda_calls.h): shapes, dtypes and contiguity are checked here, and
// what has no kernel (another device, many rows) goes to LibTorch. But for selectRows and attention nothing here is
// differentiable; see differentiable.h.

#include <ATen/core/Tensor.h>

#include <initializer_list>
#include <vector>

#include "core/model/rope.h"
#include "core/model/weights.h"
#include "core/routing/kv_format.h"

namespace strata::kernels {
struct MatvecTarget;
struct SequenceCache;
}  // namespace strata::kernels

namespace strata::calls {

/// Rows of table [V, C] by index [...], int64: [..., C]. Differentiable in the table.
at::Tensor selectRows(const at::Tensor& table, const at::Tensor& index);

/// x / sqrt(mean(x²) + eps) · weight over the last dimension (Zhang & Sennrich, arXiv 1910.07467).
at::Tensor rmsNorm(const at::Tensor& x, const at::Tensor& weight, double eps);

/// Rotates x [B, T, heads, D] in place; `inverse` turns back (the gradient of a rotation).
void rotate(at::Tensor& x, const Rotation& rotation, bool inverse = false);

/// silu(gate) · up.
at::Tensor siluMul(const at::Tensor& gate, const at::Tensor& up);

/// x [..., in] through several linear layers that read the same input, LoRA included; one pass over the weights for few
/// rows.
std::vector<at::Tensor> linears(const at::Tensor& x, std::initializer_list<const Linear*> layers);

/// The layer as a target of kernels::matvec(), its result to y; without its LoRA. Points into the layer's tensors.
kernels::MatvecTarget targetOf(const Linear& layer, void* y);

/// x [N, C] through the head: F32 [N, V]; on the CPU summed and kept in fp32 whatever the dtype of x.
at::Tensor logits(const at::Tensor& x, const Linear& head);

/// Grouped-query attention (Ainslie et al., arXiv 2305.13245) of q [B, H, T, D] over k, v [B, Hkv, S, D]: [B, H, T, D].
/// mask: additive, broadcasts to [B, H, T, S]; undefined: causal with T == S. Differentiable.
at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& mask);

/// Whether rangeAttention() takes such tensors: on the CPU, in fp32 or bf16.
bool hasRangeAttention(at::ScalarType dtype, c10::Device device);

/// Grouped-query attention of q [B, T, H, D] over k, v [B, T, Hkv, D]: position t reads the keys first[b][t] … t
/// (int32 [B, T]; undefined: from 0).
struct RangeAttention {
  at::Tensor out;  // [B, T, H, D]
  at::Tensor lse;  // F32 [B, H, T]: log-sum-exp of the scores
};
RangeAttention rangeAttention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& first);

struct RangeAttentionGradients {
  at::Tensor dq, dk, dv;
};
RangeAttentionGradients rangeAttentionBackward(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                               const at::Tensor& first, const RangeAttention& result,
                                               const at::Tensor& dOut);

/// The gradients of rmsNorm: {dx like x, dWeight [C] F32 or undefined}.
struct RmsNormGradients {
  at::Tensor dx;
  at::Tensor dWeight;
};
RmsNormGradients rmsNormBackward(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& dy, double eps,
                                 bool withWeight);

/// The gradients of siluMul: {dGate, dUp}.
struct SiluMulGradients {
  at::Tensor dGate;
  at::Tensor dUp;
};
SiluMulGradients siluMulBackward(const at::Tensor& gate, const at::Tensor& up, const at::Tensor& dy);

/// logits [N, V] become (softmax - onehot(target)) · scale in place; returns -log softmax[target], F32 [N], unscaled.
at::Tensor softmaxCrossEntropy(at::Tensor& logits, const at::Tensor& targets, double scale);

/// Writes one new position per sequence: k, v [B, 1, Hkv, D] into caches [B, Hkv, capacity, D] at positions [B] (int64,
/// host).
void appendOne(const at::Tensor& k, const at::Tensor& v, at::Tensor& kCache, at::Tensor& vCache,
               const std::vector<std::int64_t>& positions);

/// Keys and values of one owner as a cache holds them; every tensor begins [B, Hkv, capacity].
struct CachedKeyValue {
  KvFormat format = KvFormat::plain;
  at::Tensor k, v;              // [B, Hkv, capacity, D]: in the model's dtype, or codes
  at::Tensor kScales, vScales;  // BF16 [B, Hkv, capacity]: of codes

  bool defined() const { return k.defined(); }
  static constexpr at::Tensor CachedKeyValue::*kTensors[] = {&CachedKeyValue::k, &CachedKeyValue::v,
                                                             &CachedKeyValue::kScales, &CachedKeyValue::vScales};
};

/// Writes k, v [B, T, Hkv, D] to the positions starts[b] … starts[b]+T-1 (int64, host) of a cache.
void append(const at::Tensor& k, const at::Tensor& v, CachedKeyValue& cache, const std::vector<std::int64_t>& starts);

/// x [B, T, Hkv, D], keys or values, as a cache of this format would give them back.
at::Tensor throughCodes(const at::Tensor& x, KvFormat format);

/// One sequence of a CPU's cache for the kernels.
kernels::SequenceCache sequenceOf(const CachedKeyValue& cache, std::int64_t sequence);

/// The first key that a query at the end of `length` keys sees; window 0: all.
std::int64_t firstKeySeen(std::int64_t length, std::int64_t window);

/// q [B, T, H, D] of the positions start … start+T-1 over a cache [B, Hkv, capacity, D] that holds these and all
/// before: each reads the keys up to its own, with a window over 0 the last `window` of them; [B, T, H·D].
at::Tensor cacheAttention(const at::Tensor& q, const at::Tensor& kCache, const at::Tensor& vCache, std::int64_t start,
                          std::int64_t window);
at::Tensor cacheAttention(const at::Tensor& q, const CachedKeyValue& cache, std::int64_t start, std::int64_t window);

/// q [B, 1, H, D] over the first lengths[b] keys of a cache, with a window over 0 the last `window` of them;
/// [B, 1, H·D].
at::Tensor decodeAttention(const at::Tensor& q, const at::Tensor& kCache, const at::Tensor& vCache,
                           const std::vector<std::int64_t>& lengths, std::int64_t window);
at::Tensor decodeAttention(const at::Tensor& q, const CachedKeyValue& cache, const std::vector<std::int64_t>& lengths,
                           std::int64_t window);

}  // namespace strata::calls
