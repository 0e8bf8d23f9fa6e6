#pragma once
// What the chats of a loaded model take now: predicted by formula and counted by the engine, for the same maps, tokens
// and number of chats.

#include <QString>
#include <cstdint>
#include <optional>

#include "core/protocol/model_messages.h"

namespace strata {

struct MemoryFigures {  // bytes; absent: not known
  std::optional<std::int64_t> weights, kv, kvUsed, activations;
  /// Weights, the whole cache and activations; absent where one of them is.
  std::optional<std::int64_t> total() const;
};

struct HeldMemory {
  /// "Held now by 2 chats at 50 %: 206 of 2,048 reserved tokens used."
  QString what;
  MemoryFigures predicted, measured;
};

/// Nothing where no chat has a cache.
std::optional<HeldMemory> heldMemory(const protocol::ModelCard& card, const protocol::ModelMemory& memory);

}  // namespace strata
