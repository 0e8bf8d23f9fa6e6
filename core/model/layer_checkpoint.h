#pragma once
// Activation checkpointing for one decoder layer (Chen et al., arXiv 1604.06174): only its inputs are kept, the layer
// is run again in the backward pass. Everything that decides what it computes (routing, mask, dropout counters) is
// captured by value.

#include "core/model/decoder.h"

namespace strata {

/// As decoderLayer(), bit for bit, forward and backward.
LayerOutput checkpointedLayer(const LayerWeights& layer, const at::Tensor& hidden, const KeyValue& borrowed,
                              bool makesOwn, const LayerContext& context);

}  // namespace strata
