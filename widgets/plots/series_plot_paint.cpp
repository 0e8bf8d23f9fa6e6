#include <algorithm>
#include <cmath>

#include "widgets/plots/plot_theme.h"
#include "widgets/plots/plot_ticks.h"
#include "widgets/plots/series_plot_private.h"
#include "widgets/style/style_painters.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kSwatch = 14;          // the piece of line before a name
constexpr int kMostNameWidth = 140;  // beside the plot; longer ones are elided
constexpr int kLegendLines = 3;      // at most, and at most a quarter of the height
constexpr int kMostRead = 8;         // series in the crosshair's box
constexpr double kBandGround = 0.5;  // of `raised` on the surface
constexpr double kMarkerLine = 0.6;  // of its colour
constexpr int kNearMarker = 4;       // pixels at which the crosshair names a marker

QColor markerColor(MarkerKind kind) {
  const Colors& c = colors();
  return kind == MarkerKind::skipped ? c.warn : kind == MarkerKind::evaluation ? c.accent : c.edge;
}

void paintSwatch(QCPPainter& painter, const SeriesGraph& graph, double x, double y) {
  QPen pen = graph.linePen();
  pen.setWidthF(2);
  painter.setPen(pen);
  painter.drawLine(QPointF(x, y), QPointF(x + scaled(kSwatch), y));
}

/// In the middle: what tells runs and maps apart stands at the end.
QString elidedName(const SeriesGraph& graph, int width = scaled(kMostNameWidth)) {
  return QFontMetrics(fonts().caption).elidedText(graph.style.name, Qt::ElideMiddle, width);
}

QString leftOut(std::size_t count) {
  return SeriesPlot::tr("and %n more", nullptr, static_cast<int>(count));
}

}  // namespace

int SeriesPlot::Private::roomForNames() const {
  const std::vector<SeriesGraph*> graphs = shown();
  if (graphs.empty() || graphs.size() > kNamedAtEnd) return scaled(24);
  const QFontMetrics caption(fonts().caption);
  int widest = 0;
  for (const SeriesGraph* graph : graphs) widest = std::max(widest, caption.horizontalAdvance(elidedName(*graph)));
  return widest == 0 ? scaled(24) : kGapInside + scaled(kSwatch) + kGapInside + widest + kGapRelated;
}

int SeriesPlot::Private::roomForMarkers() const {
  const int line = QFontMetrics(fonts().caption).height();
  return markers.empty() ? line / 2 + 2 : line + kGapInside;
}

int SeriesPlot::Private::roomAbove() const {
  const std::vector<LegendEntry> entries = legend();
  if (entries.empty()) return roomForMarkers();
  return roomForMarkers() + (entries.back().line + 1) * QFontMetrics(fonts().caption).height() + kGapInside;
}

void SeriesPlot::Private::paintBands(QCPPainter& painter) const {
  const QCPAxis& x = *plot->canvas().xAxis;
  const QRect area = plot->canvas().axisRect()->rect();
  painter.setFont(fonts().caption);
  for (const PlotBand& band : bands) {
    const double from = band.from.on(link->axis()), to = band.to.on(link->axis());
    if (!(from <= to) || to < x.range().lower || from > x.range().upper) continue;
    const double left = std::max<double>(area.left(), x.coordToPixel(from));
    const double right = std::min<double>(area.right() + 1, x.coordToPixel(to));
    const QRectF ground(left, area.top(), right - left, area.height());
    painter.fillRect(ground, mixed(colors().raised, colors().surface, kBandGround));
    painter.setPen(colors().second);
    // A name that is wider than its band goes on behind it.
    painter.drawText(QPointF(left + kGapInside, area.bottom() - kGapInside), band.name);
  }
}

void SeriesPlot::Private::paintMarkers(QCPPainter& painter) const {
  if (shown().empty()) return;
  const QCPAxis& x = *plot->canvas().xAxis;
  const QRect area = plot->canvas().axisRect()->rect();
  const QFontMetrics metrics(fonts().caption);
  painter.setFont(fonts().caption);
  std::vector<const PlotMarker*> inView;
  for (const PlotMarker& marker : markers) {
    const double at = marker.at.on(link->axis());
    if (at >= x.range().lower && at <= x.range().upper) inView.push_back(&marker);
  }
  std::sort(inView.begin(), inView.end(),
            [&](const PlotMarker* a, const PlotMarker* b) { return a->at.on(link->axis()) < b->at.on(link->axis()); });
  double lineEnd = -1e9, nameEnd = -1e9;
  for (std::size_t i = 0; i < inView.size(); ++i) {
    const PlotMarker& marker = *inView[i];
    const double at = std::round(x.coordToPixel(marker.at.on(link->axis()))) + 0.5;
    if (at - lineEnd < 3) continue;
    lineEnd = at;
    QPen pen(mixed(markerColor(marker.kind), colors().surface, kMarkerLine), 1);
    pen.setDashPattern({2, 3});
    painter.setPen(pen);
    painter.drawLine(QPointF(at, area.top()), QPointF(at, area.bottom()));
    // A flag above the curves, and the name where the next one leaves room.
    painter.setPen(Qt::NoPen);
    painter.setBrush(markerColor(marker.kind));
    painter.drawPolygon(QPolygonF({{at - 4, area.top() - 5.0}, {at + 4, area.top() - 5.0}, {at, area.top() + 0.0}}));
    const double width = metrics.horizontalAdvance(marker.name);
    const double next = i + 1 < inView.size() ? x.coordToPixel(inView[i + 1]->at.on(link->axis())) : area.right() + 1.0;
    const double left = at + kGapRelated;
    if (left < nameEnd || left + width + kGapRelated > std::min<double>(next, area.right())) continue;
    nameEnd = left + width + kGapInside;
    painter.setPen(colors().second);
    painter.drawText(QPointF(left, area.top() - metrics.descent()), marker.name);
  }
}

void SeriesPlot::Private::paintNames(QCPPainter& painter) const {
  const std::vector<SeriesGraph*> graphs = shown();
  if (graphs.empty()) return;
  const QRect area = plot->canvas().axisRect()->rect();
  const QFontMetrics metrics(fonts().caption);
  painter.setFont(fonts().caption);
  // The unit of x, below its ticks at their right end.
  painter.setPen(colors().second);
  painter.drawText(QRect(area.left(), area.bottom() + metrics.height() + kGapRelated, area.width(), metrics.height()),
                   Qt::AlignRight | Qt::AlignVCenter, unitOf(link->axis(), link->range()).name);
  if (const std::vector<LegendEntry> entries = legend(); !entries.empty()) return paintLegend(painter, entries);
  struct Name {
    const SeriesGraph* graph;
    double y;
  };
  std::vector<Name> names;
  for (const SeriesGraph* graph : graphs) {
    const auto last = graph->lastInView();
    if (!last || graph->style.name.isEmpty()) continue;
    const double y = plot->canvas().yAxis->coordToPixel(graph->data.at(graph->line(), *last));
    names.push_back({graph, std::clamp<double>(y, area.top() + 1, area.bottom())});
  }
  std::stable_sort(names.begin(), names.end(), [](const Name& a, const Name& b) { return a.y < b.y; });
  // Downwards until none overlaps, then upwards from the bottom.
  const double height = metrics.height();
  for (std::size_t i = 1; i < names.size(); ++i) names[i].y = std::max(names[i].y, names[i - 1].y + height);
  double below = area.bottom() + height / 2 + height;
  for (std::size_t i = names.size(); i-- > 0;) {
    names[i].y = std::min(names[i].y, below - height);
    below = names[i].y;
  }
  const double left = area.right() + 1 + kGapInside;
  for (const Name& name : names) {
    paintSwatch(painter, *name.graph, left, name.y);
    painter.setPen(name.graph->faded ? colors().second : colors().text);
    painter.drawText(
        QPointF(left + scaled(kSwatch) + kGapInside, name.y + (metrics.ascent() - metrics.descent()) / 2.0),
        elidedName(*name.graph));
  }
}

std::vector<SeriesPlot::Private::LegendEntry> SeriesPlot::Private::legend() const {
  std::vector<SeriesGraph*> graphs = shown();
  if (graphs.size() <= kNamedAtEnd) return {};
  std::vector<LegendEntry> entries = layOutLegend(graphs);
  // Where all have room none moves under the pointer.
  if (entries.back().graph) return entries;
  std::stable_partition(graphs.begin(), graphs.end(), [](const SeriesGraph* graph) { return graph->highlighted; });
  return layOutLegend(graphs);
}

std::vector<SeriesPlot::Private::LegendEntry> SeriesPlot::Private::layOutLegend(
    const std::vector<SeriesGraph*>& graphs) const {
  const QFontMetrics metrics(fonts().caption);
  const QSize room = plot->canvas().size();
  const int lines = std::clamp(room.height() / (4 * metrics.height()), 1, kLegendLines);
  // Somewhat narrower names where one more then stands in each line.
  const int besideName = scaled(kSwatch) + kGapInside + kGapGroups;
  const int most = scaled(kMostNameWidth), across = room.width() - kGapInside;
  const int columns = std::max(1, qRound(across / static_cast<double>(most + besideName)));
  const int nameWidth = std::min(most, across / columns - besideName);
  std::vector<LegendEntry> entries;
  int line = 0;
  double left = kGapInside;
  for (std::size_t i = 0; i < graphs.size(); ++i) {
    const QString name = elidedName(*graphs[i], nameWidth), others = leftOut(graphs.size() - i);
    const double width = besideName + metrics.horizontalAdvance(name);
    const bool isLast = i + 1 == graphs.size();
    const auto fits = [&] {
      const bool needsMore = line + 1 == lines && !isLast;
      return left + width + (needsMore ? metrics.horizontalAdvance(others) : 0) <= room.width();
    };
    if (!fits() && line + 1 < lines && left > kGapInside) {
      ++line;
      left = kGapInside;
    }
    if (!fits() && line + 1 == lines) {
      entries.push_back({nullptr, others, line, left});
      break;
    }
    entries.push_back({graphs[i], name, line, left});
    left += width;
  }
  return entries;
}

void SeriesPlot::Private::paintLegend(QCPPainter& painter, const std::vector<LegendEntry>& entries) const {
  const QFontMetrics metrics(painter.font());
  const double bottom = plot->canvas().axisRect()->top() - roomForMarkers();
  for (const LegendEntry& entry : entries) {
    const double middle = bottom - (entries.back().line - entry.line + 0.5) * metrics.height();
    const double baseline = middle + (metrics.ascent() - metrics.descent()) / 2.0;
    if (entry.graph) paintSwatch(painter, *entry.graph, entry.left, middle);
    painter.setPen(!entry.graph || entry.graph->faded ? colors().second : colors().text);
    const int indent = entry.graph ? scaled(kSwatch) + kGapInside : 0;
    painter.drawText(QPointF(entry.left + indent, baseline), entry.name);
  }
}

void SeriesPlot::Private::paintCrosshair(QCPPainter& painter) const {
  const QCPAxis& axis = *plot->canvas().xAxis;
  if (!link->crosshair() || plot->isExporting()) return;
  const double x = *link->crosshair();
  const std::vector<SeriesGraph*> graphs = shown();
  if (graphs.empty() || x < axis.range().lower || x > axis.range().upper) return;
  const QRect area = plot->canvas().axisRect()->rect();
  const double at = std::round(axis.coordToPixel(x)) + 0.5;
  painter.setPen(QPen(colors().second, 1));
  painter.drawLine(QPointF(at, area.top()), QPointF(at, area.bottom()));
  std::vector<Reading> readings;
  for (const SeriesGraph* graph : graphs) {
    const std::size_t element = *graph->data.nearest(link->axis(), x);
    const double value = graph->data.at(graph->line(), element);
    readings.push_back({graph, value, graph->data.at(SeriesLine::raw, element)});
    if (!std::isfinite(value) || (log && value <= 0)) continue;
    const QPointF dot(axis.coordToPixel(graph->data.columns().x(link->axis())[element]),
                      plot->canvas().yAxis->coordToPixel(value));
    if (!area.contains(dot.toPoint())) continue;
    painter.setPen(QPen(colors().surface, 1));
    painter.setBrush(graph->color());
    painter.drawEllipse(dot, 3.5, 3.5);
  }
  // As the curves lie; a highlighted one first.
  std::stable_sort(readings.begin(), readings.end(), [](const Reading& a, const Reading& b) {
    if (a.graph->highlighted != b.graph->highlighted) return a.graph->highlighted;
    return std::isfinite(b.value) ? a.value > b.value : std::isfinite(a.value);
  });
  paintReadings(painter, area, at, readings);
}

void SeriesPlot::Private::paintReadings(QCPPainter& painter, const QRect& area, double at,
                                        const std::vector<Reading>& readings) const {
  struct Line {
    QString name, value;
    const SeriesGraph* graph;
  };
  std::vector<Line> lines;
  if (link->crosshairSource() == plot) lines.push_back({formatX(link->axis(), *link->crosshair()), {}, nullptr});
  for (const PlotMarker& marker : markers) {
    const double pixel = plot->canvas().xAxis->coordToPixel(marker.at.on(link->axis()));
    if (std::abs(pixel - at) <= kNearMarker) lines.push_back({marker.name, {}, nullptr});
  }
  const std::size_t most = std::min<std::size_t>(readings.size(), kMostRead);
  for (std::size_t i = 0; i < most; ++i) {
    QString value = format(readings[i].value);
    if (smoothing > 0) value = tr("%1 (%2)").arg(value, format(readings[i].raw));
    lines.push_back({elidedName(*readings[i].graph), value, readings[i].graph});
  }
  if (readings.size() > most) lines.push_back({leftOut(readings.size() - most), {}, nullptr});

  const QFontMetrics text(fonts().caption), mono(fonts().monoCaption);
  const int height = std::max(text.height(), mono.height()) + kGapInside / 2;
  int names = 0, values = 0, alone = 0;
  for (const Line& line : lines) {
    if (!line.graph) {
      alone = std::max(alone, text.horizontalAdvance(line.name));
      continue;
    }
    names = std::max(names, scaled(kSwatch) + kGapInside + text.horizontalAdvance(line.name));
    values = std::max(values, mono.horizontalAdvance(line.value));
  }
  const int width = std::max(names + kGapGroups + values, alone) + 2 * kGapRelated;
  const int boxHeight = static_cast<int>(lines.size()) * height + 2 * kGapInside;
  const int room = plot->canvas().width();
  double left = at + kGapRelated;
  if (left + width > room) left = at - kGapRelated - width;
  const QRectF box(std::max(0.0, std::floor(left)), area.top() + height / 2, width, boxHeight);
  paint::box(painter, box, colors().raised, colors().edge, 1, kGapInside);
  double y = box.top() + kGapInside;
  for (const Line& line : lines) {
    const QRectF row(box.left() + kGapRelated, y, width - 2 * kGapRelated, height);
    painter.setFont(fonts().caption);
    double indent = 0;
    if (line.graph) {
      paintSwatch(painter, *line.graph, row.left(), row.center().y());
      indent = scaled(kSwatch) + kGapInside;
    }
    painter.setPen(line.graph ? colors().text : colors().second);
    painter.drawText(row.adjusted(indent, 0, 0, 0), Qt::AlignLeft | Qt::AlignVCenter, line.name);
    painter.setFont(fonts().monoCaption);
    painter.setPen(colors().text);
    painter.drawText(row, Qt::AlignRight | Qt::AlignVCenter, line.value);
    y += height;
  }
}

}  // namespace strata
