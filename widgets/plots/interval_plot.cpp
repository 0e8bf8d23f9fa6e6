#include "widgets/plots/interval_plot.h"

#include <QKeyEvent>
#include <QLocale>
#include <QMouseEvent>
#include <algorithm>
#include <array>
#include <cmath>

#include "widgets/plots/interval_table_model.h"
#include "widgets/plots/plot_painting.h"
#include "widgets/plots/plot_theme.h"
#include "widgets/plots/plot_ticks.h"
#include "widgets/plots/series_table_model.h"
#include "widgets/style/format.h"
#include "widgets/style/side_badge.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr double kSideOffset = 0.18;  // of a row, from its middle: A above, B below
constexpr double kDot = 8;            // across
constexpr double kRoomBeside = 0.06;  // of the span of the values
constexpr int kBadge = 16;            // of a side, before its value
constexpr int kMostLabel = 220;       // pixels of a row's label; longer ones are elided

/// What is drawn in one style: side A, side B, or the differences.
struct Group {
  QCPGraph* dots = nullptr;
  QCPErrorBars* bars = nullptr;
};

struct Mark {
  int row = 0;
  int group = 0;
  double y = 0;
  Interval interval;
};

}  // namespace

struct IntervalPlot::Private {
  enum GroupName { sideA, sideB, difference };

  std::vector<ScoreRow> scores;
  std::vector<DifferenceRow> differences;
  bool showsDifferences = false;
  QString meaning;
  int decimals = 1;
  int current = -1;
  std::array<Group, 3> groups;
  IntervalTableModel* table = nullptr;
  IntervalPlot* plot = nullptr;

  int rows() const { return static_cast<int>(showsDifferences ? differences.size() : scores.size()); }
  QString label(int row) const {
    const auto at = static_cast<std::size_t>(row);
    return showsDifferences ? differences[at].label : scores[at].label;
  }
  bool twoSided() const {
    return !showsDifferences && std::any_of(scores.begin(), scores.end(), [](const ScoreRow& row) { return row.b; });
  }
  QString figure(double value) const {
    QString text = QLocale::c().toString(value, 'f', decimals);
    return showsDifferences && value > 0 ? u'+' + text : text;
  }
  /// "88.2 (86.0 to 90.1)"
  QString words(const std::optional<Interval>& interval) const {
    if (!interval) return notMeasured();
    return tr("%1 (%2 to %3)").arg(figure(interval->value), figure(interval->low), figure(interval->high));
  }
  QStringList names() const {
    if (showsDifferences) return {tr("Row"), meaning};
    return twoSided() ? QStringList{tr("Row"), tr("A"), tr("B")} : QStringList{tr("Row"), plot->title()};
  }
  QStringList texts(int row) const {
    const auto at = static_cast<std::size_t>(row);
    if (showsDifferences) return {label(row), words(differences[at].difference)};
    QStringList all = {label(row), words(scores[at].a)};
    if (twoSided()) all.append(words(scores[at].b));
    return all;
  }
  /// Rows count downwards: row i lies at -i.
  std::vector<Mark> marks() const {
    std::vector<Mark> all;
    for (int row = 0; row < rows(); ++row) {
      const auto at = static_cast<std::size_t>(row);
      if (showsDifferences) {
        if (differences[at].difference) all.push_back({row, difference, -1.0 * row, *differences[at].difference});
        continue;
      }
      const double offset = twoSided() ? kSideOffset : 0;
      if (scores[at].a) all.push_back({row, sideA, -row + offset, *scores[at].a});
      if (scores[at].b) all.push_back({row, sideB, -row - offset, *scores[at].b});
    }
    return all;
  }
  void style();
  int widestLabel() const;
  int widestValue() const;
  void paintRows(QCPPainter& painter) const;
  void paintZero(QCPPainter& painter) const;
};

IntervalPlot::IntervalPlot(const QString& title, const QString& unit, QWidget* parent)
    : PlotFrame(title, unit, parent), m_private(std::make_unique<Private>()) {
  Private& p = *m_private;
  setObjectName(QStringLiteral("intervalPlot"));
  p.plot = this;
  p.table = new IntervalTableModel(this);
  setTable(p.table);
  QCustomPlot& plot = canvas();
  plot.setInteractions({});
  plot.installEventFilter(this);
  for (Group& group : p.groups) {
    group.dots = plot.addGraph();
    group.dots->setLineStyle(QCPGraph::lsNone);
    group.bars = new QCPErrorBars(plot.xAxis, plot.yAxis);
    group.bars->setErrorType(QCPErrorBars::etKeyError);
    group.bars->setDataPlottable(group.dots);
    // The dot stands on its line.
    group.dots->setLayer(group.dots->layer());
  }
  plot.xAxis->setTicker(QSharedPointer<QCPAxisTicker>(
      new PlotTicker([this](const QCPRange& range, QVector<double>& ticks, QVector<QString>& labels) {
        const int most = std::clamp(canvas().axisRect()->width() / scaled(64), 2, kMostTicks);
        const std::vector<double> at = linearTicks({range.lower, range.upper}, most);
        for (const double tick : at) {
          ticks.append(tick);
          labels.append(formatTick(tick, at.size() > 1 ? at[1] - at[0] : 0, m_private->showsDifferences));
        }
      })));
  plot.yAxis->setTicker(
      QSharedPointer<QCPAxisTicker>(new PlotTicker([](const QCPRange&, QVector<double>&, QVector<QString>&) {})));
  new PlotPainting(plot, "grid", [&p](QCPPainter& painter) { p.paintZero(painter); });
  new PlotPainting(plot, "axes", [&p](QCPPainter& painter) { p.paintRows(painter); });
  followTheme(this, [this] { m_private->style(); });
}

IntervalPlot::~IntervalPlot() = default;

void IntervalPlot::setScores(std::vector<ScoreRow> rows) {
  m_private->scores = std::move(rows);
  m_private->showsDifferences = false;
  setCurrentRow(-1);
  updateGeometry();
  scheduleRedraw();
}

void IntervalPlot::setDifferences(std::vector<DifferenceRow> rows, const QString& meaning) {
  m_private->differences = std::move(rows);
  m_private->meaning = meaning;
  m_private->showsDifferences = true;
  setCurrentRow(-1);
  updateGeometry();
  scheduleRedraw();
}

void IntervalPlot::setDecimals(int decimals) {
  m_private->decimals = std::clamp(decimals, 0, 6);
  scheduleRedraw();
}

int IntervalPlot::currentRow() const {
  return m_private->current;
}

void IntervalPlot::setCurrentRow(int row) {
  Private& p = *m_private;
  row = std::clamp(row, -1, p.rows() - 1);
  if (row == p.current) return;
  p.current = row;
  scheduleRedraw();
  Q_EMIT currentRowChanged(row);
}

QSize IntervalPlot::sizeHint() const {
  const int rows = std::max(1, m_private->rows());
  const int row = m_private->twoSided() ? metrics().control + kGapGroups : metrics().control;
  return {scaled(480), rows * row + metrics().control + scaled(44)};
}

QSize IntervalPlot::minimumSizeHint() const {
  return {scaled(320), scaled(120)};
}

void IntervalPlot::Private::style() {
  const Colors& c = colors();
  const std::array<QColor, 3> inks = {c.sideA(), c.sideB(), c.text};
  for (std::size_t i = 0; i < groups.size(); ++i) {
    QPen line(inks[i], 1.5);
    line.setCapStyle(Qt::FlatCap);
    if (i == sideB) line.setDashPattern({4, 3});
    groups[i].bars->setPen(line);
    groups[i].bars->setWhiskerWidth(scaled(6));
    groups[i].bars->setSymbolGap(0);
    // A is filled, B is hollow.
    const QBrush fill = i == sideB ? QBrush(c.surface) : QBrush(inks[i]);
    groups[i].dots->setScatterStyle(QCPScatterStyle(QCPScatterStyle::ssCircle, QPen(inks[i], 2), fill, scaled(kDot)));
  }
}

void IntervalPlot::redraw() {
  Private& p = *m_private;
  QCustomPlot& plot = canvas();
  std::array<QVector<double>, 3> x, y, below, above;
  double least = std::numeric_limits<double>::infinity(), most = -least;
  if (p.showsDifferences) least = most = 0;
  for (const Mark& mark : p.marks()) {
    const auto group = static_cast<std::size_t>(mark.group);
    x[group].append(mark.interval.value);
    y[group].append(mark.y);
    below[group].append(mark.interval.value - mark.interval.low);
    above[group].append(mark.interval.high - mark.interval.value);
    least = std::min(least, mark.interval.low);
    most = std::max(most, mark.interval.high);
  }
  for (std::size_t i = 0; i < p.groups.size(); ++i) {
    // Rows are no order of x; unsorted data would be sorted, and part from the bars.
    QVector<std::pair<double, int>> order;
    for (int k = 0; k < x[i].size(); ++k) order.append({x[i][k], k});
    std::stable_sort(order.begin(), order.end());
    QVector<double> xs, ys, lows, highs;
    for (const auto& [value, k] : order) {
      xs.append(value);
      ys.append(y[i][k]);
      lows.append(below[i][k]);
      highs.append(above[i][k]);
    }
    p.groups[i].dots->setData(xs, ys, true);
    p.groups[i].bars->setData(lows, highs);
  }
  if (!(least <= most)) least = 0, most = 1;
  const double span = most > least ? most - least : std::max(1.0, std::abs(most));
  plot.xAxis->setRange(least - kRoomBeside * span, most + kRoomBeside * span);
  plot.yAxis->setRange(-p.rows() + 0.5, 0.5);
  const int line = QFontMetrics(fonts().caption).height();
  plot.axisRect()->setMargins(QMargins(p.widestLabel() + kGapGroups, kGapInside, p.widestValue() + kGapGroups,
                                       (p.showsDifferences ? 2 : 1) * line + kGapInside + kGapRelated));
  plot.yAxis->setBasePen(Qt::NoPen);
  plot.xAxis->setVisible(!isEmpty());
}

int IntervalPlot::Private::widestLabel() const {
  const QFontMetrics text(fonts().body);
  int widest = 0;
  for (int row = 0; row < rows(); ++row) widest = std::max(widest, text.horizontalAdvance(label(row)));
  return std::min(widest + kGapInside, scaled(kMostLabel));
}

int IntervalPlot::Private::widestValue() const {
  const QFontMetrics mono(fonts().monoCaption);
  int widest = 0;
  for (int row = 0; row < rows(); ++row) {
    for (const QString& text : texts(row).mid(1)) widest = std::max(widest, mono.horizontalAdvance(text));
  }
  return widest + (twoSided() ? scaled(kBadge) + kGapRelated : 0);
}

void IntervalPlot::Private::paintZero(QCPPainter& painter) const {
  const QCPAxis& y = *plot->canvas().yAxis;
  const QRect area = plot->canvas().axisRect()->rect();
  if (current >= 0 && !plot->isExporting()) {
    const double top = y.coordToPixel(-current + 0.5), bottom = y.coordToPixel(-current - 0.5);
    painter.fillRect(QRectF(0, top, plot->canvas().width(), bottom - top), colors().raised);
    painter.fillRect(QRectF(0, top, kSelectionEdge, bottom - top), colors().accent);
  }
  if (!showsDifferences) return;
  const double zero = std::round(plot->canvas().xAxis->coordToPixel(0)) + 0.5;
  painter.setPen(QPen(colors().edge, colors().edgeWidth));
  painter.drawLine(QPointF(zero, area.top()), QPointF(zero, area.bottom()));
}

void IntervalPlot::Private::paintRows(QCPPainter& painter) const {
  const QCPAxis& y = *plot->canvas().yAxis;
  const QRect area = plot->canvas().axisRect()->rect();
  const QFontMetrics body(fonts().body), mono(fonts().monoCaption);
  const int labelWidth = widestLabel();
  for (int row = 0; row < rows(); ++row) {
    const double middle = y.coordToPixel(-row);
    painter.setFont(fonts().body);
    painter.setPen(colors().text);
    painter.drawText(QRectF(kGapRelated, middle - body.height(), labelWidth, 2.0 * body.height()),
                     Qt::AlignLeft | Qt::AlignVCenter, body.elidedText(label(row), Qt::ElideRight, labelWidth));
    const QStringList values = texts(row).mid(1);
    painter.setFont(fonts().monoCaption);
    for (int i = 0; i < values.size(); ++i) {
      const double offset = values.size() > 1 ? (i == 0 ? kSideOffset : -kSideOffset) : 0;
      painter.setPen(values[i] == notMeasured() ? colors().second : colors().text);
      painter.drawText(QRectF(area.right() + kGapRelated, y.coordToPixel(-row + offset) - mono.height(),
                              plot->canvas().width() - area.right() - kGapRelated - kGapInside, 2.0 * mono.height()),
                       Qt::AlignRight | Qt::AlignVCenter, values[i]);
      if (values.size() < 2) continue;
      const int size = scaled(kBadge);
      const QRect badge(area.right() + kGapRelated, static_cast<int>(y.coordToPixel(-row + offset)) - size / 2, size,
                        size);
      paintSideBadge(painter, badge, i == 0 ? BadgeSide::a : BadgeSide::b);
    }
  }
  if (!showsDifferences) return;
  const QFontMetrics caption(fonts().caption);
  painter.setFont(fonts().caption);
  painter.setPen(colors().second);
  painter.drawText(QRect(area.left(), area.bottom() + caption.height() + kGapRelated, area.width(), caption.height()),
                   Qt::AlignRight | Qt::AlignVCenter, meaning);
}

bool IntervalPlot::isEmpty() const {
  return m_private->rows() == 0;
}

QString IntervalPlot::summary() const {
  const Private& p = *m_private;
  if (isEmpty()) return emptyText();
  const QStringList names = p.names();
  QStringList rows;
  for (int row = 0; row < p.rows(); ++row) {
    const QStringList texts = p.texts(row);
    QStringList values;
    for (int i = 1; i < texts.size(); ++i) {
      values.append(texts.size() > 2 ? tr("%1 %2").arg(names[i], texts[i]) : texts[i]);
    }
    rows.append(tr("%1: %2").arg(texts[0], values.join(tr(", "))));
  }
  const QString what = p.showsDifferences ? tr("%1, %2").arg(title(), p.meaning) : title();
  return tr("%1. %2.").arg(what, rows.join(tr("; ")));
}

void IntervalPlot::refreshTable() {
  const Private& p = *m_private;
  std::vector<QStringList> rows;
  for (int row = 0; row < p.rows(); ++row) rows.push_back(p.texts(row));
  m_private->table->setRows(p.names(), std::move(rows));
}

PlotFrame::TableText IntervalPlot::tableText() const {
  const Private& p = *m_private;
  std::vector<QStringList> lines;
  const auto numbers = [](const std::optional<Interval>& interval) -> QStringList {
    if (!interval) return {{}, {}, {}};
    const auto text = [](double value) { return QString::number(value, 'g', QLocale::FloatingPointShortest); };
    return {text(interval->value), text(interval->low), text(interval->high)};
  };
  const auto names = [](const QString& side) -> QStringList {
    return {side, side + QLatin1String(" low"), side + QLatin1String(" high")};
  };
  if (p.showsDifferences) {
    lines.push_back(QStringList{QStringLiteral("row")} + names(p.meaning));
    for (const DifferenceRow& row : p.differences) lines.push_back(QStringList{row.label} + numbers(row.difference));
  } else {
    lines.push_back(QStringList{QStringLiteral("row")} + names(QStringLiteral("A")) + names(QStringLiteral("B")));
    for (const ScoreRow& row : p.scores) lines.push_back(QStringList{row.label} + numbers(row.a) + numbers(row.b));
  }
  return linesText(std::move(lines));
}

bool IntervalPlot::eventFilter(QObject* watched, QEvent* event) {
  if (watched != &canvas()) return PlotFrame::eventFilter(watched, event);
  switch (event->type()) {
    case QEvent::KeyPress: {
      const int key = static_cast<QKeyEvent*>(event)->key();
      if (key != Qt::Key_Up && key != Qt::Key_Down) return false;
      setCurrentRow(key == Qt::Key_Down ? currentRow() + 1 : std::max(0, currentRow() - 1));
      return true;
    }
    case QEvent::MouseButtonPress: {
      const QPointF at = static_cast<QMouseEvent*>(event)->position();
      canvas().setFocus(Qt::MouseFocusReason);
      if (!isEmpty()) setCurrentRow(static_cast<int>(std::round(-canvas().yAxis->pixelToCoord(at.y()))));
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
