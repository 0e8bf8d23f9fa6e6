#pragma once
// The project's training runs as the list shows them: a column a field, ticks with a colour each, and what the filter
// and the order leave of them. Changes of a run change its row alone.
//
//   ShownRuns shown(session.runs());
//   shown.setFilter(RunFilter::parse("state:done"));
//   view->setModel(&shown);
// GUI thread.

#include <QAbstractTableModel>
#include <QSortFilterProxyModel>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "widgets/session/run_table.h"
#include "widgets/training/run_configs.h"
#include "widgets/training/run_fields.h"

namespace strata {

/// All runs of the table, in its order.
class TrainingRuns : public QAbstractTableModel {
  Q_OBJECT

 public:
  static constexpr int kIdRole = Qt::UserRole;
  static constexpr int kSlotRole = Qt::UserRole + 1;   // the colour of its curves; nothing: it is in no plot
  static constexpr int kSweepRole = Qt::UserRole + 2;  // of the run that stands for its sweep: whether it is collapsed

  explicit TrainingRuns(RunTable& runs, QObject* parent = nullptr);

  int rowCount(const QModelIndex& parent = {}) const override { return parent.isValid() ? 0 : m_runs.rowCount(); }
  int columnCount(const QModelIndex& parent = {}) const override { return parent.isValid() ? 0 : kRunFields; }
  QVariant data(const QModelIndex& index, int role) const override;
  bool setData(const QModelIndex& index, const QVariant& value, int role) override;
  QVariant headerData(int section, Qt::Orientation orientation, int role) const override;
  Qt::ItemFlags flags(const QModelIndex& index) const override;

  RunTable& runs() const { return m_runs; }
  const protocol::JobInfo& at(int row) const { return m_runs.at(row); }
  /// Its curves have the first colour.
  void setChosen(const std::string& run);
  /// The ticked runs that there are, in the order of their colours.
  std::vector<std::string> ticked() const;
  int slotOf(const std::string& run) const;
  void tickSweep(const std::string& sweep);
  void clearTicks();
  /// Something of this run that the table does not know has changed.
  void touch(const std::string& run);

 Q_SIGNALS:
  void ticksChanged();

 private:
  void tick(const std::string& run);

  RunTable& m_runs;
  std::string m_chosen;
  std::map<std::string, int> m_ticks;  // run -> slot
};

/// A sweep whose runs can be collapsed to one row: that of its best run.
class ShownRuns : public QSortFilterProxyModel {
  Q_OBJECT

 public:
  ShownRuns(RunTable& runs, RunConfigs& configs, QObject* parent = nullptr);

  TrainingRuns& all() const { return *m_all; }
  const protocol::JobInfo& at(int row) const;
  /// An invalid index: it is not shown.
  QModelIndex indexOf(const std::string& run) const;
  void setFilter(RunFilter filter);

  /// Whether the run is one of a sweep of several.
  bool isInSweep(const protocol::JobInfo& run) const { return sweepOf(run) != nullptr; }
  bool isCollapsed(const std::string& sweep) const { return m_collapsed.count(sweep) != 0; }
  /// While a filter is set all of its runs that it accepts are shown.
  void setCollapsed(const std::string& sweep, bool collapsed);
  void expandAll();

  QVariant data(const QModelIndex& index, int role) const override;
  Qt::ItemFlags flags(const QModelIndex& index) const override;
  QStringList mimeTypes() const override;
  QMimeData* mimeData(const QModelIndexList& indexes) const override;
  Qt::DropActions supportedDropActions() const override { return Qt::MoveAction; }
  bool canDropMimeData(const QMimeData* data, Qt::DropAction action, int row, int column,
                       const QModelIndex& parent) const override;
  /// A run that waits is dropped on or above another that waits: it starts before that one.
  bool dropMimeData(const QMimeData* data, Qt::DropAction action, int row, int column,
                    const QModelIndex& parent) override;

 protected:
  bool filterAcceptsRow(int row, const QModelIndex& parent) const override;
  bool lessThan(const QModelIndex& left, const QModelIndex& right) const override;

 private:
  /// The run that a drop goes before; "": to the end; nothing: no place for it.
  std::optional<std::string> dropBefore(int row, const QModelIndex& parent) const;

  struct Sweep {
    int count = 0, ended = 0;
    std::string best;  // of its runs; while none is measured the next of the queue
    double value = 0;
    std::int64_t place = 0;  // of the best in the queue
    bool operator==(const Sweep&) const = default;
  };

  void readConfigs();
  void countSweeps();
  /// nullptr: it is alone.
  const Sweep* sweepOf(const protocol::JobInfo& run) const;
  bool standsForSweep(const protocol::JobInfo& run) const;

  TrainingRuns* m_all;
  RunConfigs& m_configs;
  RunFilter m_filter;
  bool m_filtered = false;
  std::set<std::string> m_collapsed;
  std::map<std::string, Sweep> m_sweeps;
};

}  // namespace strata
