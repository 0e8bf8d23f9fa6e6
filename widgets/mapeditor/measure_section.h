#pragma once
// In the inspector: on which text a map is measured, the sensitivity matrix, and the search for a map of a budget.

#include <QWidget>

#include "widgets/mapeditor/map_measures.h"

class QComboBox;
class QSpinBox;

namespace strata {

class Button;
class Field;
class Label;

class MeasureSection : public QWidget {
  Q_OBJECT

 public:
  MeasureSection(Session& session, SideMap& side, QWidget* parent = nullptr);

  MapMeasures& measures() { return m_measures; }

 protected:
  void showEvent(QShowEvent* event) override;

 private:
  void listTexts();
  void refresh();
  void showMatrix();
  void showSearch();
  void fillBudgets();
  std::string text() const;

  Session& m_session;
  SideMap& m_side;
  MapMeasures m_measures;
  QComboBox *m_text, *m_budget, *m_method;
  QSpinBox* m_seed;
  Label *m_matrix, *m_found, *m_problem;
  Button *m_measure, *m_measureMap, *m_find, *m_stop, *m_open, *m_more;
  QWidget* m_options;
  std::string m_asked;  // the project whose texts are being asked for; empty: none
};

}  // namespace strata
