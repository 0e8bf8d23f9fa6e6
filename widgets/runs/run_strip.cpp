#include "widgets/runs/run_strip.h"

#include <QVBoxLayout>

#include "widgets/plots/series_plot.h"
#include "widgets/runs/map_text.h"
#include "widgets/runs/run_curves.h"
#include "widgets/style/controls.h"
#include "widgets/style/format.h"
#include "widgets/style/icons.h"
#include "widgets/style/named.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kPlotHeight = 148;
constexpr double kSmoothing = 0.9;

QString mapOf(const QString& metric) {
  return mapText(metric.section('/', 1));
}

}  // namespace

RunStrip::RunStrip(Session& session, QWidget* parent) : QWidget(parent), m_session(session) {
  named(this, "runStrip", tr("The run that trains"));
  m_name = named(new ElidedLabel({}, TextRole::strong), "stripName");
  m_detail = named(new ElidedLabel({}, TextRole::body, Tone::second), "stripDetail");
  m_open = named(makeButton(tr("Open run"), ButtonKind::link), "stripOpen");
  m_open->setToolTip(tr("All curves and the answers of the run"));
  m_open->setCompact(true);
  m_fold = named(makeIconButton("chevron-up", tr("Hide the curves")), "stripFold");
  m_fold->setCompact(true);
  m_plot = named(new SeriesPlot(tr("Loss"), tr("nats")), "stripPlot");
  m_plot->setEmptyText(tr("The curve begins with the first step."));
  m_plot->setSmoothing(kSmoothing);
  auto* line = new QHBoxLayout;
  line->setContentsMargins(kGapGroups, kGapInside, kGapRelated, kGapInside);
  line->setSpacing(kGapRelated);
  m_name->setSizePolicy(QSizePolicy::Maximum, QSizePolicy::Preferred);
  line->addWidget(m_name);
  line->addWidget(m_detail, 1);
  line->addWidget(m_open);
  line->addWidget(m_fold);
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(0);
  column->addLayout(line);
  auto* curves = new QHBoxLayout;
  curves->setContentsMargins(kGapGroups, 0, kGapGroups, 0);
  curves->addWidget(m_plot);
  column->addLayout(curves);
  connect(m_fold, &Button::clicked, this, [this] { setFolded(!m_folded); });
  connect(m_open, &Button::clicked, this, [this] { m_session.go(Place::run(QString::fromStdString(m_run))); });
  connect(&session.runs(), &RunTable::changed, this, &RunStrip::follow);
  followTheme(this, [this] { m_plot->setFixedHeight(scaled(kPlotHeight)); });
  setFolded(false);
  hide();
}

void RunStrip::setFolded(bool folded) {
  const bool changed = folded != m_folded;
  m_folded = folded;
  m_plot->setVisible(!folded);
  m_fold->setIcon(icon(folded ? "chevron-down" : "chevron-up"));
  const QString what = folded ? tr("Show the curves") : tr("Hide the curves");
  m_fold->setAccessibleName(what);
  m_fold->setToolTip(what);
  if (changed) Q_EMIT foldedChanged();
}

void RunStrip::show(const std::string& run) {
  setVisible(!run.empty());
  if (run == m_run) return;
  m_run = run;
  delete m_curves;
  m_curves = nullptr;
  m_newest.clear();
  for (const QString& id : m_plot->series()) m_plot->removeSeries(id);
  if (run.empty()) return;
  m_curves = new RunCurves(m_session.engine(), run, this);
  connect(m_curves, &RunCurves::arrived, this,
          [this](const QString& metric, const PlotColumns& all) { take(metric, all, true); });
  connect(m_curves, &RunCurves::grew, this,
          [this](const QString& metric, const PlotColumns& points) { take(metric, points, false); });
  connect(m_curves, &RunCurves::failed, this, [this](const QString& sentence) { m_detail->setText(sentence); });
  const protocol::JobInfo* job = m_session.runs().find(run);
  m_curves->open(job != nullptr && job->alive);
  showState();
}

void RunStrip::take(const QString& metric, const PlotColumns& columns, bool all) {
  if (metric.startsWith("f1/") || metric == "memory") {
    m_newest[metric] = columns.value.back();
    return showState();
  }
  if (metric != "loss" && !metric.startsWith("nll/")) return;
  if (!all && m_plot->data(metric) != nullptr) return m_plot->append(metric, columns);
  SeriesStyle style;
  style.live = metric == "loss";
  style.name = metric == "loss" ? tr("training") : tr("held-out, %1").arg(mapOf(metric));
  if (metric != "loss") {  // the others stay as they are
    int held = 0;
    for (const QString& id : m_plot->series()) held += id != "loss" && id != metric ? 1 : 0;
    style.slot = 2 + held % 2;
    style.dashed = held >= 2;
  }
  m_plot->setSeries(metric, style, columns);
}

void RunStrip::follow() {
  if (m_curves == nullptr) return;
  if (const protocol::JobInfo* job = m_session.runs().find(m_run)) m_curves->follow(job->alive);
  showState();
}

void RunStrip::showState() {
  const protocol::JobInfo* job = m_session.runs().find(m_run);
  if (job == nullptr) return;
  m_name->setText(RunTable::title(*job));
  QStringList parts;
  if (!job->alive) parts << RunTable::stateText(*job);
  if (job->steps > 0) parts << tr("step %1 of %2").arg(formatCount(job->step), formatCount(job->steps));
  if (job->alive && job->secondsLeft >= 0) parts << tr("%1 left").arg(formatTimeLeft(job->secondsLeft));
  if (job->loss) parts << tr("loss %1").arg(formatNats(*job->loss));
  for (const auto& [metric, value] : m_newest) {
    parts << (metric == "memory" ? tr("memory %1").arg(formatBytes(static_cast<std::int64_t>(value)))
                                 : tr("%1: F1 %2").arg(mapOf(metric), formatPercent(value)));
  }
  m_detail->setText(parts.join(QStringLiteral(" · ")));
}

}  // namespace strata
