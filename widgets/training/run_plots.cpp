#include "widgets/training/run_plots.h"

#include <QGridLayout>
#include <QResizeEvent>
#include <QVBoxLayout>
#include <algorithm>
#include <array>
#include <cmath>

#include "widgets/plots/plot_link.h"
#include "widgets/runs/map_text.h"
#include "widgets/runs/run_curves.h"
#include "widgets/style/format.h"
#include "widgets/style/named.h"
#include "widgets/style/theme.h"
#include "widgets/training/borrowed_bars.h"

namespace strata {
namespace {

constexpr int kTwoColumnsFrom = 720;                    // pixels at 100 % text
constexpr int kPlotHeight = 236, kLowPlotHeight = 176;  // beside another plot; one to a row, so that three are seen
constexpr double kSmoothing = 0.9;
constexpr int kDottedSlot = 10;  // the shown run's colour, dotted

QString mapOf(const QString& metric) {
  return metric.section('/', 1);
}

double rankOf(const QString& metric) {
  return retentionRank(mapOf(metric));
}

bool isScore(const QString& metric) {
  return metric.startsWith("f1/") || metric.startsWith("f1_low/") || metric.startsWith("f1_high/");
}

/// The value measured at the step of an element; `otherwise` where there is none.
double valueAt(const SeriesData& data, double step, double otherwise) {
  const auto at = data.nearest(PlotAxis::step, step);
  return at && data.columns().step[*at] == step ? data.columns().value[*at] : otherwise;
}

PlotColumns multiplied(PlotColumns columns, double factor) {
  for (auto* column : {&columns.value, &columns.min, &columns.max}) {
    for (double& each : *column) each *= factor;
  }
  return columns;
}

}  // namespace

struct RunPlots::Source {
  std::string run;
  QString name;  // of another run; "" of the shown one
  int slot = 0;
  RunCurves* curves = nullptr;
  std::vector<QString> metrics;  // in the order in which they came
  std::map<QString, SeriesData> scores;
  ~Source() { delete curves; }
};

RunPlots::RunPlots(Session& session, QWidget* parent)
    : QScrollArea(parent), m_session(session), m_link(new PlotLink(this)), m_has(kPlots, false) {
  named(this, "runPlots", tr("Curves"));
  setFrameShape(QFrame::NoFrame);
  setWidgetResizable(true);
  setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  setFocusPolicy(Qt::NoFocus);
  m_content = new QWidget;
  m_grid = new QGridLayout(m_content);
  m_grid->setContentsMargins(kGapRelated, kGapRelated, kGapRelated, kGapRelated);
  m_grid->setSpacing(kGapRelated);
  setWidget(m_content);
  buildPlots();
  followTheme(this, [this] {
    setMinimumWidth(metrics().inspector);
    m_columns = 0;
    arrange();
  });
}

RunPlots::~RunPlots() = default;

void RunPlots::buildPlots() {
  struct Spec {
    const char* objectName;
    QString title, unit, empty;
  };
  const std::array<Spec, kPlots> specs = {{
      {"lossPlot", tr("Loss"), tr("nats"), tr("The curve begins with the first step.")},
      {"nllPlot", tr("Held-out loss"), tr("nats"), tr("Nothing was evaluated yet.")},
      {"scoresPlot", tr("Answers"), tr("F1, %"), tr("No question was answered yet.")},
      {"memoryPlot", tr("Memory"), tr("MiB, without the process"), tr("Not measured yet.")},
      {"speedPlot", tr("Speed"), tr("trained tokens/s"), tr("Not measured yet.")},
      {"ratePlot", tr("Learning rate"), {}, tr("Not measured yet.")},
      {"normPlot", tr("Gradient norm"), {}, tr("Not measured yet.")},
      {"routingPlot", tr("Routing and padding"), tr("share"), tr("Not measured yet.")},
      {"partsPlot", tr("Memory by part"), tr("MiB"), tr("Not measured yet.")},
  }};
  for (const Spec& spec : specs) {
    auto* plot = named(new SeriesPlot(spec.title, spec.unit, m_content), spec.objectName);
    plot->setEmptyText(spec.empty);
    plot->setLink(m_link);
    m_plots.push_back(plot);
    const int index = static_cast<int>(m_plots.size()) - 1;
    if (index == kScores) continue;  // evaluations are few: all of their points are here
    connect(plot, &SeriesPlot::rangeWanted, this, [this, index](PlotAxis axis, double from, double to, int buckets) {
      for (const auto& source : m_sources) {
        QStringList wanted;
        for (const QString& metric : source->metrics) {
          if (plotOf(metric) == index) wanted << metric;
        }
        if (!wanted.isEmpty()) source->curves->refine(wanted, axis, from, to, buckets);
      }
    });
  }
  for (const Plot each : {kMemory, kParts}) {
    m_plots[each]->setValueFormat(
        [](double mebibytes) { return formatBytes(static_cast<std::int64_t>(mebibytes * (1 << 20))); });
  }
  m_borrowed = new BorrowedBars(m_session, m_content);
  m_plots[kLoss]->setSmoothing(kSmoothing);
}

int RunPlots::plotOf(const QString& metric) {
  if (metric == "loss") return kLoss;
  if (metric.startsWith("nll/")) return kNll;
  if (metric.startsWith("f1/")) return kScores;
  if (metric == "memory" || metric == "memory_reserved" || metric == "memory_device") return kMemory;
  if (metric.startsWith("memory_")) return kParts;
  if (metric == "tokens_s") return kSpeed;
  if (metric == "lr") return kRate;
  if (metric == "grad_norm") return kNorm;
  if (metric == "p_cross" || metric == "padding" || metric == "borrowed") return kRouting;
  return -1;
}

double RunPlots::factorOf(int plot) {
  return plot == kMemory || plot == kParts ? 1.0 / (1 << 20) : plot == kScores ? 100 : 1;
}

QString RunPlots::seriesId(const std::string& run, const QString& metric) {
  return QString::fromStdString(run) + '\n' + metric;
}

void RunPlots::arrange() {
  const int columns = viewport()->width() >= scaled(kTwoColumnsFrom) ? 2 : 1;
  if (columns == m_columns) return;
  m_columns = columns;
  showPlots();
}

void RunPlots::resizeEvent(QResizeEvent* event) {
  QScrollArea::resizeEvent(event);
  arrange();
}

/// Scores are there only where questions are asked; the others always have their place, so that nothing jumps. In one
/// column memory comes before the scores, to be seen without scrolling.
void RunPlots::showPlots() {
  std::vector<QWidget*> shown;
  for (int i = 0; i < kPlots; ++i) {
    SeriesPlot* plot = m_plots[static_cast<std::size_t>(i)];
    m_grid->removeWidget(plot);
    const bool has = i != kScores || m_has[kScores];
    plot->setVisible(has);
    if (has) shown.push_back(plot);
  }
  m_grid->removeWidget(m_borrowed);
  const auto routing = std::find(shown.begin(), shown.end(), m_plots[kRouting]);
  shown.insert(routing + 1, m_borrowed);
  const auto scores = std::find(shown.begin(), shown.end(), m_plots[kScores]);
  if (m_columns == 1 && scores != shown.end()) std::iter_swap(scores, scores + 1);
  int place = 0;
  for (QWidget* each : shown) {
    each->setMinimumHeight(scaled(m_columns == 1 ? kLowPlotHeight : kPlotHeight));
    m_grid->addWidget(each, place / m_columns, place % m_columns);
    ++place;
  }
  for (int column = 0; column < 2; ++column) m_grid->setColumnStretch(column, column < m_columns ? 1 : 0);
}

void RunPlots::show(const std::string& run, bool alive) {
  for (SeriesPlot* plot : m_plots) {
    for (const QString& id : plot->series()) plot->removeSeries(id);
    plot->setMarkers({});
  }
  m_sources.clear();
  m_events.clear();
  m_predicted = 0;
  m_shownName.clear();
  m_has.assign(kPlots, false);
  m_link->reset();
  m_borrowed->show(run);
  showPlots();
  if (!run.empty()) addSource(run, {}, 0, alive);
}

void RunPlots::addSource(const std::string& run, const QString& name, int slot, bool alive) {
  auto source = std::make_unique<Source>();
  source->run = run;
  source->name = name;
  source->slot = slot;
  source->curves = new RunCurves(m_session.engine(), run, this);
  Source* at = source.get();
  m_sources.push_back(std::move(source));
  connect(at->curves, &RunCurves::arrived, this, [this, at](const QString& metric, const PlotColumns& all) {
    isScore(metric) ? takeScore(*at, metric, all, true) : arrived(*at, metric, all);
  });
  connect(at->curves, &RunCurves::grew, this, [this, at](const QString& metric, const PlotColumns& points) {
    if (isScore(metric)) return takeScore(*at, metric, points, false);
    const int index = plotOf(metric);
    if (index < 0) return;
    const QString id = seriesId(at->run, metric);
    SeriesPlot* plot = m_plots[static_cast<std::size_t>(index)];
    if (plot->data(id) == nullptr) return arrived(*at, metric, points);
    plot->append(id, multiplied(points, factorOf(index)));
    if (index == kLoss) showPrediction();
  });
  connect(at->curves, &RunCurves::refined, this,
          [this, at](const QString& metric, PlotAxis, const PlotColumns& stretch) {
            const int index = plotOf(metric);
            if (index < 0) return;
            m_plots[static_cast<std::size_t>(index)]->refine(seriesId(at->run, metric),
                                                             multiplied(stretch, factorOf(index)));
          });
  connect(at->curves, &RunCurves::failed, this, &RunPlots::failed);
  at->curves->open(alive);
}

SeriesStyle RunPlots::styleOf(const Source& source, const QString& metric) const {
  const int index = plotOf(metric);
  const bool isShown = source.name.isEmpty();
  const QString& run = isShown ? m_shownName : source.name;
  const auto named = [&run](const QString& what) {
    return run.isEmpty() ? what : what.isEmpty() ? run : tr("%1, %2").arg(run, what);
  };
  SeriesStyle style;
  style.slot = source.slot;
  style.live = source.curves->following();
  if (index == kNll || index == kScores) {
    std::vector<QString> maps;
    for (const QString& each : source.metrics) {
      if (plotOf(each) == index) maps.push_back(each);
    }
    std::stable_sort(maps.begin(), maps.end(),
                     [](const QString& a, const QString& b) { return rankOf(a) > rankOf(b); });
    style.step = static_cast<int>(std::find(maps.begin(), maps.end(), metric) - maps.begin());
    style.steps = static_cast<int>(maps.size());
    style.name = named(mapText(mapOf(metric)));
    style.interval = isShown && index == kScores;
  } else if (index == kRouting) {
    const int line = metric == "p_cross" ? 0 : metric == "borrowed" ? 2 : 1;
    if (run.isEmpty()) {
      style.slot += line;
    } else {  // the next colours are other runs'
      style.step = line;
      style.steps = 3;
    }
    style.name = named(metric == "p_cross"    ? tr("p_cross")
                       : metric == "borrowed" ? tr("reads that borrow")
                                              : tr("padding"));
  } else if (index == kParts) {
    const std::pair<const char*, QString> parts[] = {{"memory_weights", tr("weights")},
                                                     {"memory_gradients", tr("gradients")},
                                                     {"memory_optimizer", tr("optimizer")},
                                                     {"memory_activations", tr("activations")},
                                                     {"memory_kv", tr("KV")}};
    const auto part =
        std::find_if(std::begin(parts), std::end(parts), [&](const auto& each) { return metric == each.first; });
    style.slot = static_cast<int>(part - std::begin(parts));
    style.name = part == std::end(parts) ? metric : part->second;
  } else if (index == kMemory && isShown) {
    style.dashed = metric == "memory_reserved";
    if (metric == "memory_device") {
      style.step = 1;
      style.steps = 2;
    }
    style.name = metric == "memory"            ? (run.isEmpty() ? tr("measured") : run)
                 : metric == "memory_reserved" ? tr("held after the step")
                                               : tr("in use on the device");
  } else {
    style.name = named({});
  }
  return style;
}

void RunPlots::arrived(Source& source, const QString& metric, const PlotColumns& all) {
  if (std::find(source.metrics.begin(), source.metrics.end(), metric) == source.metrics.end()) {
    source.metrics.push_back(metric);
  }
  const int index = plotOf(metric);
  if (index < 0) return;
  if (!source.name.isEmpty() && metric.startsWith("memory_")) return;  // of other runs what they take in all
  SeriesPlot* plot = m_plots[static_cast<std::size_t>(index)];
  plot->setSeries(seriesId(source.run, metric), styleOf(source, metric), multiplied(all, factorOf(index)));
  if (index == kNll || index == kScores) {
    for (const QString& each : source.metrics) {
      if (plotOf(each) == index) plot->setStyle(seriesId(source.run, each), styleOf(source, each));
    }
  }
  if (!m_has[static_cast<std::size_t>(index)]) {
    m_has[static_cast<std::size_t>(index)] = true;
    if (index == kScores) showPlots();
  }
  if (source.name.isEmpty() && index == kLoss) {
    setEvents(m_events);
    showPrediction();
    Q_EMIT begun();
  }
}

void RunPlots::takeScore(Source& source, const QString& metric, const PlotColumns& columns, bool whole) {
  SeriesData& data = source.scores[metric];
  whole ? data.assign(columns) : data.append(columns);
  const QString f1 = "f1/" + mapOf(metric);
  const auto scores = source.scores.find(f1), low = source.scores.find("f1_low/" + mapOf(metric)),
             high = source.scores.find("f1_high/" + mapOf(metric));
  if (scores == source.scores.end()) return;
  PlotColumns shown = scores->second.columns();
  if (low != source.scores.end() && high != source.scores.end()) {
    shown.min = shown.max = shown.value;
    for (std::size_t i = 0; i < shown.value.size(); ++i) {
      shown.min[i] = valueAt(low->second, shown.step[i], shown.value[i]);
      shown.max[i] = valueAt(high->second, shown.step[i], shown.value[i]);
    }
  }
  arrived(source, f1, shown);
}

void RunPlots::follow(bool alive) {
  if (!m_sources.empty()) m_sources.front()->curves->follow(alive);
}

void RunPlots::removeSource(std::size_t at) {
  for (SeriesPlot* plot : m_plots) {
    for (const QString& metric : m_sources[at]->metrics) plot->removeSeries(seriesId(m_sources[at]->run, metric));
  }
  m_sources.erase(m_sources.begin() + static_cast<std::ptrdiff_t>(at));
}

/// Curves that stand already stay as they are.
void RunPlots::setOverlays(const std::vector<Overlay>& overlays) {
  if (m_sources.empty()) return;
  const auto isSame = [](const Source& source, const Overlay& overlay) {
    return source.run == overlay.run && source.slot == overlay.slot && source.name == overlay.name;
  };
  for (std::size_t i = m_sources.size(); i-- > 1;) {
    const auto same = std::find_if(overlays.begin(), overlays.end(),
                                   [&](const Overlay& overlay) { return isSame(*m_sources[i], overlay); });
    if (same == overlays.end()) {
      removeSource(i);
    } else {
      m_sources[i]->curves->follow(same->alive);
    }
  }
  for (const Overlay& overlay : overlays) {
    const bool known =
        std::any_of(m_sources.begin(), m_sources.end(), [&](const auto& source) { return source->run == overlay.run; });
    if (!known) addSource(overlay.run, overlay.name, overlay.slot, overlay.alive);
  }
  nameShownRun();
}

void RunPlots::nameShownRun() {
  const Source& shown = *m_sources.front();
  QString name;
  if (m_sources.size() > 1) {
    const protocol::JobInfo* job = m_session.runs().find(shown.run);
    name = job == nullptr ? QString::fromStdString(shown.run) : RunTable::title(*job);
  }
  if (name == m_shownName) return;
  m_shownName = name;
  for (const QString& metric : shown.metrics) {
    const int index = plotOf(metric);
    if (index < 0) continue;
    m_plots[static_cast<std::size_t>(index)]->setStyle(seriesId(shown.run, metric), styleOf(shown, metric));
  }
}

void RunPlots::highlight(const std::string& run) {
  for (SeriesPlot* plot : m_plots) {
    QStringList found;
    for (const QString& id : plot->series()) {
      if (!run.empty() && id.startsWith(QString::fromStdString(run) + '\n')) found << id;
    }
    plot->setHighlighted(found);
  }
}

/// Tokens and seconds of a step, from the loss.
PlotPlace RunPlots::placeOf(double step) const {
  PlotPlace place;
  place.step = step;
  if (m_sources.empty()) return place;
  const SeriesData* loss = m_plots[kLoss]->data(seriesId(m_sources.front()->run, "loss"));
  if (loss == nullptr) return place;
  const auto at = loss->nearest(PlotAxis::step, step);
  if (!at) return place;
  if (loss->has(PlotAxis::tokens)) place.tokens = loss->columns().tokens[*at];
  if (loss->has(PlotAxis::seconds)) place.seconds = loss->columns().seconds[*at];
  return place;
}

void RunPlots::setEvents(const std::vector<protocol::RunEvent>& events) {
  m_events = events;
  std::vector<PlotMarker> markers;
  for (const protocol::RunEvent& event : events) {
    PlotMarker marker;
    marker.at = placeOf(static_cast<double>(event.step));
    const QString text = QString::fromStdString(event.text);
    if (event.kind == "checkpoint") {
      marker.name = tr("checkpoint");
    } else if (event.kind == "resumed") {
      marker.name = tr("resumed");
    } else {
      marker.kind = event.kind == "early_stop" ? MarkerKind::evaluation : MarkerKind::skipped;
      marker.name = text.isEmpty() ? QString::fromStdString(event.kind) : text;
    }
    markers.push_back(std::move(marker));
  }
  for (SeriesPlot* plot : m_plots) plot->setMarkers(markers);
}

void RunPlots::setPredictedMemory(std::int64_t bytes) {
  m_predicted = bytes;
  showPrediction();
}

void RunPlots::showPrediction() {
  if (m_predicted <= 0 || m_sources.empty()) return;
  const SeriesData* memory = m_plots[kMemory]->data(seriesId(m_sources.front()->run, "memory"));
  if (memory == nullptr || memory->size() == 0) return;
  const PlotColumns& all = memory->columns();
  PlotColumns line;
  for (const PlotAxis axis : kPlotAxes) {
    if (!all.x(axis).empty()) line.x(axis) = {all.x(axis).front(), all.x(axis).back()};
  }
  const double mebibytes = static_cast<double>(m_predicted) / (1 << 20);
  line.value = {mebibytes, mebibytes};
  m_plots[kMemory]->setSeries("predicted", {.name = tr("predicted"), .slot = kDottedSlot}, std::move(line));
}

void RunPlots::setStep(std::int64_t step, bool alive) {
  m_borrowed->setStep(step, alive);
}

void RunPlots::setAxis(PlotAxis axis) {
  m_link->setAxis(axis);
}

void RunPlots::setSmooth(bool on) {
  for (const Plot each : {kLoss, kSpeed, kNorm}) {
    m_plots[static_cast<std::size_t>(each)]->setSmoothing(on ? kSmoothing : 0);
  }
}

}  // namespace strata
