#pragma once
// One tick box that makes several runs of one: a run for each routing probability.

#include <QWidget>
#include <vector>

class QLineEdit;

namespace strata {

class Field;
class Switch;

class SweepField : public QWidget {
  Q_OBJECT

 public:
  explicit SweepField(QWidget* parent = nullptr);

  /// The probabilities, each once; empty: no sweep, or what is typed is no list of them.
  std::vector<double> values() const;
  /// What is wrong with what is typed; "".
  QString problem() const;

 Q_SIGNALS:
  void changed();

 private:
  void follow();
  Switch* m_switch;
  QLineEdit* m_line;
  Field* m_field;
};

}  // namespace strata
