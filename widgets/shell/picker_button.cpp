#include "widgets/shell/picker_button.h"

#include <QEvent>
#include <QStyleOptionButton>

#include "widgets/style/labels.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kShortest = 64;

}  // namespace

PickerButton::PickerButton(const QString& subject, int widest, QWidget* parent)
    : Button({}, ButtonKind::plain, parent), m_subject(subject), m_widest(widest) {
  setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
}

void PickerButton::setChoice(const QString& text, const QString& details) {
  m_choice = text;
  m_details = details;
  setAccessibleName(m_subject + ": " + text);
  updateGeometry();
  shorten();
}

void PickerButton::setWhole(bool whole) {
  m_whole = whole;
  updateGeometry();
}

/// What the button needs beside its text: its padding and the arrow.
int PickerButton::around() const {
  return 2 * (kGapRelated + kGapInside) + kGapInside + metrics().icon + kGapInside;
}

void PickerButton::shorten() {
  const QString shown = fontMetrics().elidedText(m_choice, Qt::ElideRight, width() - around());
  setText(shown);
  const bool whole = shown == m_choice;
  setToolTip(tipOf(whole ? m_details : m_details.isEmpty() ? m_choice : m_choice + "\n" + m_details));
}

QSize PickerButton::sizeHint() const {
  const int wanted = fontMetrics().horizontalAdvance(m_choice) + 1 + around();  // 1: advances are rounded
  return {m_whole ? wanted : std::min(wanted, scaled(m_widest)), metrics().control};
}

QSize PickerButton::minimumSizeHint() const {
  return {m_whole ? sizeHint().width() : std::min(sizeHint().width(), scaled(kShortest)), metrics().control};
}

/// Looks like what it is, a button that opens choices, without holding a menu all the time.
void PickerButton::initStyleOption(QStyleOptionButton* option) const {
  Button::initStyleOption(option);
  option->features |= QStyleOptionButton::HasMenu;
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
