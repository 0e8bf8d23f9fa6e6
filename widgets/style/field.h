#pragma once
// A label above its control, and below it one sentence: why the field is there, or what is wrong with what it holds.

#include <QWidget>

class QHBoxLayout;

namespace strata {

class Label;

class Field : public QWidget {
  Q_OBJECT

 public:
  /// Takes the control (or, of several in a row, the one that is their focus proxy), names it for screen readers, gives
  /// it the reason as its help (F1) where it has none, and is at most metrics().fieldWidth wide.
  Field(const QString& label, QWidget* control, const QString& reason = {}, QWidget* parent = nullptr);

  QWidget* control() const { return m_control; }
  void setLabel(const QString& label);
  void setReason(const QString& reason);
  /// Stands in place of the reason, in `bad` with a sign; "": it is well again.
  void setProblem(const QString& problem);
  bool hasProblem() const { return !m_problem.isEmpty(); }
  /// At the right of the label: a button that belongs to the field. Its room stays while it is hidden.
  void setCorner(QWidget* corner);

 private:
  void showBelow();
  /// What the keyboard goes to.
  QWidget* named() const;
  Label* m_label;
  QHBoxLayout* m_head;
  QWidget* m_control;
  Label* m_below;
  QWidget* m_sign;
  QString m_reason;
  bool m_ownHelp;  // the control came with its own text for F1
  QString m_problem;
};

}  // namespace strata
