#include "widgets/shell/picker_button.h"

#include <QEvent>

#include "widgets/style/icons.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kShortest = 64;

}  // namespace

PickerButton::PickerButton(const QString& subject, int widest, QWidget* parent)
    : Button({}, ButtonKind::plain, parent), m_subject(subject), m_widest(widest) {
  setIcon(strata::icon("chevron-down", Ink::second));
  setLayoutDirection(Qt::RightToLeft);  // the arrow stands behind the text
  setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
}

void PickerButton::setChoice(const QString& text, const QString& details) {
  m_choice = text;
  m_details = details;
  setAccessibleName(m_subject + ": " + text);
  updateGeometry();
  shorten();
}

/// What the button needs beside its text: ask it with none.
int PickerButton::textRoom() const {
  const int around = Button::sizeHint().width() - fontMetrics().horizontalAdvance(text());
  return std::max(0, width() - around);
}

void PickerButton::shorten() {
  const QString shown =
      fontMetrics().elidedText(m_choice, Qt::ElideMiddle, std::max(textRoom(), scaled(kShortest) / 2));
  setText(shown);
  const bool whole = shown == m_choice;
  setToolTip(whole ? m_details : m_details.isEmpty() ? m_choice : m_choice + "\n" + m_details);
}

QSize PickerButton::sizeHint() const {
  const QSize now = Button::sizeHint();
  const int whole = now.width() - fontMetrics().horizontalAdvance(text()) + fontMetrics().horizontalAdvance(m_choice);
  return {std::min(whole, scaled(m_widest)), now.height()};
}

QSize PickerButton::minimumSizeHint() const {
  return {std::min(sizeHint().width(), scaled(kShortest)), sizeHint().height()};
}

void PickerButton::resizeEvent(QResizeEvent* event) {
  Button::resizeEvent(event);
  shorten();
}

void PickerButton::changeEvent(QEvent* event) {
  Button::changeEvent(event);
  if (event->type() == QEvent::FontChange || event->type() == QEvent::StyleChange) shorten();
}

}  // namespace strata
