#include "widgets/training/step_list.h"

#include <QButtonGroup>
#include <QPainter>
#include <QStyleOption>
#include <QVBoxLayout>
#include <algorithm>

#include "widgets/style/named.h"
#include "widgets/style/style_painters.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

const QColor& colorOf(Tone tone) {
  switch (tone) {
    case Tone::normal:
      return colors().text;
    case Tone::accent:
      return colors().accent;
    case Tone::good:
      return colors().good;
    case Tone::warn:
      return colors().warn;
    case Tone::bad:
      return colors().bad;
    case Tone::second:
      break;
  }
  return colors().second;
}

}  // namespace

StepButton::StepButton(int number, const QString& title, QWidget* parent) : QAbstractButton(parent), m_number(number) {
  setText(title);
  setCheckable(true);
  setFocusPolicy(Qt::StrongFocus);
  setCursor(Qt::PointingHandCursor);
  setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Fixed);
  setState({}, Tone::second);
  followTheme(this, [this] { updateGeometry(); });
}

void StepButton::setState(const QString& words, Tone tone) {
  m_words = words;
  m_tone = tone;
  setAccessibleName(words.isEmpty() ? tr("Step %1: %2").arg(m_number).arg(text())
                                    : tr("Step %1: %2, %3").arg(m_number).arg(text(), words));
  update();
}

QSize StepButton::sizeHint() const {
  const QFontMetrics title(fonts().strong), state(fonts().caption);
  const int wide = std::max(title.horizontalAdvance(QString::number(m_number) + "  " + text()),
                            state.horizontalAdvance(m_words) + title.horizontalAdvance("0  "));
  return {wide + 2 * kGapGroups, title.height() + state.height() + 2 * kGapRelated};
}

void StepButton::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  if (isChecked() || underMouse()) painter.fillRect(rect(), colors().raised);
  if (isChecked()) painter.fillRect(QRect(0, 0, kSelectionEdge, height()), colors().accent);
  const QFontMetrics title(fonts().strong);
  const int number = title.horizontalAdvance("0  ");
  painter.setFont(fonts().mono);
  painter.setPen(colors().second);
  const int top = kGapRelated;
  painter.drawText(QRect(kGapGroups, top, number, title.height()), Qt::AlignVCenter, QString::number(m_number));
  painter.setFont(isChecked() ? fonts().strong : fonts().body);
  painter.setPen(colors().text);
  const QRect words(kGapGroups + number, top, width() - kGapGroups - number - kGapInside, title.height());
  painter.drawText(words, Qt::AlignVCenter, painter.fontMetrics().elidedText(text(), Qt::ElideRight, words.width()));
  painter.setFont(fonts().caption);
  painter.setPen(colorOf(m_tone));
  painter.drawText(words.translated(0, title.height()), Qt::AlignTop,
                   painter.fontMetrics().elidedText(m_words, Qt::ElideRight, words.width()));
  QStyleOption option;
  option.initFrom(this);
  if (paint::showsFocus(option)) paint::focusRing(painter, rect().adjusted(kSelectionEdge + 1, 2, -2, -2), colors());
}

StepList::StepList(const QStringList& titles, QWidget* parent) : QWidget(parent), m_group(new QButtonGroup(this)) {
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(0);
  for (int i = 0; i < titles.size(); ++i) {
    auto* step = named(new StepButton(i + 1, titles[i]), qPrintable(QString("step-%1").arg(i + 1)));
    m_group->addButton(step, i);
    m_steps.push_back(step);
    column->addWidget(step);
  }
  m_steps.front()->setChecked(true);
  connect(m_group, &QButtonGroup::idClicked, this, &StepList::chosen);
}

int StepList::current() const {
  return m_group->checkedId();
}

void StepList::setCurrent(int step) {
  m_steps[static_cast<std::size_t>(step)]->setChecked(true);
}

void StepList::setState(int step, const QString& words, Tone tone) {
  m_steps[static_cast<std::size_t>(step)]->setState(words, tone);
}

}  // namespace strata
