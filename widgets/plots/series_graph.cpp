#include "widgets/plots/series_graph.h"

#include <algorithm>
#include <cmath>

#include "widgets/plots/plot_theme.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr std::size_t kManyPoints = 10'000;
constexpr int kPixelsADot = 12;  // points are marked where they are farther apart
constexpr double kDotRadius = 2.5;
constexpr double kIntervalAlpha = 0.18;
constexpr double kFarAway = 1e5;  // pixels; beyond, coordinates are cut

}  // namespace

QColor SeriesGraph::color() const {
  const QColor full = style.steps > 1 ? stepColor(style.slot, style.step, style.steps) : seriesColor(style.slot);
  return faded ? paler(full) : full;
}

bool SeriesGraph::isDense() const {
  const auto [begin, end] = data.within(axis, shownX());
  return end - begin > kManyPoints;
}

QPen SeriesGraph::linePen() const {
  QPen pen = seriesPen(style.slot, style.dashed, highlighted ? 2 : style.live ? 1 : 1.5);
  pen.setColor(color());
  return pen;
}

std::optional<std::size_t> SeriesGraph::lastInView() const {
  const auto [begin, end] = data.within(axis, shownX());
  for (std::size_t i = end; i > begin; --i) {
    const double value = data.at(line(), i - 1);
    if (std::isfinite(value) && (!isLog() || value > 0)) return i - 1;
  }
  return {};
}

Extent SeriesGraph::inView() const {
  const auto [begin, end] = data.within(axis, shownX());
  Extent extent = data.extent(SeriesLine::raw, begin, end);
  return extent;
}

QCPRange SeriesGraph::getKeyRange(bool& found, QCP::SignDomain) const {
  const std::optional<PlotRange> range = data.xRange(axis);
  found = range.has_value();
  return found ? QCPRange(range->from, range->to) : QCPRange();
}

QCPRange SeriesGraph::getValueRange(bool& found, QCP::SignDomain, const QCPRange&) const {
  const Extent extent = inView();
  found = !extent.empty();
  return found ? QCPRange(extent.min, extent.max) : QCPRange();
}

double SeriesGraph::pixelY(double value) const {
  return std::clamp(mValueAxis->coordToPixel(value), -kFarAway, kFarAway);
}

void SeriesGraph::draw(QCPPainter* painter) {
  if (!data.has(axis)) return;
  // Of the device: an export at twice the size has twice the columns.
  const double scale = std::max(1.0, painter->worldTransform().m11() * painter->device()->devicePixelRatioF());
  const int pixels = static_cast<int>(mKeyAxis->axisRect()->width() * scale);
  const bool dense = isDense();
  painter->setAntialiasing(!dense);
  if (style.interval && data.bucketed()) drawInterval(*painter, pixels);
  QPen pen = linePen();
  if (dense) {
    pen.setWidthF(1);
    pen.setStyle(Qt::SolidLine);  // dashes of a dense line cannot be seen and cost most of its time
  }
  if (data.smoothing() > 0) {
    QPen raw(paler(pen.color()), 1);
    drawLine(*painter, SeriesLine::raw, raw, pixels);
  }
  drawLine(*painter, line(), pen, pixels);
  const auto [begin, end] = data.within(axis, shownX());
  if (end > begin && static_cast<int>(end - begin) * kPixelsADot <= mKeyAxis->axisRect()->width()) {
    drawDots(*painter, line(), pen.color());
  }
}

void SeriesGraph::drawLine(QCPPainter& painter, SeriesLine line, const QPen& pen, int pixels) const {
  QPolygonF points;
  const auto flush = [&] {
    if (points.size() > 1) painter.drawPolyline(points);
    points.clear();
  };
  painter.setPen(pen);
  painter.setBrush(Qt::NoBrush);
  for (const EnvelopeColumn& column : data.envelope(line, axis, shownX(), pixels, isLog())) {
    if (std::isnan(column.low)) {
      flush();
      continue;
    }
    const double x = mKeyAxis->coordToPixel(column.x);
    const auto add = [&](double value) {
      if (std::isnan(value)) return;
      const double y = pixelY(value);
      if (points.isEmpty() || points.last() != QPointF(x, y)) points.append({x, y});
    };
    add(column.first);
    // The interval around a value is drawn as a band, not as strokes.
    if (column.low < column.high && !(style.interval && data.bucketed())) {
      add(column.low);
      add(column.high);
    }
    add(column.last);
  }
  flush();
}

void SeriesGraph::drawInterval(QCPPainter& painter, int pixels) const {
  QPolygonF top, bottom;
  const auto flush = [&] {
    std::reverse(bottom.begin(), bottom.end());
    if (top.size() > 1) painter.drawPolygon(top + bottom);
    top.clear();
    bottom.clear();
  };
  QColor fill = color();
  fill.setAlphaF(static_cast<float>(kIntervalAlpha));
  painter.setPen(Qt::NoPen);
  painter.setBrush(isDense() ? mixed(color(), colors().surface, kIntervalAlpha) : fill);
  for (const EnvelopeColumn& column : data.envelope(SeriesLine::raw, axis, shownX(), pixels, isLog())) {
    if (std::isnan(column.low)) {
      flush();
      continue;
    }
    const double x = mKeyAxis->coordToPixel(column.x);
    top.append({x, pixelY(column.high)});
    bottom.append({x, pixelY(column.low)});
  }
  flush();
}

void SeriesGraph::drawDots(QCPPainter& painter, SeriesLine line, const QColor& color) const {
  const auto [begin, end] = data.within(axis, shownX());
  painter.setAntialiasing(true);
  painter.setPen(Qt::NoPen);
  painter.setBrush(color);
  for (std::size_t i = begin; i < end; ++i) {
    const double value = data.at(line, i);
    if (!std::isfinite(value) || (isLog() && value <= 0)) continue;
    painter.drawEllipse(QPointF(mKeyAxis->coordToPixel(data.columns().x(axis)[i]), pixelY(value)), kDotRadius,
                        kDotRadius);
  }
}

}  // namespace strata
