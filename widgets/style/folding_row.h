#pragma once
// Two parts beside one another where there is room, else the second below the first: what large text or a narrow window
// makes of a row of controls.
//
//   auto* head = new FoldingRow(title, buttons);   // the first takes the room that is left

#include <QWidget>

class QBoxLayout;

namespace strata {

class FoldingRow : public QWidget {
  Q_OBJECT

 public:
  FoldingRow(QWidget* first, QWidget* second, QWidget* parent = nullptr);
  QSize minimumSizeHint() const override;
  bool isFolded() const;

 protected:
  void resizeEvent(QResizeEvent* event) override;
  bool event(QEvent* event) override;

 private:
  void fold();
  QWidget *m_first, *m_second;
  QBoxLayout* m_layout;
};

/// A widget with these side by side and no margins.
QWidget* rowOf(const QList<QWidget*>& parts, QWidget* parent = nullptr);

}  // namespace strata
