#include "core/model/differentiable.h"

#include <ATen/ATen.h>
#include <c10/core/InferenceMode.h>
#include <torch/csrc/autograd/custom_function.h>

#include <algorithm>
#include <optional>

#include "core/base/philox.h"
#include "core/model/kernel_calls.h"
#include "core/model/products.h"
#include "core/model/threads.h"

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
    parallelFor((perRow + 3) / 4, 4096, [&](std::int64_t begin, std::int64_t end) {
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

std::vector<at::Tensor> linearsWithDropout(const at::Tensor& x, std::initializer_list<const Linear*> layers,
                                           const LoraDropout& dropout) {
  std::vector<at::Tensor> results;
  const at::ScalarType dtype = x.scalar_type();
  std::uint32_t module = dropout.firstModule;
  for (const Linear* layer : layers) {
    at::Tensor y = at::linear(x, castTo(layer->weight, dtype), castTo(layer->bias, dtype));
    if (layer->loraA.defined()) {
      const at::Tensor input = x * dropoutMask(x, dropout, module);
      y = y +
          layer->loraScale * at::linear(at::linear(input, castTo(layer->loraA, dtype)), castTo(layer->loraB, dtype));
    }
    results.push_back(std::move(y));
    ++module;
  }
  return results;
}

/// The layers of a linears() call; the tensors alias the parameters.
struct LinearsCall : torch::CustomClassHolder {
  std::vector<Linear> layers;
};

at::Tensor asRows(const at::Tensor& x) {
  return x.reshape({-1, x.size(-1)});
}

std::vector<const Linear*> pointersTo(const std::vector<Linear>& layers) {
  std::vector<const Linear*> pointers;
  for (const Linear& layer : layers) pointers.push_back(&layer);
  return pointers;
}

struct LinearsFunction : Function<LinearsFunction> {
  /// `parameters`: the defined ones of call->layers, in order.
  static variable_list forward(AutogradContext* context, const at::Tensor& x, const at::TensorList& parameters,
                               const c10::intrusive_ptr<LinearsCall>& call) {
    (void)parameters;
    calls::LinearProducts products = calls::linearProducts(x, pointersTo(call->layers));
    variable_list saved = {x};
    saved.insert(saved.end(), products.reduced.begin(), products.reduced.end());
    context->save_for_backward(std::move(saved));
    context->saved_data["call"] = c10::IValue::make_capsule(call);
    context->set_materialize_grads(false);
    return products.results;
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    const auto saved = context->get_saved_variables();
    const auto call = c10::static_intrusive_pointer_cast<LinearsCall>(context->saved_data["call"].toCapsule());
    const at::Tensor rows = asRows(saved[0]);
    const at::ScalarType dtype = rows.scalar_type();
    variable_list results = {at::Tensor()};
    std::vector<at::Tensor> inputs;    // dy of each layer, and scale · dy B of each LoRA
    calls::Products toX;               // dX from these
    std::vector<at::Tensor> dReduced;  // scale · Bᵀ dyᵀ of each LoRA [rank, B T]
    std::vector<std::size_t> places;   // of its A's gradient in `results`
    for (std::size_t i = 0; i < call->layers.size(); ++i) {
      const Linear& layer = call->layers[i];
      const at::Tensor dy = grads[i].defined() ? asRows(grads[i]) : at::Tensor();
      const auto gradient = [&](const at::Tensor& parameter, const auto& make) {
        if (!parameter.defined()) return;
        const bool wanted = dy.defined() && context->needs_input_grad(results.size());
        results.push_back(wanted ? make(parameter.scalar_type()) : at::Tensor());
      };
      const auto addToX = [&](const at::Tensor& input, const at::Tensor& weight) {
        toX.factors.push_back({static_cast<int>(inputs.size()), weight.t()});
        inputs.push_back(input);
      };
      if (dy.defined()) addToX(dy, layer.weight);
      gradient(layer.weight, [&](at::ScalarType type) { return calls::product(dy.t(), rows.t(), type); });
      gradient(layer.bias, [&](at::ScalarType type) { return at::sum(dy, 0, false, type); });
      if (!layer.loraA.defined()) continue;
      places.push_back(results.size());
      results.emplace_back();
      if (dy.defined()) {
        dReduced.push_back(calls::product(layer.loraB.to(dtype).t(), dy, dtype).mul_(layer.loraScale));
        addToX(dReduced.back().t(), layer.loraA);
      } else {
        dReduced.push_back(at::zeros({layer.loraA.size(0), rows.size(0)}, rows.options()));
      }
      const at::Tensor& reduced = saved[1 + i];
      gradient(layer.loraB,
               [&](at::ScalarType type) { return calls::product(reduced, dy.t(), type).t().contiguous(); });
    }
    if (!dReduced.empty()) {
      const at::Tensor all = dReduced.size() == 1 ? dReduced[0] : at::cat(dReduced);
      const at::Tensor dA = calls::product(all, rows.t(), dtype);
      std::int64_t begin = 0;
      std::size_t next = 0;
      for (std::size_t i = 0; i < call->layers.size(); ++i) {
        const at::Tensor& a = call->layers[i].loraA;
        if (!a.defined()) continue;
        const std::size_t place = places[next++];
        if (grads[i].defined() && context->needs_input_grad(place)) {
          results[place] = dA.narrow(0, begin, a.size(0)).to(a.scalar_type(), false, true);
        }
        begin += a.size(0);
      }
    }
    if (context->needs_input_grad(0) && !inputs.empty()) {
      results[0] = calls::products(inputs, {toX}, dtype)[0].view(saved[0].sizes());
    }
    results.emplace_back();  // the call has none
    return results;
  }
};

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
  const bool drops = dropout.p > 0 && std::any_of(layers.begin(), layers.end(),
                                                  [](const Linear* layer) { return layer->loraA.defined(); });
  if (drops) return linearsWithDropout(x, layers, dropout);
  std::vector<Linear> group;
  std::vector<at::Tensor> parameters;
  for (const Linear* layer : layers) {
    group.push_back(layer->plain(x.scalar_type()));
    for (const at::Tensor& each : {layer->weight, layer->bias, layer->loraA, layer->loraB}) {
      if (each.defined()) parameters.push_back(each);
    }
  }
  if (!tracks(x) && std::none_of(parameters.begin(), parameters.end(), tracks)) {
    return calls::linearProducts(x, pointersTo(group)).results;
  }
  auto call = c10::make_intrusive<LinearsCall>();
  call->layers = std::move(group);
  return LinearsFunction::apply(x, at::TensorList(parameters), call);
}

}  // namespace strata
