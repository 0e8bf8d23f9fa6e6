#include "widgets/shell/trash_list.h"

#include <QHBoxLayout>
#include <QListWidget>

#include "widgets/shell/named.h"
#include "widgets/style/controls.h"
#include "widgets/style/icons.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kRows = 6;

}  // namespace

TrashList::TrashList(Workspace& workspace, JobBook& jobs, QWidget* parent)
    : QWidget(parent), m_workspace(workspace), m_jobs(jobs) {
  m_list = named(new QListWidget(this), "trash-list", tr("Trash"));
  m_empty = captionLabel({}, this);
  m_problem = new Label({}, TextRole::body, Tone::bad, this);
  m_problem->setWordWrap(true);
  m_problem->hide();
  m_restore = named(makeButton(tr("Take back"), ButtonKind::plain, this), "trash-restore");
  m_delete = named(makeButton(tr("Delete for good"), ButtonKind::danger, this), "trash-delete");
  auto* row = new QHBoxLayout;
  row->setSpacing(kGapRelated);
  row->addWidget(m_restore);
  row->addWidget(m_delete);
  row->addStretch();
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(kGapRelated);
  column->addWidget(m_empty);
  column->addWidget(m_list);
  column->addWidget(m_problem);
  column->addLayout(row);
  connect(m_list, &QListWidget::currentRowChanged, this, [this] {
    m_sure = false;
    showActions();
  });
  connect(m_restore, &QPushButton::clicked, this, [this] { change("restore"); });
  connect(m_delete, &QPushButton::clicked, this, [this] {
    if (m_sure) return change("delete");
    m_sure = true;
    showActions();
  });
  connect(&jobs, &JobBook::changed, this, &TrashList::fill);
  connect(&workspace, &Workspace::projectChanged, this, &TrashList::refresh);
  connect(&workspace.engine(), &EngineClient::stateChanged, this, &TrashList::showActions);
  followTheme(this, [this] { m_list->setFixedHeight(kRows * metrics().control); });
  fill();
}

void TrashList::showEvent(QShowEvent* event) {
  QWidget::showEvent(event);
  refresh();
}

void TrashList::refresh() {
  if (!m_workspace.project() || !isVisible()) return;
  m_workspace.engine().call<protocol::ListChats>({{}, true, 1000}, this,
                                                 [this](const Result<protocol::ListChats::Answer>& answer) {
                                                   m_problem->setVisible(!answer);
                                                   if (!answer) {
                                                     m_problem->setText(QString::fromStdString(answer.error().message));
                                                     return;
                                                   }
                                                   m_chats = answer->chats;
                                                   fill();
                                                 });
}

void TrashList::fill() {
  const int keep = m_list->currentRow();
  {
    const QSignalBlocker quiet(m_list);
    m_list->clear();
    for (const protocol::ChatInfo& chat : m_chats) {
      m_list->addItem(
          new QListWidgetItem(icon("chat-left-text"), tr("Chat: %1").arg(QString::fromStdString(chat.title))));
    }
    for (const protocol::JobInfo& job : m_jobs.trash()) {
      m_list->addItem(new QListWidgetItem(icon("clock-history"), tr("Run: %1").arg(JobBook::title(job))));
    }
    m_list->setCurrentRow(std::min(std::max(keep, 0), m_list->count() - 1));
  }
  m_sure = false;
  const bool any = m_list->count() > 0;
  m_list->setVisible(any);
  m_restore->setVisible(any);
  m_delete->setVisible(any);
  m_empty->setText(any ? tr("What lies here can be taken back.")
                       : tr("Chats and runs that you remove come here first. Nothing is here now."));
  showActions();
}

void TrashList::showActions() {
  const bool ready = m_workspace.engine().ready();
  const int row = m_list->currentRow();
  const bool isChat = row >= 0 && row < static_cast<int>(m_chats.size());
  m_restore->setEnabled(ready && row >= 0);
  m_delete->setEnabled(ready && isChat);
  m_restore->setText(ready ? tr("Take back") : tr("Take back waits for the engine"));
  m_delete->setText(m_sure ? tr("Press again: it cannot be undone") : tr("Delete for good"));
  m_delete->setToolTip(isChat || row < 0 ? QString() : tr("A run's folder is deleted by: strata runs rm"));
}

void TrashList::change(const char* how) {
  const int row = m_list->currentRow();
  const auto chats = static_cast<int>(m_chats.size());
  if (row < 0) return;
  if (row >= chats) {
    m_jobs.restore(m_jobs.trash()[static_cast<std::size_t>(row - chats)].id);
    return;
  }
  const std::string id = m_chats[static_cast<std::size_t>(row)].id;
  m_workspace.engine().call<protocol::RemoveChat>({id, how}, this, [this, id](const Result<protocol::Nothing>& answer) {
    m_problem->setVisible(!answer);
    if (!answer) return m_problem->setText(QString::fromStdString(answer.error().message));
    std::erase_if(m_chats, [&](const auto& chat) { return chat.id == id; });
    fill();
  });
}

}  // namespace strata
