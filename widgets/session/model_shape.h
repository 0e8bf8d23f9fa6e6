#pragma once
// A model's card as the memory formulas take it.

#include "core/protocol/model_messages.h"
#include "core/routing/memory.h"

namespace strata {

inline ModelShape shapeOf(const protocol::ModelCard& card) {
  ModelShape shape;
  shape.layers = card.layers;
  shape.width = card.width;
  shape.heads = card.heads;
  shape.kvHeads = card.kvHeads;
  shape.headDim = card.headDim;
  shape.ffn = card.ffn;
  shape.vocab = card.vocab;
  shape.tied = card.tied;
  shape.parameters = card.parameters;
  return shape;
}

/// Bytes of an element of the cache as the model would be opened; 0: the card does not say.
inline int bytesPerElement(const protocol::ModelCard& card) {
  const std::int64_t elements = std::int64_t{2} * card.layers * card.kvHeads * card.headDim;
  return elements > 0 ? static_cast<int>(card.kvBytesPerToken / elements) : 0;
}

}  // namespace strata
