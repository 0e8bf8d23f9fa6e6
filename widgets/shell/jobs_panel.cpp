#include "widgets/shell/jobs_panel.h"

#include <QHBoxLayout>
#include <QHeaderView>
#include <QLineEdit>
#include <QPainter>
#include <QPlainTextEdit>
#include <QScrollBar>
#include <QSortFilterProxyModel>
#include <QSplitter>
#include <algorithm>
#include <utility>

#include "widgets/shell/run_popup.h"
#include "widgets/style/controls.h"
#include "widgets/style/icons.h"
#include "widgets/style/named.h"
#include "widgets/style/row_view.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kLogLines = 5000;
constexpr int kPollMilliseconds = 1000;
constexpr int kShowSearchFrom = 8;  // runs

}  // namespace

JobsPanel::JobsPanel(Session& session, QWidget* parent)
    : QWidget(parent), m_session(session), m_runs(session.runs()), m_shownRuns(new QSortFilterProxyModel(this)) {
  named(this, "jobs-panel", tr("Jobs"));
  m_log = named(new QPlainTextEdit, "job-log", tr("Log of the selected job"));
  m_log->setWhatsThis(tr("What the selected job wrote, the newest last."));
  m_log->setReadOnly(true);
  m_log->setMaximumBlockCount(kLogLines);
  m_log->setLineWrapMode(QPlainTextEdit::NoWrap);
  m_log->setPlaceholderText(tr("Select a job to read its log."));
  m_split = named(new QSplitter(Qt::Horizontal), "jobs-split");
  m_split->addWidget(buildList());
  m_split->addWidget(m_log);
  m_split->setChildrenCollapsible(false);
  m_split->setStretchFactor(0, 1);
  m_split->setStretchFactor(1, 1);
  auto* outer = new QHBoxLayout(this);
  outer->setContentsMargins(kGapGroups, kGapInside, kGapGroups, kGapInside);
  outer->addWidget(m_split);
  // Both scroll; at large text the bars below must keep their height.
  followTheme(this, [this] {
    for (QWidget* view : {static_cast<QWidget*>(m_list), static_cast<QWidget*>(m_log)}) {
      view->setMinimumHeight(5 * metrics().compactRow / 4);
    }
    m_log->setFont(fonts().mono);
    update();
  });

  connect(m_list->selectionModel(), &QItemSelectionModel::currentChanged, this, &JobsPanel::chose);
  connect(m_search, &QLineEdit::textChanged, this, [this](const QString& words) {
    m_shownRuns->setFilterFixedString(words);
    keepChoice();
  });
  connect(&m_runs, &RunTable::changed, this, &JobsPanel::keepChoice);
  connect(&m_runs, &RunTable::failed, this, [this](const QString& sentence) {
    m_problem->setText(sentence);
    m_problem->show();
  });
  connect(&session.engine(), &EngineClient::stateChanged, this, &JobsPanel::showActions);
  const auto withCurrent = [this](auto act) {
    return [this, act] {
      m_problem->hide();
      if (const protocol::JobInfo* job = current()) (m_runs.*act)(std::string(job->id));
    };
  };
  connect(m_stop, &QPushButton::clicked, this, withCurrent(&RunTable::stop));
  connect(m_trash, &QPushButton::clicked, this, withCurrent(&RunTable::moveToTrash));
  connect(m_edit, &QPushButton::clicked, this, [this] {
    if (const protocol::JobInfo* job = current()) (new RunPopup(m_session, *job, this))->openAt(m_edit);
  });
  connect(m_undo, &QPushButton::clicked, this, [this] {
    if (const protocol::JobInfo* job = m_runs.lastTrashed()) m_runs.restore(std::string(job->id));
  });
  m_poll.setInterval(kPollMilliseconds);
  connect(&m_poll, &QTimer::timeout, this, &JobsPanel::readLog);
  keepChoice();
}

QWidget* JobsPanel::buildList() {
  m_shownRuns->setSourceModel(&m_runs);
  m_shownRuns->setFilterCaseSensitivity(Qt::CaseInsensitive);
  m_shownRuns->setFilterKeyColumn(-1);
  m_search = named(new QLineEdit, "jobs-search", tr("Search jobs"));
  m_search->setPlaceholderText(tr("Search jobs"));
  m_search->setWhatsThis(tr("Shows the jobs with these words in their name, state or time."));
  m_search->setClearButtonEnabled(true);
  m_search->hide();
  m_list = named(new RowView, "jobs-list", tr("Jobs of this project"));
  m_list->setModel(m_shownRuns);
  m_list->setRootIsDecorated(false);
  m_list->setUniformRowHeights(true);
  QHeaderView* header = named(m_list->header(), "jobs-header", tr("Columns of the list of jobs"));
  header->setSectionResizeMode(RunTable::kName, QHeaderView::Stretch);
  header->setStretchLastSection(false);
  // As wide as the longest text that they can hold: a column that grows with each update would repaint every row.
  followTheme(header, [header] {
    const std::pair<RunTable::Column, QString> widest[] = {{RunTable::kState, tr("stopping")},
                                                           {RunTable::kDone, tr("100 %")},
                                                           {RunTable::kLeft, tr("59 min left")},
                                                           {RunTable::kCreated, QStringLiteral("2026-12-28 20:00")}};
    for (const auto& [column, text] : widest) {
      const QString title = header->model()->headerData(column, Qt::Horizontal).toString();
      const QFontMetrics font = header->fontMetrics();
      header->resizeSection(column,
                            std::max(font.horizontalAdvance(text), font.horizontalAdvance(title)) + 2 * kGapGroups);
    }
  });
  m_message = named(new Label({}, TextRole::body, Tone::normal), "job-message");
  m_problem = named(new Label({}, TextRole::body, Tone::bad), "job-problem");
  for (Label* label : {m_message, m_problem}) {
    label->setWordWrap(true);
    label->hide();
  }
  m_stop = named(makeButton(tr("Stop")), "jobs-stop", tr("Stop the selected job"));
  m_trash = named(makeButton(tr("Move to trash")), "jobs-trash", tr("Move the selected job to the trash"));
  m_trash->setIcon(icon("trash"));
  m_edit = named(makeButton(tr("Name and tags…")), "jobs-edit", tr("Name, tags and note of the selected job"));
  m_undo = named(new Button({}, ButtonKind::link), "jobs-undo", tr("Restore the last job from the trash"));

  for (Button* button : {m_stop, m_trash, m_edit, m_undo}) button->setCompact(true);
  auto* actions = new QHBoxLayout;
  actions->setSpacing(kGapRelated);
  actions->addWidget(m_stop);
  actions->addWidget(m_trash);
  actions->addWidget(m_edit);
  actions->addWidget(m_undo);
  actions->addStretch();
  auto* left = new QWidget;
  auto* column = new QVBoxLayout(left);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(kGapRelated);
  column->addWidget(m_search);
  column->addWidget(m_list, 1);
  column->addWidget(m_message);
  column->addWidget(m_problem);
  column->addLayout(actions);
  return left;
}

const protocol::JobInfo* JobsPanel::current() const {
  const QModelIndex now = m_list->currentIndex();
  return now.isValid() ? m_runs.find(now.data(RunTable::kIdRole).toString().toStdString()) : nullptr;
}

void JobsPanel::select(const std::string& id) {
  const int row = m_runs.rowOf(id);
  if (row < 0) return;
  if (!m_shownRuns->mapFromSource(m_runs.index(row, 0)).isValid()) m_search->clear();
  m_list->setCurrentIndex(m_shownRuns->mapFromSource(m_runs.index(row, 0)));
}

/// One is always selected where there are any.
void JobsPanel::keepChoice() {
  m_search->setVisible(m_runs.rowCount() >= kShowSearchFrom || !m_search->text().isEmpty());
  if (!m_list->currentIndex().isValid() && m_shownRuns->rowCount() > 0) {
    m_list->setCurrentIndex(m_shownRuns->index(0, 0));
  }
  chose();
}

void JobsPanel::chose() {
  const protocol::JobInfo* job = current();
  const std::string id = job ? job->id : std::string();
  if (id != m_shown) {
    m_shown = id;
    m_next = -1;
    m_log->clear();
    readLog();
  }
  showActions();
}

void JobsPanel::showActions() {
  const protocol::JobInfo* job = current();
  const bool ready = m_session.engine().ready();
  m_stop->setEnabled(ready && job && job->alive && !m_runs.stopping(job->id));
  m_trash->setEnabled(ready && job && !job->alive);
  m_edit->setEnabled(ready && job);
  m_trash->setToolTip(job && job->alive ? tr("Stop the job first.") : tr("It can be restored here and in Settings."));
  const protocol::JobInfo* last = m_runs.lastTrashed();
  m_undo->setVisible(last != nullptr);
  m_undo->setEnabled(ready);
  if (last) m_undo->setText(tr("Undo: restore %1").arg(RunTable::title(*last)));
  m_message->setVisible(job && !job->message.empty());
  if (job) m_message->setText(QString::fromStdString(job->message));
}

void JobsPanel::readLog() {
  if (m_shown.empty() || m_reading || !isVisible() || !m_session.engine().ready()) return;
  m_reading = true;
  m_session.engine().call<protocol::ReadLog>(
      {m_shown, m_next}, this, [this, id = m_shown](const Result<protocol::ReadLog::Answer>& answer) {
        m_reading = false;
        if (id != m_shown) return readLog();
        if (!answer) return m_log->setPlaceholderText(QString::fromStdString(answer.error().message));
        m_next = answer->next;
        if (answer->text.empty()) return m_log->setPlaceholderText(tr("Nothing is written to this log yet."));
        const QScrollBar* bar = m_log->verticalScrollBar();
        const bool atEnd = bar->value() >= bar->maximum();
        QTextCursor end(m_log->document());
        end.movePosition(QTextCursor::End);
        end.insertText(QString::fromStdString(answer->text));
        if (atEnd) m_log->verticalScrollBar()->setValue(m_log->verticalScrollBar()->maximum());
      });
}

void JobsPanel::showEvent(QShowEvent* event) {
  QWidget::showEvent(event);
  m_poll.start();
  readLog();
}

void JobsPanel::hideEvent(QHideEvent* event) {
  QWidget::hideEvent(event);
  m_poll.stop();
}

void JobsPanel::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.fillRect(rect(), colors().window);
  painter.fillRect(0, 0, width(), 1, colors().line);
}

}  // namespace strata
