#pragma once
// Chooses a side's map: by how much of the KV cache stays, or as text.

#include "widgets/session/session.h"
#include "widgets/style/popup.h"

class QLineEdit;

namespace strata {

class Field;

class MapPopup : public Popup {
  Q_OBJECT

 public:
  MapPopup(Session& session, Which which, QWidget* parent);

 private:
  void addShares(const protocol::ModelCard& card);
  void takeText();

  Session& m_session;
  Which m_which;
  QLineEdit* m_text;
  Field* m_field;
};

}  // namespace strata
