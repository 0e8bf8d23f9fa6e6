#pragma once
// Fields below a widget for which F1 has no text.

#include <QAbstractSpinBox>
#include <QComboBox>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QStringList>
#include <QTextEdit>
#include <QWidget>

namespace strata {

/// As the window looks for it: the field's own, then that of what is around it, then its tooltip.
inline QString fieldHelp(const QWidget* field) {
  for (const QWidget* widget = field; widget != nullptr; widget = widget->parentWidget()) {
    if (!widget->whatsThis().isEmpty()) return widget->whatsThis();
  }
  return field->toolTip();
}

inline QStringList fieldsWithoutHelp(const QWidget& root) {
  QStringList bare;
  for (const QWidget* widget : root.findChildren<QWidget*>()) {
    const auto* text = qobject_cast<const QTextEdit*>(widget);
    const bool field = qobject_cast<const QLineEdit*>(widget) || qobject_cast<const QAbstractSpinBox*>(widget) ||
                       qobject_cast<const QComboBox*>(widget) || qobject_cast<const QPlainTextEdit*>(widget) ||
                       (text != nullptr && !text->isReadOnly());
    if (field && widget->focusPolicy() != Qt::NoFocus && fieldHelp(widget).isEmpty()) bare << widget->objectName();
  }
  return bare;
}

}  // namespace strata
