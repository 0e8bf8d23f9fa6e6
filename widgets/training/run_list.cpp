#include "widgets/training/run_list.h"

#include <QHeaderView>
#include <QLineEdit>
#include <QMenu>
#include <QMouseEvent>
#include <QVBoxLayout>
#include <algorithm>

#include "widgets/style/controls.h"
#include "widgets/style/folding_row.h"
#include "widgets/style/format.h"
#include "widgets/style/icons.h"
#include "widgets/style/named.h"
#include "widgets/style/row_view.h"
#include "widgets/style/theme.h"
#include "widgets/training/run_actions.h"
#include "widgets/training/run_sparklines.h"
#include "widgets/training/training_runs.h"

namespace strata {

RunList::RunList(Session& session, QWidget* parent)
    : QWidget(parent),
      m_session(session),
      m_configs(new RunConfigs(session.engine(), this)),
      m_shown(new ShownRuns(session.runs(), *m_configs, this)),
      m_lines(new RunSparklines(session.engine(), this)) {
  named(this, "runList", tr("Training runs"));
  buildView();
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, kGapGroups, 0, kGapRelated);
  column->setSpacing(kGapRelated);
  column->addWidget(buildHead());
  column->addWidget(buildQueue());
  column->addWidget(m_view, 1);
  column->addWidget(buildFoot());
  m_actions = new RunActions(session, m_view, this);
  connect(m_actions, &RunActions::failed, this, &RunList::say);
  connect(m_actions, &RunActions::sweepWanted, this,
          [this](const QString& sweep) { m_search->setText("sweep:" + sweep.section('-', -1)); });
  connect(m_actions, &RunActions::sweepTicked, this,
          [this](const QString& sweep) { m_shown->all().tickSweep(sweep.toStdString()); });
  connect(m_actions, &RunActions::trashed, this, [this](const QString& run) {
    m_leaving = run.toStdString();
    const int row = m_shown->indexOf(m_leaving).row();
    const int next = row + 1 < m_shown->rowCount() ? row + 1 : row - 1;
    m_next = row >= 0 && next >= 0 ? m_shown->at(next).id : std::string();
  });
  m_lines->setIsShown([this](const std::string& run) { return isShown(run); });
  connect(m_lines, &RunSparklines::arrived, this, [this](const QString& run) {
    const QModelIndex at = m_shown->indexOf(run.toStdString());
    if (at.isValid()) m_view->update(at.siblingAtColumn(static_cast<int>(RunField::curve)));
  });
  connect(m_configs, &RunConfigs::arrived, this, [this] {
    showHint();
    keepChoice();
  });
  connect(&m_shown->all(), &TrainingRuns::ticksChanged, this, [this] {
    showState();
    Q_EMIT ticksChanged();
  });
  connect(&session.runs(), &RunTable::changed, this, &RunList::keepChoice);
  connect(&session.runs(), &RunTable::failed, this, &RunList::say);
  connect(&session, &Session::projectChanged, this, [this] {
    m_shown->all().clearTicks();
    m_shown->expandAll();
    m_lines->forget();
    m_configs->forget();
    m_search->clear();
    say({});
  });
  connect(&session.engine(), &EngineClient::stateChanged, this, &RunList::showState);
  followTheme(this, [this] { setMinimumWidth(metrics().inspector * 4 / 5); });
  restoreColumns();
  search({});
  showState();
}

void RunList::buildView() {
  m_view = named(new RowView, "trainingRuns", tr("Training runs of this project"));
  m_view->setWhatsThis(
      tr("Space draws a run's curves beside those of the selected one. A run that waits can be dragged in the queue."));
  // The view would make another run the current one in place of one that is filtered out; that chooses nothing.
  connect(m_shown, &ShownRuns::rowsAboutToBeRemoved, this, [this] { m_removing = true; });
  m_view->setModel(m_shown);
  connect(m_shown, &ShownRuns::rowsRemoved, this, [this] { m_removing = false; });
  m_view->setItemDelegate(new RunRowDelegate(*m_lines, *m_shown, m_view));
  m_view->setTextElideMode(Qt::ElideMiddle);  // what tells a sweep's runs apart stands at the end
  m_view->setRootIsDecorated(false);
  m_view->setUniformRowHeights(true);
  m_view->setAllColumnsShowFocus(true);
  m_view->setFrameShape(QFrame::NoFrame);
  m_view->setMouseTracking(true);
  m_view->setDragDropMode(QAbstractItemView::DragDrop);
  m_view->setDefaultDropAction(Qt::MoveAction);
  m_view->setDragDropOverwriteMode(false);
  m_view->viewport()->installEventFilter(this);
  m_view->setContextMenuPolicy(Qt::CustomContextMenu);
  connect(m_view, &QWidget::customContextMenuRequested, this, [this](const QPoint& at) {
    if (!m_view->currentIndex().isValid()) return;
    auto* menu = named(new QMenu(this), "run-menu", tr("Run"));
    menu->setAttribute(Qt::WA_DeleteOnClose);
    menu->addActions(m_actions->all());
    const protocol::JobInfo& run = m_shown->at(m_view->currentIndex().row());
    if (m_shown->isInSweep(run)) {
      const bool collapsed = m_shown->isCollapsed(run.sweep);
      menu->addAction(collapsed ? tr("Expand the sweep") : tr("Collapse the sweep"), this,
                      [this, sweep = run.sweep, collapsed] { collapse(sweep, !collapsed); });
    }
    menu->popup(m_view->viewport()->mapToGlobal(at));
  });
  auto* tickAction = new QAction(tr("Draw in the plots"), this);
  tickAction->setShortcut(Qt::Key_Space);
  tickAction->setShortcutContext(Qt::WidgetShortcut);
  m_view->addAction(tickAction);
  connect(tickAction, &QAction::triggered, this, [this] { tick(m_view->currentIndex()); });
  for (const bool collapsed : {true, false}) {
    auto* action = new QAction(collapsed ? tr("Collapse the sweep") : tr("Expand the sweep"), this);
    action->setShortcut(collapsed ? Qt::Key_Left : Qt::Key_Right);
    action->setShortcutContext(Qt::WidgetShortcut);
    m_view->addAction(action);
    connect(action, &QAction::triggered, this, [this, collapsed] {
      const QModelIndex at = m_view->currentIndex();
      if (at.isValid() && m_shown->isInSweep(m_shown->at(at.row()))) collapse(m_shown->at(at.row()).sweep, collapsed);
    });
  }
  connect(m_view->selectionModel(), &QItemSelectionModel::currentChanged, this, [this](const QModelIndex& index) {
    const std::string run = index.data(TrainingRuns::kIdRole).toString().toStdString();
    if (m_removing || run.empty() || run == m_chosen) return;
    m_chosen = run;
    keepChoice();
    Q_EMIT chosen(QString::fromStdString(run));
  });
  connect(m_view, &QTreeView::entered, this,
          [this](const QModelIndex& index) { Q_EMIT hovered(index.data(TrainingRuns::kIdRole).toString()); });
  connect(m_view, &QTreeView::viewportEntered, this, [this] { Q_EMIT hovered({}); });
}

QWidget* RunList::buildHead() {
  auto* begin = named(makeButton(tr("New run"), ButtonKind::accent), "newRun");
  begin->setIcon(icon("plus-lg", Ink::onAccent));
  m_search = named(new QLineEdit, "searchRuns", tr("Search runs"));
  m_search->setPlaceholderText(tr("Search runs"));
  m_search->setClearButtonEnabled(true);
  const QString help =
      tr("Words, or conditions on a field or a setting, such as state:done, tags:paper, p_cross>0.3 or lr<1e-4.");
  m_search->setWhatsThis(help);
  m_search->setToolTip(help);
  m_hint = named(captionLabel({}), "searchHint");
  auto* columns = named(makeIconButton("table", tr("Columns")), "runColumns");
  auto* menu = named(new QMenu(this), "runColumnsMenu", tr("Columns"));
  buildColumns(menu);
  auto* line = new QHBoxLayout;
  line->setSpacing(kGapRelated);
  line->addWidget(m_search, 1);
  line->addWidget(columns);
  auto* head = new QWidget;
  auto* column = new QVBoxLayout(head);
  column->setContentsMargins(kGapGroups, 0, kGapGroups, 0);
  column->setSpacing(kGapRelated);
  column->addWidget(begin);
  column->addLayout(line);
  column->addWidget(m_hint);
  connect(begin, &Button::clicked, this, &RunList::newRunWanted);
  connect(m_search, &QLineEdit::textChanged, this, &RunList::search);
  connect(columns, &Button::clicked, this,
          [menu, columns] { menu->popup(columns->mapToGlobal(QPoint(0, columns->height()))); });
  QHeaderView* header = m_view->header();
  header->setContextMenuPolicy(Qt::CustomContextMenu);
  connect(header, &QWidget::customContextMenuRequested, this,
          [menu, header](const QPoint& at) { menu->popup(header->mapToGlobal(at)); });
  return head;
}

QWidget* RunList::buildQueue() {
  m_waiting = named(new Label({}), "waitingRuns");
  m_pause = named(new Switch(tr("Pause the queue")), "pauseQueue");
  m_pause->setWhatsThis(tr("Runs that wait do not start until this is switched off. The run that trains goes on."));
  m_pause->setToolTip(m_pause->whatsThis());
  connect(m_pause, &Switch::clicked, this, [this](bool paused) { m_session.runs().pauseQueue(paused); });
  m_queue = new QWidget;
  auto* inside = new QVBoxLayout(m_queue);
  inside->setContentsMargins(kGapGroups, 0, kGapGroups, 0);
  inside->addWidget(new FoldingRow(m_waiting, m_pause));
  return m_queue;
}

QWidget* RunList::buildFoot() {
  m_problem = named(bodyLabel({}), "runListProblem");
  m_problem->setTone(Tone::bad);
  m_compare = named(makeButton(tr("Compare settings")), "compareRuns");
  m_compare->setToolTip(tr("The settings in which the selected run and the ticked ones differ"));
  m_undo = named(new Button({}, ButtonKind::link), "restoreRun", tr("Restore the last run from the trash"));
  auto* foot = new QWidget;
  auto* column = new QVBoxLayout(foot);
  column->setContentsMargins(kGapGroups, 0, kGapGroups, 0);
  column->setSpacing(kGapRelated);
  m_untick = named(new Button(tr("Untick all"), ButtonKind::link), "untickRuns");
  m_ticks = rowOf({m_compare, m_untick});
  static_cast<QHBoxLayout*>(m_ticks->layout())->addStretch();
  for (QWidget* each :
       {static_cast<QWidget*>(m_problem), static_cast<QWidget*>(m_ticks), static_cast<QWidget*>(m_undo)}) {
    column->addWidget(each);
    each->hide();
  }
  connect(m_untick, &Button::clicked, this, [this] { m_shown->all().clearTicks(); });
  connect(m_compare, &Button::clicked, this, &RunList::comparisonWanted);
  connect(m_undo, &Button::clicked, this, [this] {
    if (const protocol::JobInfo* job = m_session.runs().lastTrashed()) {
      m_session.runs().restore(std::string(job->id));
    }
  });
  return foot;
}

bool RunList::eventFilter(QObject* watched, QEvent* event) {
  if (watched != m_view->viewport()) return QWidget::eventFilter(watched, event);
  switch (event->type()) {
    case QEvent::Leave:
      Q_EMIT hovered({});
      break;
    case QEvent::Resize:
      fitName();
      break;
    // A tick does not choose its run.
    case QEvent::MouseButtonPress:
    case QEvent::MouseButtonDblClick:
    case QEvent::MouseButtonRelease: {
      const auto* mouse = static_cast<QMouseEvent*>(event);
      const QModelIndex index = m_view->indexAt(mouse->position().toPoint());
      if (isSweepSign(index, mouse->position().x()) && mouse->button() == Qt::LeftButton) {
        if (event->type() != QEvent::MouseButtonRelease) toggleSweep(index);
        return true;
      }
      if (mouse->button() != Qt::LeftButton || index.column() != static_cast<int>(RunField::tick)) break;
      if (event->type() != QEvent::MouseButtonRelease) tick(index);
      return true;
    }
    default:
      break;
  }
  return QWidget::eventFilter(watched, event);
}

/// The arrow before the name of the run that stands for its sweep.
bool RunList::isSweepSign(const QModelIndex& index, double x) const {
  if (index.column() != static_cast<int>(RunField::name) || !index.data(TrainingRuns::kSweepRole).isValid())
    return false;
  return x < m_view->visualRect(index).left() + metrics().icon + kGapRelated + kGapInside;
}

void RunList::toggleSweep(const QModelIndex& index) {
  if (!index.isValid()) return;
  const std::string sweep = m_shown->at(index.row()).sweep;
  if (m_shown->isInSweep(m_shown->at(index.row()))) collapse(sweep, !m_shown->isCollapsed(sweep));
}

void RunList::collapse(const std::string& sweep, bool collapsed) {
  m_shown->setCollapsed(sweep, collapsed);
  keepChoice();
}

void RunList::tick(const QModelIndex& index) {
  if (!index.isValid()) return;
  const QModelIndex box = index.siblingAtColumn(static_cast<int>(RunField::tick));
  const bool on = box.data(Qt::CheckStateRole).toInt() == Qt::Checked;
  m_shown->setData(box, on ? Qt::Unchecked : Qt::Checked, Qt::CheckStateRole);
}

std::string RunList::current() const {
  return m_chosen;
}

int RunList::count() const {
  return m_shown->rowCount();
}

std::vector<RunList::Ticked> RunList::ticked() const {
  std::vector<Ticked> runs;
  for (const std::string& run : m_shown->all().ticked()) {
    if (run != m_chosen) runs.push_back({run, m_shown->all().slotOf(run)});
  }
  return runs;
}

bool RunList::isShown(const std::string& run) const {
  const QModelIndex at = m_shown->indexOf(run);
  const QRect row = at.isValid() && isVisible() ? m_view->visualRect(at) : QRect();
  return row.isValid() && row.bottom() >= 0 && row.top() <= m_view->viewport()->height() &&
         !m_view->isColumnHidden(static_cast<int>(RunField::curve));
}

void RunList::select(const std::string& run) {
  m_chosen = run;
  if (!run.empty() && !m_shown->indexOf(run).isValid()) m_search->clear();
  const protocol::JobInfo* job = m_session.runs().find(run);
  if (job != nullptr && !m_shown->indexOf(run).isValid()) m_shown->setCollapsed(job->sweep, false);
  keepChoice();
}

void RunList::search(const QString& text) {
  m_filter = RunFilter::parse(text);
  m_shown->setFilter(m_filter);
  showHint();
  keepChoice();
}

void RunList::showHint() {
  const bool wrong = !m_filter.problem().isEmpty();
  QString hint = wrong ? m_filter.problem() : tr("Words, or conditions: state:done p_cross>0.3 lr<1e-4");
  const int left = m_filter.needsConfig() ? m_configs->left() : 0;
  if (left > 0) hint = tr("Reading the settings of %n run(s)…", nullptr, left);
  m_hint->setTone(wrong ? Tone::bad : Tone::second);
  m_hint->setText(hint);
  m_hint->setVisible(!m_search->text().isEmpty());
}

void RunList::keepChoice() {
  if (!m_leaving.empty() && m_session.runs().rowOf(m_leaving) < 0) {
    const std::string next = m_next;
    const bool left = m_chosen == std::exchange(m_leaving, {});
    if (left && !next.empty()) {
      m_chosen = next;
      Q_EMIT chosen(QString::fromStdString(next));
    }
  }
  m_shown->all().setChosen(m_chosen);
  m_actions->setRun(m_chosen);
  const QModelIndex at = m_shown->indexOf(m_chosen);
  if (!at.isValid()) {
    m_view->selectionModel()->clear();
  } else if (m_view->currentIndex().row() != at.row()) {
    m_view->setCurrentIndex(at);
  }
  showState();
}

void RunList::say(const QString& problem) {
  m_problem->setText(problem);
  m_problem->setVisible(!problem.isEmpty());
}

void RunList::showState() {
  const bool ready = m_session.engine().ready();
  const RunTable& runs = m_session.runs();
  const int waiting = static_cast<int>(runs.waiting().size());
  m_queue->setVisible(waiting > 0 || runs.queuePaused());
  m_waiting->setText(waiting > 0 ? tr("%n run(s) waiting", nullptr, waiting) : tr("No run waiting"));
  m_pause->setChecked(runs.queuePaused());
  m_pause->setEnabled(ready);
  const bool several = ticked().size() + (m_chosen.empty() ? 0 : 1) > 1;
  m_compare->setVisible(several);
  m_ticks->setVisible(several || !m_shown->all().ticked().empty());
  m_compare->setEnabled(ready);
  const protocol::JobInfo* last = runs.lastTrashed();
  m_undo->setVisible(last != nullptr && last->kind == "train");
  m_undo->setEnabled(ready);
  if (last != nullptr) m_undo->setText(tr("Undo: restore %1").arg(RunTable::title(*last)));
}

}  // namespace strata
