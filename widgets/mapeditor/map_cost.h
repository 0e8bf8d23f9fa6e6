#pragma once
// What a map saves and costs on a model: bytes of the KV cache, exact, and quality, which is measured, estimated or not
// measured and says which. Needs no engine.
//
//   MapCost cost(session.maps());
//   cost.setModel(card, tokens, chats);
//   cost.kvBytes(map);   cost.quality(map).text();

#include <QCoreApplication>
#include <QString>
#include <cstdint>
#include <optional>

#include "widgets/mapeditor/sensitivity.h"
#include "widgets/session/map_library.h"

namespace strata {

struct MapQuality {
  Q_DECLARE_TR_FUNCTIONS(MapQuality)

 public:
  enum class Kind { measured, estimated, notMeasured };
  Kind kind = Kind::notMeasured;
  std::optional<double> nll;        // nats above the full map's
  std::optional<double> halfWidth;  // measured: of the map's own NLL; estimated: mean error of such sums so far
  std::int64_t n = 0;               // tokens or questions of a measurement; maps behind an estimate's error
  QString score;                    // measured, but not comparable with the full map: "F1 88 % of 332 questions"
  bool isFull = false;

  /// "NLL +0.110, perplexity about +12 %, estimated"
  QString text() const;
  /// How that is known, in a sentence.
  QString explanation() const;
};

class MapCost {
  Q_DECLARE_TR_FUNCTIONS(MapCost)

 public:
  explicit MapCost(const MapLibrary& maps) : m_maps(maps) {}

  /// `tokens` of each chat; 0: as many as the model takes.
  void setModel(const protocol::ModelCard& card, std::int64_t tokens, int chats);
  void setSensitivity(const Sensitivity* sensitivity) { m_sensitivity = sensitivity; }

  const protocol::ModelCard& card() const { return m_card; }
  const Sensitivity* sensitivity() const { return m_sensitivity; }
  std::int64_t tokens() const { return m_tokens; }
  int chats() const { return m_chats; }
  /// Of the KV cache that one layer keeps of a token.
  std::int64_t bytesPerToken() const;
  /// Of all chats; stops at the largest number.
  std::int64_t kvBytes(const SharingMap& map) const;
  MapQuality quality(const SharingMap& map) const;
  /// "KV unchanged", "-384 MiB, NLL +0.013 est.": what a step from one map to the other does.
  QString stepText(const SharingMap& before, const SharingMap& after) const;

 private:
  std::optional<MapQuality> measured(const SharingMap& map) const;

  const MapLibrary& m_maps;
  const Sensitivity* m_sensitivity = nullptr;
  protocol::ModelCard m_card;
  std::int64_t m_tokens = 0;
  int m_chats = 1;
};

/// How much the perplexity rises with the NLL: "+12 %", "-0.4 %".
QString perplexityText(double nll);
/// "-384 MiB", "+1.50 GiB".
QString signedBytes(std::int64_t bytes);

}  // namespace strata
