#include "widgets/chat/difference_bar.h"

#include <QAbstractButton>
#include <QGridLayout>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QPainter>
#include <QProgressBar>
#include <QVBoxLayout>

#include "widgets/chat/token_text.h"
#include "widgets/style/controls.h"
#include "widgets/style/format.h"
#include "widgets/style/theme.h"

namespace strata {
DifferenceBar::DifferenceBar(Differences& differences, QWidget* parent)
    : Pane(Ground::raised, parent), m_differences(differences) {
  setObjectName("differenceBar");
  setAccessibleName(tr("Differences, token by token"));
  setFocusPolicy(Qt::StrongFocus);
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(kGapGroups, kGapRelated, kGapGroups, kGapRelated);
  column->setSpacing(kGapInside);
  auto* row = new QHBoxLayout;
  row->setSpacing(kGapRelated);
  m_text = new SegmentedButtons({tr("A's text"), tr("B's text")}, this);
  m_text->setObjectName("differenceText");
  m_text->setAccessibleName(tr("Whose text both sides read"));
  m_text->setCompact(true);
  for (int i = 0; i < m_text->count(); ++i) m_text->button(i)->setObjectName(QString("differenceText%1").arg(i));
  row->addWidget(m_text);
  m_summary = new ElidedLabel({}, TextRole::body, Tone::second, this);
  m_summary->setObjectName("differenceSummary");
  row->addWidget(m_summary, 1);
  m_progress = new QProgressBar(this);
  m_progress->setTextVisible(false);
  m_progress->setFixedWidth(scaled(96));
  m_progress->setObjectName("differenceProgress");
  m_progress->setAccessibleName(tr("Progress of the comparison"));
  row->addWidget(m_progress);
  m_stop = makeButton(tr("Stop"), ButtonKind::link, this);
  m_stop->setObjectName("differenceStop");
  m_stop->setAccessibleName(tr("Stop the comparison"));
  m_first = makeButton(tr("First difference"), ButtonKind::link, this);
  m_first->setObjectName("differenceFirst");
  m_before = makeIconButton("chevron-left", tr("Token before"), tr("Left"), this);
  m_before->setObjectName("differenceBefore");
  m_next = makeIconButton("chevron-right", tr("Next token"), tr("Right"), this);
  m_next->setObjectName("differenceNext");
  for (Button* button : {m_stop, m_first, m_before, m_next}) {
    button->setCompact(true);
    row->addWidget(button);
  }
  column->addLayout(row);
  m_read = new QWidget(this);
  auto* grid = new QGridLayout(m_read);
  grid->setContentsMargins(0, 0, 0, 0);
  grid->setHorizontalSpacing(kGapRelated);
  grid->setVerticalSpacing(kGapInside);
  m_token = new ElidedLabel({}, TextRole::mono, Tone::normal, m_read);
  m_token->setObjectName("differenceToken");
  m_a = new ElidedLabel({}, TextRole::mono, Tone::normal, m_read);
  m_a->setObjectName("differenceA");
  m_b = new ElidedLabel({}, TextRole::mono, Tone::normal, m_read);
  m_b->setObjectName("differenceB");
  grid->addWidget(m_token, 0, 0, 1, 4);
  grid->addWidget(new SideBadge(BadgeSide::a, m_read), 1, 0);
  grid->addWidget(m_a, 1, 1);
  grid->addWidget(new SideBadge(BadgeSide::b, m_read), 1, 2);
  grid->addWidget(m_b, 1, 3);
  grid->setColumnStretch(1, 1);
  grid->setColumnStretch(3, 1);
  column->addWidget(m_read);
  connect(m_text, &SegmentedButtons::chosen, this,
          [this](int index) { m_differences.setText(index == 0 ? Which::a : Which::b); });
  connect(m_stop, &QPushButton::clicked, this, [this] { m_differences.cancel(); });
  connect(m_first, &QPushButton::clicked, this, [this] {
    if (m_differences.state() == Differences::State::shown) {
      m_differences.chooseFirstDifference();
    } else {
      m_differences.refresh();
    }
  });
  connect(m_before, &QPushButton::clicked, this, [this] { m_differences.choose(m_differences.chosen() - 1); });
  connect(m_next, &QPushButton::clicked, this, [this] { m_differences.choose(m_differences.chosen() + 1); });
  connect(&differences, &Differences::changed, this, &DifferenceBar::refresh);
  connect(&differences, &Differences::chosenChanged, this, &DifferenceBar::showToken);
  refresh();
}

void DifferenceBar::refresh() {
  const Differences::State state = m_differences.state();
  setVisible(m_differences.isOn());
  m_text->setCurrent(m_differences.text() == Which::a ? 0 : 1);
  const bool computing = state == Differences::State::computing;
  const bool shown = state == Differences::State::shown;
  m_progress->setVisible(computing);
  m_stop->setVisible(computing);
  const Answering::Stage& stage = m_differences.stage();
  m_progress->setRange(0, stage.total > 0 ? 1000 : 0);
  if (stage.total > 0) m_progress->setValue(static_cast<int>(1000.0 * double(stage.done) / double(stage.total)));
  m_first->setVisible(shown || state == Differences::State::failed);
  m_first->setText(shown ? tr("First difference") : tr("Compute again"));
  m_before->setVisible(shown);
  m_next->setVisible(shown);
  m_read->setVisible(shown);
  m_summary->setTone(state == Differences::State::failed ? Tone::bad : Tone::second);
  switch (state) {
    case Differences::State::off:
    case Differences::State::nothing:
      m_summary->setText(tr("The last question needs a whole answer on each side."));
      break;
    case Differences::State::computing:
      m_summary->setText(stage.what.isEmpty() ? tr("Both sides read the answer") : stage.what);
      break;
    case Differences::State::failed:
      m_summary->setText(m_differences.problem());
      break;
    case Differences::State::shown:
      m_summary->setText(tr("question %1: mean KL(A || B) %2 nats a token; tints from 0.01, 0.03, 0.1 and 0.3 nats")
                             .arg(formatCount(m_differences.turn() + 1), formatNats(m_differences.result()->meanKl)));
      break;
  }
  showToken();
  update();
}

void DifferenceBar::showToken() {
  const int chosen = m_differences.chosen();
  const auto& result = m_differences.result();
  if (!result || chosen < 0 || chosen >= static_cast<int>(result->tokens.size())) {
    for (ElidedLabel* label : {m_token, m_a, m_b}) label->setText({});
    return;
  }
  const TokenText text = textOf(*result, static_cast<std::size_t>(chosen));
  m_token->setText(text.token);
  m_a->setText(text.a);
  m_b->setText(text.b);
  m_a->setAccessibleName(tr("A would say: %1").arg(m_a->text()));
  m_b->setAccessibleName(tr("B would say: %1").arg(m_b->text()));
  m_before->setEnabled(chosen > 0);
  m_next->setEnabled(chosen + 1 < static_cast<int>(result->tokens.size()));
  setAccessibleDescription(readOut());
}

QString DifferenceBar::readOut() const {
  return tr("%1. A: %2. B: %3").arg(m_token->text(), m_a->text(), m_b->text());
}

void DifferenceBar::keyPressEvent(QKeyEvent* event) {
  switch (event->key()) {
    case Qt::Key_Left:
      m_differences.choose(m_differences.chosen() - 1);
      break;
    case Qt::Key_Right:
      m_differences.choose(m_differences.chosen() + 1);
      break;
    case Qt::Key_Home:
      m_differences.chooseFirstDifference();
      break;
    default:
      Pane::keyPressEvent(event);
      return;
  }
  event->accept();
}

void DifferenceBar::paintEvent(QPaintEvent* event) {
  Pane::paintEvent(event);
  if (!hasFocus()) return;
  QPainter painter(this);
  painter.setPen(QPen(colors().accent, kFocusWidth));
  painter.drawRect(rect().adjusted(1, 1, -1, -1));
}

void DifferenceBar::focusInEvent(QFocusEvent* event) {
  Pane::focusInEvent(event);
  update();
}

void DifferenceBar::focusOutEvent(QFocusEvent* event) {
  Pane::focusOutEvent(event);
  update();
}

}  // namespace strata
