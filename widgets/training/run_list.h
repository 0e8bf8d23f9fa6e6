#pragma once
// The project's training runs: searched, sorted, one of them chosen, others ticked to stand beside it in the plots.
// Runs that wait stand first, in the order of the queue, and can be dragged there.

#include <QWidget>
#include <vector>

#include "widgets/session/session.h"
#include "widgets/training/run_fields.h"

class QLineEdit;
class QMenu;

namespace strata {

class Button;
class Label;
class RowView;
class RunActions;
class RunConfigs;
class RunSparklines;
class ShownRuns;
class Switch;

class RunList : public QWidget {
  Q_OBJECT

 public:
  explicit RunList(Session& session, QWidget* parent = nullptr);

  /// "": none.
  std::string current() const;
  void select(const std::string& run);
  int count() const;
  /// Runs whose curves stand beside the chosen one's, with the slots of their colours.
  struct Ticked {
    std::string run;
    int slot;
  };
  std::vector<Ticked> ticked() const;
  RunActions& actions() const { return *m_actions; }

 Q_SIGNALS:
  void chosen(const QString& run);
  void newRunWanted();
  /// The pointer is on this run; "": on none.
  void hovered(const QString& run);
  void ticksChanged();
  /// The settings of the chosen run and those that are ticked.
  void comparisonWanted();

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  QWidget* buildHead();
  QWidget* buildQueue();
  QWidget* buildFoot();
  void buildView();
  void buildColumns(QMenu* menu);
  void search(const QString& text);
  void showHint();
  void keepChoice();
  void showState();
  void say(const QString& problem);
  void tick(const QModelIndex& index);
  bool isSweepSign(const QModelIndex& index, double x) const;
  void toggleSweep(const QModelIndex& index);
  void collapse(const std::string& sweep, bool collapsed);
  bool isShown(const std::string& run) const;
  // Columns: run_list_columns.cpp.
  void restoreColumns();
  void storeColumns();
  void showColumn(RunField field, bool shown);
  void sizeColumns();
  void fitName();

  Session& m_session;
  RunConfigs* m_configs;
  ShownRuns* m_shown;
  RunSparklines* m_lines;
  RunActions* m_actions;
  QLineEdit* m_search;
  RowView* m_view;
  QWidget *m_queue, *m_ticks;
  Switch* m_pause;
  Label *m_hint, *m_waiting, *m_problem;
  Button *m_compare, *m_untick, *m_undo;
  RunFilter m_filter;
  std::string m_chosen, m_leaving, m_next;  // m_leaving goes to the trash; m_next is chosen in its place
  bool m_restoring = false, m_removing = false;
};

}  // namespace strata
