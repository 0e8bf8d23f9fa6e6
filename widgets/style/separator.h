#pragma once
// The 1 px line between panes.

#include <QWidget>

namespace strata {

class Separator : public QWidget {
  Q_OBJECT

 public:
  explicit Separator(Qt::Orientation orientation = Qt::Horizontal, QWidget* parent = nullptr);

 protected:
  void paintEvent(QPaintEvent* event) override;
};

}  // namespace strata
