#pragma once
// What fits into a given memory: the inverse of estimateInference().
//
//   ServingLimits limits{shape, 2, 24LL << 30};
//   limits.mostTokens(map, 4, 131072);   // context that 4 chats may have
//   limits.mostChats(map, 32768);

#include <cstdint>

#include "core/routing/memory.h"

namespace strata {

/// One model whose weights keep the projections of all layers, so that each chat may take another map.
struct ServingLimits {
  ModelShape shape;
  int bytesPerElement = 2;  // of weights and cache
  std::int64_t memory = 0;  // bytes

  /// Bytes of the weights alone, whatever the map.
  std::int64_t weights() const;
  /// Bytes of weights, caches and work space at their highest.
  std::int64_t needed(const SharingMap& map, std::int64_t context, int chats) const;
  bool fits(const SharingMap& map, std::int64_t context, int chats) const {
    return needed(map, context, chats) <= memory;
  }
  /// The longest context, at most `limit`, that `chats` caches may have; 0: none.
  std::int64_t mostTokens(const SharingMap& map, int chats, std::int64_t limit) const;
  /// The most chats of a context, at most a million; 0: none.
  int mostChats(const SharingMap& map, std::int64_t context) const;
  /// Owners of the largest map whose cache fits; 0: none. A map's size depends on its owners alone.
  int mostOwners(std::int64_t context, int chats) const;
};

}  // namespace strata
