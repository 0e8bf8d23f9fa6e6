#include "widgets/settings/trash_list.h"

#include <QDateTime>
#include <QHBoxLayout>
#include <QListWidget>
#include <algorithm>

#include "widgets/style/controls.h"
#include "widgets/style/icons.h"
#include "widgets/style/named.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kRows = 6;

/// " · 2026-11-28 10:15:03", local time; replaced messages of one chat may be seconds apart.
QString whenOf(const std::string& time) {
  const QDateTime parsed = QDateTime::fromString(QString::fromStdString(time), Qt::ISODate).toLocalTime();
  return parsed.isValid() ? " · " + parsed.toString("yyyy-MM-dd HH:mm:ss") : QString();
}

}  // namespace

TrashList::TrashList(Session& session, QWidget* parent) : QWidget(parent), m_session(session) {
  m_list = named(new QListWidget(this), "trash-list", tr("Trash"));
  m_empty = captionLabel({}, this);
  m_problem = new Label({}, TextRole::body, Tone::bad, this);
  m_problem->setWordWrap(true);
  m_problem->hide();
  m_restore = named(makeButton(tr("Restore"), ButtonKind::plain, this), "trash-restore");
  m_delete = named(makeButton(tr("Delete permanently"), ButtonKind::danger, this), "trash-delete");
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
  connect(&session.runs(), &RunTable::changed, this, &TrashList::fill);
  connect(&session.runs(), &RunTable::failed, this, &TrashList::say);
  connect(&session, &Session::projectChanged, this, &TrashList::refresh);
  connect(&session.engine(), &EngineClient::stateChanged, this, &TrashList::showActions);
  followTheme(this, [this] { fitList(); });
  fill();
}

void TrashList::showEvent(QShowEvent* event) {
  QWidget::showEvent(event);
  refresh();
}

void TrashList::say(const QString& problem) {
  m_problem->setText(problem);
  m_problem->setVisible(!problem.isEmpty());
}

void TrashList::refresh() {
  if (!m_session.project() || !isVisible()) return;
  m_session.runs().refreshTrash();
  m_session.engine().call<protocol::ListChats>({{}, true, 1000}, this,
                                               [this](const Result<protocol::ListChats::Answer>& answer) {
                                                 if (!answer)
                                                   return say(QString::fromStdString(answer.error().message));
                                                 say({});
                                                 m_chats = answer->chats;
                                                 fill();
                                               });
}

/// A row stays as it is, and with it a delete that was pressed once, while jobs elsewhere go on.
void TrashList::fill() {
  QStringList rows;
  const auto add = [&](const QString& what, const std::string& id) {
    rows << what + '\n' + QString::fromStdString(id);
  };
  for (const protocol::ChatInfo& chat : m_chats) {
    add(tr("Chat: %1").arg(QString::fromStdString(chat.title)) + whenOf(chat.updated), chat.id);
  }
  for (const protocol::JobInfo& job : m_session.runs().trash()) {
    add(tr("Run: %1").arg(RunTable::title(job)) + whenOf(job.created), job.id);
  }
  if (rows != m_shown || rows.isEmpty()) {
    m_shown = rows;
    m_sure = false;
    const int keep = m_list->currentRow();
    const QSignalBlocker quiet(m_list);
    m_list->clear();
    for (const QString& row : rows) {
      const bool chat = m_list->count() < static_cast<int>(m_chats.size());
      m_list->addItem(new QListWidgetItem(icon(chat ? "chat-left-text" : "clock-history"), row.section('\n', 0, -2)));
    }
    m_list->setCurrentRow(std::min(std::max(keep, 0), m_list->count() - 1));
  }
  const bool any = m_list->count() > 0;
  fitList();
  m_list->setVisible(any);
  m_restore->setVisible(any);
  m_delete->setVisible(any);
  m_empty->setText(any ? tr("Deleted chats and runs can be restored here.")
                       : tr("Chats and runs that you remove come here first. Nothing is here now."));
  showActions();
}

void TrashList::fitList() {
  m_list->setFixedHeight(std::clamp(m_list->count(), 1, kRows) * metrics().control);
}

void TrashList::showActions() {
  const bool ready = m_session.engine().ready();
  const bool any = m_list->currentRow() >= 0;
  m_restore->setEnabled(ready && any);
  m_delete->setEnabled(ready && any);
  m_restore->setText(ready ? tr("Restore") : tr("Restore waits for the engine"));
  m_delete->setText(m_sure ? tr("Press again: it cannot be undone") : tr("Delete permanently"));
}

void TrashList::change(const char* how) {
  const int row = m_list->currentRow();
  const auto chats = static_cast<int>(m_chats.size());
  if (row < 0) return;
  m_sure = false;
  say({});
  if (row >= chats) {
    const std::string id = m_session.runs().trash()[static_cast<std::size_t>(row - chats)].id;
    return how == std::string_view("restore") ? m_session.runs().restore(id) : m_session.runs().deleteTrashed(id);
  }
  const std::string id = m_chats[static_cast<std::size_t>(row)].id;
  m_session.engine().call<protocol::RemoveChat>({id, how}, this, [this, id](const Result<protocol::Nothing>& answer) {
    if (!answer) return say(QString::fromStdString(answer.error().message));
    std::erase_if(m_chats, [&](const auto& chat) { return chat.id == id; });
    fill();
  });
}

}  // namespace strata
