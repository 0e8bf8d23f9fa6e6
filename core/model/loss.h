#pragma once
// Losses over a vocabulary without ever holding all logits: rows go through the head in chunks, and the gradient of
// each chunk is made while its logits are there.

#include <ATen/core/Tensor.h>

#include "core/model/weights.h"

namespace strata {

/// Distillation from the full map's own answers; lambda == 0 and mu == 0 is plain cross-entropy.
struct DistillTerms {
  double lambda = 0;
  double tau = 1;
  double mu = 0;
};

/// scale · Σ over rows of (1-λ) CE(routed) + λ τ² KL(full ‖ routed) + μ CE(full), a scalar F32.
/// routed, full: [N, C] final hidden states of the trained positions (full undefined without distillation); head [V, C]
/// in any dtype; targets [N] int64. The KL term's gradient goes to `routed` alone (full's logits are detached there); μ
/// CE(full) trains through `full`.
at::Tensor vocabularyLoss(const at::Tensor& routed, const at::Tensor& full, const at::Tensor& head,
                          const at::Tensor& targets, double scale, const DistillTerms& terms = {});

/// hidden [N, C] through the head, [N, V] in the dtype of `hidden`, as training and scoring round it. Without
/// gradients.
at::Tensor headLogits(const at::Tensor& hidden, const Linear& head);

/// -log softmax(h · headᵀ)[target] of each row: [N] F32, without gradients. hidden [N, C].
at::Tensor tokenLosses(const at::Tensor& hidden, const Linear& head, const at::Tensor& targets);

}  // namespace strata
