#include "core/model/decoder.h"

#include <ATen/ATen.h>

#include <map>
#include <optional>

#include "core/model/kernel_calls.h"
#include "core/model/layer_checkpoint.h"

namespace strata {

Projected project(const LayerWeights& layer, const at::Tensor& normed, Projection what, const LayerContext& context) {
  const ModelConfig& config = *context.config;
  const std::int64_t batch = normed.size(0), tokens = normed.size(1);
  const auto heads = [&](const at::Tensor& x, std::int64_t count) {
    return x.view({batch, tokens, count, config.headDim});
  };
  const auto turned = [&](const at::Tensor& x, const at::Tensor& norm) {
    return rotate(norm.defined() ? rmsNorm(x, norm, config.rmsNormEps) : x, context.rotation);
  };
  const auto query = [&](const at::Tensor& x) { return turned(heads(x, config.heads), layer.qNorm); };
  const auto keyValue = [&](const at::Tensor& k, const at::Tensor& v) {
    return KeyValue{turned(heads(k, config.kvHeads), layer.kNorm), heads(v, config.kvHeads)};
  };
  LoraDropout dropout = context.dropout;
  switch (what) {
    case Projection::query:
      return {query(linears(normed, {&layer.q}, dropout)[0]), {}};
    case Projection::keyValue: {
      dropout.firstModule = 1;
      const auto kv = linears(normed, {&layer.k, &layer.v}, dropout);
      return {{}, keyValue(kv[0], kv[1])};
    }
    case Projection::all:
      break;
  }
  const auto qkv = linears(normed, {&layer.q, &layer.k, &layer.v}, dropout);
  return {query(qkv[0]), keyValue(qkv[1], qkv[2])};
}

at::Tensor attend(const at::Tensor& q, const KeyValue& read, const at::Tensor& mask) {
  const at::Tensor out = calls::attention(q.transpose(1, 2), read.k.transpose(1, 2), read.v.transpose(1, 2), mask);
  return out.transpose(1, 2).reshape({q.size(0), q.size(1), q.size(2) * q.size(3)});
}

at::Tensor finishLayer(const LayerWeights& layer, const at::Tensor& hidden, const at::Tensor& attention,
                       const LayerContext& context) {
  LoraDropout dropout = context.dropout;
  dropout.firstModule = 3;
  const at::Tensor x = hidden + linears(attention, {&layer.o}, dropout)[0];
  const at::Tensor normed = rmsNorm(x, layer.postNorm, context.config->rmsNormEps);
  dropout.firstModule = 4;
  const auto gateUp = linears(normed, {&layer.gate, &layer.up}, dropout);
  dropout.firstModule = 6;
  return x + linears(siluMul(gateUp[0], gateUp[1]), {&layer.down}, dropout)[0];
}

at::Tensor layerForward(const LayerWeights& layer, const at::Tensor& hidden, Projection what,
                        const LayerContext& context, AttentionStep attention) {
  const at::Tensor normed = rmsNorm(hidden, layer.inputNorm, context.config->rmsNormEps);
  return finishLayer(layer, hidden, attention(project(layer, normed, what, context)), context);
}

LayerOutput decoderLayer(const LayerWeights& layer, const at::Tensor& hidden, const KeyValue& borrowed, bool makesOwn,
                         const LayerContext& context) {
  LayerOutput output;
  const auto attention = [&](const Projected& projected) {
    output.own = projected.own;
    if (context.kv != KvFormat::plain && output.own.defined()) {
      output.own = {calls::throughCodes(output.own.k, context.kv), calls::throughCodes(output.own.v, context.kv)};
    }
    const KeyValue& read = borrowed.defined() ? borrowed : output.own;
    return calls::hasRangeAttention(projected.q.scalar_type(), projected.q.device())
               ? rangeAttention(projected.q, read.k, read.v, context.first)
               : attend(projected.q, read, context.mask);
  };
  output.hidden = layerForward(layer, hidden, makesOwn ? Projection::all : Projection::query, context, attention);
  return output;
}

namespace {

/// What the positions of a layer see, as LayerContext holds it.
struct Seen {
  at::Tensor first;
  at::Tensor mask;
};

/// `first` under a window (0: none); with a mask in `maskType` where one is wanted.
Seen seenUnder(std::int64_t window, const at::Tensor& first, const at::Tensor& ids,
               std::optional<at::ScalarType> maskType) {
  const std::int64_t tokens = ids.size(1);
  const at::TensorOptions options = at::TensorOptions(at::kInt).device(ids.device());
  Seen seen{first, {}};
  if (window > 0) {
    const at::Tensor own = (at::arange(tokens, options) - (window - 1)).clamp_min(0).expand({ids.size(0), tokens});
    seen.first = first.defined() ? at::maximum(first, own) : own.contiguous();
  }
  if (maskType && seen.first.defined()) {
    const at::Tensor keys = at::arange(tokens, options);
    const at::Tensor isSeen = (keys >= seen.first.unsqueeze(2)) & (keys <= keys.unsqueeze(1));  // [B, T, keys]
    seen.mask = isSeen.unsqueeze(1).to(*maskType).log_();                                       // 0 or -inf
  }
  return seen;
}

}  // namespace

PassState beginPass(const Weights& weights, at::ScalarType compute, const at::Tensor& ids, int layers) {
  return {0, ids, calls::selectRows(weights.embedding, ids).to(compute),
          std::vector<KeyValue>(static_cast<std::size_t>(layers))};
}

void runLayers(PassState& state, int end, const Weights& weights, const SharingMap& routing,
               const LayerContext& context, const ForwardOptions& options) {
  std::vector<int> lastReader(static_cast<std::size_t>(routing.layers()), -1);
  for (int l = state.layer; l < routing.layers(); ++l) lastReader[static_cast<std::size_t>(routing[l])] = l;
  const at::ScalarType compute = state.hidden.scalar_type();
  LayerContext layerContext = context;
  const bool needsMask = !calls::hasRangeAttention(compute, state.ids.device());
  std::map<std::int64_t, Seen> seenBy;  // by window
  for (int& l = state.layer; l < end; ++l) {
    const auto at = static_cast<std::size_t>(l), source = static_cast<std::size_t>(routing[l]);
    const std::int64_t window = context.config->traits.windows[at];
    const auto [seen, isNew] = seenBy.try_emplace(window < state.ids.size(1) ? window : 0);
    if (isNew) {
      seen->second =
          seenUnder(seen->first, context.first, state.ids, needsMask ? std::optional(compute) : std::nullopt);
    }
    layerContext.first = seen->second.first;
    layerContext.mask = seen->second.mask;
    layerContext.dropout.layer = static_cast<std::uint32_t>(l);
    const bool makesOwn = lastReader[at] >= 0 || options.keepAll;
    const auto run = options.checkpointing ? checkpointedLayer : decoderLayer;
    const KeyValue borrowed = source == at ? KeyValue() : state.made[source];
    LayerOutput output = run(weights.layers[at], state.hidden, borrowed, makesOwn, layerContext);
    state.hidden = std::move(output.hidden);
    state.made[at] = std::move(output.own);
    if (lastReader[source] == l && !options.keepAll) state.made[source] = {};
  }
}

at::Tensor forwardHidden(const Weights& weights, at::ScalarType compute, const at::Tensor& ids,
                         const SharingMap& routing, const LayerContext& context, const ForwardOptions& options) {
  PassState state = beginPass(weights, compute, ids, routing.layers());
  runLayers(state, routing.layers(), weights, routing, context, options);
  return rmsNorm(state.hidden, weights.norm, context.config->rmsNormEps);
}

}  // namespace strata
