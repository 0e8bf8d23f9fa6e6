#include "widgets/style/separator.h"

#include <QPainter>

#include "widgets/style/theme.h"

namespace strata {

Separator::Separator(Qt::Orientation orientation, QWidget* parent) : QWidget(parent) {
  if (orientation == Qt::Horizontal) {
    setFixedHeight(1);
    setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Fixed);
  } else {
    setFixedWidth(1);
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Expanding);
  }
}

void Separator::paintEvent(QPaintEvent*) {
  QPainter(this).fillRect(rect(), colors().line);
}

}  // namespace strata
