#pragma once
// Names that tests and screen readers find a control by.

#include <QWidget>

namespace strata {

/// Gives a widget its object name and, where its text does not say it, its accessible name.
template <class W>
W* named(W* widget, const char* objectName, const QString& accessibleName = {}) {
  widget->setObjectName(QLatin1String(objectName));
  if (!accessibleName.isEmpty()) widget->setAccessibleName(accessibleName);
  return widget;
}

}  // namespace strata
