#include "widgets/training/borrowed_bars.h"

#include <QHelpEvent>
#include <QPainter>
#include <QToolTip>
#include <algorithm>
#include <cmath>

#include "widgets/style/controls.h"
#include "widgets/style/format.h"
#include "widgets/style/named.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr std::int64_t kAskedParts = 20;  // of the steps done, how many more before it is asked again

QString shareText(int layer, double share) {
  return BorrowedBars::tr("Layer %1: %2 of its reads").arg(layer).arg(formatPercent(share));
}

}  // namespace

BorrowedBars::BorrowedBars(Session& session, QWidget* parent) : QWidget(parent), m_session(session) {
  named(this, "borrowedBars", tr("Reads that borrow, by layer"));
  setWhatsThis(
      tr("How often each layer read the keys and values of another one in the training steps so far, from the routings "
         "that were drawn."));
  followTheme(this, [this] { update(); });
}

void BorrowedBars::show(const std::string& run) {
  ++m_age;
  m_run = run;
  m_step = 0;
  m_askedAt = -1;
  m_asking = false;
  m_problem.clear();
  m_reads.reset();
  setAccessibleDescription({});
  update();
}

void BorrowedBars::setStep(std::int64_t step, bool alive) {
  m_step = step;
  m_alive = alive;
  const bool more = step > m_askedAt + (alive ? m_askedAt / kAskedParts : 0);
  if (!m_run.empty() && !m_asking && step > 0 && more) ask();
}

void BorrowedBars::ask() {
  m_asking = true;
  m_askedAt = m_step;
  protocol::ReadBorrowed::Params params;
  params.id = m_run;
  m_session.engine().call<protocol::ReadBorrowed>(
      params, this, [this, age = m_age](const Result<protocol::ReadBorrowed::Answer>& answer) {
        if (age != m_age) return;
        m_asking = false;
        if (answer) {
          m_reads = *answer;
          m_problem.clear();
        } else {
          m_problem = QString::fromStdString(answer.error().message);
        }
        setAccessibleDescription(summary());
        update();
        Q_EMIT arrived();
        setStep(m_step, m_alive);  // what came meanwhile
      });
}

QString BorrowedBars::caption() const {
  if (!m_reads || m_reads->counted == 0) return {};
  const QString replayed = m_reads->replayed ? tr(", from a file") : QString();
  if (m_reads->counted == m_reads->steps) {
    return tr("%n step(s)", nullptr, pluralOf(m_reads->steps)) + replayed;
  }
  return tr("%1 of %2 steps").arg(formatCount(m_reads->counted), formatCount(m_reads->steps)) + replayed;
}

QString BorrowedBars::summary() const {
  if (!m_reads || m_reads->counted == 0) return m_problem;
  QStringList lines{caption()};
  for (std::size_t layer = 0; layer < m_reads->share.size(); ++layer) {
    lines << shareText(static_cast<int>(layer), m_reads->share[layer]);
  }
  return lines.join(u'\n');
}

QRectF BorrowedBars::plotArea() const {
  const QFontMetrics small(fontOf(TextRole::caption));
  const int left = small.horizontalAdvance(QStringLiteral("100 %")) + kGapGroups;
  const int top = metrics().strip + kGapGroups;
  return QRectF(left, top, width() - left - kGapGroups, height() - top - 2 * small.height() - kGapRelated - kGapInside);
}

QRectF BorrowedBars::bar(int layer, const QRectF& area) const {
  const double each = area.width() / static_cast<double>(m_reads->share.size());
  const double gap = each >= 8 ? std::min(each * .25, 8.0) : 0;
  const double high = area.height() * m_reads->share[static_cast<std::size_t>(layer)];
  return {area.left() + each * layer + gap / 2, area.bottom() - high, std::max(each - gap, 1.0), high};
}

void BorrowedBars::paintEvent(QPaintEvent*) {
  const Colors& c = colors();
  QPainter painter(this);
  painter.fillRect(rect().adjusted(0, metrics().strip, 0, 0), c.surface);
  painter.setFont(fontOf(TextRole::strong));
  painter.setPen(c.text);
  const QRect head(0, 0, width(), metrics().strip);
  const QString title = tr("Reads that borrow, by layer");
  painter.drawText(head, Qt::AlignLeft | Qt::AlignVCenter, title);
  const int used = painter.fontMetrics().horizontalAdvance(title) + kGapGroups;
  painter.setFont(fontOf(TextRole::caption));
  painter.setPen(c.second);
  painter.drawText(head.adjusted(used, 0, 0, 0), Qt::AlignRight | Qt::AlignVCenter, caption());
  const QRectF area = plotArea();
  if (!m_reads || m_reads->counted == 0) {
    painter.setFont(fontOf(TextRole::body));
    const QString words = m_problem.isEmpty() ? tr("The first step draws the first routings.") : m_problem;
    painter.drawText(area, Qt::AlignCenter | Qt::TextWordWrap, words);
    return;
  }
  const QFontMetrics small = painter.fontMetrics();
  for (const double share : {0.0, .5, 1.0}) {
    const double y = std::round(area.bottom() - area.height() * share);
    painter.setPen(c.line);
    painter.drawLine(QPointF(area.left(), y), QPointF(area.right(), y));
    painter.setPen(c.second);
    painter.drawText(QRectF(0, y - small.height() / 2.0, area.left() - kGapInside, small.height()),
                     Qt::AlignRight | Qt::AlignVCenter, formatPercent(share));
  }
  const int layers = static_cast<int>(m_reads->share.size());
  for (int layer = 0; layer < layers; ++layer) painter.fillRect(bar(layer, area), c.series[2]);
  int every = 1;
  const double each = area.width() / layers;
  const int wide = small.horizontalAdvance(QString::number(layers)) + kGapRelated;
  for (const int step : {1, 2, 5, 10, 20, 50}) {
    every = step;
    if (each * step >= wide) break;
  }
  for (int layer = 0; layer < layers; layer += every) {
    const QRectF room(area.left() + each * (layer + .5) - wide, area.bottom() + kGapInside, 2 * wide, small.height());
    painter.drawText(room, Qt::AlignCenter, QString::number(layer));
  }
  painter.drawText(QRectF(area.left(), area.bottom() + kGapInside + small.height(), area.width(), small.height()),
                   Qt::AlignRight, tr("layer"));
}

bool BorrowedBars::event(QEvent* event) {
  if (event->type() != QEvent::ToolTip || !m_reads || m_reads->counted == 0) return QWidget::event(event);
  const auto* help = static_cast<QHelpEvent*>(event);
  const QRectF area = plotArea();
  const double each = area.width() / static_cast<double>(m_reads->share.size());
  const int layer = static_cast<int>(std::floor((help->pos().x() - area.left()) / each));
  const bool any = layer >= 0 && layer < static_cast<int>(m_reads->share.size());
  if (any) {
    QToolTip::showText(help->globalPos(), shareText(layer, m_reads->share[static_cast<std::size_t>(layer)]), this);
  } else {
    QToolTip::hideText();
  }
  return true;
}

}  // namespace strata
