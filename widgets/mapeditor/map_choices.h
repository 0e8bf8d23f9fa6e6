#pragma once
// The only percent control: 100 | 75 | 50 | 33 | 25 % of the cache, each the best map known for it (MapLibrary). A
// tooltip says which map that is and what was measured of it.

#include <QWidget>
#include <vector>

#include "widgets/session/session.h"

namespace strata {

class SegmentedButtons;

class MapChoices : public QWidget {
  Q_OBJECT

 public:
  explicit MapChoices(Session& session, QWidget* parent = nullptr);

  /// Of this model; nullptr: its layers are not known, and nothing is shown.
  void setModel(const protocol::ModelCard* card);
  /// The map that is in use; one of another number of owners marks nothing.
  void setMap(const std::string& map);
  /// Measured scores stand in the buttons, where there is room for them.
  void setScoresShown(bool shown);
  /// The model's own map is one of them, where it is none of the shares.
  void setOwnShown(bool shown);
  SegmentedButtons* buttons() const { return m_buttons; }
  const std::vector<MapLibrary::Choice>& choices() const { return m_choices; }

 Q_SIGNALS:
  void chosen(const std::string& map);

 private:
  void fill();
  void mark();

  Session& m_session;
  SegmentedButtons* m_buttons;
  std::optional<protocol::ModelCard> m_card;
  std::vector<MapLibrary::Choice> m_choices;
  std::string m_map;
  bool m_scoresShown = false, m_ownShown = false;
};

}  // namespace strata
