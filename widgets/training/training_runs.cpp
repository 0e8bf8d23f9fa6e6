#include "widgets/training/training_runs.h"

#include <QColor>
#include <QMimeData>
#include <QRegularExpression>
#include <algorithm>
#include <cmath>
#include <set>

#include "widgets/runs/map_text.h"
#include "widgets/style/icons.h"
#include "widgets/style/labels.h"

namespace strata {
namespace {

constexpr int kFirstSlot = 2;  // behind those of the chosen run
const char* const kWaitingRun = "application/x-strata-waiting-run";

RunField fieldOf(int column) {
  return static_cast<RunField>(column);
}

QString tooltipOf(const protocol::JobInfo& job, RunField field) {
  const QString id = QString::fromStdString(job.id);
  switch (field) {
    case RunField::name:
      return tipOf(QStringList{RunTable::title(job), QString::fromStdString(job.title),
                               runFieldText(job, RunField::tags), QString::fromStdString(job.note), id}
                       .filter(QRegularExpression("."))
                       .join('\n'));
    case RunField::state:
      return job.place > 0 ? TrainingRuns::tr("Place %1 in the queue").arg(job.place) : QString();
    case RunField::model:
      return tipOf(QString::fromStdString(job.model));
    case RunField::data:
      return tipOf(QString::fromStdString(job.data));
    case RunField::least:
      if (const auto least = leastRetained(job)) {
        return TrainingRuns::tr("Under the map %1").arg(mapText(QString::fromStdString(least->name)));
      }
      return {};
    case RunField::sweep:
      return tipOf(QString::fromStdString(job.sweep));
    default:
      return {};
  }
}

}  // namespace

TrainingRuns::TrainingRuns(RunTable& runs, QObject* parent) : QAbstractTableModel(parent), m_runs(runs) {
  connect(&runs, &RunTable::rowsAboutToBeInserted, this,
          [this](const QModelIndex&, int first, int last) { beginInsertRows({}, first, last); });
  connect(&runs, &RunTable::rowsInserted, this, [this] { endInsertRows(); });
  connect(&runs, &RunTable::rowsAboutToBeRemoved, this,
          [this](const QModelIndex&, int first, int last) { beginRemoveRows({}, first, last); });
  connect(&runs, &RunTable::rowsRemoved, this, [this] { endRemoveRows(); });
  connect(&runs, &RunTable::rowsAboutToBeMoved, this,
          [this](const QModelIndex&, int first, int last, const QModelIndex&, int to) {
            beginMoveRows({}, first, last, {}, to);
          });
  connect(&runs, &RunTable::rowsMoved, this, [this] { endMoveRows(); });
  connect(&runs, &RunTable::dataChanged, this, [this](const QModelIndex& first, const QModelIndex& last) {
    Q_EMIT dataChanged(index(first.row(), 0), index(last.row(), kRunFields - 1));
  });
}

QVariant TrainingRuns::data(const QModelIndex& index, int role) const {
  if (!index.isValid()) return {};
  const protocol::JobInfo& job = at(index.row());
  const RunField field = fieldOf(index.column());
  switch (role) {
    case Qt::DisplayRole:
      if (field == RunField::state && m_runs.stopping(job.id)) return tr("stopping");
      return runFieldText(job, field);
    case Qt::CheckStateRole:
      if (field != RunField::tick) return {};
      return static_cast<int>(m_ticks.count(job.id) != 0 ? Qt::Checked : Qt::Unchecked);
    case kIdRole:
      return QString::fromStdString(job.id);
    case kSlotRole: {
      const int slot = slotOf(job.id);
      return slot < 0 ? QVariant() : QVariant(slot);
    }
    case Qt::ToolTipRole:
      if (field == RunField::tick) return tr("Draw its curves beside the selected run's");
      return tooltipOf(job, field);
    case Qt::AccessibleTextRole:
      if (field == RunField::tick) return tr("Draw %1 in the plots").arg(RunTable::title(job));
      if (field == RunField::curve) return tr("Loss so far");
      return {};
    case Qt::TextAlignmentRole:
      return int((isRunFigure(field) ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
    default:
      return {};
  }
}

bool TrainingRuns::setData(const QModelIndex& index, const QVariant& value, int role) {
  if (!index.isValid() || fieldOf(index.column()) != RunField::tick || role != Qt::CheckStateRole) return false;
  const std::string run = at(index.row()).id;
  if (value.toInt() != Qt::Checked) {
    m_ticks.erase(run);
  } else {
    tick(run);
  }
  touch(run);
  Q_EMIT ticksChanged();
  return true;
}

/// With the first colour that is free.
void TrainingRuns::tick(const std::string& run) {
  if (m_ticks.count(run) != 0) return;
  std::set<int> taken;
  for (const auto& [other, slot] : m_ticks) taken.insert(slot);
  int free = kFirstSlot;
  while (taken.count(free) != 0) ++free;
  m_ticks[run] = free;
}

void TrainingRuns::tickSweep(const std::string& sweep) {
  for (int row = 0; row < rowCount(); ++row) {
    if (at(row).sweep != sweep) continue;
    tick(at(row).id);
    touch(at(row).id);
  }
  Q_EMIT ticksChanged();
}

QVariant TrainingRuns::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal) return {};
  const RunField field = fieldOf(section);
  if (role == Qt::TextAlignmentRole) {
    return int((isRunFigure(field) ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
  }
  if (role == Qt::DisplayRole) return runFieldTitle(field);
  if (role == Qt::ToolTipRole && field == RunField::full) return tr("The least held-out loss under the full map");
  if (role == Qt::ToolTipRole && field == RunField::least) {
    return tr("The least held-out loss under the map with the fewest owners");
  }
  return {};
}

Qt::ItemFlags TrainingRuns::flags(const QModelIndex& index) const {
  Qt::ItemFlags flags = QAbstractTableModel::flags(index) | Qt::ItemNeverHasChildren;
  if (index.isValid() && fieldOf(index.column()) == RunField::tick) flags |= Qt::ItemIsUserCheckable;
  return flags;
}

void TrainingRuns::setChosen(const std::string& run) {
  if (run == m_chosen) return;
  const std::string before = std::exchange(m_chosen, run);
  touch(before);
  touch(run);
}

std::vector<std::string> TrainingRuns::ticked() const {
  std::vector<std::string> runs;
  for (const auto& [run, slot] : m_ticks) {
    if (m_runs.rowOf(run) >= 0) runs.push_back(run);
  }
  std::sort(runs.begin(), runs.end(),
            [this](const std::string& a, const std::string& b) { return m_ticks.at(a) < m_ticks.at(b); });
  return runs;
}

int TrainingRuns::slotOf(const std::string& run) const {
  if (run == m_chosen) return 0;
  const auto found = m_ticks.find(run);
  return found == m_ticks.end() ? -1 : found->second;
}

void TrainingRuns::clearTicks() {
  if (m_ticks.empty()) return;
  const std::map<std::string, int> before = std::exchange(m_ticks, {});
  for (const auto& [run, slot] : before) touch(run);
  Q_EMIT ticksChanged();
}

void TrainingRuns::touch(const std::string& run) {
  const int row = m_runs.rowOf(run);
  if (row >= 0) Q_EMIT dataChanged(index(row, 0), index(row, kRunFields - 1));
}

ShownRuns::ShownRuns(RunTable& runs, RunConfigs& configs, QObject* parent)
    : QSortFilterProxyModel(parent), m_all(new TrainingRuns(runs, this)), m_configs(configs) {
  connect(&configs, &RunConfigs::arrived, this, [this] {
    if (m_filter.needsConfig()) invalidateFilter();
  });
  connect(&runs, &RunTable::changed, this, [this] {
    countSweeps();
    readConfigs();
  });
  countSweeps();
  setSourceModel(m_all);
  setDynamicSortFilter(true);
}

/// The best: the least held-out loss under the least retention, or else under the full map.
void ShownRuns::countSweeps() {
  std::map<std::string, Sweep> sweeps;
  for (int row = 0; row < m_all->rowCount(); ++row) {
    const protocol::JobInfo& job = m_all->at(row);
    if (job.sweep.empty() || job.kind != "train") continue;
    Sweep& sweep = sweeps[job.sweep];
    sweep.ended += !job.alive && job.state != "queued" ? 1 : 0;
    const auto least = leastRetained(job);
    const auto full = runFieldNumber(job, RunField::full);
    const double value = least ? least->value : full.value_or(HUGE_VAL);
    const bool sooner = value == sweep.value && job.place > 0 && job.place < sweep.place;
    if (sweep.count++ > 0 && value >= sweep.value && !sooner) continue;
    sweep.best = job.id;
    sweep.value = value;
    sweep.place = job.place;
  }
  if (sweeps == m_sweeps) return;
  m_sweeps = std::move(sweeps);
  if (!m_collapsed.empty()) invalidateFilter();
}

const ShownRuns::Sweep* ShownRuns::sweepOf(const protocol::JobInfo& run) const {
  const auto found = m_sweeps.find(run.sweep);
  return found == m_sweeps.end() || found->second.count < 2 ? nullptr : &found->second;
}

bool ShownRuns::standsForSweep(const protocol::JobInfo& run) const {
  const Sweep* sweep = m_filtered ? nullptr : sweepOf(run);
  return sweep != nullptr && sweep->best == run.id;
}

void ShownRuns::setCollapsed(const std::string& sweep, bool collapsed) {
  if (collapsed ? !m_collapsed.insert(sweep).second : m_collapsed.erase(sweep) == 0) return;
  invalidateFilter();
  for (int row = 0; row < m_all->rowCount(); ++row) {
    if (m_all->at(row).sweep == sweep) m_all->touch(m_all->at(row).id);
  }
}

void ShownRuns::expandAll() {
  const std::set<std::string> collapsed = m_collapsed;
  for (const std::string& sweep : collapsed) setCollapsed(sweep, false);
}

QVariant ShownRuns::data(const QModelIndex& index, int role) const {
  if (!index.isValid()) return {};
  const protocol::JobInfo& run = at(index.row());
  const RunField field = fieldOf(index.column());
  if (!standsForSweep(run)) {
    // Room for the arrow, so that the names of a sweep's runs stand in one column.
    const bool isIndented = role == Qt::DecorationRole && field == RunField::name && !m_filtered && isInSweep(run);
    return isIndented ? QVariant(QColor(Qt::transparent)) : QSortFilterProxyModel::data(index, role);
  }
  const bool collapsed = isCollapsed(run.sweep);
  if (role == TrainingRuns::kSweepRole) return collapsed;
  if (role == Qt::DecorationRole && field == RunField::name) return icon(collapsed ? "chevron-right" : "chevron-down");
  if (!collapsed) return QSortFilterProxyModel::data(index, role);
  const Sweep& sweep = *sweepOf(run);
  if (field == RunField::name && (role == Qt::DisplayRole || role == Qt::ToolTipRole)) {
    const QString text = tr("Sweep of %n, best: %1", nullptr, sweep.count).arg(RunTable::title(run));
    return role == Qt::ToolTipRole ? tipOf(text) : text;
  }
  if (role == Qt::DisplayRole && field == RunField::state) return tr("%1/%2 ended").arg(sweep.ended).arg(sweep.count);
  return QSortFilterProxyModel::data(index, role);
}

const protocol::JobInfo& ShownRuns::at(int row) const {
  return m_all->at(mapToSource(index(row, 0)).row());
}

QModelIndex ShownRuns::indexOf(const std::string& run) const {
  const int row = m_all->runs().rowOf(run);
  return row < 0 ? QModelIndex() : mapFromSource(m_all->index(row, static_cast<int>(RunField::name)));
}

void ShownRuns::setFilter(RunFilter filter) {
  m_filtered = !filter.isEmpty();
  m_filter = std::move(filter);
  readConfigs();
  invalidateFilter();
}

void ShownRuns::readConfigs() {
  if (!m_filter.needsConfig()) return;
  std::vector<std::string> runs;
  for (int row = 0; row < m_all->rowCount(); ++row) {
    if (m_all->at(row).kind == "train") runs.push_back(m_all->at(row).id);
  }
  m_configs.read(runs);
}

bool ShownRuns::filterAcceptsRow(int row, const QModelIndex&) const {
  const protocol::JobInfo& job = m_all->at(row);
  if (job.kind != "train") return false;
  if (m_filtered) return m_filter.accepts(job, m_configs.of(job.id));
  const Sweep* sweep = isCollapsed(job.sweep) ? sweepOf(job) : nullptr;
  return sweep == nullptr || sweep->best == job.id;
}

bool ShownRuns::lessThan(const QModelIndex& left, const QModelIndex& right) const {
  const RunField field = fieldOf(left.column());
  if (field == RunField::tick) {
    return left.data(Qt::CheckStateRole).toInt() > right.data(Qt::CheckStateRole).toInt();
  }
  return runComesBefore(m_all->at(left.row()), m_all->at(right.row()), field, sortOrder());
}

Qt::ItemFlags ShownRuns::flags(const QModelIndex& index) const {
  Qt::ItemFlags flags = QSortFilterProxyModel::flags(index);
  const bool collapsed = index.isValid() && index.data(TrainingRuns::kSweepRole).toBool();
  if (index.isValid() && !collapsed && at(index.row()).place > 0)
    flags |= Qt::ItemIsDragEnabled | Qt::ItemIsDropEnabled;
  return index.isValid() ? flags : flags | Qt::ItemIsDropEnabled;
}

QStringList ShownRuns::mimeTypes() const {
  return {kWaitingRun};
}

QMimeData* ShownRuns::mimeData(const QModelIndexList& indexes) const {
  if (indexes.isEmpty()) return nullptr;
  auto* data = new QMimeData;
  data->setData(kWaitingRun, QByteArray::fromStdString(at(indexes.first().row()).id));
  return data;
}

std::optional<std::string> ShownRuns::dropBefore(int row, const QModelIndex& parent) const {
  const int target = parent.isValid() ? parent.row() : row;
  if (target >= 0 && target < rowCount() && at(target).place > 0) return at(target).id;
  if (!parent.isValid() && row > 0 && row <= rowCount() && at(row - 1).place > 0) return std::string();
  return {};
}

bool ShownRuns::canDropMimeData(const QMimeData* data, Qt::DropAction action, int row, int,
                                const QModelIndex& parent) const {
  return action == Qt::MoveAction && data->hasFormat(kWaitingRun) && dropBefore(row, parent).has_value();
}

bool ShownRuns::dropMimeData(const QMimeData* data, Qt::DropAction action, int row, int column,
                             const QModelIndex& parent) {
  if (!canDropMimeData(data, action, row, column, parent)) return false;
  const std::string run = data->data(kWaitingRun).toStdString();
  const std::string before = *dropBefore(row, parent);
  if (before != run) m_all->runs().moveInQueue(run, before);
  return false;  // the engine moves it; the view need not take the row away
}

}  // namespace strata
