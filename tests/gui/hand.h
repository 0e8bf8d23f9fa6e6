#pragma once
// Mouse and keyboard as a person has them: on an X server the events come from the server (XTest, by xdotool) and pass
// through its window manager; elsewhere QTest makes them. What an action does is waited for by the caller.
//
//   Hand hand(window);
//   hand.click(button);   hand.drag(&view, from, to);   hand.press("ctrl+z");   hand.enter(line, "stride:4");

#include <gtest/gtest.h>

#include <QAbstractItemView>
#include <QAbstractScrollArea>
#include <QApplication>
#include <QComboBox>
#include <QLineEdit>
#include <QMouseEvent>
#include <QProcess>
#include <QScrollBar>
#include <QTest>
#include <QWheelEvent>
#include <functional>

#include "layout_check.h"

namespace strata {

class Hand {
 public:
  explicit Hand(QWidget& window) : m_window(window), m_isReal(qApp->platformName() == "xcb") {}

  bool isReal() const { return m_isReal; }
  /// The window has the keyboard.
  void takeWindow() {
    if (!m_isReal) return;
    tell({"windowfocus", QString::number(m_window.winId())});
    EXPECT_TRUE(soon([&] { return m_window.isActiveWindow(); })) << "the window does not become the active one";
  }

  void click(QWidget* widget, Qt::MouseButton button = Qt::LeftButton) {
    reach(widget);
    click(widget, widget->rect().center(), button);
  }
  /// A place of the widget, which is in view.
  void click(QWidget* widget, const QPoint& at, Qt::MouseButton button = Qt::LeftButton) {
    if (!isUnderPointer(widget, at)) return;
    if (!m_isReal) return QTest::mouseClick(widget, button, {}, at);
    tell(moveTo(widget, at) + QStringList{"click", button == Qt::RightButton ? "3" : "1"});
  }
  /// `held` runs before the button is let go.
  void drag(QWidget* widget, const QPoint& from, const QPoint& to, const std::function<void()>& held = {}) {
    if (!isUnderPointer(widget, from)) return;
    if (m_isReal) {
      tell(moveTo(widget, from) + QStringList{"mousedown", "1"} + moveTo(widget, (from + to) / 2) + moveTo(widget, to));
    } else {
      QTest::mousePress(widget, Qt::LeftButton, {}, from);
      for (const QPoint& at : {(from + to) / 2, to}) {
        QMouseEvent move(QEvent::MouseMove, at, widget->mapToGlobal(at), Qt::NoButton, Qt::LeftButton, {});
        QCoreApplication::sendEvent(widget, &move);
      }
    }
    if (held) held();
    m_isReal ? tell({"mouseup", "1"}) : QTest::mouseRelease(widget, Qt::LeftButton, {}, to);
  }
  /// Turns the wheel until the widget is in view; of one that is higher than the view its middle.
  void reach(QWidget* widget) {
    testing::waitForLayout(m_window);
    const auto* area = testing::scrollAreaOf(*widget);
    if (area == nullptr) return;
    QWidget* view = area->viewport();
    QScrollBar* bar = area->verticalScrollBar();
    const QPoint margin(4, view->height() / 2);  // beside the controls, some of which take the wheel
    int last = 0;
    for (int turns = 0; turns < 200; ++turns) {
      const QRect place(widget->mapTo(view, QPoint()), widget->size());
      const bool fits = place.height() <= view->height();
      const bool isAbove = fits ? place.top() < 0 : place.center().y() < 0;
      const bool isBelow = fits ? place.bottom() >= view->height() : place.center().y() >= view->height();
      const int way = isAbove ? -1 : isBelow ? 1 : 0;
      const int before = bar->value();
      if (way == 0 || way == -last || before == (isAbove ? bar->minimum() : bar->maximum())) break;
      last = way;
      if (m_isReal) {
        tell(moveTo(view, margin) + QStringList{"click", isAbove ? "4" : "5"});
      } else {
        QWheelEvent wheel(margin, view->mapToGlobal(margin), {}, {0, isAbove ? 120 : -120}, Qt::NoButton, {},
                          Qt::NoScrollPhase, false);
        QCoreApplication::sendEvent(view, &wheel);
      }
      if (!soon([&] { return bar->value() != before; })) break;
    }
    testing::waitForLayout(m_window);
  }

  /// "ctrl+k", "Return", "space", "shift+Down": as xdotool names them.
  void press(const QString& keys) {
    if (m_isReal) return tell({"key", "--clearmodifiers", keys});
    QString name = keys.section('+', -1);
    const QHash<QString, QString> others = {{"Escape", "Esc"}};
    const QKeySequence sequence(others.value(name, name));
    Qt::KeyboardModifiers modifiers;
    if (keys.startsWith("ctrl+")) modifiers |= Qt::ControlModifier;
    if (keys.startsWith("shift+")) modifiers |= Qt::ShiftModifier;
    QTest::keyClick(keyboardTarget(), sequence[0].key(), modifiers);
    QTest::qWait(20);
  }
  void type(const QString& text) {
    if (m_isReal) return tell({"type", "--delay", "20", text});
    QTest::keyClicks(keyboardTarget(), text);
  }
  /// Another text in a line, and the key that ends it.
  void enter(QLineEdit* line, const QString& text, const QString& end = "Tab") {
    if (!m_isReal) line->window()->activateWindow();  // without a screen nothing does after a list has closed
    click(line);
    EXPECT_TRUE(soon([&] { return line->hasFocus() || line->parentWidget()->hasFocus(); })) << nameOf(line);
    press("ctrl+a");
    type(text);
    EXPECT_TRUE(soon([&] { return line->text() == text; })) << nameOf(line) << ": " << line->text().toStdString();
    press(end);
  }
  /// A line of a list that a combo box opens.
  void choose(QComboBox* box, int row) {
    click(box);
    QAbstractItemView* list = box->view();
    ASSERT_TRUE(soon([&] { return list->isVisible(); })) << nameOf(box);
    const QModelIndex line = box->model()->index(row, box->modelColumn());
    if (m_isReal) {
      click(list->viewport(), list->visualRect(line).center());
    } else {  // the list takes no click so soon after the one that opened it
      list->setCurrentIndex(line);
      QTest::keyClick(list, Qt::Key_Return);
    }
    EXPECT_TRUE(soon([&] { return !list->isVisible() && box->currentIndex() == row; })) << nameOf(box);
  }

  QWidget* focus() const {
    QWidget* now = QApplication::focusWidget();
    return now != nullptr ? now : m_window.focusWidget();
  }
  bool hasFocus(const char* name) const {
    return soon([&] { return focus() != nullptr && focus()->objectName() == name; });
  }
  /// Tab, until the widget or what is in it has the focus.
  bool tabTo(const QWidget* widget) {
    for (int i = 0; i < 120; ++i) {
      QWidget* before = focus();
      if (before == widget || widget->isAncestorOf(before)) return true;
      press("Tab");
      if (!soon([&] { return focus() != before; })) return false;
    }
    return false;
  }

 private:
  static bool soon(const std::function<bool()>& holds) { return QTest::qWaitFor(holds, 20'000); }
  static std::string nameOf(const QWidget* widget) { return testing::describedWidget(*widget).toStdString(); }
  static QStringList moveTo(const QWidget* widget, const QPoint& at) {
    const QPoint place = widget->mapToGlobal(at);
    return {"mousemove", QString::number(place.x()), QString::number(place.y())};
  }
  /// Whether a click there meets the widget: nothing hides it.
  bool isUnderPointer(QWidget* widget, const QPoint& at) const {
    const auto there = [&] { return QApplication::widgetAt(widget->mapToGlobal(at)); };
    const bool isThere = soon([&] {
      const QWidget* found = there();
      return found != nullptr && (found == widget || widget->isAncestorOf(found) || found->isAncestorOf(widget));
    });
    EXPECT_TRUE(isThere) << nameOf(widget) << " is hidden by " << (there() != nullptr ? nameOf(there()) : "nothing");
    return isThere;
  }
  QWidget* keyboardTarget() const {
    QWidget* popup = QApplication::activePopupWidget();
    QWidget* target = popup != nullptr && popup->focusWidget() != nullptr ? popup->focusWidget() : focus();
    return target != nullptr ? target : &m_window;
  }
  void tell(const QStringList& words) const {
    QProcess process;
    process.start("xdotool", words);
    EXPECT_TRUE(soon([&] { return process.state() == QProcess::NotRunning; }) && process.exitCode() == 0)
        << words.join(' ').toStdString() << ": " << process.readAllStandardError().toStdString();
  }

  QWidget& m_window;
  bool m_isReal;
};

}  // namespace strata
