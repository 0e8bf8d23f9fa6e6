#pragma once
// The project's chats: found by words, opened, renamed in place, put into the trash and taken back, exported.

#include <QAbstractListModel>
#include <QTimer>
#include <vector>

#include "widgets/session/session.h"
#include "widgets/style/pane.h"

class QLineEdit;
class QListView;

namespace strata {

class Button;
class StatePane;

class ChatListModel : public QAbstractListModel {
  Q_OBJECT

 public:
  using QAbstractListModel::QAbstractListModel;
  /// `unstored`: how many of the first ones the project does not have as they are now.
  void setChats(std::vector<protocol::ChatInfo> chats, bool searched, int unstored = 0);
  const protocol::ChatInfo* at(int row) const;
  int rowOf(const QString& id) const;
  int rowCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  bool setData(const QModelIndex& index, const QVariant& value, int role) override;
  Qt::ItemFlags flags(const QModelIndex& index) const override;

 Q_SIGNALS:
  void renamed(const strata::protocol::ChatInfo& chat);

 private:
  std::vector<protocol::ChatInfo> m_chats;
  bool m_searched = false;
  int m_unstored = 0;
};

class ChatList : public Pane {
  Q_OBJECT

 public:
  explicit ChatList(Session& session, QWidget* parent = nullptr);

  /// Asks for the list soon: several changes are one question.
  void refreshSoon();
  void setCurrent(const QString& id);
  QLineEdit* search() const { return m_search; }
  QListView* view() const { return m_view; }
  ChatListModel* model() const { return m_model; }

  void trash(const QString& id);
  void restore(const QString& id);
  /// "md" or "json", into a file that is asked for.
  void exportChat(const QString& id, const QString& title, const QString& format);
  /// The same into a known file.
  void exportTo(const QString& id, const QString& format, const QString& path);
  QString currentId() const;

 Q_SIGNALS:
  void openWanted(const QString& id);
  void newWanted();
  void renamed(const QString& id, const QString& title);
  void trashed(const QString& id);
  /// Something to say, with a way back where there is one.
  void noticed(const QString& sentence, const QString& action, std::function<void()> onAction);

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  void refresh();
  int putUnstoredFirst(std::vector<protocol::ChatInfo>& chats) const;
  bool isRenaming() const;
  void showMenu(const QModelIndex& index, const QPoint& at);
  void rename(const protocol::ChatInfo& chat);
  void change(const QString& id, const char* how, std::function<void()> then);

  Session& m_session;
  QLineEdit* m_search;
  Button* m_new;
  ChatListModel* m_model;
  QListView* m_view;
  StatePane* m_states;
  QTimer m_timer;
  QString m_current;
  int m_number = 0;
};

}  // namespace strata
