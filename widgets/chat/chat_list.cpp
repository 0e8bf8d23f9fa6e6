#include "widgets/chat/chat_list.h"

#include <QContextMenuEvent>
#include <QFileDialog>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLineEdit>
#include <QListView>
#include <QMenu>
#include <QSaveFile>
#include <QVBoxLayout>
#include <algorithm>

#include "widgets/chat/safe_text.h"
#include "widgets/style/controls.h"
#include "widgets/style/format.h"
#include "widgets/style/icons.h"
#include "widgets/style/state_pane.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kRefreshMilliseconds = 150;

QString titleOf(const protocol::ChatInfo& chat) {
  return chat.title.empty() ? ChatList::tr("untitled") : safeText(chat.title).simplified();
}

}  // namespace

void ChatListModel::setChats(std::vector<protocol::ChatInfo> chats, bool searched, int unstored) {
  beginResetModel();
  m_chats = std::move(chats);
  m_searched = searched;
  m_unstored = unstored;
  endResetModel();
}

const protocol::ChatInfo* ChatListModel::at(int row) const {
  return row >= 0 && row < rowCount() ? &m_chats[static_cast<std::size_t>(row)] : nullptr;
}

int ChatListModel::rowOf(const QString& id) const {
  for (std::size_t i = 0; i < m_chats.size(); ++i) {
    if (QString::fromStdString(m_chats[i].id) == id) return static_cast<int>(i);
  }
  return -1;
}

int ChatListModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(m_chats.size());
}

QVariant ChatListModel::data(const QModelIndex& index, int role) const {
  const protocol::ChatInfo* chat = at(index.row());
  if (chat == nullptr) return {};
  const bool stored = index.row() >= m_unstored;
  const QString title = stored || role == Qt::EditRole ? titleOf(*chat) : tr("Not stored: %1").arg(titleOf(*chat));
  const QString turns = tr("%1 question(s)", nullptr, pluralOf(chat->turns)).arg(formatCount(chat->turns));
  const QString found = safeText(chat->snippet).simplified();
  switch (role) {
    case Qt::DisplayRole:
    case Qt::EditRole:
      return title;
    case Qt::ToolTipRole:
      return tipOf(m_searched && !found.isEmpty() ? title + '\n' + found : title + '\n' + turns);
    case Qt::AccessibleTextRole:
      return title + ", " + turns;
    case Qt::AccessibleDescriptionRole:
      return found;
    default:
      return {};
  }
}

bool ChatListModel::setData(const QModelIndex& index, const QVariant& value, int role) {
  const QString title = value.toString().simplified();
  if (role != Qt::EditRole || at(index.row()) == nullptr || title.isEmpty()) return false;
  protocol::ChatInfo& chat = m_chats[static_cast<std::size_t>(index.row())];
  if (QString::fromStdString(chat.title) == title) return false;
  chat.title = title.toStdString();
  Q_EMIT dataChanged(index, index);
  Q_EMIT renamed(chat);
  return true;
}

Qt::ItemFlags ChatListModel::flags(const QModelIndex& index) const {
  return QAbstractListModel::flags(index) | Qt::ItemIsEditable;
}

ChatList::ChatList(Session& session, QWidget* parent) : Pane(Ground::window, parent), m_session(session) {
  setObjectName("chatList");
  setAccessibleName(tr("Chats"));
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(kGapRelated, kGapRelated, kGapRelated, kGapRelated);
  column->setSpacing(kGapRelated);
  auto* row = new QHBoxLayout;
  row->setSpacing(kGapInside);
  m_search = new QLineEdit(this);
  m_search->setObjectName("chatSearch");
  m_search->setAccessibleName(tr("Search the chats"));
  m_search->setPlaceholderText(tr("Search"));
  m_search->setClearButtonEnabled(true);
  m_search->setWhatsThis(tr("Lists the chats whose title or messages hold all of these words."));
  row->addWidget(m_search, 1);
  m_new = makeIconButton("plus-lg", tr("New chat"), "Ctrl+N", this);
  m_new->setObjectName("newChat");
  row->addWidget(m_new);
  column->addLayout(row);
  m_model = new ChatListModel(this);
  m_view = new QListView;
  m_view->setObjectName("chats");
  m_view->setAccessibleName(tr("Chats of this project, the newest first"));
  m_view->setModel(m_model);
  m_view->setFrameShape(QFrame::NoFrame);
  m_view->setUniformItemSizes(true);
  m_view->setTextElideMode(Qt::ElideRight);
  m_view->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  m_view->setEditTriggers(QAbstractItemView::EditKeyPressed);
  m_view->setContextMenuPolicy(Qt::CustomContextMenu);
  m_view->installEventFilter(this);
  m_view->viewport()->installEventFilter(this);
  m_states = new StatePane(m_view, this);
  m_states->setObjectName("chatListState");
  column->addWidget(m_states, 1);
  m_timer.setSingleShot(true);
  m_timer.setInterval(kRefreshMilliseconds);
  connect(&m_timer, &QTimer::timeout, this, &ChatList::refresh);
  connect(m_search, &QLineEdit::textChanged, this, &ChatList::refreshSoon);
  connect(m_new, &QPushButton::clicked, this, &ChatList::newWanted);
  connect(m_model, &ChatListModel::renamed, this, &ChatList::rename);
  connect(m_view, &QListView::clicked, this, [this] { Q_EMIT openWanted(currentId()); });
  connect(m_view, &QWidget::customContextMenuRequested, this,
          [this](const QPoint& at) { showMenu(m_view->indexAt(at), at); });
  connect(&session, &Session::projectChanged, this, &ChatList::refreshSoon);
  connect(&session.engine(), &EngineClient::caughtUp, this, &ChatList::refreshSoon);
  refresh();
}

bool ChatList::isRenaming() const {
  const QWidget* focus = m_view->viewport()->focusWidget();
  return focus != nullptr && focus != m_view->viewport() && focus->isVisible();
}

void ChatList::refreshSoon() {
  if (!m_timer.isActive()) m_timer.start();
}

/// Chats with a change that the project does not have yet come before the others; how many they are.
int ChatList::putUnstoredFirst(std::vector<protocol::ChatInfo>& chats) const {
  int count = 0;
  for (const protocol::PutChat::Params& change : m_session.engine().unstored()) {
    const auto same = [&](const protocol::ChatInfo& chat) { return chat.id == change.chat.id; };
    const auto place = std::find_if(chats.begin(), chats.end(), same);
    if (place < chats.begin() + count) {
      *place = change.chat;
      continue;
    }
    if (place != chats.end()) chats.erase(place);
    chats.insert(chats.begin(), change.chat);
    ++count;
  }
  return count;
}

void ChatList::refresh() {
  if (!m_session.project()) {
    m_states->setEmpty(tr("Chats are listed once the engine is ready."));
    return;
  }
  if (m_model->rowCount() == 0) m_states->setLoading(tr("Reading the list of chats"));
  protocol::ListChats::Params params;
  params.search = m_search->text().trimmed().toStdString();
  const bool searched = !params.search.empty();
  m_session.engine().call<protocol::ListChats>(
      params, this, [this, searched, number = ++m_number](const Result<protocol::ListChats::Answer>& answer) {
        if (number != m_number) return;
        if (!answer) {
          m_states->setFailed(answer.error(), tr("Try again"), [this] { refreshSoon(); });
          return;
        }
        if (isRenaming()) {  // a name is being typed
          refreshSoon();
          return;
        }
        std::vector<protocol::ChatInfo> chats = answer->chats;
        const int unstored = searched ? 0 : putUnstoredFirst(chats);
        m_model->setChats(std::move(chats), searched, unstored);
        if (m_model->rowCount() == 0) {
          m_states->setEmpty(searched ? tr("No chat holds these words.") : tr("Chats will be listed here."));
        } else {
          m_states->setWorking();
        }
        setCurrent(m_current);
      });
}

void ChatList::setCurrent(const QString& id) {
  m_current = id;
  const int row = m_model->rowOf(id);
  m_view->setCurrentIndex(m_model->index(row));  // none where it is not listed
}

QString ChatList::currentId() const {
  const protocol::ChatInfo* chat = m_model->at(m_view->currentIndex().row());
  return chat != nullptr ? QString::fromStdString(chat->id) : QString();
}

/// The right button opens a menu on the chat under it; it does not choose one.
bool ChatList::eventFilter(QObject* watched, QEvent* event) {
  if (watched == m_view->viewport()) {
    const bool button = event->type() == QEvent::MouseButtonPress || event->type() == QEvent::MouseButtonRelease ||
                        event->type() == QEvent::MouseButtonDblClick;
    return button && static_cast<QMouseEvent*>(event)->button() == Qt::RightButton;
  }
  if (event->type() == QEvent::KeyPress && !isRenaming()) {
    const int key = static_cast<QKeyEvent*>(event)->key();
    const QString id = currentId();
    if (!id.isEmpty() && (key == Qt::Key_Return || key == Qt::Key_Enter)) {
      Q_EMIT openWanted(id);
      return true;
    }
    if (!id.isEmpty() && key == Qt::Key_Delete) {
      trash(id);
      return true;
    }
    if (key == Qt::Key_Menu) {
      showMenu(m_view->currentIndex(), m_view->visualRect(m_view->currentIndex()).center());
      return true;
    }
  }
  return Pane::eventFilter(watched, event);
}

void ChatList::showMenu(const QModelIndex& index, const QPoint& at) {
  const protocol::ChatInfo* chat = m_model->at(index.row());
  if (chat == nullptr) return;
  const QString id = QString::fromStdString(chat->id);
  const QString title = titleOf(*chat);
  auto* menu = new QMenu(this);
  menu->setObjectName("chatMenu");
  menu->setAccessibleName(tr("Actions for %1").arg(title));
  menu->setAttribute(Qt::WA_DeleteOnClose);
  menu->addAction(tr("Open\tEnter"), this, [this, id] { Q_EMIT openWanted(id); });
  menu->addAction(tr("Rename\tF2"), this, [this, id] { m_view->edit(m_model->index(m_model->rowOf(id))); });
  menu->addAction(tr("Export as Markdown…"), this, [this, id, title] { exportChat(id, title, "md"); });
  menu->addAction(tr("Export as JSON…"), this, [this, id, title] { exportChat(id, title, "json"); });
  menu->addSeparator();
  menu->addAction(tr("Move to the trash\tDel"), this, [this, id] { trash(id); });
  menu->popup(m_view->viewport()->mapToGlobal(at));
}

void ChatList::rename(const protocol::ChatInfo& chat) {
  m_session.engine().call<protocol::PutChat>({chat, {}, -1}, this, [this](const Result<protocol::Nothing>& answer) {
    if (!answer) Q_EMIT noticed(QString::fromStdString(answer.error().message), {}, {});
    refreshSoon();
  });
  Q_EMIT renamed(QString::fromStdString(chat.id), QString::fromStdString(chat.title));
}

void ChatList::change(const QString& id, const char* how, std::function<void()> then) {
  m_session.engine().call<protocol::RemoveChat>(
      {id.toStdString(), how}, this, [this, then = std::move(then)](const Result<protocol::Nothing>& answer) {
        if (!answer) {
          Q_EMIT noticed(QString::fromStdString(answer.error().message), {}, {});
          return;
        }
        refreshSoon();
        then();
      });
}

void ChatList::trash(const QString& id) {
  change(id, "trash", [this, id] {
    Q_EMIT trashed(id);
    Q_EMIT noticed(tr("The chat is in the trash."), tr("Undo"), [this, id] { restore(id); });
  });
}

void ChatList::restore(const QString& id) {
  change(id, "restore", [this, id] { Q_EMIT openWanted(id); });
}

void ChatList::exportChat(const QString& id, const QString& title, const QString& format) {
  auto* dialog = new QFileDialog(this, tr("Export the chat"));
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  dialog->setAcceptMode(QFileDialog::AcceptSave);
  dialog->setDefaultSuffix(format);
  dialog->setNameFilter(format == "md" ? tr("Markdown (*.md)") : tr("JSON (*.json)"));
  QString name = title.left(cutBefore(title, 40));
  for (QChar& letter : name) {
    if (!letter.isLetterOrNumber() && letter != ' ' && letter != '-') letter = '_';
  }
  dialog->selectFile(name + '.' + format);
  connect(dialog, &QFileDialog::fileSelected, this,
          [this, id, format](const QString& path) { exportTo(id, format, path); });
  dialog->open();
}

void ChatList::exportTo(const QString& id, const QString& format, const QString& path) {
  m_session.engine().call<protocol::ExportChat>(
      {id.toStdString(), format.toStdString(), {}}, this,
      [this, path](const Result<protocol::ExportChat::Answer>& answer) {
        if (!answer) {
          Q_EMIT noticed(QString::fromStdString(answer.error().message), {}, {});
          return;
        }
        QSaveFile file(path);
        const QByteArray text = QByteArray::fromStdString(answer->text);
        if (!file.open(QIODevice::WriteOnly) || file.write(text) != text.size() || !file.commit()) {
          Q_EMIT noticed(
              tr("The chat could not be written to %1: %2. Choose another place.").arg(path, file.errorString()), {},
              {});
          return;
        }
        Q_EMIT noticed(tr("The chat was written to %1.").arg(path), {}, {});
      });
}

}  // namespace strata
