#pragma once
// Chooses a side's map: by how much of the KV cache stays, or as text.

#include "widgets/shell/popup.h"
#include "widgets/shell/workspace.h"

class QLineEdit;

namespace strata {

class Field;

class MapPopup : public Popup {
  Q_OBJECT

 public:
  MapPopup(Workspace& workspace, Which which, QWidget* parent);

 private:
  void addShares(const protocol::ModelCard& card);
  void takeText();

  Workspace& m_workspace;
  Which m_which;
  QLineEdit* m_text;
  Field* m_field;
};

}  // namespace strata
