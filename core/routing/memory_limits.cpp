#include "core/routing/memory_limits.h"

namespace strata {
namespace {

constexpr int kMostChats = 1'000'000;

/// The largest number in 0…most that `holds` is true for; it is true up to some number and false from there on.
template <class Holds>
std::int64_t largest(std::int64_t most, Holds holds) {
  std::int64_t low = 0, high = most;  // it holds for low
  while (low < high) {
    const std::int64_t middle = low + (high - low + 1) / 2;
    if (holds(middle)) {
      low = middle;
    } else {
      high = middle - 1;
    }
  }
  return low;
}

}  // namespace

std::int64_t ServingLimits::weights() const {
  return estimateInference(shape, SharingMap::full(shape.layers), 1, 1, bytesPerElement, bytesPerElement).weights;
}

std::int64_t ServingLimits::needed(const SharingMap& map, std::int64_t context, int chats) const {
  MemoryEstimate estimate = estimateInference(shape, map, context, chats, bytesPerElement, bytesPerElement);
  estimate.weights = weights();
  return estimate.total();
}

std::int64_t ServingLimits::mostTokens(const SharingMap& map, int chats, std::int64_t limit) const {
  return largest(limit, [&](std::int64_t tokens) { return fits(map, tokens, chats); });
}

int ServingLimits::mostChats(const SharingMap& map, std::int64_t context) const {
  return static_cast<int>(
      largest(kMostChats, [&](std::int64_t chats) { return fits(map, context, static_cast<int>(chats)); }));
}

int ServingLimits::mostOwners(std::int64_t context, int chats) const {
  return static_cast<int>(largest(shape.layers, [&](std::int64_t owners) {
    const auto map = parseMap("even:" + std::to_string(owners), shape.layers);
    return map && fits(*map, context, chats);
  }));
}

}  // namespace strata
