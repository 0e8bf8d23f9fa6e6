#include "widgets/shell/memory_log.h"

#include <QPainter>
#include <QPainterPath>

#include "widgets/style/format.h"
#include "widgets/style/labels.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr double kKeepSeconds = 600;
constexpr int kCurveWidth = 360;
constexpr int kCurveHeight = 96;

}  // namespace

MemoryLog::MemoryLog(EngineClient& engine, QObject* parent) : QObject(parent) {
  m_clock.start();
  engine.on<protocol::Memory>(this, [this](const protocol::Memory& memory) { heard(memory); });
}

void MemoryLog::heard(const protocol::Memory& memory) {
  m_device = memory.device;
  m_resident = memory.resident;
  m_now.weights = memory.weights;
  m_now.kv = memory.kv;
  m_now.other = memory.other;
  m_now.total = memory.total > 0 ? std::optional(memory.total) : std::nullopt;
  const double time = seconds();
  if (m_points.empty() || time - m_points.back().seconds >= 1) {
    m_points.push_back({time, m_now});
  } else {
    m_points.back().parts = m_now;
  }
  while (m_points.size() > 1 && m_points[1].seconds < time - kKeepSeconds) m_points.pop_front();
  Q_EMIT changed();
}

MemoryCurve::MemoryCurve(MemoryLog& log, QWidget* parent) : QWidget(parent), m_log(log) {
  setObjectName("memory-curve");
  setAccessibleName(tr("Memory in use over the last ten minutes"));
  connect(&log, &MemoryLog::changed, this, qOverload<>(&QWidget::update));
  followTheme(this, [this] {
    updateGeometry();
    update();
  });
}

QSize MemoryCurve::sizeHint() const {
  return {scaled(kCurveWidth), scaled(kCurveHeight)};
}

void MemoryCurve::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.fillRect(rect(), colors().surface);
  painter.setFont(fontOf(TextRole::caption));
  const int line = painter.fontMetrics().height();
  const QRectF plot = QRectF(rect()).adjusted(1, line, -1, -line);
  painter.setPen(QPen(colors().line, 1));
  painter.drawLine(plot.bottomLeft(), plot.bottomRight());
  std::int64_t most = 0;
  for (const MemoryPoint& point : m_log.points()) most = std::max(most, point.parts.used());
  painter.setPen(colors().second);
  painter.drawText(QRectF(0, plot.bottom(), width(), line), Qt::AlignLeft, tr("10 min ago"));
  painter.drawText(QRectF(0, plot.bottom(), width(), line), Qt::AlignRight, tr("now"));
  if (most == 0) {
    painter.drawText(plot, Qt::AlignCenter, notMeasured());
    return;
  }
  painter.drawText(QRectF(0, 0, width(), line), Qt::AlignLeft, tr("in use, at most %1").arg(formatBytes(most)));
  const double now = m_log.seconds();
  const auto at = [&](double seconds, std::int64_t bytes) {
    const double x = plot.right() - plot.width() * (now - seconds) / kKeepSeconds;
    return QPointF(std::max(plot.left(), x),
                   plot.bottom() - plot.height() * static_cast<double>(bytes) / static_cast<double>(most));
  };
  // The engine tells of changes: between two of them the figure holds, so the curve is one of steps.
  QPainterPath curve;
  std::int64_t last = 0;
  for (const MemoryPoint& point : m_log.points()) {
    if (curve.elementCount() == 0) {
      curve.moveTo(at(point.seconds, point.parts.used()));
    } else {
      curve.lineTo(at(point.seconds, last));
      curve.lineTo(at(point.seconds, point.parts.used()));
    }
    last = point.parts.used();
  }
  curve.lineTo(at(now, last));
  painter.setRenderHint(QPainter::Antialiasing);
  painter.setPen(QPen(colors().accent, 1.5));
  painter.drawPath(curve);
}

}  // namespace strata
