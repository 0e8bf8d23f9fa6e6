#include "widgets/plots/memory_chart.h"

#include <qcustomplot.h>

#include <QTimer>
#include <QVBoxLayout>
#include <algorithm>
#include <array>
#include <deque>

#include "widgets/plots/plot_theme.h"
#include "widgets/style/format.h"
#include "widgets/style/labels.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kParts = 3;      // weights, KV, other, from the ground up
constexpr int kFrameMs = 100;  // the engine tells four times a second

struct Point {
  double seconds = 0;
  MemoryParts parts;
};

struct Unit {
  double bytes;
  const char* name;
};

Unit unitFor(double bytes) {
  if (bytes >= 1024.0 * 1024 * 1024) return {1024.0 * 1024 * 1024, "GiB"};
  if (bytes >= 1024.0 * 1024) return {1024.0 * 1024, "MiB"};
  return {1024.0, "KiB"};
}

}  // namespace

struct MemoryChart::Private {
  std::deque<Point> points;
  double span = 600;
  QCustomPlot* plot = nullptr;
  std::array<QCPGraph*, kParts> graphs{};
  std::array<QCPItemText*, kParts> names{};
  QCPItemStraightLine* limit = nullptr;
  QTimer redraw;
};

MemoryChart::MemoryChart(QWidget* parent) : QWidget(parent), m_private(std::make_unique<Private>()) {
  Private& p = *m_private;
  setObjectName(QStringLiteral("memoryChart"));
  setAccessibleName(tr("Memory over time"));
  p.plot = new QCustomPlot(this);
  p.plot->setFocusPolicy(Qt::NoFocus);
  p.plot->setAttribute(Qt::WA_TransparentForMouseEvents);
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  column->addWidget(p.plot);
  const std::array<QString, kParts> words = {tr("weights"), tr("KV"), tr("other")};
  for (std::size_t i = 0; i < kParts; ++i) {
    p.graphs[i] = p.plot->addGraph();
    p.graphs[i]->setName(words[i]);
    p.graphs[i]->setLineStyle(QCPGraph::lsStepLeft);
    if (i > 0) p.graphs[i]->setChannelFillGraph(p.graphs[i - 1]);
    auto* name = new QCPItemText(p.plot);
    name->setText(words[i]);
    name->position->setTypeX(QCPItemPosition::ptAxisRectRatio);
    name->position->setTypeY(QCPItemPosition::ptPlotCoords);
    name->setPositionAlignment(Qt::AlignLeft | Qt::AlignVCenter);
    name->setClipToAxisRect(false);
    p.names[i] = name;
  }
  p.limit = new QCPItemStraightLine(p.plot);
  QCPAxisRect* rect = p.plot->axisRect();
  rect->setAutoMargins(QCP::msLeft | QCP::msBottom);
  p.redraw.setSingleShot(true);
  p.redraw.setInterval(kFrameMs);
  connect(&p.redraw, &QTimer::timeout, this, [this] { redraw(); });
  followTheme(this, [this] {
    const Colors& c = colors();
    const std::array<QColor, kParts> fills = {c.series[2], c.series[3], c.edge};
    for (std::size_t i = 0; i < kParts; ++i) {
      m_private->graphs[i]->setPen(QPen(fills[i], 1));
      m_private->graphs[i]->setBrush(fills[i]);
      m_private->names[i]->setFont(fonts().caption);
      m_private->names[i]->setColor(c.text);
    }
    QPen dashed(c.bad, 1.5);
    dashed.setDashPattern({4, 3});
    m_private->limit->setPen(dashed);
    m_private->plot->axisRect()->setMargins(QMargins(0, kGapRelated, scaled(52), 0));
    themePlot(*m_private->plot);
    redraw();
  });
}

MemoryChart::~MemoryChart() = default;

void MemoryChart::setSpan(double seconds) {
  m_private->span = std::max(1.0, seconds);
  redraw();
}

void MemoryChart::add(double seconds, const MemoryParts& parts) {
  Private& p = *m_private;
  if (!p.points.empty() && seconds < p.points.back().seconds) return;
  p.points.push_back({seconds, parts});
  // One point older than the span stays, so that the curve begins at the left edge.
  while (p.points.size() > 2 && p.points[1].seconds < seconds - p.span) p.points.pop_front();
  if (!p.redraw.isActive()) p.redraw.start();
}

void MemoryChart::clear() {
  m_private->points.clear();
  redraw();
}

QString MemoryChart::summary() const {
  const Private& p = *m_private;
  if (p.points.empty()) return tr("Memory over time: %1").arg(notMeasured());
  std::int64_t most = 0;
  for (const Point& point : p.points) most = std::max(most, point.parts.used());
  return tr("Now %1; at most %2 in the last %3")
      .arg(describe(p.points.back().parts), formatBytes(most), formatSeconds(p.span));
}

QSize MemoryChart::sizeHint() const {
  return {scaled(360), scaled(180)};
}

QSize MemoryChart::minimumSizeHint() const {
  return {scaled(200), scaled(120)};
}

void MemoryChart::redraw() {
  Private& p = *m_private;
  setAccessibleDescription(summary());
  double most = 0;
  for (const Point& point : p.points) most = std::max(most, static_cast<double>(point.parts.used()));
  const double total = p.points.empty() ? 0 : static_cast<double>(p.points.back().parts.total.value_or(0));
  // The device's size is drawn once it comes near; drawn always, it would flatten small models to a line.
  const bool nearFull = total > 0 && most > total / 2;
  const Unit unit = unitFor(nearFull ? total : most);
  const double now = p.points.empty() ? 0 : p.points.back().seconds;
  QVector<double> at;
  std::array<QVector<double>, kParts> heights;
  for (const Point& point : p.points) {
    at += (point.seconds - now) / 60;
    double height = 0;
    const std::array parts = {point.parts.weights, point.parts.kv, point.parts.other};
    for (std::size_t i = 0; i < kParts; ++i) {
      height += static_cast<double>(parts[i].value_or(0)) / unit.bytes;
      heights[i] += height;
    }
  }
  for (std::size_t i = 0; i < kParts; ++i) p.graphs[i]->setData(at, heights[i], true);
  const double top = std::max(1e-3, (nearFull ? std::max(total, most) : most) / unit.bytes * 1.1);
  p.plot->xAxis->setRange(-p.span / 60, 0);
  p.plot->yAxis->setRange(0, top);
  p.plot->xAxis->setLabel(tr("minutes"));
  p.plot->yAxis->setLabel(QLatin1String(unit.name));
  p.limit->setVisible(nearFull);
  p.limit->point1->setCoords(0, total / unit.bytes);
  p.limit->point2->setCoords(1, total / unit.bytes);
  // Each name stands at the middle of its band; names of thin bands are pushed up, so that they do not overlap.
  const double line = top * QFontMetrics(fonts().caption).height() / std::max(1, p.plot->axisRect()->height());
  double below = 0;
  double taken = -line;
  for (std::size_t i = 0; i < kParts; ++i) {
    const double height = heights[i].isEmpty() ? 0 : heights[i].last();
    const double middle = std::max((below + height) / 2, taken + line);
    p.names[i]->setVisible(!p.points.empty());
    p.names[i]->position->setCoords(1, middle);
    p.names[i]->setPadding(QMargins(kGapInside, 0, 0, 0));
    taken = middle;
    below = height;
  }
  p.plot->replot(QCustomPlot::rpQueuedReplot);
}

}  // namespace strata
