#include "widgets/shell/jobs_panel.h"

#include <QHBoxLayout>
#include <QHeaderView>
#include <QLocale>
#include <QPainter>
#include <QPlainTextEdit>
#include <QScrollBar>
#include <QSplitter>
#include <QTreeWidget>

#include "widgets/shell/named.h"
#include "widgets/style/controls.h"
#include "widgets/style/icons.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kLogLines = 5000;
constexpr int kPollMilliseconds = 1000;
enum Column { kName, kState, kDone, kLeft, kCreated, kColumns };

QString created(const protocol::JobInfo& job) {
  const QDateTime time = QDateTime::fromString(QString::fromStdString(job.created), Qt::ISODate).toLocalTime();
  return time.isValid() ? time.toString("yyyy-MM-dd HH:mm") : QString::fromStdString(job.created);
}

}  // namespace

JobsPanel::JobsPanel(Workspace& workspace, JobBook& jobs, QWidget* parent)
    : QWidget(parent), m_workspace(workspace), m_jobs(jobs) {
  named(this, "jobs-panel", tr("List of jobs"));
  m_list = named(new QTreeWidget, "jobs-list", tr("Jobs of this project"));
  m_list->setRootIsDecorated(false);
  m_list->setUniformRowHeights(true);
  m_list->setColumnCount(kColumns);
  m_list->setHeaderLabels({tr("Job"), tr("State"), tr("Done"), tr("Left"), tr("Started")});
  m_list->header()->setSectionResizeMode(kName, QHeaderView::Stretch);
  for (const int column : {kState, kDone, kLeft, kCreated}) {
    m_list->header()->setSectionResizeMode(column, QHeaderView::ResizeToContents);
  }
  m_list->header()->setStretchLastSection(false);
  named(m_list->header(), "jobs-header", tr("Columns of the list of jobs"));
  m_log = named(new QPlainTextEdit, "job-log", tr("Log of the chosen job"));
  m_log->setWhatsThis(tr("What the chosen job wrote, the newest last."));
  m_log->setReadOnly(true);
  m_log->setMaximumBlockCount(kLogLines);
  m_log->setLineWrapMode(QPlainTextEdit::NoWrap);
  m_log->setPlaceholderText(tr("Choose a job to read its log."));
  // Both scroll; at large text the bars below must keep their height.
  followTheme(this, [this] {
    for (QWidget* view : {static_cast<QWidget*>(m_list), static_cast<QWidget*>(m_log)}) {
      view->setMinimumHeight(3 * metrics().compactRow / 2);
    }
  });
  m_message = named(new Label({}, TextRole::body, Tone::normal), "job-message");
  m_problem = named(new Label({}, TextRole::body, Tone::bad), "job-problem");
  for (Label* label : {m_message, m_problem}) {
    label->setWordWrap(true);
    label->hide();
  }
  m_stop = named(makeButton(tr("Stop")), "jobs-stop", tr("Stop the chosen job"));
  m_trash = named(makeButton(tr("Move to trash")), "jobs-trash", tr("Move the chosen job to the trash"));
  m_trash->setIcon(icon("trash"));
  m_undo = named(new Button({}, ButtonKind::link), "jobs-undo", tr("Take the last job back from the trash"));

  auto* actions = new QHBoxLayout;
  actions->setSpacing(kGapRelated);
  actions->addWidget(m_stop);
  actions->addWidget(m_trash);
  actions->addWidget(m_undo);
  actions->addStretch();
  auto* left = new QWidget;
  auto* column = new QVBoxLayout(left);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(kGapRelated);
  column->addWidget(m_list, 1);
  column->addWidget(m_message);
  column->addWidget(m_problem);
  column->addLayout(actions);
  m_split = named(new QSplitter(Qt::Horizontal), "jobs-split");
  m_split->addWidget(left);
  m_split->addWidget(m_log);
  m_split->setChildrenCollapsible(false);
  m_split->setStretchFactor(0, 1);
  m_split->setStretchFactor(1, 1);
  auto* outer = new QHBoxLayout(this);
  outer->setContentsMargins(kGapGroups, kGapInside, kGapGroups, kGapInside);
  outer->addWidget(m_split);

  connect(m_list, &QTreeWidget::currentItemChanged, this, &JobsPanel::chose);
  connect(&jobs, &JobBook::changed, this, &JobsPanel::fill);
  connect(&jobs, &JobBook::failed, this, [this](const QString& sentence) {
    m_problem->setText(sentence);
    m_problem->show();
  });
  connect(&workspace.engine(), &EngineClient::stateChanged, this, &JobsPanel::showActions);
  const auto withCurrent = [this](auto act) {
    return [this, act] {
      m_problem->hide();
      if (const protocol::JobInfo* job = current()) (m_jobs.*act)(job->id);
    };
  };
  connect(m_stop, &QPushButton::clicked, this, withCurrent(&JobBook::stop));
  connect(m_trash, &QPushButton::clicked, this, withCurrent(&JobBook::moveToTrash));
  connect(m_undo, &QPushButton::clicked, this, [this] {
    if (const protocol::JobInfo* job = m_jobs.lastTrashed()) m_jobs.restore(std::string(job->id));
  });
  m_poll.setInterval(kPollMilliseconds);
  connect(&m_poll, &QTimer::timeout, this, &JobsPanel::readLog);
  followTheme(this, [this] {
    m_log->setFont(fonts().mono);
    update();
  });
  fill();
}

const protocol::JobInfo* JobsPanel::current() const {
  const QTreeWidgetItem* item = m_list->currentItem();
  return item ? m_jobs.find(item->data(kName, Qt::UserRole).toString().toStdString()) : nullptr;
}

void JobsPanel::select(const std::string& id) {
  for (int i = 0; i < m_list->topLevelItemCount(); ++i) {
    QTreeWidgetItem* item = m_list->topLevelItem(i);
    if (item->data(kName, Qt::UserRole).toString().toStdString() == id) m_list->setCurrentItem(item);
  }
}

/// Rows are changed in place, so that the choice and the scroll position stay while a job goes on.
void JobsPanel::fill() {
  const auto& jobs = m_jobs.jobs();
  const QSignalBlocker quiet(m_list);
  const protocol::JobInfo* chosen = current();
  const std::string keep = chosen ? chosen->id : std::string();
  while (m_list->topLevelItemCount() > static_cast<int>(jobs.size())) delete m_list->takeTopLevelItem(0);
  while (m_list->topLevelItemCount() < static_cast<int>(jobs.size())) m_list->addTopLevelItem(new QTreeWidgetItem);
  for (int i = 0; i < static_cast<int>(jobs.size()); ++i) {
    const protocol::JobInfo& job = jobs[static_cast<std::size_t>(i)];
    QTreeWidgetItem* item = m_list->topLevelItem(i);
    item->setData(kName, Qt::UserRole, QString::fromStdString(job.id));
    item->setText(kName, JobBook::title(job));
    item->setToolTip(kName, tipOf(QString::fromStdString(job.id)));
    item->setText(kState, m_jobs.stopping(job.id) ? tr("stopping") : JobBook::stateText(job));
    item->setText(kDone, JobBook::percentText(job));
    item->setTextAlignment(kDone, Qt::AlignRight | Qt::AlignVCenter);
    item->setText(kLeft, job.alive ? JobBook::timeLeftText(job.secondsLeft) : QString());
    item->setText(kCreated, created(job));
  }
  select(keep);
  if (m_list->currentItem() == nullptr && m_list->topLevelItemCount() > 0)
    m_list->setCurrentItem(m_list->topLevelItem(0));
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
  const bool ready = m_workspace.engine().ready();
  m_stop->setEnabled(ready && job && job->alive && !m_jobs.stopping(job->id));
  m_trash->setEnabled(ready && job && !job->alive);
  m_trash->setToolTip(job && job->alive ? tr("A running job is stopped first.")
                                        : tr("It can be taken back here and in Settings."));
  const protocol::JobInfo* last = m_jobs.lastTrashed();
  m_undo->setVisible(last != nullptr);
  m_undo->setEnabled(ready);
  if (last) m_undo->setText(tr("Undo: take back %1").arg(JobBook::title(*last)));
  m_message->setVisible(job && !job->message.empty());
  if (job) m_message->setText(QString::fromStdString(job->message));
}

void JobsPanel::readLog() {
  if (m_shown.empty() || m_reading || !isVisible() || !m_workspace.engine().ready()) return;
  m_reading = true;
  m_workspace.engine().call<protocol::ReadLog>(
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
