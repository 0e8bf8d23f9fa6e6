#include "core/training/optimizer.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "core/model/memory.h"

namespace strata {
namespace {

constexpr double kClipEpsilon = 1e-6;  // as torch.nn.utils.clip_grad_norm_

}  // namespace

AdamW::AdamW(std::vector<NamedParameter> parameters, const AdamWSettings& settings)
    : m_parameters(std::move(parameters)), m_settings(settings), m_states(m_parameters.size()) {}

at::Tensor AdamW::clipGradients(double clip) {
  const c10::NoGradGuard guard;
  std::vector<at::Tensor> gradients, norms;
  for (const NamedParameter& parameter : m_parameters) {
    if (!parameter.value.grad().defined()) continue;
    gradients.push_back(parameter.value.grad());
    norms.push_back(gradients.back().norm());
  }
  if (gradients.empty()) return at::zeros({}, at::kFloat);
  at::Tensor norm = at::stack(norms).norm();
  if (clip > 0) {
    const at::Tensor factor = (clip / (norm + kClipEpsilon)).clamp_max(1.0);
    for (at::Tensor& gradient : gradients) gradient.mul_(factor);
  }
  return norm;
}

void AdamW::step(double learningRate) {
  const c10::NoGradGuard guard;
  const MemoryScope scope(MemoryPart::optimizer);
  for (std::size_t i = 0; i < m_parameters.size(); ++i) {  // before any weight changes: memory may run out here
    const at::Tensor& value = m_parameters[i].value;
    State& state = m_states[i];
    if (!value.grad().defined() || state.m.defined()) continue;
    const at::Tensor m = at::zeros_like(value), v = at::zeros_like(value);
    state = {m, v, at::zeros({}, value.options().dtype(at::kFloat))};
  }
  for (const bool decays : {true, false}) {
    std::vector<at::Tensor> values, gradients, ms, vs, steps;
    for (std::size_t i = 0; i < m_parameters.size(); ++i) {
      const at::Tensor& value = m_parameters[i].value;
      if (!value.grad().defined() || (value.dim() >= 2) != decays) continue;
      State& state = m_states[i];
      state.steps.add_(1);
      values.push_back(value);
      gradients.push_back(value.grad());
      ms.push_back(state.m);
      vs.push_back(state.v);
      steps.push_back(state.steps);
    }
    if (values.empty()) continue;
    at::_fused_adamw_(values, gradients, ms, vs, {}, steps, learningRate, m_settings.beta1, m_settings.beta2,
                      decays ? m_settings.weightDecay : 0.0, m_settings.epsilon, false, false);
  }
}

void AdamW::zeroGradients() {
  for (NamedParameter& parameter : m_parameters) parameter.value.mutable_grad() = at::Tensor();
}

}  // namespace strata
