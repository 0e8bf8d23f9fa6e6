#include "core/model/differentiable.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <c10/core/InferenceMode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <optional>

#include "core/base/philox.h"
#include "core/model/kernel_calls.h"

namespace strata {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::Function;
using torch::autograd::variable_list;

bool tracks(const at::Tensor& a) {
  return at::GradMode::is_enabled() && a.requires_grad();
}

struct RmsNormFunction : Function<RmsNormFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& weight, double eps) {
    context->save_for_backward({x, weight});
    context->saved_data["eps"] = eps;
    return calls::rmsNorm(x, weight.to(x.scalar_type()), eps);
  }
  static variable_list backward(AutogradContext* context, variable_list grads) {
    const auto saved = context->get_saved_variables();
    const auto [dx, dWeight] = calls::rmsNormBackward(saved[0], saved[1].to(saved[0].scalar_type()), grads[0],
                                                      context->saved_data["eps"].toDouble(), saved[1].requires_grad());
    return {dx, dWeight.defined() ? dWeight.to(saved[1].scalar_type()) : dWeight, {}};
  }
};

struct RotateFunction : Function<RotateFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& x, const at::Tensor& cos,
                            const at::Tensor& sin) {
    context->save_for_backward({cos, sin});
    at::Tensor rotated = x.clone(at::MemoryFormat::Contiguous);
    calls::rotate(rotated, {cos, sin});
    return rotated;
  }
  static variable_list backward(AutogradContext* context, variable_list grads) {
    const auto saved = context->get_saved_variables();
    at::Tensor g = grads[0].clone(at::MemoryFormat::Contiguous);
    calls::rotate(g, {saved[0], saved[1]}, true);
    return {g, {}, {}};
  }
};

struct SiluMulFunction : Function<SiluMulFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& gate, const at::Tensor& up) {
    context->save_for_backward({gate, up});
    return calls::siluMul(gate, up);
  }
  static variable_list backward(AutogradContext* context, variable_list grads) {
    const auto saved = context->get_saved_variables();
    const auto [dGate, dUp] = calls::siluMulBackward(saved[0], saved[1], grads[0]);
    return {dGate, dUp};
  }
};

struct RangeAttentionFunction : Function<RangeAttentionFunction> {
  static at::Tensor forward(AutogradContext* context, const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                            const std::optional<at::Tensor>& first) {
    const at::Tensor from = first.value_or(at::Tensor());
    auto [out, lse] = calls::rangeAttention(q, k, v, from);
    context->save_for_backward({q, k, v, from, out, lse});
    return out;
  }
  static variable_list backward(AutogradContext* context, variable_list grads) {
    const auto saved = context->get_saved_variables();
    auto [dq, dk, dv] =
        calls::rangeAttentionBackward(saved[0], saved[1], saved[2], saved[3], {saved[4], saved[5]}, grads[0]);
    return {dq, dk, dv, {}};
  }
};

/// A 0/1 mask over x [B, T, C], scaled by 1/(1-p): row b from its sequence's own Philox key.
at::Tensor dropoutMask(const at::Tensor& x, const LoraDropout& dropout, std::uint32_t module) {
  const std::int64_t perRow = x.numel() / x.size(0);
  at::Tensor mask = at::empty(x.sizes(), at::kFloat);
  float* values = mask.data_ptr<float>();
  const auto threshold = static_cast<std::uint32_t>(dropout.p * 4294967296.0);
  const auto keep = static_cast<float>(1 / (1 - dropout.p));
  for (std::int64_t b = 0; b < x.size(0); ++b) {
    const std::uint64_t key =
        randomBits({dropout.seed, dropout.step, dropout.firstSequence + static_cast<std::uint32_t>(b),
                    dropout.layer * 8 + module, RandomStream::dropout});
    at::parallel_for(0, (perRow + 3) / 4, 4096, [&](std::int64_t begin, std::int64_t end) {
      for (std::int64_t i = 4 * begin; i < std::min(4 * end, perRow); i += 4) {
        const auto bits = philox4x32({static_cast<std::uint32_t>(i / 4), 0, 0, 0},
                                     {static_cast<std::uint32_t>(key), static_cast<std::uint32_t>(key >> 32)});
        for (std::int64_t j = 0; j < 4 && i + j < perRow; ++j) {
          values[b * perRow + i + j] = bits[static_cast<std::size_t>(j)] < threshold ? 0.0F : keep;
        }
      }
    });
  }
  return mask.to(x.device(), x.scalar_type());
}

at::Tensor castTo(const at::Tensor& weight, at::ScalarType dtype) {
  return weight.defined() ? weight.to(dtype) : weight;
}

}  // namespace

at::Tensor rmsNorm(const at::Tensor& x, const at::Tensor& weight, double eps) {
  if (tracks(x) || tracks(weight)) return RmsNormFunction::apply(x, weight, eps);
  return calls::rmsNorm(x, weight.to(x.scalar_type()), eps);
}

at::Tensor rotate(const at::Tensor& x, const Rotation& rotation) {
  if (tracks(x)) return RotateFunction::apply(x, rotation.cos, rotation.sin);
  at::Tensor rotated = x;
  calls::rotate(rotated, rotation);
  return rotated;
}

at::Tensor siluMul(const at::Tensor& gate, const at::Tensor& up) {
  if (tracks(gate) || tracks(up)) return SiluMulFunction::apply(gate, up);
  return calls::siluMul(gate, up);
}

at::Tensor rangeAttention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& first) {
  const bool any = tracks(q) || tracks(k) || tracks(v);
  const at::Tensor out =
      any ? RangeAttentionFunction::apply(q, k, v, first.defined() ? std::optional(first) : std::nullopt)
          : calls::rangeAttention(q, k, v, first).out;
  return out.view({q.size(0), q.size(1), q.size(2) * q.size(3)});
}

std::vector<at::Tensor> linears(const at::Tensor& x, std::initializer_list<const Linear*> layers,
                                const LoraDropout& dropout) {
  // Not merely "no gradients": a checkpointed layer's first run must round as its second one does.
  if (c10::InferenceMode::is_enabled()) return calls::linears(x, layers);
  std::vector<at::Tensor> results;
  std::uint32_t module = dropout.firstModule;
  for (const Linear* layer : layers) {
    const at::ScalarType dtype = x.scalar_type();
    at::Tensor y = at::linear(x, castTo(layer->weight, dtype), castTo(layer->bias, dtype));
    if (layer->loraA.defined()) {
      const at::Tensor input = dropout.p > 0 ? x * dropoutMask(x, dropout, module) : x;
      y = y +
          layer->loraScale * at::linear(at::linear(input, castTo(layer->loraA, dtype)), castTo(layer->loraB, dtype));
    }
    results.push_back(std::move(y));
    ++module;
  }
  return results;
}

}  // namespace strata
