#pragma once
// Which evaluations are compared, under which of their maps; and how far those that run have come.

#include <QWidget>
#include <array>

#include "widgets/evaluation/comparison.h"

class QComboBox;

namespace strata {

class Button;
class ElidedLabel;

/// A box that does not grow with its longest entry; a tooltip tells the current one.
QComboBox* narrowChoice(const char* name, const QString& accessibleName, int characters);

class ComparisonChooser : public QWidget {
  Q_OBJECT

 public:
  ComparisonChooser(Session& session, Comparison& comparison, QWidget* parent = nullptr);

 Q_SIGNALS:
  /// By a person.
  void chosen();
  void resumeWanted(const QString& run);

 private:
  struct Row {
    QComboBox *run = nullptr, *map = nullptr;
    QWidget* progress = nullptr;
    ElidedLabel* state = nullptr;
    Button *stop = nullptr, *resume = nullptr;
  };
  QWidget* buildSide(Which which);
  QWidget* buildProgress(Which which);
  void fill();
  void fillSide(Which which);
  void showProgress(Which which);
  void choose(Which which);
  Row& row(Which which) { return m_rows[which == Which::a ? 0 : 1]; }

  Session& m_session;
  Comparison& m_comparison;
  std::array<Row, 2> m_rows;
};

}  // namespace strata
