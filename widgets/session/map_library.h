#pragma once
// The sharing maps that the project knows, and the one rule by which a share of the cache ("25 %") becomes a map: the
// best measured of the model with exactly that many owners, else one stored for that many, else an even one.
//
//   for (const MapLibrary::Choice& choice : session.maps().choices(card)) …   // 100, 75, 50, 33, 25 %

#include <QString>
#include <optional>
#include <vector>

#include "core/protocol/messages.h"
#include "core/routing/sharing_map.h"
#include "widgets/client/engine_client.h"
#include "widgets/session/rows.h"

namespace strata {

class MapLibrary : public Rows<protocol::KnownMap> {
  Q_OBJECT

 public:
  enum class From { full, measured, stored, even, own };
  struct Choice {
    double retention = 1;  // as asked
    int owners = 0, layers = 0;
    std::string map;  // as text
    From from = From::even;
    std::optional<protocol::MapScore> score;  // measured under it

    QString percent() const;  // "60 %", what the model can do
    /// "Layers 0, 6 and 9 keep theirs (3 of 12). Best measured: F1 88 % of 332 questions."
    QString explanation() const;
    /// The same without the layers: "Best measured: F1 88 % of 332 questions."
    QString origin() const;
  };

  explicit MapLibrary(EngineClient& engine, QObject* parent = nullptr);

  int columnCount(const QModelIndex& parent = {}) const override { return parent.isValid() ? 0 : 1; }
  QVariant data(const QModelIndex& index, int role) const override;

  void refresh();
  void forget();

  /// For 100, 75, 50, 33 and 25 %; those that come to the same number of owners are one.
  std::vector<Choice> choices(const protocol::ModelCard& card) const;
  /// Those, and the map that the model brings along, where it is none of them.
  std::vector<Choice> choicesWithOwn(const protocol::ModelCard& card) const;
  Choice best(const protocol::ModelCard& card, double retention) const;
  /// Whether scores were measured on this model.
  static bool isMeasuredOn(const protocol::KnownMap& known, const protocol::ModelCard& card);
  /// What evaluations and searches measured of a map on this model, the newest first.
  std::vector<const protocol::KnownMap*> measuredOf(const protocol::ModelCard& card, const SharingMap& map) const;
  /// The best of that: F1, else NLL.
  std::optional<protocol::MapScore> scoreOf(const protocol::ModelCard& card, const SharingMap& map) const;

 Q_SIGNALS:
  void changed();
  void failed(const QString& sentence);

 protected:
  std::string keyOf(const protocol::KnownMap& row) const override { return row.run + '/' + row.name + '/' + row.map; }

 private:
  EngineClient& m_engine;
  int m_age = 0;  // counts forget(): an answer to before is late
};

/// "NLL", "F1", "ROUGE-L"; one that has no name of its own as the engine calls it.
QString metricName(const std::string& metric);
/// "F1 88 % of 332 questions", "NLL 3.93".
QString scoreText(const protocol::MapScore& score);

}  // namespace strata
