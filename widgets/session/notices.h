#pragma once
// What the window has said, the newest first: a sentence stays in the status bar for some seconds and here for good.

#include <QAbstractListModel>
#include <QDateTime>
#include <deque>

#include "widgets/session/place.h"

namespace strata {

struct Notice {
  enum class Level { news, problem };
  Level level = Level::news;
  QString text;
  QDateTime time;
  Place place;  // where it leads; a page without a name: nowhere
};

class Notices : public QAbstractListModel {
  Q_OBJECT

 public:
  static constexpr int kMost = 200;

  using QAbstractListModel::QAbstractListModel;
  int rowCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  const Notice& at(int row) const { return m_notices[static_cast<std::size_t>(row)]; }

  void add(Notice notice);
  /// Problems that nobody has looked at yet.
  int unseen() const { return m_unseen; }
  void markSeen();

 Q_SIGNALS:
  void added(const strata::Notice& notice);
  void unseenChanged();

 private:
  std::deque<Notice> m_notices;
  int m_unseen = 0;
};

}  // namespace strata
