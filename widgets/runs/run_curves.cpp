#include "widgets/runs/run_curves.h"

#include <algorithm>

#include "core/protocol/columns.h"

namespace strata {
namespace {

constexpr std::int64_t kBuckets = 2000;
constexpr const char* kLoss = "loss";  // of every step

const char* nameOf(PlotAxis axis) {
  switch (axis) {
    case PlotAxis::step:
      return "step";
    case PlotAxis::tokens:
      return "tokens";
    case PlotAxis::seconds:
      break;
  }
  return "seconds";
}

Result<PlotColumns> columnsOf(const protocol::SeriesBuckets& buckets) {
  PlotColumns columns;
  STRATA_TRY(columns.step, protocol::decodeColumn(buckets.step));
  STRATA_TRY(columns.tokens, protocol::decodeColumn(buckets.tokens));
  STRATA_TRY(columns.seconds, protocol::decodeColumn(buckets.seconds));
  STRATA_TRY(columns.value, protocol::decodeColumn(buckets.last));
  STRATA_TRY(const std::vector<double> count, protocol::decodeColumn(buckets.count));
  const bool single = std::all_of(count.begin(), count.end(), [](double each) { return each == 1; });
  if (single) return columns;
  STRATA_TRY(columns.min, protocol::decodeColumn(buckets.min));
  STRATA_TRY(columns.max, protocol::decodeColumn(buckets.max));
  return columns;
}

Result<PlotColumns> columnsOf(const protocol::PointColumns& points) {
  PlotColumns columns;
  STRATA_TRY(columns.step, protocol::decodeColumn(points.step));
  STRATA_TRY(columns.tokens, protocol::decodeColumn(points.tokens));
  STRATA_TRY(columns.seconds, protocol::decodeColumn(points.seconds));
  STRATA_TRY(columns.value, protocol::decodeColumn(points.value));
  return columns;
}

/// Several may follow a run, and the engine has one watch of it: how many do, `change` more from now on.
int countFollowers(EngineClient& engine, const std::string& run, int change) {
  const QByteArray key = "followers of " + QByteArray::fromStdString(run);
  const int count = engine.property(key).toInt() + change;
  engine.setProperty(key, count > 0 ? QVariant(count) : QVariant());
  return count;
}

}  // namespace

RunCurves::RunCurves(EngineClient& engine, std::string run, QObject* parent)
    : QObject(parent), m_engine(engine), m_run(std::move(run)) {
  engine.on<protocol::JobPoints>(this, [this](const protocol::JobPoints& points) { take(points); });
}

RunCurves::~RunCurves() {
  if (m_watching) watch(false);
}

void RunCurves::open(bool alive) {
  readNames([this, alive](std::vector<std::string> names) {
    if (alive && !m_ended) m_following = true;  // the watch begins behind what is read now
    read(std::move(names), {});
  });
}

void RunCurves::readNames(std::function<void(std::vector<std::string>)> then) {
  protocol::ReadSeries::Params params;
  params.id = m_run;
  m_engine.call<protocol::ReadSeries>(params, this, [this, then](const Result<protocol::ReadSeries::Answer>& answer) {
    if (!answer) return Q_EMIT failed(QString::fromStdString(answer.error().message));
    then(answer->names);
  });
}

/// `from` a step on; all of it where there is none.
void RunCurves::read(std::vector<std::string> names, std::optional<double> from) {
  if (names.empty()) {
    if (!from) finishOpening();
    return;
  }
  protocol::ReadSeries::Params params;
  params.id = m_run;
  params.names = std::move(names);
  params.from = from;
  params.buckets = kBuckets;
  m_engine.call<protocol::ReadSeries>(params, this, [this, from](const Result<protocol::ReadSeries::Answer>& answer) {
    if (!answer) return Q_EMIT failed(QString::fromStdString(answer.error().message));
    for (const protocol::SeriesBuckets& buckets : answer->series) {
      const Result<PlotColumns> columns = columnsOf(buckets);
      if (!columns) {
        Q_EMIT failed(QString::fromStdString(columns.error().message));
        continue;
      }
      if (columns->step.empty()) continue;
      if (buckets.name == kLoss) m_lastLoss = columns->step.back();
      const QString name = QString::fromStdString(buckets.name);
      if (from) {
        Q_EMIT grew(name, *columns);
      } else {
        Q_EMIT arrived(name, *columns);
      }
    }
    read(answer->left, from);
  });
}

void RunCurves::finishOpening() {
  m_opened = true;
  if (m_following) watch(true);
  if (m_ended) readRest();
  Q_EMIT opened();
}

void RunCurves::follow(bool alive) {
  m_ended = !alive;
  if (m_following == alive) return;
  m_following = alive;
  if (!m_opened) return;
  watch(alive);
  if (m_ended) readRest();
}

/// Of a run that ended: what it measured while the engine was away, or between reading and watching.
void RunCurves::readRest() {
  readNames([this](std::vector<std::string> names) { read(std::move(names), m_lastLoss); });
}

/// From the newest loss: an evaluation's metrics come behind the loss of their step. Points that come again replace
/// themselves. Others that follow the run miss none: the watch goes back to what they have.
void RunCurves::watch(bool on) {
  if (on == m_watching) return;
  m_watching = on;
  const int followers = countFollowers(m_engine, m_run, on ? 1 : -1);
  if (!on && followers > 0) return;
  protocol::WatchJob::Params params;
  params.id = m_run;
  params.on = on;
  const QByteArray delivered = "delivered of " + QByteArray::fromStdString(m_run);
  double from = m_lastLoss;
  if (followers > 1) from = std::min(from, m_engine.property(delivered).toDouble());
  m_engine.setProperty(delivered, on ? QVariant(from) : QVariant());
  params.fromStep = static_cast<std::int64_t>(from);
  m_engine.call<protocol::WatchJob>(params, this, [this](const Result<protocol::Nothing>& answer) {
    if (!answer) Q_EMIT failed(QString::fromStdString(answer.error().message));
  });
}

void RunCurves::take(const protocol::JobPoints& points) {
  if (!m_following || points.id != m_run) return;
  for (const protocol::PointColumns& each : points.series) {
    const Result<PlotColumns> columns = columnsOf(each);
    if (!columns) {
      Q_EMIT failed(QString::fromStdString(columns.error().message));
      continue;
    }
    if (columns->step.empty()) continue;
    if (each.name == kLoss) {
      m_lastLoss = columns->step.back();
      m_engine.setProperty("delivered of " + QByteArray::fromStdString(m_run), m_lastLoss);
    }
    Q_EMIT grew(QString::fromStdString(each.name), *columns);
  }
}

void RunCurves::refine(const QStringList& metrics, PlotAxis axis, double from, double to, int buckets) {
  protocol::ReadSeries::Params params;
  params.id = m_run;
  for (const QString& metric : metrics) params.names.push_back(metric.toStdString());
  params.x = nameOf(axis);
  params.from = from;
  params.to = to;
  params.buckets = std::clamp(buckets, 1, 4096);
  m_engine.call<protocol::ReadSeries>(params, this, [this, axis](const Result<protocol::ReadSeries::Answer>& answer) {
    if (!answer) return Q_EMIT failed(QString::fromStdString(answer.error().message));
    for (const protocol::SeriesBuckets& buckets : answer->series) {
      const Result<PlotColumns> columns = columnsOf(buckets);
      if (!columns) {
        Q_EMIT failed(QString::fromStdString(columns.error().message));
      } else if (!columns->step.empty()) {
        Q_EMIT refined(QString::fromStdString(buckets.name), axis, *columns);
      }
    }
  });
}

}  // namespace strata
