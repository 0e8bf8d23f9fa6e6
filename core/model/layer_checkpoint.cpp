#include "core/model/layer_checkpoint.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>
#include <torch/csrc/autograd/custom_function.h>

#include <memory>

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

struct CheckpointFunction : torch::autograd::Function<CheckpointFunction> {
  /// `anchor` requires a gradient, so that the pass is recorded even where only parameters of the layer do (LoRA, layer
  /// 0).
  static variable_list forward(AutogradContext* context, const at::Tensor& hidden, const at::Tensor& k,
                               const at::Tensor& v, const at::Tensor& anchor,
                               const c10::intrusive_ptr<LayerCall>& call) {
    (void)anchor;
    context->save_for_backward({hidden, k, v});
    context->saved_data["call"] = c10::IValue::make_capsule(call);
    context->set_materialize_grads(false);
    const LayerOutput output = decoderLayer(call->layer, hidden, {k, v}, call->makesOwn, call->context);
    if (!call->makesOwn) return {output.hidden};
    return {output.hidden, output.own.k, output.own.v};
  }

  static variable_list backward(AutogradContext* context, variable_list grads) {
    const auto saved = context->get_saved_variables();
    const auto call = c10::static_intrusive_pointer_cast<LayerCall>(context->saved_data["call"].toCapsule());
    const at::AutoGradMode enable(true);
    const auto detached = [](const at::Tensor& tensor) {
      return tensor.defined() ? tensor.detach().requires_grad_(tensor.requires_grad()) : tensor;
    };
    const at::Tensor hidden = detached(saved[0]), k = detached(saved[1]), v = detached(saved[2]);
    const LayerOutput output = decoderLayer(call->layer, hidden, {k, v}, call->makesOwn, call->context);
    variable_list outputs, outputGrads;
    const auto add = [&](const at::Tensor& tensor, std::size_t index) {
      if (index < grads.size() && grads[index].defined() && tensor.requires_grad()) {
        outputs.push_back(tensor);
        outputGrads.push_back(grads[index]);
      }
    };
    add(output.hidden, 0);
    if (call->makesOwn) {
      add(output.own.k, 1);
      add(output.own.v, 2);
    }
    if (!outputs.empty())
      torch::autograd::backward(outputs, outputGrads);  // parameters accumulate into their own .grad
    const auto gradOf = [](const at::Tensor& tensor) { return tensor.defined() ? tensor.grad() : at::Tensor(); };
    return {gradOf(hidden), gradOf(k), gradOf(v), {}, {}};
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
  const at::Tensor anchor = at::empty({0}, hidden.options().dtype(at::kFloat)).requires_grad_(true);
  const auto outputs = CheckpointFunction::apply(hidden, borrowed.k, borrowed.v, anchor, call);
  if (!makesOwn) return {outputs[0], {}};
  return {outputs[0], {outputs[1], outputs[2]}};
}

}  // namespace strata
