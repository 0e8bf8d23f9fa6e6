#include "widgets/style/checkable_accessible.h"

#include <QAbstractButton>
#include <QAccessible>
#include <QAccessibleWidget>
#include <QCheckBox>
#include <QRadioButton>

namespace strata {
namespace {

QAccessible::Role roleOf(QAbstractButton* button) {
  if (qobject_cast<QRadioButton*>(button) != nullptr) return QAccessible::RadioButton;
  return qobject_cast<QCheckBox*>(button) != nullptr ? QAccessible::CheckBox : QAccessible::Button;
}

class CheckableInterface : public QAccessibleWidget {
 public:
  explicit CheckableInterface(QAbstractButton* button) : QAccessibleWidget(button, roleOf(button)) {}

  QString text(QAccessible::Text which) const override {
    const QString told = QAccessibleWidget::text(which);
    return which == QAccessible::Name && told.isEmpty() ? button().text().remove('&') : told;
  }
  QAccessible::State state() const override {
    QAccessible::State state = QAccessibleWidget::state();
    state.checkable = true;
    state.checked = button().isChecked();
    state.pressed = button().isDown();
    return state;
  }
  QStringList actionNames() const override {
    QStringList names = QAccessibleWidget::actionNames();
    if (button().isEnabled()) names.prepend(toggleAction());
    return names;
  }
  void doAction(const QString& name) override {
    if (!button().isEnabled()) return;
    name == toggleAction() || name == pressAction() ? button().click() : QAccessibleWidget::doAction(name);
  }

 private:
  QAbstractButton& button() const { return *static_cast<QAbstractButton*>(widget()); }
};

QAccessibleInterface* makeCheckableInterface(const QString&, QObject* object) {
  auto* button = qobject_cast<QAbstractButton*>(object);
  return button != nullptr && button->isCheckable() ? new CheckableInterface(button) : nullptr;
}

}  // namespace

void installCheckableAccessible() {
  static const bool installed = [] {
    QAccessible::installFactory(makeCheckableInterface);
    return true;
  }();
  (void)installed;
}

}  // namespace strata
