#include "core/model/layer_checkpoint.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <optional>

namespace strata {
namespace {

using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

/// What the backward pass needs besides the saved tensors.
struct LayerCall : torch::CustomClassHolder {
  LayerWeights layer;  // aliases the parameters
  LayerContext context;
  bool makesOwn = false;
};

at::Tensor detached(const at::Tensor& tensor) {
  return tensor.defined() ? tensor.detach().requires_grad_(tensor.requires_grad()) : tensor;
}

struct CheckpointFunction : torch::autograd::Function<CheckpointFunction> {
  /// `parameters` are those of call->layer: inputs, so that their gradients join those of other passes in the graph's
  /// own order.
  static variable_list forward(AutogradContext* context, const at::Tensor& hidden, const std::optional<at::Tensor>& k,
                               const std::optional<at::Tensor>& v, const at::TensorList& parameters,
                               const c10::intrusive_ptr<LayerCall>& call) {
    const KeyValue borrowed{k.value_or(at::Tensor()), v.value_or(at::Tensor())};
    context->save_for_backward({hidden, borrowed.k, borrowed.v});
    context->saved_data["call"] = c10::IValue::make_capsule(call);
    (void)parameters;
    context->set_materialize_grads(false);
    const LayerOutput output = decoderLayer(call->layer, hidden, borrowed, call->makesOwn, call->context);
    if (!call->makesOwn) return {output.hidden};
    return {output.hidden, output.own.k, output.own.v};
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    const auto saved = context->get_saved_variables();
    const auto call = c10::static_intrusive_pointer_cast<LayerCall>(context->saved_data["call"].toCapsule());
    const at::AutoGradMode enable(true);
    const at::Tensor hidden = detached(saved[0]), k = detached(saved[1]), v = detached(saved[2]);
    LayerWeights layer = call->layer;
    variable_list inputs = {hidden, k, v};
    for (at::Tensor* parameter : parametersOf(layer)) inputs.push_back(*parameter = detached(*parameter));

    const LayerOutput output = decoderLayer(layer, hidden, {k, v}, call->makesOwn, call->context);
    const variable_list made = {output.hidden, output.own.k, output.own.v};
    variable_list outputs, outputGrads, wanted;
    for (std::size_t i = 0; i < grads.size(); ++i) {
      if (!grads[i].defined() || !made[i].requires_grad()) continue;
      outputs.push_back(made[i]);
      outputGrads.push_back(grads[i]);
    }
    for (const at::Tensor& input : inputs) {
      if (input.defined() && input.requires_grad()) wanted.push_back(input);
    }
    variable_list results(inputs.size() + 1);  // the last: the call, which has none
    if (outputs.empty() || wanted.empty()) return results;
    const variable_list gradients = torch::autograd::grad(outputs, wanted, outputGrads, false, false, true);
    std::size_t next = 0;
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (inputs[i].defined() && inputs[i].requires_grad()) results[i] = gradients[next++];
    }
    return results;
  }
};

}  // namespace

LayerOutput checkpointedLayer(const LayerWeights& layer, const at::Tensor& hidden, const KeyValue& borrowed,
                              bool makesOwn, const LayerContext& context) {
  if (!at::GradMode::is_enabled()) return decoderLayer(layer, hidden, borrowed, makesOwn, context);
  auto call = c10::make_intrusive<LayerCall>();
  call->layer = layer;
  call->context = context;
  call->makesOwn = makesOwn;
  const auto given = [](const at::Tensor& tensor) { return tensor.defined() ? std::optional(tensor) : std::nullopt; };
  std::vector<at::Tensor> parameters;
  for (const at::Tensor* parameter : parametersOf(call->layer)) parameters.push_back(*parameter);
  const auto outputs =
      CheckpointFunction::apply(hidden, given(borrowed.k), given(borrowed.v), at::TensorList(parameters), call);
  if (!makesOwn) return {outputs[0], {}};
  return {outputs[0], {outputs[1], outputs[2]}};
}

}  // namespace strata
