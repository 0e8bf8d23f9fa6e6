#pragma once
// What does not fit: looks at every widget of a window that is laid out.
//
//   EXPECT_EQ(layoutProblems(window).join("\n").toStdString(), "");

#include <QAbstractButton>
#include <QAbstractScrollArea>
#include <QAbstractSpinBox>
#include <QApplication>
#include <QComboBox>
#include <QLabel>
#include <QLineEdit>
#include <QScrollBar>
#include <QStringList>
#include <QTest>
#include <QTextDocumentFragment>

#include "widgets/style/labels.h"
#include "widgets/style/theme.h"

namespace strata::testing {

inline QString describedWidget(const QWidget& widget) {
  QString text;
  if (const auto* label = qobject_cast<const QLabel*>(&widget)) text = label->text();
  if (const auto* button = qobject_cast<const QAbstractButton*>(&widget)) text = button->text();
  return QStringLiteral("%1 '%2' in '%3' (%4x%5) '%6'")
      .arg(widget.metaObject()->className(), widget.objectName(),
           widget.parentWidget() ? widget.parentWidget()->objectName() : QString())
      .arg(widget.width())
      .arg(widget.height())
      .arg(text.left(40));
}

/// The scroll area that shows a part of the widget; nullptr: it is shown whole.
inline const QAbstractScrollArea* scrollAreaOf(const QWidget& widget) {
  for (const QWidget* at = &widget; at->parentWidget() != nullptr && !at->isWindow(); at = at->parentWidget()) {
    const auto* area = qobject_cast<const QAbstractScrollArea*>(at->parentWidget()->parentWidget());
    if (area != nullptr && area->viewport() == at->parentWidget()) return area;
  }
  return nullptr;
}

/// What reaches out of the window, or sideways out of a scroll area that does not scroll that way.
inline QString outsideProblem(const QWidget& window, const QWidget& widget) {
  const QWidget* room = &window;
  QRect allowed = window.rect();
  if (const QAbstractScrollArea* area = scrollAreaOf(widget)) {
    if (area->horizontalScrollBar()->maximum() > 0 && area->horizontalScrollBarPolicy() != Qt::ScrollBarAlwaysOff) {
      return {};
    }
    room = area->viewport();
    allowed = QRect(0, -1'000'000, room->width(), 2'000'000);
  }
  const QRect place(widget.mapTo(room, QPoint()), widget.size());
  if (place.isEmpty() || allowed.contains(place)) return {};
  return QStringLiteral("outside by %1, %2: %3")
      .arg(std::max(-place.left(), place.right() - allowed.right()))
      .arg(std::max(-place.top(), place.bottom() - allowed.bottom()))
      .arg(describedWidget(widget));
}

/// Text that its widget has no room for. A name or a path may be shortened, as its tooltip says it; a figure may not.
inline QString clippedProblem(const QWidget& widget) {
  QSize needed;
  if (const auto* label = qobject_cast<const QLabel*>(&widget)) {
    if (label->text().isEmpty()) return {};
    const QFontMetrics metrics = label->fontMetrics();
    needed.setHeight(label->wordWrap() ? label->heightForWidth(label->width()) : metrics.height());
    if (const auto* elided = qobject_cast<const ElidedLabel*>(label)) {
      const bool figure = label->font() == fonts().mono && label->text().contains(QRegularExpression("^\\d")) &&
                          !label->text().contains('/');
      if (figure && elided->isElided()) needed.setWidth(metrics.horizontalAdvance(label->text()));
    } else if (label->wordWrap()) {
      const bool isRich = label->textFormat() == Qt::RichText;
      const QString text = isRich ? QTextDocumentFragment::fromHtml(label->text()).toPlainText() : label->text();
      for (const QString& word : text.split(QRegularExpression("\\s"))) {
        needed.setWidth(std::max(needed.width(), metrics.horizontalAdvance(word)));
      }
    } else {
      needed.setWidth(label->sizeHint().width());
    }
  } else if (qobject_cast<const QAbstractButton*>(&widget) != nullptr) {
    needed = widget.minimumSizeHint();
  } else if (const auto* box = qobject_cast<const QComboBox*>(&widget);
             box != nullptr && !box->isEditable() &&
             box->toolTip() != tipOf(box->currentText())) {  // the style elides; a tooltip tells the rest
    needed = {box->fontMetrics().horizontalAdvance(box->currentText()), box->fontMetrics().height()};
  } else if (const auto* edit = qobject_cast<const QLineEdit*>(&widget);
             edit != nullptr && qobject_cast<const QAbstractSpinBox*>(edit->parentWidget()) != nullptr) {
    needed = {edit->fontMetrics().horizontalAdvance(edit->text()), edit->fontMetrics().height()};
  }
  if (needed.width() <= widget.width() && needed.height() <= widget.height()) return {};
  return QStringLiteral("clipped, needs %1x%2: %3")
      .arg(needed.width())
      .arg(needed.height())
      .arg(describedWidget(widget));
}

inline bool holdsText(const QWidget* widget) {
  return qobject_cast<const QLabel*>(widget) != nullptr || qobject_cast<const QAbstractButton*>(widget) != nullptr ||
         qobject_cast<const QComboBox*>(widget) != nullptr || qobject_cast<const QAbstractSpinBox*>(widget) != nullptr;
}

inline QStringList layoutProblems(const QWidget& window) {
  QStringList problems;
  const QList<QWidget*> all = window.findChildren<QWidget*>();
  for (const QWidget* widget : all) {
    if (!widget->isVisible() || widget->window() != &window || widget->size().isEmpty()) continue;
    for (const QString& problem : {outsideProblem(window, *widget), clippedProblem(*widget)}) {
      if (!problem.isEmpty()) problems << problem;
    }
    if (!holdsText(widget)) continue;
    for (const QObject* object : widget->parentWidget()->children()) {
      const auto* other = qobject_cast<const QWidget*>(object);
      if (other == nullptr || other <= widget || !other->isVisible() || !holdsText(other)) continue;
      if (widget->geometry().intersects(other->geometry())) {
        problems << "overlap: " + describedWidget(*widget) + " and " + describedWidget(*other);
      }
    }
  }
  return problems;
}

/// Runs the event loop until the layout of the window and all below it is done: nothing moves for two looks.
inline void waitForLayout(QWidget& window) {
  const auto places = [&window] {
    QList<QRect> all{window.geometry()};
    for (const QWidget* widget : window.findChildren<QWidget*>()) all << widget->geometry();
    return all;
  };
  QList<QRect> before;
  int same = 0;
  (void)QTest::qWaitFor([&] {
    QList<QRect> now = places();
    same = now == before ? same + 1 : 0;
    before = std::move(now);
    return same >= 3;
  });
}

}  // namespace strata::testing
