#pragma once
// What stands on one side: its badge, its model and its map.

#include <QWidget>

#include "widgets/session/session.h"

namespace strata {

class PickerButton;

class SidePicker : public QWidget {
  Q_OBJECT

 public:
  SidePicker(Session& session, Which which, QWidget* parent = nullptr);

  /// Bytes of the caches that the bar is for: context, chats and map of this side; nothing: not known yet.
  std::optional<std::int64_t> kvBytes() const;

  /// There is room to say more of model and map.
  void setWide(bool wide);

 private:
  void show();
  void showModelMenu();
  void browse();
  void showMapPopup();
  void choose(const protocol::ModelRef& ref);

  Session& m_session;
  Which m_which;
  PickerButton *m_model, *m_map;
  std::optional<protocol::ModelRef> m_asked;  // whose card was asked for
  bool m_wide = false;
};

/// The share of layers that own their cache, as a person reads it: "50 %". Empty where the map does not fit the card.
QString retentionText(const std::string& map, const protocol::ModelCard& card);

}  // namespace strata
