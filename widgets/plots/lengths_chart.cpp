#include "widgets/plots/lengths_chart.h"

#include <QBarSet>
#include <QCategoryAxis>
#include <QChart>
#include <QChartView>
#include <QCursor>
#include <QHBoxLayout>
#include <QLineSeries>
#include <QStackedBarSeries>
#include <QToolTip>
#include <QVBoxLayout>
#include <QValueAxis>
#include <QWheelEvent>
#include <algorithm>
#include <cmath>

#include "widgets/plots/plot_theme.h"
#include "widgets/style/format.h"
#include "widgets/style/labels.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr std::size_t kLabels = 6;

/// 1, 2 or 5 times a power of ten, so that four steps reach `most`.
double roundStep(double most) {
  const double raw = std::max(most / 4, 1.0);
  const double power = std::pow(10, std::floor(std::log10(raw)));
  for (const double factor : {1.0, 2.0, 5.0}) {
    if (raw <= factor * power) return factor * power;
  }
  return 10 * power;
}

}  // namespace

struct LengthsChart::Private {
  std::vector<LengthRange> ranges;
  std::optional<std::int64_t> limit;
  QChart* chart = nullptr;
  QChartView* view = nullptr;
  Label* caption = nullptr;

  std::int64_t rows() const {
    std::int64_t sum = 0;
    for (const LengthRange& range : ranges) sum += range.rows;
    return sum;
  }

  /// Where `tokens` lies among the bars; bar i spans i - 0.5 to i + 0.5.
  std::optional<double> placeOf(std::int64_t tokens) const {
    for (std::size_t i = 0; i < ranges.size(); ++i) {
      const LengthRange& range = ranges[i];
      if (tokens < range.from || tokens > range.to || range.to <= range.from) continue;
      const double inside = static_cast<double>(tokens - range.from) / static_cast<double>(range.to - range.from);
      return static_cast<double>(i) - 0.5 + inside;
    }
    return {};
  }
};

LengthsChart::LengthsChart(QWidget* parent) : QWidget(parent), m_private(std::make_unique<Private>()) {
  Private& p = *m_private;
  setObjectName(QStringLiteral("lengthsChart"));
  setAccessibleName(tr("Lengths of the rows"));
  p.chart = new QChart;
  p.chart->legend()->hide();
  p.view = new QChartView(p.chart, this);
  p.view->setFocusPolicy(Qt::NoFocus);
  p.view->setRenderHint(QPainter::Antialiasing);
  p.view->viewport()->installEventFilter(this);
  p.caption = captionLabel({}, this);
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(kGapInside);
  column->addWidget(p.caption);
  column->addWidget(p.view, 1);
  setSizePolicy(QSizePolicy::Expanding, QSizePolicy::Preferred);
  followTheme(this, [this] { fill(); });
}

LengthsChart::~LengthsChart() = default;

void LengthsChart::setLengths(const std::vector<LengthRange>& ranges, std::optional<std::int64_t> limit) {
  m_private->ranges = ranges;
  m_private->limit = limit;
  fill();
}

QString LengthsChart::summary() const {
  const Private& p = *m_private;
  const std::int64_t rows = p.rows();
  if (rows == 0) return tr("Lengths: %1").arg(notMeasured());
  const auto most = std::max_element(p.ranges.begin(), p.ranges.end(),
                                     [](const LengthRange& a, const LengthRange& b) { return a.rows < b.rows; });
  QString words = tr("%1 row(s) of %2 to %3 tokens, most of them %4 to %5", nullptr, pluralOf(rows))
                      .arg(formatCount(rows), formatCount(p.ranges.front().from), formatCount(p.ranges.back().to - 1),
                           formatCount(most->from), formatCount(most->to - 1));
  if (p.limit) words += tr("; rows are cut at %1").arg(formatCount(p.limit));
  return words;
}

QSize LengthsChart::sizeHint() const {
  return {scaled(360), scaled(180)};
}

QSize LengthsChart::minimumSizeHint() const {
  return {scaled(200), scaled(120)};
}

void LengthsChart::fill() {
  Private& p = *m_private;
  QChart& chart = *p.chart;
  const Colors& c = colors();
  chart.removeAllSeries();
  for (QAbstractAxis* axis : chart.axes()) {
    chart.removeAxis(axis);
    delete axis;
  }
  setAccessibleDescription(summary());
  const bool reached = p.limit && !p.ranges.empty() && *p.limit <= p.ranges.back().to;
  p.caption->setText(!p.limit  ? tr("Rows by length")
                     : reached ? tr("Rows by length; dashed: cut at %1 tokens").arg(formatCount(p.limit))
                               : tr("Rows by length; none reaches the cut at %1 tokens").arg(formatCount(p.limit)));
  if (p.ranges.empty()) {
    themeChart(chart);
    return;
  }
  const auto last = static_cast<double>(p.ranges.size()) - 0.5;
  auto* whole = new QBarSet({});
  auto* cut = new QBarSet({});
  double most = 0;
  for (const LengthRange& range : p.ranges) {
    const bool beyond = p.limit && range.from >= *p.limit;
    const auto rows = static_cast<double>(range.rows);
    *whole << (beyond ? 0 : rows);
    *cut << (beyond ? rows : 0);
    most = std::max(most, rows);
  }
  whole->setPen(Qt::NoPen);
  whole->setBrush(c.accent);
  cut->setPen(QPen(c.warn, 1));
  cut->setBrush(QBrush(c.warn, Qt::BDiagPattern));
  auto* bars = new QStackedBarSeries;
  bars->setBarWidth(0.9);
  bars->append(whole);
  bars->append(cut);
  connect(bars, &QStackedBarSeries::hovered, this, [this](bool on, int index) {
    if (!on || index < 0 || index >= static_cast<int>(m_private->ranges.size())) return QToolTip::hideText();
    const LengthRange& range = m_private->ranges[static_cast<std::size_t>(index)];
    QToolTip::showText(QCursor::pos(),
                       tr("%1 to %2 tokens: %3 row(s)", nullptr, pluralOf(range.rows))
                           .arg(formatCount(range.from), formatCount(range.to - 1), formatCount(range.rows)),
                       this);
  });
  chart.addSeries(bars);

  auto* across = new QCategoryAxis;
  across->setLabelsPosition(QCategoryAxis::AxisLabelsPositionOnValue);
  across->setStartValue(-0.5);
  const std::size_t step = (p.ranges.size() + kLabels - 1) / kLabels;
  for (std::size_t i = 0; i < p.ranges.size(); i += step) {
    across->append(formatCount(p.ranges[i].from), static_cast<double>(i) - 0.5);
  }
  across->setRange(-0.5, last);
  across->setTitleText(tr("tokens"));
  auto* up = new QValueAxis;
  const double stride = roundStep(most);
  up->setRange(0, std::max(stride, std::ceil(most / stride) * stride));
  up->setTickType(QValueAxis::TicksDynamic);
  up->setTickAnchor(0);
  up->setTickInterval(stride);
  up->setLabelFormat(QStringLiteral("%.0f"));
  up->setTitleText(tr("rows"));
  chart.addAxis(across, Qt::AlignBottom);
  chart.addAxis(up, Qt::AlignLeft);
  bars->attachAxis(across);
  bars->attachAxis(up);
  if (const auto place = p.limit ? p.placeOf(*p.limit) : std::nullopt) {
    auto* line = new QLineSeries;
    line->append(*place, 0);
    line->append(*place, up->max());
    QPen dashed(c.warn, 2);
    dashed.setDashPattern({3, 3});
    line->setPen(dashed);
    chart.addSeries(line);
    line->attachAxis(across);
    line->attachAxis(up);
  }
  themeChart(chart);
}

bool LengthsChart::eventFilter(QObject* watched, QEvent* event) {
  // The page scrolls, not the chart in its view.
  if (event->type() == QEvent::Wheel) {
    event->ignore();
    return true;
  }
  return QWidget::eventFilter(watched, event);
}

}  // namespace strata
