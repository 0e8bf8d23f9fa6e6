#pragma once
// The parameters of a decoder in the shapes that Hugging Face stores.

#include <ATen/core/Tensor.h>

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/checkpoint/adapter.h"
#include "core/checkpoint/checkpoint.h"
#include "core/model/quantized_weight.h"

namespace strata {

/// y = x Wᵀ + b, plus scale · (x Aᵀ) Bᵀ where a LoRA is attached.
struct Linear {
  at::Tensor weight;  // [out, in]; undefined where quantized
  at::Tensor bias;    // [out], or undefined
  at::Tensor loraA;   // [r, in], or undefined
  at::Tensor loraB;   // [out, r]
  double loraScale = 0;
  std::optional<QuantizedWeight> quantized = {};

  /// False where nobody asked for it: followers of the one map that is served hold no k and v.
  bool loaded() const { return quantized || weight.defined(); }
  std::int64_t outputs() const { return quantized ? quantized->outputs() : weight.size(0); }
  std::int64_t inputs() const { return quantized ? quantized->inputs : weight.size(1); }
  /// As it is where it is not quantized, else with its weight in `dtype`: for products of many rows.
  Linear plain(at::ScalarType dtype) const;
  /// Bytes of the weight as it is kept.
  std::int64_t weightBytes() const;
};

struct LayerWeights {
  at::Tensor inputNorm;  // [C]
  Linear q;              // [H·D, C]
  Linear k;              // [Hkv·D, C]
  Linear v;              // [Hkv·D, C]
  at::Tensor qNorm;      // [D], or undefined
  at::Tensor kNorm;      // [D], or undefined
  Linear o;              // [C, H·D]
  at::Tensor postNorm;   // [C]
  Linear gate;           // [F, C]
  Linear up;             // [F, C]
  Linear down;           // [C, F]
};

struct Weights {
  at::Tensor embedding;              // [V, C]
  std::vector<LayerWeights> layers;  // [L]
  at::Tensor norm;                   // [C]
  Linear head;                       // [V, C]; the embedding itself where tied
};

/// Calls f(Hugging Face name, tensor) for every parameter that is defined, LoRA pairs ("….lora_A.weight") included
/// where `adapters`; a tied head is not visited.
void visitParameters(Weights& weights, bool tied, const std::function<void(const std::string&, at::Tensor&)>& f,
                     bool adapters = true);
/// Calls f("model.layers.3.self_attn.q_proj", linear) for the seven linear layers of each layer.
void visitLinears(Weights& weights, const std::function<void(const std::string&, Linear&)>& f);

/// Every defined tensor of a layer, LoRA pairs included.
std::vector<at::Tensor*> parametersOf(LayerWeights& layer);

at::ScalarType toTorch(DType type);
DType fromTorch(at::ScalarType type);

/// A tensor over a view: the mapped bytes themselves where dtype and alignment allow it, else a converted copy.
at::Tensor tensorOf(const TensorView& view, at::ScalarType dtype, c10::Device device);

/// Where weights in the stored dtype lie on the CPU: copied into huge pages, or in the mapped files, which must then
/// stay as they are.
enum class Placement { copied, mapped };
/// Copied, unless the files are larger than half of the machine's (or the control group's) memory.
Placement placementOf(const Checkpoint& checkpoint);

/// Every parameter of a checkpoint in `dtype` on `device`. Followers of `only` get no k, v and k_norm (they stay
/// undefined). With a quantization the linear layers and the head are rounded one by one, on the CPU, so that never
/// more than one of them is in memory twice. Refused where a file changes while it is read, and where weights to round
/// are not finite.
Result<Weights> loadWeights(const Checkpoint& checkpoint, at::ScalarType dtype, c10::Device device, Placement placement,
                            const SharingMap* only = nullptr, const Quantization& quantization = {});
/// How far the weights of the quantized layers are from those that they were made of: the root of the squared errors'
/// sum over that of the squared weights. 0 without any.
double quantizationError(const Weights& weights);
/// Of all parameters as they are kept, a tied head that is quantized included.
std::int64_t weightBytes(const Weights& weights, bool tied);
/// Adds an adapter's pairs to the linear layers they name; a pair for anything but a decoder layer's linear is refused
/// by name.
Result<void> attachAdapter(Weights& weights, const Adapter& adapter, at::ScalarType dtype, c10::Device device);

/// Random weights as transformers initialises Llama: N(0, initializer_range), norms one, biases zero; Philox, so that
/// they depend on the seed alone.
Weights initialWeights(const ModelConfig& config, std::uint64_t seed, c10::Device device);

/// W + scale · B A, computed in fp32.
at::Tensor mergedWeight(const Linear& linear);

}  // namespace strata
