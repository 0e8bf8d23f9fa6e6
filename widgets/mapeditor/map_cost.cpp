#include "widgets/mapeditor/map_cost.h"

#include <algorithm>
#include <cmath>

#include "widgets/style/format.h"

namespace strata {
namespace {

const protocol::MapScore* nllOf(const protocol::KnownMap& known) {
  for (const protocol::MapScore& score : known.scores) {
    if (score.metric == "nll") return &score;
  }
  return nullptr;
}

/// Whether two losses are of the same text: of one run, or of texts with one hash.
bool sameText(const protocol::KnownMap& a, const protocol::KnownMap& b) {
  return (!a.run.empty() && a.run == b.run) || (!a.textHash.empty() && a.textHash == b.textHash);
}

}  // namespace

QString perplexityText(double nll) {
  const double rise = 100 * std::expm1(nll);
  const int decimals = std::abs(rise) < 9.95 ? 1 : 0;
  return (rise < 0 ? QStringLiteral("-%1 %") : QStringLiteral("+%1 %")).arg(std::abs(rise), 0, 'f', decimals);
}

QString signedBytes(std::int64_t bytes) {
  return (bytes < 0 ? QStringLiteral("-") : QStringLiteral("+")) + formatBytes(std::abs(bytes));
}

QString MapQuality::text() const {
  switch (kind) {
    case Kind::measured:
      if (!nll) return tr("%1, measured").arg(score);
      return tr("NLL %1, perplexity %2, measured").arg(formatNats(nll, true), perplexityText(*nll));
    case Kind::estimated:
      return tr("NLL %1, perplexity about %2, estimated").arg(formatNats(nll, true), perplexityText(*nll));
    case Kind::notMeasured:
      break;
  }
  return isFull ? tr("the full cache: nothing is lost") : tr("quality not measured");
}

QString MapQuality::explanation() const {
  const QString width = halfWidth ? QStringLiteral(" ±%1").arg(formatNats(halfWidth)) : QString();
  switch (kind) {
    case Kind::measured:
      if (!nll) return tr("Measured under this map; the full map was not measured on the same data.");
      return tr("Measured%1 on %2 token(s), against the full map on the same text.", nullptr, pluralOf(n))
          .arg(width, n > 0 ? formatCount(n) : notMeasured());
    case Kind::estimated:
      if (!halfWidth) return tr("The sum of the costs of single reads. No map was measured yet to compare it with.");
      return tr("The sum of the costs of single reads; it was off by %1 on the %n map(s) measured so far.", nullptr,
                static_cast<int>(n))
          .arg(formatNats(halfWidth));
    case Kind::notMeasured:
      break;
  }
  return isFull ? tr("Every layer keeps its own keys and values.")
                : tr("Measure the sensitivity for an estimate, or this map for a figure.");
}

void MapCost::setModel(const protocol::ModelCard& card, std::int64_t tokens, int chats) {
  m_card = card;
  m_tokens = tokens > 0 ? tokens : card.context;
  m_chats = chats;
}

std::int64_t MapCost::bytesPerToken() const {
  return m_card.layers > 0 ? m_card.kvBytesPerToken / m_card.layers : 0;
}

std::int64_t MapCost::kvBytes(const SharingMap& map) const {
  std::int64_t bytes = bytesPerToken() * map.owners();
  for (const std::int64_t factor : {m_tokens, static_cast<std::int64_t>(m_chats)}) {
    if (__builtin_mul_overflow(bytes, factor, &bytes)) return std::numeric_limits<std::int64_t>::max();
  }
  return bytes;
}

std::optional<MapQuality> MapCost::measured(const SharingMap& map) const {
  const std::vector<const protocol::KnownMap*> of = m_maps.measuredOf(m_card, map);
  const std::vector<const protocol::KnownMap*> full = m_maps.measuredOf(m_card, SharingMap::full(map.layers()));
  MapQuality quality;
  quality.kind = MapQuality::Kind::measured;
  for (const protocol::KnownMap* known : of) {
    const protocol::MapScore* score = nllOf(*known);
    for (const protocol::KnownMap* base : full) {
      const protocol::MapScore* baseline = nllOf(*base);
      if (score == nullptr || baseline == nullptr || !sameText(*known, *base)) continue;
      quality.nll = score->value - baseline->value;
      quality.halfWidth = score->halfWidth;
      quality.n = score->n;
      return quality;
    }
  }
  const auto best = m_maps.scoreOf(m_card, map);
  if (!best) return {};
  quality.score = scoreText(*best);
  quality.n = best->n;
  return quality;
}

MapQuality MapCost::quality(const SharingMap& map) const {
  MapQuality quality;
  quality.isFull = map.isFull();
  if (quality.isFull) return quality;
  if (auto found = measured(map)) return *found;
  if (m_sensitivity == nullptr) return quality;
  if (const auto estimate = m_sensitivity->estimate(map)) {
    quality.kind = MapQuality::Kind::estimated;
    quality.nll = estimate;
    quality.halfWidth = m_sensitivity->error;
    quality.n = m_sensitivity->errorMaps;
  }
  return quality;
}

QString MapCost::stepText(const SharingMap& before, const SharingMap& after) const {
  const std::int64_t bytes = kvBytes(after) - kvBytes(before);
  const QString kv = bytes == 0 ? tr("KV unchanged") : signedBytes(bytes);
  const MapQuality from = quality(before), to = quality(after);
  const auto lossOf = [](const MapQuality& quality) { return quality.isFull ? std::optional(0.0) : quality.nll; };
  // Estimates are compared with one another, even where one of the maps was measured.
  const auto a = m_sensitivity != nullptr ? m_sensitivity->estimate(before) : std::nullopt;
  const auto b = m_sensitivity != nullptr ? m_sensitivity->estimate(after) : std::nullopt;
  const bool bothMeasured =
      (from.isFull || from.kind == MapQuality::Kind::measured) && (to.isFull || to.kind == MapQuality::Kind::measured);
  if (bothMeasured && lossOf(from) && lossOf(to)) {
    return tr("%1, NLL %2 measured").arg(kv, formatNats(*lossOf(to) - *lossOf(from), true));
  }
  if (a && b) return tr("%1, NLL %2 est.").arg(kv, formatNats(*b - *a, true));
  return tr("%1, quality not measured").arg(kv);
}

}  // namespace strata
