#include "widgets/style/labels.h"

#include <QEvent>
#include <QHelpEvent>
#include <QPainter>
#include <QTextDocument>
#include <QToolTip>
#include <algorithm>

#include "widgets/style/theme.h"

namespace strata {
namespace {

const QColor& colorOf(Tone tone, const Colors& c) {
  switch (tone) {
    case Tone::normal:
      return c.text;
    case Tone::second:
      return c.second;
    case Tone::accent:
      return c.accent;
    case Tone::good:
      return c.good;
    case Tone::warn:
      return c.warn;
    case Tone::bad:
      return c.bad;
  }
  return c.text;
}

}  // namespace

QString tipOf(const QString& text) {
  constexpr qsizetype kLongLine = 100;  // longer ones are to be broken, which a tooltip does with HTML alone
  const QStringList lines = text.split('\n');
  const bool fits =
      std::all_of(lines.begin(), lines.end(), [](const QString& line) { return line.size() <= kLongLine; });
  if (fits && !Qt::mightBeRichText(text)) return text;  // as it is: screen readers read tooltips too
  return QStringLiteral("<div style=\"white-space:pre-wrap\">%1</div>").arg(text.toHtmlEscaped());
}

const QFont& fontOf(TextRole role) {
  const Fonts& all = fonts();
  switch (role) {
    case TextRole::body:
      return all.body;
    case TextRole::strong:
      return all.strong;
    case TextRole::caption:
      return all.caption;
    case TextRole::section:
      return all.section;
    case TextRole::title:
      return all.title;
    case TextRole::mono:
      return all.mono;
    case TextRole::monoCaption:
      return all.monoCaption;
  }
  return all.body;
}

Label::Label(const QString& text, TextRole role, Tone tone, QWidget* parent)
    : QLabel(text, parent), m_role(role), m_tone(tone) {
  setTextFormat(Qt::PlainText);             // names and messages come from files and models
  setForegroundRole(QPalette::WindowText);  // in a scroll area it would be Text, which has no tone
  followTheme(this, [this] { restyle(); });
}

void Label::setRole(TextRole role) {
  m_role = role;
  restyle();
}

void Label::setTone(Tone tone) {
  m_tone = tone;
  restyle();
}

void Label::restyle() {
  setFont(fontOf(m_role));
  QPalette own;  // what it leaves out comes from the application's
  own.setColor(QPalette::Active, QPalette::WindowText, colorOf(m_tone, colors()));
  own.setColor(QPalette::Inactive, QPalette::WindowText, colorOf(m_tone, colors()));
  setPalette(own);
}

ElidedLabel::ElidedLabel(const QString& text, TextRole role, Tone tone, QWidget* parent)
    : Label(text, role, tone, parent) {
  setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
}

void ElidedLabel::setElideMode(Qt::TextElideMode mode) {
  m_mode = mode;
  update();
}

void ElidedLabel::setSeparator(const QString& separator) {
  m_separator = separator;
  update();
}

QString ElidedLabel::shownText() const {
  const QFontMetrics metrics = fontMetrics();
  const int room = contentsRect().width();
  QString line = text().simplified();
  while (!m_separator.isEmpty() && metrics.horizontalAdvance(line) > room && line.contains(m_separator))
    line.truncate(line.lastIndexOf(m_separator));
  return metrics.elidedText(line, m_mode, room);
}

bool ElidedLabel::isElided() const {
  return fontMetrics().horizontalAdvance(text()) > contentsRect().width();
}

QSize ElidedLabel::minimumSizeHint() const {
  return {fontMetrics().horizontalAdvance(QStringLiteral("…")) * 3, fontMetrics().height()};
}

QSize ElidedLabel::sizeHint() const {
  return {fontMetrics().horizontalAdvance(text()) + 1, fontMetrics().height()};
}

void ElidedLabel::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.setPen(palette().color(isEnabled() ? QPalette::Active : QPalette::Disabled, QPalette::WindowText));
  painter.drawText(contentsRect(), static_cast<int>(alignment()) | Qt::TextSingleLine, shownText());
}

bool ElidedLabel::event(QEvent* event) {
  if (event->type() == QEvent::ToolTip && toolTip().isEmpty()) {
    if (isElided()) {
      QToolTip::showText(static_cast<QHelpEvent*>(event)->globalPos(), tipOf(text()), this);
    } else {
      QToolTip::hideText();
      event->ignore();
    }
    return true;
  }
  return Label::event(event);
}

Label* titleLabel(const QString& text, QWidget* parent) {
  return new Label(text, TextRole::title, Tone::normal, parent);
}

Label* sectionLabel(const QString& text, QWidget* parent) {
  return new Label(text, TextRole::section, Tone::normal, parent);
}

Label* bodyLabel(const QString& text, QWidget* parent) {
  auto* label = new Label(text, TextRole::body, Tone::normal, parent);
  label->setWordWrap(true);
  return label;
}

Label* captionLabel(const QString& text, QWidget* parent) {
  auto* label = new Label(text, TextRole::caption, Tone::second, parent);
  label->setWordWrap(true);
  return label;
}

Label* monoLabel(const QString& text, QWidget* parent) {
  auto* label = new Label(text, TextRole::mono, Tone::normal, parent);
  label->setTextInteractionFlags(Qt::TextSelectableByMouse);
  return label;
}

}  // namespace strata
