#pragma once
// On or off at once, without a Save: the text, and a knob at its right.

#include <QCheckBox>

namespace strata {

class Switch : public QCheckBox {
  Q_OBJECT

 public:
  explicit Switch(const QString& text = {}, QWidget* parent = nullptr);
  QSize sizeHint() const override;
  QSize minimumSizeHint() const override { return sizeHint(); }

 protected:
  void paintEvent(QPaintEvent* event) override;
  bool hitButton(const QPoint& position) const override { return rect().contains(position); }
};

}  // namespace strata
