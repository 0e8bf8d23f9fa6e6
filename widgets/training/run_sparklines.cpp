#include "widgets/training/run_sparklines.h"

#include <QApplication>
#include <QPainter>
#include <algorithm>
#include <cmath>

#include "core/protocol/columns.h"
#include "core/protocol/messages.h"
#include "widgets/plots/plot_theme.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr std::int64_t kBuckets = 48;
constexpr std::size_t kMostWanted = 64;
constexpr int kPartOfARun = 20;  // a live run's line is drawn again after this part of its steps
constexpr int kSwatch = 16;      // pixels at 100 % text

bool isOutOfDate(const protocol::JobInfo& run, std::int64_t step) {
  if (step < 0 || !run.alive) return run.step > 0 && run.step != step;
  return run.step - step >= std::max<std::int64_t>(1, run.steps / kPartOfARun);
}

}  // namespace

RunSparklines::RunSparklines(EngineClient& engine, QObject* parent) : QObject(parent), m_engine(engine) {
  m_timer.setSingleShot(true);
  connect(&m_timer, &QTimer::timeout, this, &RunSparklines::next);
}

const std::vector<double>& RunSparklines::of(const protocol::JobInfo& run) {
  const Line& line = m_lines[run.id];
  if (isOutOfDate(run, line.step)) {
    std::erase_if(m_wanted, [&](const auto& wish) { return wish.first == run.id; });
    if (m_wanted.size() >= kMostWanted) m_wanted.erase(m_wanted.begin());
    m_wanted.emplace_back(run.id, run.step);
    if (!m_asking && !m_timer.isActive()) m_timer.start(0);
  }
  return line.loss;
}

void RunSparklines::forget() {
  m_lines.clear();
  m_wanted.clear();
}

void RunSparklines::next() {
  std::erase_if(m_wanted, [this](const auto& wish) { return m_isShown && !m_isShown(wish.first); });
  if (m_wanted.empty() || m_asking || !m_engine.ready()) return;
  const auto [run, step] = m_wanted.back();
  m_wanted.pop_back();
  protocol::ReadSeries::Params params;
  params.id = run;
  params.names = {"loss"};
  params.buckets = kBuckets;
  m_asking = true;
  ++m_requests;
  m_engine.call<protocol::ReadSeries>(
      params, this, [this, run = run, step = step](const Result<protocol::ReadSeries::Answer>& answer) {
        m_asking = false;
        m_timer.start(kPauseMs);
        // A run without a curve (it was removed meanwhile, say) has no line; choosing it says why.
        Line& line = m_lines[run];
        line.step = step;
        if (!answer || answer->series.empty()) return;
        const auto loss = protocol::decodeColumn(answer->series.front().last);
        if (!loss || *loss == line.loss) return;
        line.loss = *loss;
        Q_EMIT arrived(QString::fromStdString(run));
      });
}

void RunRowDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const {
  QStyledItemDelegate::paint(painter, option, index);
  const auto field = static_cast<RunField>(index.column());
  if (field != RunField::tick && field != RunField::curve) return;
  const QVariant slot = index.data(TrainingRuns::kSlotRole);
  painter->save();
  painter->setRenderHint(QPainter::Antialiasing);
  if (field == RunField::tick) {
    if (slot.isValid()) {
      const qreal middle = option.rect.center().y() + .5;
      const qreal right = option.rect.right() - kGapInside;
      painter->setPen(seriesPen(slot.toInt(), false, 2));
      painter->drawLine(QPointF(right - scaled(kSwatch), middle), QPointF(right, middle));
    }
  } else {
    const std::vector<double>& loss = m_lines.of(m_runs.at(index.row()));
    double least = INFINITY, most = -INFINITY;
    for (const double value : loss) {
      if (!std::isfinite(value)) continue;
      least = std::min(least, value);
      most = std::max(most, value);
    }
    const QRectF room = QRectF(option.rect).adjusted(kGapRelated, kGapInside, -kGapRelated, -kGapInside);
    QPolygonF line;
    for (std::size_t i = 0; i < loss.size() && loss.size() > 1; ++i) {
      if (!std::isfinite(loss[i])) continue;
      const double height = most > least ? (loss[i] - least) / (most - least) : .5;
      line << QPointF(room.left() + room.width() * static_cast<double>(i) / static_cast<double>(loss.size() - 1),
                      room.bottom() - room.height() * height);
    }
    painter->setPen(QPen(slot.isValid() ? seriesColor(slot.toInt()) : colors().second, 1));
    painter->drawPolyline(line);
  }
  painter->restore();
}

}  // namespace strata
