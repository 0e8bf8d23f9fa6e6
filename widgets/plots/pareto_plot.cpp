#include "widgets/plots/pareto_plot.h"

#include <QContextMenuEvent>
#include <QHelpEvent>
#include <QKeyEvent>
#include <QLocale>
#include <QMetaMethod>
#include <QMouseEvent>
#include <QToolTip>
#include <algorithm>
#include <cmath>
#include <numeric>

#include "widgets/plots/interval_table_model.h"
#include "widgets/plots/plot_painting.h"
#include "widgets/plots/plot_theme.h"
#include "widgets/plots/plot_ticks.h"
#include "widgets/plots/series_table_model.h"
#include "widgets/style/format.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr double kParetoDot = 8;      // across
constexpr double kParetoRing = 16;    // around the current point
constexpr double kReach = 14;         // pixels from a point within which a click means it
constexpr double kParetoRoom = 0.08;  // of the span, beside the points

}  // namespace

std::vector<std::size_t> paretoFront(const std::vector<ParetoPoint>& points, bool lowerIsBetter) {
  const double sign = lowerIsBetter ? 1 : -1;
  std::vector<std::size_t> order(points.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) {
    return points[a].x != points[b].x ? points[a].x < points[b].x : sign * points[a].y < sign * points[b].y;
  });
  std::vector<std::size_t> front;
  for (const std::size_t i : order) {
    if (front.empty() || sign * points[i].y < sign * points[front.back()].y) front.push_back(i);
  }
  return front;
}

struct ParetoPlot::Private {
  ParetoPlot* plot = nullptr;
  IntervalTableModel* table = nullptr;
  QString axis, axisUnit;
  std::vector<ParetoSeries> series;
  bool lowerIsBetter = true;
  std::optional<At> current;

  QString axisTitle() const { return axisUnit.isEmpty() ? axis : tr("%1 (%2)").arg(axis, axisUnit); }
  const ParetoPoint& point(At at) const { return series[at.series].points[at.point]; }
  bool holds(At at) const { return at.series < series.size() && at.point < series[at.series].points.size(); }
  /// All points by x.
  std::vector<At> ordered() const {
    std::vector<At> all;
    for (std::size_t s = 0; s < series.size(); ++s) {
      for (std::size_t i = 0; i < series[s].points.size(); ++i) all.push_back({s, i});
    }
    std::stable_sort(all.begin(), all.end(), [&](At a, At b) { return point(a).x < point(b).x; });
    return all;
  }
  QPointF pixel(double x, double y) const {
    return {plot->canvas().xAxis->coordToPixel(x), plot->canvas().yAxis->coordToPixel(y)};
  }
  std::optional<At> nearest(const QPointF& to) const {
    std::optional<At> found;
    double least = kReach;
    for (const At at : ordered()) {
      const QPointF away = pixel(point(at).x, point(at).y) - to;
      const double distance = std::hypot(away.x(), away.y());
      if (distance > least) continue;
      least = distance;
      found = at;
    }
    return found;
  }
  /// "4.058 (4.010 to 4.106)"
  static QString score(const ParetoPoint& point) {
    const QString value = formatFigure(point.y);
    if (!point.low || !point.high) return value;
    return tr("%1 (%2 to %3)").arg(value, formatFigure(*point.low), formatFigure(*point.high));
  }
  /// "stride:4 of routed: NLL (nats) 4.058, KV per token 0.75 KiB"
  QString words(At at) const {
    const QString size = formatFigure(point(at).x) + (axisUnit.isEmpty() ? QString() : QChar(u' ') + axisUnit);
    return tr("%1 of %2: %3 %4, %5 %6")
        .arg(point(at).label, series[at.series].name, plot->title(), score(point(at)), axis, size);
  }
  void move(int step) {
    const std::vector<At> all = ordered();
    if (all.empty()) return;
    const auto found = current ? std::find(all.begin(), all.end(), *current) : all.end();
    const auto last = static_cast<std::ptrdiff_t>(all.size()) - 1;
    const std::ptrdiff_t from = found == all.end() ? (step > 0 ? -1 : last + 1) : found - all.begin();
    plot->setCurrent(all[static_cast<std::size_t>(std::clamp<std::ptrdiff_t>(from + step, 0, last))]);
  }
  void paintDot(QCPPainter& painter, const QPointF& at, int slot) const {
    const double size = scaled(kParetoDot);
    const QColor ink = seriesColor(slot);
    painter.setPen(QPen(ink, 2));
    painter.setBrush(slot == 1 ? QBrush(colors().surface) : QBrush(ink));  // A is filled, B hollow
    const QRectF box(at.x() - size / 2, at.y() - size / 2, size, size);
    if (slot < 2) {
      painter.drawEllipse(box);
    } else {
      painter.drawRect(box);
    }
  }
  void paint(QCPPainter& painter) const;
  void paintAxis(QCPPainter& painter) const;
};

ParetoPlot::ParetoPlot(const QString& title, const QString& unit, QWidget* parent)
    : PlotFrame(title, unit, parent), m_private(std::make_unique<Private>()) {
  Private& p = *m_private;
  setObjectName(QStringLiteral("paretoPlot"));
  p.plot = this;
  p.table = new IntervalTableModel(this);
  setTable(p.table);
  QCustomPlot& plot = canvas();
  plot.setInteractions({});
  plot.installEventFilter(this);
  plot.setMouseTracking(true);
  const auto ticker = [this](bool across) {
    return QSharedPointer<QCPAxisTicker>(new PlotTicker([this, across](const QCPRange& range, QVector<double>& ticks,
                                                                       QVector<QString>& labels) {
      const QRect area = canvas().axisRect()->rect();
      const int most = std::clamp((across ? area.width() : area.height()) / scaled(across ? 56 : 36), 2, kMostTicks);
      const std::vector<double> at = linearTicks({range.lower, range.upper}, most);
      for (const double tick : at) {
        ticks.append(tick);
        labels.append(formatTick(tick, at.size() > 1 ? at[1] - at[0] : 0));
      }
    }));
  };
  plot.xAxis->setTicker(ticker(true));
  plot.yAxis->setTicker(ticker(false));
  new PlotPainting(plot, "main", [&p](QCPPainter& painter) { p.paint(painter); });
  new PlotPainting(plot, "axes", [&p](QCPPainter& painter) { p.paintAxis(painter); });
  followTheme(this, [this] { scheduleRedraw(); });
}

ParetoPlot::~ParetoPlot() = default;

void ParetoPlot::setAxis(const QString& name, const QString& unit) {
  m_private->axis = name;
  m_private->axisUnit = unit;
  scheduleRedraw();
}

void ParetoPlot::setSeries(std::vector<ParetoSeries> series, bool lowerIsBetter) {
  m_private->series = std::move(series);
  m_private->lowerIsBetter = lowerIsBetter;
  if (m_private->current && !m_private->holds(*m_private->current)) m_private->current.reset();
  scheduleRedraw();
}

void ParetoPlot::setCurrent(std::optional<At> at) {
  if (at && !m_private->holds(*at)) at.reset();
  if (at == m_private->current) return;
  m_private->current = at;
  scheduleRedraw();
}

std::optional<ParetoPlot::At> ParetoPlot::current() const {
  return m_private->current;
}

QPointF ParetoPlot::positionOf(At at) const {
  return m_private->holds(at) ? m_private->pixel(m_private->point(at).x, m_private->point(at).y) : QPointF();
}

QSize ParetoPlot::sizeHint() const {
  return {scaled(320), scaled(240)};
}

QSize ParetoPlot::minimumSizeHint() const {
  return {scaled(130), scaled(160)};
}

void ParetoPlot::redraw() {
  const Private& p = *m_private;
  QCustomPlot& plot = canvas();
  double widest = 0, least = std::numeric_limits<double>::infinity(), most = -least;
  for (const At at : p.ordered()) {
    const ParetoPoint& point = p.point(at);
    widest = std::max(widest, point.x);
    least = std::min(least, point.low.value_or(point.y));
    most = std::max(most, point.high.value_or(point.y));
  }
  if (!(least <= most)) least = 0, most = 1;
  const double span = most > least ? most - least : std::max(0.1, 0.1 * std::abs(most));
  plot.xAxis->setRange(0, widest > 0 ? (1 + kParetoRoom) * widest : 1);  // sizes are compared: from zero
  plot.yAxis->setRange(least - kParetoRoom * span, most + kParetoRoom * span);
  int label = 0;
  const QFontMetrics mono(fonts().monoCaption);
  for (const double tick : linearTicks({plot.yAxis->range().lower, plot.yAxis->range().upper}, kMostTicks)) {
    label = std::max(label, mono.horizontalAdvance(formatTick(tick, span / kMostTicks)));
  }
  const int line = QFontMetrics(fonts().caption).height();
  plot.axisRect()->setMargins(QMargins(label + kGapGroups, p.series.size() < 2 ? kGapRelated : line + kGapRelated,
                                       kGapRelated, 2 * line + kGapInside + kGapRelated));
  plot.xAxis->setVisible(!isEmpty());
  plot.yAxis->setVisible(!isEmpty());
}

void ParetoPlot::Private::paint(QCPPainter& painter) const {
  for (const ParetoSeries& each : series) {
    QPolygonF line;
    for (const std::size_t i : paretoFront(each.points, lowerIsBetter)) {
      const QPointF at = pixel(each.points[i].x, each.points[i].y);
      if (!line.isEmpty()) line.append({at.x(), line.back().y()});  // until then no better one is to be had
      line.append(at);
    }
    painter.setBrush(Qt::NoBrush);
    painter.setPen(seriesPen(each.slot, each.slot == 1, 1.5));
    painter.drawPolyline(line);
  }
  for (const ParetoSeries& each : series) {
    painter.setPen(QPen(paler(seriesColor(each.slot)), 1.5));
    for (const ParetoPoint& point : each.points) {
      if (point.low && point.high) painter.drawLine(pixel(point.x, *point.low), pixel(point.x, *point.high));
    }
  }
  for (const ParetoSeries& each : series) {
    for (const ParetoPoint& point : each.points) paintDot(painter, pixel(point.x, point.y), each.slot);
  }
  if (!current || plot->isExporting()) return;
  const QPointF at = pixel(point(*current).x, point(*current).y);
  const double size = scaled(kParetoRing);
  painter.setBrush(Qt::NoBrush);
  painter.setPen(QPen(colors().accent, 2));
  painter.drawEllipse(QRectF(at.x() - size / 2, at.y() - size / 2, size, size));
}

void ParetoPlot::Private::paintAxis(QCPPainter& painter) const {
  if (plot->isEmpty()) return;
  const QRect area = plot->canvas().axisRect()->rect();
  const QFontMetrics caption(fonts().caption);
  painter.setFont(fonts().caption);
  painter.setPen(colors().second);
  painter.drawText(QRect(area.left(), area.bottom() + caption.height() + kGapRelated, area.width(), caption.height()),
                   Qt::AlignRight | Qt::AlignVCenter, axisTitle());
  if (series.size() < 2) return;  // one needs no key
  int x = area.left();
  for (const ParetoSeries& each : series) {
    const int dot = scaled(kParetoDot);
    const QRect line(x + dot + kGapInside, kGapInside, area.right() - x - dot - kGapInside, caption.height());
    if (line.width() < caption.averageCharWidth()) return;
    paintDot(painter, QPointF(x + dot / 2.0, line.center().y() + 0.5), each.slot);
    painter.setPen(colors().text);
    painter.drawText(line, Qt::AlignLeft | Qt::AlignVCenter,
                     caption.elidedText(each.name, Qt::ElideRight, line.width()));
    x = line.left() + caption.horizontalAdvance(each.name) + kGapGroups;
  }
}

bool ParetoPlot::isEmpty() const {
  return std::all_of(m_private->series.begin(), m_private->series.end(),
                     [](const ParetoSeries& each) { return each.points.empty(); });
}

QString ParetoPlot::summary() const {
  const Private& p = *m_private;
  if (isEmpty()) return emptyText();
  QStringList points;
  for (const At at : p.ordered()) points.append(p.words(at));
  return points.join(tr("; ")) + u'.';
}

void ParetoPlot::refreshTable() {
  const Private& p = *m_private;
  std::vector<QStringList> rows;
  for (const At at : p.ordered()) {
    rows.push_back({p.point(at).label, p.series[at.series].name, formatFigure(p.point(at).x), p.score(p.point(at))});
  }
  p.table->setRows({tr("Map"), tr("Model"), p.axisTitle(), title()}, std::move(rows));
}

PlotFrame::TableText ParetoPlot::tableText() const {
  const Private& p = *m_private;
  const auto number = [](std::optional<double> value) {
    return value ? QString::number(*value, 'g', QLocale::FloatingPointShortest) : QString();
  };
  std::vector<QStringList> lines = {{tr("Map"), tr("Model"), p.axisTitle(), title(), title() + QLatin1String(" low"),
                                     title() + QLatin1String(" high")}};
  for (const At at : p.ordered()) {
    const ParetoPoint& point = p.point(at);
    lines.push_back({point.label, p.series[at.series].name, number(point.x), number(point.y), number(point.low),
                     number(point.high)});
  }
  return linesText(std::move(lines));
}

bool ParetoPlot::eventFilter(QObject* watched, QEvent* event) {
  if (watched != &canvas()) return PlotFrame::eventFilter(watched, event);
  Private& p = *m_private;
  switch (event->type()) {
    case QEvent::KeyPress: {
      const int key = static_cast<QKeyEvent*>(event)->key();
      if (key == Qt::Key_Left || key == Qt::Key_Right) {
        p.move(key == Qt::Key_Right ? 1 : -1);
        return true;
      }
      if ((key != Qt::Key_Return && key != Qt::Key_Enter && key != Qt::Key_Space) || !p.current) return false;
      Q_EMIT pointChosen(p.current->series, p.current->point);
      return true;
    }
    case QEvent::MouseButtonPress: {
      auto* mouse = static_cast<QMouseEvent*>(event);
      canvas().setFocus(Qt::MouseFocusReason);
      if (mouse->button() != Qt::LeftButton) return false;
      const std::optional<At> at = p.nearest(mouse->position());
      if (!at) return false;
      setCurrent(at);
      Q_EMIT pointChosen(at->series, at->point);
      return true;
    }
    case QEvent::ContextMenu: {
      auto* wanted = static_cast<QContextMenuEvent*>(event);
      const bool byKey = wanted->reason() == QContextMenuEvent::Keyboard;
      const std::optional<At> at = byKey ? p.current : p.nearest(wanted->pos());
      if (!at || !isSignalConnected(QMetaMethod::fromSignal(&ParetoPlot::pointMenuWanted))) return false;
      setCurrent(at);
      const QPoint place = byKey ? canvas().mapToGlobal(positionOf(*at).toPoint()) : wanted->globalPos();
      Q_EMIT pointMenuWanted(at->series, at->point, place);
      return true;
    }
    case QEvent::MouseMove:
      canvas().setCursor(p.nearest(static_cast<QMouseEvent*>(event)->position()) ? Qt::PointingHandCursor
                                                                                 : Qt::ArrowCursor);
      return false;
    case QEvent::ToolTip: {
      auto* help = static_cast<QHelpEvent*>(event);
      const std::optional<At> at = p.nearest(help->pos());
      QToolTip::showText(help->globalPos(), at ? p.words(*at) : QString(), &canvas());
      return true;
    }
    case QEvent::FocusIn:
    case QEvent::FocusOut:
      canvas().layer(QStringLiteral("overlay"))->replot();
      return false;
    case QEvent::Resize:
      scheduleRedraw();
      return false;
    default:
      return false;
  }
}

}  // namespace strata
