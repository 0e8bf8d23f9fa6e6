#include <QAbstractScrollArea>
#include <QComboBox>
#include <QPlainTextEdit>
#include <QProgressBar>
#include <QTextEdit>
#include <QTime>
#include <QTimer>

#include "widgets/style/strata_style.h"
#include "widgets/style/style_drawing.h"

namespace strata::draw {
namespace {

bool isReadOnly(const QWidget* widget) {
  if (const auto* rich = qobject_cast<const QTextEdit*>(widget)) return rich->isReadOnly();
  if (const auto* plain = qobject_cast<const QPlainTextEdit*>(widget)) return plain->isReadOnly();
  return false;
}

/// Asks for the next picture of a bar that moves; once, however often it is painted meanwhile.
void keepMoving(const QWidget* widget) {
  constexpr int kNextFrame = 33;  // ms
  static constexpr const char* kWaiting = "strataNextFrame";
  auto* bar = const_cast<QWidget*>(widget);
  if (bar == nullptr || bar->property(kWaiting).toBool()) return;
  bar->setProperty(kWaiting, true);
  QTimer::singleShot(kNextFrame, bar, [bar] {
    bar->setProperty(kWaiting, false);
    bar->update();
  });
}

}  // namespace

void lineEdit(const QStyleOption& option, QPainter& painter, const QWidget* widget, const Colors& c) {
  const auto* frame = qstyleoption_cast<const QStyleOptionFrame*>(&option);
  // Without a frame it lies inside another control, which has drawn the ground.
  if (frame == nullptr || frame->lineWidth <= 0) return;
  const bool readOnly = option.state & QStyle::State_ReadOnly;
  const bool enabled = option.state & QStyle::State_Enabled;
  Q_UNUSED(widget);
  paint::field(painter, option.rect, c, enabled && !readOnly, option.state & QStyle::State_HasFocus);
}

void textEdit(const QStyleOption& option, QPainter& painter, const QWidget* widget, const Colors& c) {
  if (isReadOnly(widget)) {
    if (paint::showsFocus(option)) paint::focusRing(painter, option.rect, c);
    return;
  }
  const bool focused = widget != nullptr && widget->hasFocus();
  paint::field(painter, option.rect, c, option.state & QStyle::State_Enabled, focused);
}

void frame(const QStyleOption& option, QPainter& painter, const QWidget* widget, const Colors& c) {
  // A combo box's list hangs in a window of its own; no other frame is drawn.
  if (widget != nullptr && widget->inherits("QComboBoxPrivateContainer")) popup(option, painter, c.surface, c);
}

void lineFrame(const QStyleOptionFrame& option, QPainter& painter, const Colors& c) {
  const QRect& r = option.rect;
  if (option.frameShape == QFrame::HLine) {
    painter.fillRect(QRect(r.left(), r.center().y(), r.width(), 1), c.line);
  } else {
    painter.fillRect(QRect(r.center().x(), r.top(), 1, r.height()), c.line);
  }
}

void comboBox(const QStyleOptionComboBox& option, QPainter& painter, const Colors& c) {
  const bool enabled = option.state & QStyle::State_Enabled;
  const bool focused = option.editable ? bool(option.state & QStyle::State_HasFocus) : paint::showsFocus(option);
  if (option.frame) {
    paint::field(painter, option.rect, c, enabled, focused);
    if (enabled && !option.editable && (option.state & QStyle::State_MouseOver)) {
      paint::box(painter, option.rect, paint::hoverTint(c), {});
    }
  } else {
    if (enabled && (option.state & QStyle::State_MouseOver)) paint::box(painter, option.rect, paint::hoverTint(c), {});
    if (focused) paint::focusRing(painter, option.rect, c);
  }
  const int arrow = metrics().icon + kGapInside;
  const QRect place(option.rect.right() - arrow - 2, option.rect.top(), arrow, option.rect.height());
  paint::chevron(painter, place, QStringLiteral("chevron-down"), enabled);
}

void comboLabel(const QStyleOptionComboBox& option, QPainter& painter, const QWidget* widget, const StrataStyle& style,
                const Colors& c) {
  if (option.editable) return;
  QRect room = style.subControlRect(QStyle::CC_ComboBox, &option, QStyle::SC_ComboBoxEditField, widget);
  const bool enabled = option.state & QStyle::State_Enabled;
  if (!option.currentIcon.isNull()) {
    const QRect place(room.left(), room.top() + (room.height() - option.iconSize.height()) / 2, option.iconSize.width(),
                      option.iconSize.height());
    option.currentIcon.paint(&painter, place, Qt::AlignCenter, enabled ? QIcon::Normal : QIcon::Disabled);
    room.setLeft(place.right() + 1 + kGapRelated);
  }
  const auto* combo = qobject_cast<const QComboBox*>(widget);
  const bool hint = combo != nullptr && combo->currentIndex() < 0;  // its placeholder
  painter.setPen(!enabled ? paint::disabledText(c) : hint ? c.second : c.text);
  painter.drawText(room, Qt::AlignVCenter | Qt::AlignLeft,
                   option.fontMetrics.elidedText(option.currentText, Qt::ElideRight, room.width()));
}

void slider(const QStyleOptionSlider& option, QPainter& painter, const QRect& handle, const Colors& c) {
  const bool enabled = option.state & QStyle::State_Enabled;
  const bool across = option.orientation == Qt::Horizontal;
  const int thick = scaled(4);
  const QRect& r = option.rect;
  QRect groove = across ? QRect(r.left(), r.center().y() - thick / 2, r.width(), thick)
                        : QRect(r.center().x() - thick / 2, r.top(), thick, r.height());
  paint::box(painter, groove, enabled ? c.edge : paint::disabledEdge(c), {}, 1, thick / 2.0);
  QRect done = groove;
  const bool low = across ? !option.upsideDown : option.upsideDown;
  if (across) {
    low ? done.setRight(handle.center().x()) : done.setLeft(handle.center().x());
  } else {
    low ? done.setBottom(handle.center().y()) : done.setTop(handle.center().y());
  }
  if (enabled) paint::box(painter, done, c.accent, {}, 1, thick / 2.0);
  const int size = std::min(handle.width(), handle.height());
  QRectF knob(0, 0, size, size);
  knob.moveCenter(QRectF(handle).center());
  paint::box(painter, knob, enabled ? c.surface : c.window, enabled ? c.accent : paint::disabledEdge(c), 2, size / 2.0);
  if (paint::showsFocus(option)) {
    paint::box(painter, knob.adjusted(4, 4, -4, -4), c.accent, {}, 1, size / 2.0 - 4);
    paint::focusRing(painter, r, c);
  }
}

void scrollBar(const QStyleOptionSlider& option, QPainter& painter, const QWidget* widget, const QRect& handle,
               const Colors& c) {
  // The track has the ground of what it scrolls.
  const auto* area =
      widget != nullptr ? qobject_cast<const QAbstractScrollArea*>(widget->parentWidget()->parentWidget()) : nullptr;
  if (area != nullptr && area->viewport()->autoFillBackground()) {
    painter.fillRect(option.rect, area->viewport()->palette().color(area->viewport()->backgroundRole()));
  }
  if (option.minimum >= option.maximum) return;
  const bool used = option.state & (QStyle::State_MouseOver | QStyle::State_Sunken);
  const int inset = used ? 2 : 3;
  QRectF thumb = handle;
  const bool across = option.orientation == Qt::Horizontal;
  thumb.adjust(across ? 2 : inset, across ? inset : 2, across ? -2 : -inset, across ? -inset : -2);
  const QColor color = (option.state & QStyle::State_Sunken) ? c.second : c.edge;
  paint::box(painter, thumb, color, {}, 1, std::min(thumb.width(), thumb.height()) / 2);
}

void progressBar(const QStyleOptionProgressBar& option, QPainter& painter, const QWidget* widget, const Colors& c) {
  const bool across = !(widget != nullptr && qobject_cast<const QProgressBar*>(widget) != nullptr &&
                        qobject_cast<const QProgressBar*>(widget)->orientation() == Qt::Vertical);
  const int thick = scaled(6);
  QRect groove = option.rect;
  // Qt writes "42%"; numbers and their units stand apart here.
  QString words = option.text;
  if (words.endsWith(u'%') && words.size() > 1 && words[words.size() - 2].isDigit())
    words.insert(words.size() - 1, u' ');
  if (option.textVisible && !option.text.isEmpty() && across) {
    painter.setFont(fonts().monoCaption);
    const QFontMetrics digits(fonts().monoCaption);
    const int wide = std::max(digits.horizontalAdvance(words), digits.horizontalAdvance(QStringLiteral("100 %")));
    painter.setPen(c.second);
    painter.drawText(groove, Qt::AlignRight | Qt::AlignVCenter, words);
    groove.setRight(groove.right() - wide - kGapRelated);
  }
  if (across) {
    groove = QRect(groove.left(), groove.center().y() - thick / 2, groove.width(), thick);
  } else {
    groove = QRect(groove.center().x() - thick / 2, groove.top(), thick, groove.height());
  }
  paint::box(painter, groove, paint::groove(c), {}, 1, thick / 2.0);
  QRect done = groove;
  if (option.minimum == option.maximum) {
    // Not known how far: a piece that wanders along, and asks for its next paint itself.
    constexpr int kRound = 1600;  // ms
    const double phase = QTime::currentTime().msecsSinceStartOfDay() % kRound / static_cast<double>(kRound);
    const int piece = groove.width() / 4;
    done.setLeft(groove.left() + static_cast<int>(phase * (groove.width() + piece)) - piece);
    done.setWidth(piece);
    done = done.intersected(groove);
    keepMoving(widget);
  } else {
    const double part = static_cast<double>(option.progress - option.minimum) /
                        std::max(1.0, static_cast<double>(option.maximum) - option.minimum);
    if (across) {
      done.setWidth(static_cast<int>(groove.width() * std::clamp(part, 0.0, 1.0)));
    } else {
      done.setTop(groove.bottom() + 1 - static_cast<int>(groove.height() * std::clamp(part, 0.0, 1.0)));
    }
  }
  if (done.width() > 0 && done.height() > 0) {
    paint::box(painter, done, option.state & QStyle::State_Enabled ? c.accent : c.edge, {}, 1, thick / 2.0);
  }
}

}  // namespace strata::draw
