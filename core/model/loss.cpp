#include "core/model/loss.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <optional>

#include "core/model/kernel_calls.h"
#include "core/model/products.h"

namespace strata {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// Rows whose logits take about 128 MiB: large enough that reading and adding to the head's gradient is not what a
/// chunk costs.
std::int64_t chunkRows(const at::Tensor& hidden, std::int64_t vocabulary) {
  return std::clamp<std::int64_t>((128 << 20) / (vocabulary * static_cast<std::int64_t>(hidden.element_size())), 16,
                                  1 << 16);
}

struct VocabularyLoss : torch::autograd::Function<VocabularyLoss> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& routed,
                            const std::optional<at::Tensor>& teacher, const at::Tensor& head, const at::Tensor& targets,
                            double scale, double lambda, double tau, double mu) {
    const at::ScalarType dtype = routed.scalar_type();
    const std::int64_t rows = routed.size(0), step = chunkRows(routed, head.size(0));
    const at::Tensor full = teacher.value_or(at::Tensor());
    const bool distils = full.defined();
    at::Tensor total = at::zeros({}, routed.options().dtype(at::kFloat));
    at::Tensor dRouted = at::empty_like(routed), dFull, dHead;
    if (distils && full.requires_grad()) dFull = at::empty_like(full);
    for (std::int64_t begin = 0; begin < rows; begin += step) {
      const std::int64_t count = std::min(step, rows - begin);
      const at::Tensor target = targets.narrow(0, begin, count);
      const auto apply = [&](const at::Tensor& hidden, const at::Tensor& gradient, at::Tensor& dHidden) {
        const at::Tensor rounded = gradient.to(dtype);
        if (dHidden.defined()) {
          calls::products({rounded}, {{{{0, head.t()}}, {}, dHidden.narrow(0, begin, count)}}, dtype);
        }
        if (!head.requires_grad()) return;
        const bool adds = dHead.defined();
        if (!adds) dHead = at::empty(head.sizes(), head.options().dtype(at::kFloat));
        calls::products({rounded.t()}, {{{{0, hidden.t()}}, {}, dHead, adds}}, at::kFloat);
      };
      const at::Tensor hidden = routed.narrow(0, begin, count);
      at::Tensor logits = calls::product(hidden, head, dtype);
      if (!distils) {
        total.add_(calls::softmaxCrossEntropy(logits, target, scale).sum(), scale);
        apply(hidden, logits, dRouted);
        continue;
      }
      const at::Tensor fullHidden = full.narrow(0, begin, count);
      at::Tensor fullLogits = calls::product(fullHidden, head, dtype);
      // d/d routed of τ² KL(softmax(f/τ) ‖ softmax(r/τ)) = τ (softmax(r/τ) - softmax(f/τ))
      const at::Tensor logR = at::log_softmax(logits.to(at::kFloat) / tau, -1);
      const at::Tensor logF = at::log_softmax(fullLogits.to(at::kFloat) / tau, -1), pF = logF.exp();
      total.add_((pF * (logF - logR)).sum(), lambda * tau * tau * scale);
      const at::Tensor klGradient = logR.exp().sub_(pF).mul_(lambda * tau * scale);
      total.add_(calls::softmaxCrossEntropy(logits, target, (1 - lambda) * scale).sum(), (1 - lambda) * scale);
      apply(hidden, logits.to(at::kFloat).add_(klGradient), dRouted);
      if (mu > 0) {
        total.add_(calls::softmaxCrossEntropy(fullLogits, target, mu * scale).sum(), mu * scale);
        apply(fullHidden, fullLogits, dFull);
      }
    }
    if (dFull.defined() && mu == 0) dFull.zero_();
    context->save_for_backward({dRouted, dFull, dHead});
    return total;
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    const auto saved = context->get_saved_variables();
    // In place: they were made for this call alone, and the head's is as large as the head. On the CPU a look at the
    // factor is free, and it is 1 where this is the whole loss.
    const bool isOne = grads[0].is_cpu() && grads[0].item<float>() == 1;
    const auto scaled = [&](const at::Tensor& gradient) {
      return gradient.defined() && !isOne ? gradient.mul_(grads[0]) : gradient;
    };
    return {scaled(saved[0]), scaled(saved[1]), scaled(saved[2]), {}, {}, {}, {}, {}};
  }
};

}  // namespace

at::Tensor vocabularyLoss(const at::Tensor& routed, const at::Tensor& full, const at::Tensor& head,
                          const at::Tensor& targets, double scale, const DistillTerms& terms) {
  return VocabularyLoss::apply(routed, full.defined() ? std::optional(full) : std::nullopt, head, targets, scale,
                               full.defined() ? terms.lambda : 0.0, terms.tau, full.defined() ? terms.mu : 0.0);
}

namespace {

/// The head in parts, so that its weights are never unpacked all at once.
at::Tensor quantizedLogits(const at::Tensor& hidden, const QuantizedWeight& head) {
  constexpr std::int64_t kElements = 8 << 20;
  const std::int64_t outputs = head.outputs(), step = std::max<std::int64_t>(1, kElements / head.inputs);
  at::Tensor logits = at::empty({hidden.size(0), outputs}, hidden.options());
  for (std::int64_t begin = 0; begin < outputs; begin += step) {
    const std::int64_t count = std::min(step, outputs - begin);
    Linear part;
    part.weight = dequantizeRows(head, begin, count, hidden.scalar_type());
    logits.narrow(1, begin, count).copy_(headLogits(hidden, part));
  }
  return logits;
}

}  // namespace

at::Tensor headLogits(const at::Tensor& hidden, const Linear& head) {
  if (head.quantized) return quantizedLogits(hidden, *head.quantized);
  const c10::NoGradGuard guard;
  return calls::product(hidden, head.weight, hidden.scalar_type());
}

at::Tensor tokenLosses(const at::Tensor& hidden, const Linear& head, const at::Tensor& targets) {
  const c10::NoGradGuard guard;
  const std::int64_t rows = hidden.size(0), step = chunkRows(hidden, head.outputs());
  at::Tensor losses = at::empty({rows}, hidden.options().dtype(at::kFloat));
  for (std::int64_t begin = 0; begin < rows; begin += step) {
    const std::int64_t count = std::min(step, rows - begin);
    const at::Tensor logProbability =
        at::log_softmax(headLogits(hidden.narrow(0, begin, count), head).to(at::kFloat), -1);
    losses.narrow(0, begin, count)
        .copy_(logProbability.gather(1, targets.narrow(0, begin, count).unsqueeze(1)).squeeze(1).neg_());
  }
  return losses;
}

}  // namespace strata
