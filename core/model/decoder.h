#pragma once
// One decoder layer with routed keys and values (the differences between families: core/checkpoint/families.h), and the
// uncached forward pass over all layers. Shapes: B batch, T tokens, H query heads, Hkv KV heads, D head size, C width.

#include <ATen/core/Tensor.h>
#include <c10/util/FunctionRef.h>

#include <vector>

#include "core/checkpoint/model_config.h"
#include "core/model/differentiable.h"
#include "core/model/rope.h"
#include "core/model/weights.h"
#include "core/routing/kv_format.h"
#include "core/routing/sharing_map.h"

namespace strata {

/// What one layer made in this pass; passed between layers as plain tensors, never through a cache.
struct KeyValue {
  at::Tensor k;  // [B, T, Hkv, D], after RoPE
  at::Tensor v;  // [B, T, Hkv, D], as projected
  bool defined() const { return k.defined(); }
};

struct Projected {
  at::Tensor q;  // [B, T, H, D], after RoPE
  KeyValue own;
};
enum class Projection { query, keyValue, all };

/// What the layers of a pass have in common.
struct LayerContext {
  const ModelConfig* config = nullptr;
  Rotation rotation;              // of the T positions
  at::Tensor first;               // int32 [B, T]: a position reads the keys from there to its own; undefined: from 0
  KvFormat kv = KvFormat::plain;  // keys and values are rounded as a cache of this format would
  at::Tensor mask;  // the same for LibTorch's attention (see attend()); made by forwardHidden() where that is used
  LoraDropout dropout;
};

/// Queries, or keys and values, or both, from the layer's own normed input; what is not asked for stays undefined.
Projected project(const LayerWeights& layer, const at::Tensor& normed, Projection what, const LayerContext& context);

/// Grouped-query attention of q over read.k, read.v: [B, T, H·D]. mask: additive (0 or -inf), broadcasts to
/// [B, H, T, keys]; undefined: causal, T == keys.
at::Tensor attend(const at::Tensor& q, const KeyValue& read, const at::Tensor& mask);

/// hidden + o(attention), then the feed-forward block: [B, T, C].
at::Tensor finishLayer(const LayerWeights& layer, const at::Tensor& hidden, const at::Tensor& attention,
                       const LayerContext& context);

/// A layer's attention: [B, T, H·D] from what it projected. It decides what is read, and keeps the layer's own keys and
/// values where others will read them.
using AttentionStep = c10::function_ref<at::Tensor(const Projected&)>;

/// The one decoder layer of every pass, trained or cached: hidden [B, T, C] -> [B, T, C].
at::Tensor layerForward(const LayerWeights& layer, const at::Tensor& hidden, Projection what,
                        const LayerContext& context, AttentionStep attention);

struct LayerOutput {
  at::Tensor hidden;
  KeyValue own;
};

/// The same without a cache. `borrowed` undefined: the layer reads its own (then makesOwn holds).
LayerOutput decoderLayer(const LayerWeights& layer, const at::Tensor& hidden, const KeyValue& borrowed, bool makesOwn,
                         const LayerContext& context);

struct ForwardOptions {
  bool checkpointing = false;  // recompute each layer in the backward pass
  bool keepAll = false;        // PassState::made keeps what no later layer of this pass reads
};

/// An uncached pass between two layers. A copy goes on from here under another routing of the layers to come: tensors
/// are shared, not copied.
struct PassState {
  int layer = 0;               // the next to run
  at::Tensor ids;              // [B, T]
  at::Tensor hidden;           // [B, T, C], its input
  std::vector<KeyValue> made;  // [L]; by the layers before it
};

/// Before layer 0: the embeddings in `compute` dtype.
PassState beginPass(const Weights& weights, at::ScalarType compute, const at::Tensor& ids, int layers);

/// Runs the layers from state.layer to `end` - 1. A source before state.layer must be in state.made: made by an earlier
/// run that kept it (ForwardOptions::keepAll), or put there.
void runLayers(PassState& state, int end, const Weights& weights, const SharingMap& routing,
               const LayerContext& context, const ForwardOptions& options = {});

/// ids [B, T] -> final normed hidden states [B, T, C] in `compute` dtype. Layer l reads what layer routing[l] made in
/// this same pass, under its own window; keys and values that nobody reads are not computed, and are freed after their
/// last reader. context.first is that of layers without a window.
at::Tensor forwardHidden(const Weights& weights, at::ScalarType compute, const at::Tensor& ids,
                         const SharingMap& routing, const LayerContext& context, const ForwardOptions& options = {});

}  // namespace strata
