#pragma once
// The steps of a form as a list to go through in any order: a title and how it stands, one of them open.

#include <QAbstractButton>
#include <QWidget>
#include <vector>

#include "widgets/style/labels.h"

class QButtonGroup;

namespace strata {

class StepButton : public QAbstractButton {
  Q_OBJECT

 public:
  StepButton(int number, const QString& title, QWidget* parent = nullptr);
  /// "preset", "3 changed", "needs you".
  void setState(const QString& words, Tone tone);
  QSize sizeHint() const override;
  QSize minimumSizeHint() const override { return sizeHint(); }

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  int m_number;
  QString m_words;
  Tone m_tone = Tone::second;
};

class StepList : public QWidget {
  Q_OBJECT

 public:
  explicit StepList(const QStringList& titles, QWidget* parent = nullptr);
  int current() const;
  void setCurrent(int step);
  void setState(int step, const QString& words, Tone tone);
  StepButton* step(int number) const { return m_steps[static_cast<std::size_t>(number)]; }

 Q_SIGNALS:
  void chosen(int step);

 private:
  QButtonGroup* m_group;
  std::vector<StepButton*> m_steps;
};

}  // namespace strata
