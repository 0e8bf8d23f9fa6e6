#pragma once
// A column that scrolls when it is higher than its room, on the ground of what it stands in. What is inside takes the
// focus, not the column.
//
//   layout->addWidget(named(scrolled(inside), "runCardScroll", tr("Run card")), 1);

#include <QScrollArea>

namespace strata {

/// Takes the content.
inline QScrollArea* scrolled(QWidget* content) {
  auto* area = new QScrollArea;
  area->setFrameShape(QFrame::NoFrame);
  area->setWidgetResizable(true);
  area->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  area->setFocusPolicy(Qt::NoFocus);
  area->setWidget(content);
  area->viewport()->setAutoFillBackground(false);
  content->setAutoFillBackground(false);
  return area;
}

}  // namespace strata
