#include "widgets/style/segmented_buttons.h"

#include <QButtonGroup>
#include <QHBoxLayout>
#include <QPainter>
#include <QPainterPath>
#include <QRadioButton>
#include <QStyleOption>

#include "widgets/style/style_painters.h"

namespace strata {
namespace {

// A radio button, so that arrow keys, focus and screen readers behave as people know it; only its looks differ.
class Segment : public QRadioButton {
 public:
  Segment(const QString& text, bool first, bool last, bool compact, QWidget* parent)
      : QRadioButton(text, parent), m_first(first), m_last(last), m_compact(compact) {
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
    setAttribute(Qt::WA_Hover);
  }

  void setCompact(bool compact) {
    m_compact = compact;
    updateGeometry();
  }

  QSize sizeHint() const override {
    const Metrics& sizes = metrics();
    const int overlap = m_last ? 0 : colors().edgeWidth;  // neighbours share an edge
    return {fontMetrics().horizontalAdvance(text()) + 2 * (m_compact ? 8 : 12) - overlap,
            m_compact ? sizes.compactRow : sizes.control};
  }
  QSize minimumSizeHint() const override { return sizeHint(); }

 protected:
  bool hitButton(const QPoint& position) const override { return rect().contains(position); }

  void paintEvent(QPaintEvent*) override {
    const Colors& c = colors();
    QStyleOption option;
    option.initFrom(this);
    QPainter painter(this);
    painter.setClipRect(rect());
    // Inner ends are drawn beyond the widget, which cuts their round corners off.
    const QRect shape = rect().adjusted(m_first ? 0 : -kRadius, 0, m_last ? 0 : kRadius, 0);
    const bool chosen = isChecked();
    const QColor ground = !isEnabled() ? (chosen ? c.line : c.window) : chosen ? c.accent : c.surface;
    const QColor border = isEnabled() ? c.edge : paint::disabledEdge(c);
    paint::box(painter, shape, ground, chosen && isEnabled() ? c.accent : border, c.edgeWidth);
    if (!chosen && isEnabled() && (option.state & QStyle::State_MouseOver)) {
      paint::box(painter, shape, isDown() ? paint::pressTint(c) : paint::hoverTint(c), {});
    }
    if (!m_first && !chosen) painter.fillRect(QRect(0, 0, c.edgeWidth, height()), border);
    painter.setPen(!isEnabled() ? paint::disabledText(c) : chosen ? c.onAccent : c.text);
    painter.drawText(rect(), Qt::AlignCenter, text());
    if (paint::showsFocus(option)) {
      paint::box(painter, rect().adjusted(3, 3, -3, -3), {}, chosen ? c.onAccent : c.accent, kFocusWidth, kRadius - 3);
    }
  }

 private:
  bool m_first;
  bool m_last;
  bool m_compact;
};

}  // namespace

SegmentedButtons::SegmentedButtons(const QStringList& names, QWidget* parent)
    : QWidget(parent), m_group(new QButtonGroup(this)) {
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(0, 0, 0, 0);
  row->setSpacing(0);
  setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
  connect(m_group, &QButtonGroup::idClicked, this, &SegmentedButtons::chosen);
  connect(m_group, &QButtonGroup::idToggled, this, &SegmentedButtons::leadTab);
  setNames(names);
}

void SegmentedButtons::setNames(const QStringList& names) {
  for (QAbstractButton* old : m_group->buttons()) {
    m_group->removeButton(old);
    delete old;
  }
  for (qsizetype i = 0; i < names.size(); ++i) {
    auto* segment = new Segment(names[i], i == 0, i + 1 == names.size(), m_compact, this);
    segment->setAccessibleName(names[i]);
    m_group->addButton(segment, static_cast<int>(i));
    layout()->addWidget(segment);
  }
  leadTab();
  updateGeometry();
}

int SegmentedButtons::count() const {
  return static_cast<int>(m_group->buttons().size());
}

int SegmentedButtons::current() const {
  return m_group->checkedId();
}

void SegmentedButtons::setCurrent(int index) {
  if (QAbstractButton* wanted = m_group->button(index)) {
    wanted->setChecked(true);
    return;
  }
  m_group->setExclusive(false);
  for (QAbstractButton* each : m_group->buttons()) each->setChecked(false);
  m_group->setExclusive(true);
  leadTab();
}

void SegmentedButtons::leadTab() {
  const int chosen = std::max(0, current());
  for (QAbstractButton* each : m_group->buttons()) {
    each->setFocusPolicy(m_group->id(each) == chosen ? Qt::StrongFocus : Qt::ClickFocus);
  }
}

QAbstractButton* SegmentedButtons::button(int index) const {
  return m_group->button(index);
}

void SegmentedButtons::setButtonEnabled(int index, bool enabled, const QString& why) {
  if (QAbstractButton* wanted = m_group->button(index)) {
    wanted->setEnabled(enabled);
    wanted->setToolTip(why);
    wanted->setAccessibleDescription(why);
  }
}

void SegmentedButtons::setCompact(bool compact) {
  m_compact = compact;
  for (QAbstractButton* each : m_group->buttons()) static_cast<Segment*>(each)->setCompact(compact);
}

}  // namespace strata
