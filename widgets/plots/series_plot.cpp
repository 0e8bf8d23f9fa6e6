#include "widgets/plots/series_plot.h"

#include <QAction>
#include <QActionGroup>
#include <QMenu>
#include <algorithm>
#include <cmath>

#include "widgets/plots/plot_theme.h"
#include "widgets/plots/plot_ticks.h"
#include "widgets/plots/series_plot_private.h"
#include "widgets/style/format.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kAskMs = 120;         // the view rests before finer buckets are asked for
constexpr int kMostBuckets = 4096;  // of one answer of the engine
constexpr double kPadding = 0.05;   // above and below the values, of their span
constexpr double kOutliers = 0.01;  // at each end
constexpr std::array kSmoothings = {0.0, 0.6, 0.9, 0.99, 0.999};

double scaledBy(double value, bool log) {
  return log ? std::log10(value) : value;
}

double unscaledBy(double value, bool log) {
  return log ? std::pow(10, value) : value;
}

PlotRange padded(PlotRange range, bool log) {
  const double low = scaledBy(range.from, log), high = scaledBy(range.to, log);
  const double span = high > low ? high - low : std::max(std::abs(low) * 0.1, log ? 0.3 : 1e-6);
  const double middle = (low + high) / 2, half = span * (0.5 + kPadding);
  return {unscaledBy(middle - half, log), unscaledBy(middle + half, log)};
}

}  // namespace

SeriesPlot::Private::Series* SeriesPlot::Private::find(const QString& id) {
  const auto found = std::find_if(series.begin(), series.end(), [&](const Series& one) { return one.id == id; });
  return found == series.end() ? nullptr : &*found;
}

std::vector<SeriesGraph*> SeriesPlot::Private::shown() const {
  std::vector<SeriesGraph*> graphs;
  for (const Series& one : series) {
    if (one.graph->data.has(link->axis()) && one.graph->data.hasFinite()) graphs.push_back(one.graph);
  }
  return graphs;
}

std::vector<SeriesTableColumn> SeriesPlot::Private::columns() const {
  std::vector<SeriesTableColumn> columns;
  for (const Series& one : series) {
    if (one.graph->data.has(link->axis())) columns.push_back({one.graph->style.name, &one.graph->data});
  }
  return columns;
}

QString SeriesPlot::Private::format(double value) const {
  if (!std::isfinite(value)) return notMeasured();
  return valueFormat ? valueFormat(value) : formatFigure(value);
}

SeriesPlot::SeriesPlot(const QString& title, const QString& unit, QWidget* parent)
    : PlotFrame(title, unit, parent), m_private(std::make_unique<Private>(this)) {
  Private& p = *m_private;
  setObjectName(QStringLiteral("seriesPlot"));
  p.table = new SeriesTableModel([this](double value) { return m_private->format(value); }, this);
  setTable(p.table);
  p.ask.setSingleShot(true);
  p.ask.setInterval(kAskMs);
  connect(&p.ask, &QTimer::timeout, this, &SeriesPlot::askForRange);
  QCustomPlot& plot = canvas();
  plot.setInteractions({});
  plot.installEventFilter(this);
  const auto ticker = [](auto ticks) { return QSharedPointer<QCPAxisTicker>(new PlotTicker(std::move(ticks))); };
  plot.xAxis->setTicker(ticker([this](const QCPRange& range, QVector<double>& ticks, QVector<QString>& labels) {
    const PlotAxis axis = m_private->link->axis();
    const double unit = unitOf(axis, {range.lower, range.upper}).size;
    const int most = std::clamp(canvas().axisRect()->width() / scaled(64), 2, kMostTicks);
    const std::vector<double> at =
        linearTicks({range.lower / unit, range.upper / unit}, most, axis != PlotAxis::seconds && unit == 1);
    for (const double tick : at) {
      ticks.append(tick * unit);
      labels.append(formatTick(tick, at.size() > 1 ? at[1] - at[0] : 0));
    }
  }));
  plot.yAxis->setTicker(ticker([this](const QCPRange& range, QVector<double>& ticks, QVector<QString>& labels) {
    m_private->valueTicks({range.lower, range.upper}, ticks, labels);
  }));
  new PlotPainting(plot, "grid", [&p](QCPPainter& painter) { p.paintBands(painter); });
  new PlotPainting(plot, "axes", [&p](QCPPainter& painter) {
    p.paintMarkers(painter);
    p.paintNames(painter);
  });
  new PlotPainting(plot, "overlay", [&p](QCPPainter& painter) { p.paintCrosshair(painter); });
  addActions();
  setLink(nullptr);
}

SeriesPlot::~SeriesPlot() {
  if (m_private->link) m_private->link->leave(this);
}

void SeriesPlot::setLink(PlotLink* link) {
  Private& p = *m_private;
  PlotLink* next = link ? link : &p.ownLink;
  if (p.link == next) return;
  if (p.link) {
    p.link->leave(this);
    p.link->disconnect(this);
  }
  p.link = next;
  connect(next, &PlotLink::axisChanged, this, [this] {
    for (const Private::Series& one : m_private->series) one.graph->axis = m_private->link->axis();
    claimData();
    showState();
  });
  connect(next, &PlotLink::rangeChanged, this, [this] {
    scheduleRedraw();
    Private& p = *m_private;
    // Points that come while everything is shown are no new stretch.
    if (!p.link->isWhole() || !p.askedWhole || p.askedAxis != p.link->axis()) p.ask.start();
  });
  connect(next, &PlotLink::crosshairMoved, this, [this] {
    if (isVisible() && !tableShown()) canvas().layer(QStringLiteral("overlay"))->replot();
  });
  connect(next, &PlotLink::marginsChanged, this, [this] { scheduleRedraw(); });
  if (next != &p.ownLink) {
    connect(next, &QObject::destroyed, this, [this] {
      m_private->link.clear();
      setLink(nullptr);
    });
  }
  for (const Private::Series& one : p.series) one.graph->axis = next->axis();
  claimData();
  showState();
  scheduleRedraw();
}

PlotLink& SeriesPlot::link() const {
  return *m_private->link;
}

void SeriesPlot::setSeries(const QString& id, const SeriesStyle& style, PlotColumns columns) {
  Private& p = *m_private;
  SeriesGraph* graph = p.graphOf(id);
  if (!graph) {
    graph = new SeriesGraph(canvas().xAxis, canvas().yAxis);
    graph->axis = p.link->axis();
    p.series.push_back({id, graph});
  }
  graph->style = style;
  graph->data.assign(std::move(columns));
  setHighlighted(p.highlighted);
  claimData();
}

void SeriesPlot::setStyle(const QString& id, const SeriesStyle& style) {
  if (SeriesGraph* graph = m_private->graphOf(id)) graph->style = style;
  scheduleRedraw();
}

void SeriesPlot::append(const QString& id, PlotColumns columns) {
  if (SeriesGraph* graph = m_private->graphOf(id)) graph->data.append(std::move(columns));
  claimData();
}

void SeriesPlot::refine(const QString& id, PlotColumns columns) {
  if (SeriesGraph* graph = m_private->graphOf(id)) graph->data.refine(std::move(columns), m_private->link->axis());
  claimData();
}

void SeriesPlot::removeSeries(const QString& id) {
  Private& p = *m_private;
  SeriesGraph* graph = p.graphOf(id);
  if (!graph) return;
  std::erase_if(p.series, [&](const Private::Series& one) { return one.graph == graph; });
  refreshTable();
  canvas().removePlottable(graph);
  claimData();
}

QStringList SeriesPlot::series() const {
  QStringList ids;
  for (const Private::Series& one : m_private->series) ids.append(one.id);
  return ids;
}

const SeriesData* SeriesPlot::data(const QString& id) const {
  const SeriesGraph* graph = m_private->graphOf(id);
  return graph ? &graph->data : nullptr;
}

void SeriesPlot::setMarkers(std::vector<PlotMarker> markers) {
  m_private->markers = std::move(markers);
  scheduleRedraw();
}

void SeriesPlot::setBands(std::vector<PlotBand> bands) {
  m_private->bands = std::move(bands);
  scheduleRedraw();
}

void SeriesPlot::setHighlighted(const QStringList& ids) {
  Private& p = *m_private;
  p.highlighted = ids;
  const bool any = std::any_of(ids.begin(), ids.end(), [&](const QString& id) { return p.graphOf(id) != nullptr; });
  for (const Private::Series& one : p.series) {
    one.graph->highlighted = ids.contains(one.id);
    one.graph->faded = any && !one.graph->highlighted;
    // Drawn last: on top of the others.
    if (one.graph->highlighted) one.graph->setLayer(one.graph->layer());
  }
  scheduleRedraw();
}

const QStringList& SeriesPlot::highlighted() const {
  return m_private->highlighted;
}

bool SeriesPlot::logScale() const {
  return m_private->log;
}

void SeriesPlot::setLogScale(bool on) {
  Private& p = *m_private;
  if (on == p.log) return;
  p.log = on;
  canvas().yAxis->setScaleType(on ? QCPAxis::stLogarithmic : QCPAxis::stLinear);
  p.logAction->setChecked(on);
  p.link->setValues(this, {}, PlotLink::Step::continues);
  showState();
}

bool SeriesPlot::ignoresOutliers() const {
  return m_private->ignoreOutliers;
}

void SeriesPlot::setIgnoreOutliers(bool on) {
  Private& p = *m_private;
  if (on == p.ignoreOutliers) return;
  p.ignoreOutliers = on;
  p.outliersAction->setChecked(on);
  showState();
}

double SeriesPlot::smoothing() const {
  return m_private->smoothing;
}

void SeriesPlot::setSmoothing(double weight) {
  Private& p = *m_private;
  if (weight == p.smoothing) return;
  p.smoothing = weight;
  for (QAction* action : p.smoothingActions) action->setChecked(action->data().toDouble() == weight);
  showState();
}

void SeriesPlot::setValueFormat(std::function<QString(double)> format) {
  m_private->valueFormat = std::move(format);
  scheduleRedraw();
}

void SeriesPlot::showState() {
  const Private& p = *m_private;
  QStringList words;
  if (p.log) words.append(tr("log"));
  if (p.ignoreOutliers) words.append(tr("outliers ignored"));
  if (p.smoothing > 0) words.append(tr("smoothed %1").arg(p.smoothing));
  setState(words.join(tr(", ")));
  scheduleRedraw();
  Q_EMIT optionsChanged();
}

void SeriesPlot::addActions() {
  Private& p = *m_private;
  p.logAction = addPlotChoice(tr("Log scale"), QKeySequence(Qt::Key_L), [this](bool on) { setLogScale(on); });
  p.outliersAction = addPlotChoice(tr("Ignore outliers (span 1st to 99th percentile in view)"), QKeySequence(Qt::Key_O),
                                   [this](bool on) { setIgnoreOutliers(on); });
  auto* smoothing = new QMenu(tr("Smoothing"), this);
  for (const double weight : kSmoothings) {
    QAction* action = smoothing->addAction(weight == 0 ? tr("None") : QString::number(weight), this,
                                           [this, weight] { setSmoothing(weight); });
    action->setCheckable(true);
    action->setChecked(weight == 0);
    action->setData(weight);
    p.smoothingActions.append(action);
  }
  // A click on the checked one would leave none checked.
  connect(smoothing, &QMenu::triggered, this, [this] {
    for (QAction* action : m_private->smoothingActions) {
      action->setChecked(action->data().toDouble() == m_private->smoothing);
    }
  });
  auto* across = new QMenu(tr("x axis"), this);
  const std::array<QString, 3> names = {tr("Steps"), tr("Tokens"), tr("Time")};
  for (const PlotAxis axis : kPlotAxes) {
    QAction* action = across->addAction(names[static_cast<std::size_t>(axis)], this,
                                        [this, axis] { m_private->link->setAxis(axis); });
    action->setCheckable(true);
    action->setData(static_cast<int>(axis));
  }
  connect(across, &QMenu::aboutToShow, this, [this, across] {
    for (QAction* action : across->actions()) {
      action->setChecked(action->data().toInt() == static_cast<int>(m_private->link->axis()));
    }
  });
  QAction* back = addPlotAction(tr("Zoom back"), QKeySequence(Qt::Key_Backspace), [this] { m_private->link->back(); });
  addPlotAction(tr("Show everything"), QKeySequence(Qt::Key_Home), [this] { m_private->link->reset(); });
  menu()->insertMenu(back, smoothing);
  menu()->insertMenu(back, across);
  menu()->insertSeparator(back);
}

void SeriesPlot::Private::valueTicks(PlotRange range, QVector<double>& ticks, QVector<QString>& labels) const {
  const int most = std::clamp(plot->canvas().axisRect()->height() / scaled(32), 2, kMostTicks);
  const std::vector<double> at = log ? logTicks(range, most) : linearTicks(range, most);
  for (const double tick : at) {
    ticks.append(tick);
    labels.append(formatTick(tick, log ? tick : at.size() > 1 ? at[1] - at[0] : 0));
  }
}

void SeriesPlot::claimData() {
  Private& p = *m_private;
  p.claim.x.reset();
  for (const SeriesGraph* graph : p.shown()) {
    const PlotRange x = *graph->data.xRange(p.link->axis());
    p.claim.x = p.claim.x ? PlotRange{std::min(p.claim.x->from, x.from), std::max(p.claim.x->to, x.to)} : x;
  }
  p.link->claim(this, p.claim);
  scheduleRedraw();
}

void SeriesPlot::claimMargins() {
  Private& p = *m_private;
  QVector<double> ticks;
  QVector<QString> labels;
  p.valueTicks(shownValues(), ticks, labels);
  const QFontMetrics caption(fonts().caption);
  int widest = scaled(36);
  for (const QString& label : labels) widest = std::max(widest, caption.horizontalAdvance(label));
  // In steps, so that the axis stands still while labels change by a digit.
  p.claim.left = (widest + kGapRelated) / kGapRelated * kGapRelated + kGapRelated + kGapInside;
  p.claim.right = p.roomForNames();
  p.link->claim(this, p.claim);
}

void SeriesPlot::fitValues() {
  const Private& p = *m_private;
  QCPAxis& axis = *canvas().yAxis;
  if (const std::optional<PlotRange> chosen = p.link->values(this)) {
    return axis.setRange(chosen->from, chosen->to);
  }
  std::optional<PlotRange> values;
  const auto take = [&values](double from, double to) {
    if (!(from <= to)) return;
    values = values ? PlotRange{std::min(values->from, from), std::max(values->to, to)} : PlotRange{from, to};
  };
  for (const SeriesGraph* graph : p.shown()) {
    const auto [begin, end] = graph->data.within(p.link->axis(), p.link->range());
    if (p.ignoreOutliers) {
      const auto range = graph->data.percentiles(begin, end, kOutliers, 1 - kOutliers, p.log);
      if (range) take(range->from, range->to);
      continue;
    }
    for (const SeriesLine line : {SeriesLine::raw, graph->line()}) {
      const Extent extent = graph->data.extent(line, begin, end);
      take(p.log ? extent.minPositive : extent.min, extent.max);
    }
  }
  const PlotRange range = padded(values.value_or(p.log ? PlotRange{0.1, 1} : PlotRange{0, 1}), p.log);
  axis.setRange(range.from, range.to);
}

void SeriesPlot::smooth() {
  bool more = false;
  for (const Private::Series& one : m_private->series) {
    one.graph->data.setSmoothing(m_private->smoothing);
    if (!one.graph->data.smoothMore()) more = true;
  }
  if (more) scheduleRedraw();
}

void SeriesPlot::redraw() {
  Private& p = *m_private;
  smooth();
  QCustomPlot& plot = canvas();
  const PlotRange x = p.link->range();
  plot.xAxis->setRange(x.from, x.to);
  fitValues();
  claimMargins();
  for (QCPAxis* axis : {plot.xAxis, plot.yAxis}) axis->setVisible(!isEmpty());
  const int line = QFontMetrics(fonts().caption).height();
  plot.axisRect()->setMargins(
      QMargins(p.link->left(), p.roomAbove(), p.link->right(), 2 * line + kGapInside + kGapRelated));
}

void SeriesPlot::askForRange() {
  Private& p = *m_private;
  const PlotRange view = p.link->range();
  p.askedAxis = p.link->axis();
  p.askedWhole = p.link->isWhole();
  const double beside = p.askedWhole ? 0 : view.width() / 2;
  const int pixels = std::max(1, canvas().axisRect()->width());
  Q_EMIT rangeWanted(p.askedAxis, view.from - beside, view.to + beside,
                     std::min(kMostBuckets, (p.askedWhole ? 2 : 4) * pixels));
}

bool SeriesPlot::isEmpty() const {
  return m_private->shown().empty();
}

QString SeriesPlot::emptyText() const {
  const Private& p = *m_private;
  const auto any = [&p](auto holds) {
    return std::any_of(p.series.begin(), p.series.end(),
                       [&](const Private::Series& one) { return holds(one.graph->data); });
  };
  if (!any([](const SeriesData& data) { return data.size() > 0; })) return PlotFrame::emptyText();
  if (!any([](const SeriesData& data) { return data.hasFinite(); }))
    return tr("None of the values is a finite number.");
  return p.link->axis() == PlotAxis::tokens    ? tr("Trained tokens were not stored for these curves.")
         : p.link->axis() == PlotAxis::seconds ? tr("Times were not stored for these curves.")
                                               : tr("Steps were not stored for these curves.");
}

PlotRange SeriesPlot::shownValues() const {
  const QCPRange range = canvas().yAxis->range();
  return {range.lower, range.upper};
}

QString SeriesPlot::summary() const {
  const Private& p = *m_private;
  if (isEmpty()) return emptyText();
  const PlotAxis axis = p.link->axis();
  const PlotRange x = p.link->range();
  QStringList newest;
  for (const SeriesGraph* graph : p.shown()) {
    const std::size_t last = graph->data.size() - 1;
    newest.append(tr("%1 %2").arg(graph->style.name, p.format(graph->data.at(graph->line(), last))));
  }
  QString words = tr("%1 from %2 to %3. Newest: %4.")
                      .arg(title(), formatX(axis, x.from), formatX(axis, x.to), newest.join(tr(", ")));
  if (p.log) words += tr(" Log scale.");
  if (p.smoothing > 0) words += tr(" Smoothed %1.").arg(p.smoothing);
  return words;
}

QString SeriesPlot::readOut() const {
  const Private& p = *m_private;
  if (!p.link->crosshair() || isEmpty()) return {};
  QStringList values;
  for (const SeriesGraph* graph : p.shown()) {
    const std::size_t at = *graph->data.nearest(p.link->axis(), *p.link->crosshair());
    values.append(tr("%1 %2").arg(graph->style.name, p.format(graph->data.at(graph->line(), at))));
  }
  return tr("%1: %2").arg(formatX(p.link->axis(), *p.link->crosshair()), values.join(tr(", ")));
}

void SeriesPlot::refreshTable() {
  m_private->table->refresh(m_private->link->axis(), m_private->columns());
}

PlotFrame::TableText SeriesPlot::tableText() const {
  return seriesText(m_private->link->axis(), m_private->columns());
}

}  // namespace strata
