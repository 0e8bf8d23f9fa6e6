#include "widgets/models/held_memory.h"

#include <QCoreApplication>
#include <QStringList>
#include <algorithm>

#include "core/routing/memory.h"
#include "widgets/session/model_shape.h"
#include "widgets/style/format.h"

namespace strata {
namespace {

struct HeldText {
  Q_DECLARE_TR_FUNCTIONS(strata::HeldMemory)
};

}  // namespace

std::optional<std::int64_t> MemoryFigures::total() const {
  if (!weights || !kv || !activations) return std::nullopt;
  return *weights + *kv + *activations;
}

std::optional<HeldMemory> heldMemory(const protocol::ModelCard& card, const protocol::ModelMemory& memory) {
  const ModelShape shape = shapeOf(card);
  const int bytes = bytesPerElement(card);
  if (memory.caches.empty() || bytes <= 0) return std::nullopt;
  HeldMemory held;
  std::int64_t reservedTokens = 0, tokens = 0, longest = 0;
  std::int64_t kv = 0, kvUsed = 0, measuredKv = 0, measuredUsed = 0;
  QStringList shares;
  for (const protocol::CacheMemory& cache : memory.caches) {
    const Result<SharingMap> map = parseMap(cache.map, card.layers);
    if (!map) return std::nullopt;
    kv += kvBytes(*map, shape, cache.context, bytes);
    kvUsed += kvBytes(*map, shape, cache.tokens, bytes);
    measuredKv += cache.reserved;
    measuredUsed += cache.used;
    reservedTokens += cache.context;
    tokens += cache.tokens;
    longest = std::max(longest, cache.tokens);
    if (const QString share = formatPercent(map->retention()); !shares.contains(share)) shares << share;
  }
  const MemoryEstimate whole = estimateInference(shape, SharingMap::full(card.layers), longest, 1, bytes, bytes);
  held.predicted = {whole.weights, kv, kvUsed, whole.activations};
  held.measured = {memory.weights, measuredKv, measuredUsed, std::nullopt};
  if (memory.activationsPeak > 0) held.measured.activations = memory.activationsPeak;
  const auto chats = memory.caches.size();
  held.what = HeldText::tr("Held now by %1 at %2: %3 of %4 reserved tokens used.")
                  .arg(HeldText::tr("%n chat(s)", nullptr, static_cast<int>(chats)), shares.join(", "),
                       formatCount(tokens), formatCount(reservedTokens));
  return held;
}

}  // namespace strata
