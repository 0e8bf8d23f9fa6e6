#include "core/training/optimizer.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include <algorithm>
#include <optional>

#include "core/model/memory.h"

namespace strata {
namespace {

constexpr double kClipEpsilon = 1e-6;  // as torch.nn.utils.clip_grad_norm_

}  // namespace

AdamW::AdamW(std::vector<NamedParameter> parameters, const AdamWSettings& settings)
    : m_parameters(std::move(parameters)), m_settings(settings), m_states(m_parameters.size()) {}

at::Tensor AdamW::gradientNorm() const {
  const c10::NoGradGuard guard;
  std::vector<at::Tensor> norms;
  for (const NamedParameter& parameter : m_parameters) {
    if (parameter.value.grad().defined()) norms.push_back(parameter.value.grad().norm());
  }
  return norms.empty() ? at::zeros({}, at::kFloat) : at::stack(norms).norm();
}

double AdamW::clipFactor(double norm, double clip) {
  return clip > 0 ? std::min(1.0, clip / (norm + kClipEpsilon)) : 1.0;
}

void AdamW::makeMoments() {
  const c10::NoGradGuard guard;
  const MemoryScope scope(MemoryPart::optimizer);
  for (std::size_t i = 0; i < m_parameters.size(); ++i) {
    const at::Tensor& value = m_parameters[i].value;
    State& state = m_states[i];
    if (!value.grad().defined() || state.m.defined()) continue;
    const at::Tensor m = at::zeros_like(value), v = at::zeros_like(value);
    state = {m, v, at::zeros({}, value.options().dtype(at::kFloat))};
  }
}

void AdamW::step(double learningRate, double factor) {
  const c10::NoGradGuard guard;
  makeMoments();  // before any weight changes
  for (const bool decays : {true, false}) {
    std::vector<at::Tensor> values, gradients, ms, vs, steps;
    for (std::size_t i = 0; i < m_parameters.size(); ++i) {
      const at::Tensor& value = m_parameters[i].value;
      if (!value.grad().defined() || m_parameters[i].decays != decays) continue;
      State& state = m_states[i];
      state.steps.add_(1);
      values.push_back(value);
      gradients.push_back(value.grad());
      ms.push_back(state.m);
      vs.push_back(state.v);
      steps.push_back(state.steps);
    }
    if (values.empty()) continue;
    std::optional<at::Tensor> divisor;  // of the gradients, within the update
    if (factor != 1) divisor = at::full({}, 1 / factor, values[0].options().dtype(at::kFloat).requires_grad(false));
    at::_fused_adamw_(values, gradients, ms, vs, {}, steps, learningRate, m_settings.beta1, m_settings.beta2,
                      decays ? m_settings.weightDecay : 0.0, m_settings.epsilon, false, false, divisor);
  }
}

}  // namespace strata
