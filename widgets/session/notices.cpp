#include "widgets/session/notices.h"

#include <utility>

namespace strata {

int Notices::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(m_notices.size());
}

QVariant Notices::data(const QModelIndex& index, int role) const {
  if (!index.isValid()) return {};
  const Notice& notice = at(index.row());
  switch (role) {
    case Qt::DisplayRole:
      return tr("%1   %2").arg(notice.time.toString("HH:mm:ss"), notice.text);
    case Qt::ToolTipRole:
      return notice.text.toHtmlEscaped();
    case Qt::AccessibleTextRole:
      return notice.level == Notice::Level::problem ? tr("Problem: %1").arg(notice.text) : notice.text;
    default:
      return {};
  }
}

void Notices::add(Notice notice) {
  if (!notice.time.isValid()) notice.time = QDateTime::currentDateTime();
  if (rowCount() == kMost) {
    beginRemoveRows({}, kMost - 1, kMost - 1);
    m_notices.pop_back();
    endRemoveRows();
  }
  beginInsertRows({}, 0, 0);
  m_notices.push_front(std::move(notice));
  endInsertRows();
  if (m_notices.front().level == Notice::Level::problem) {
    ++m_unseen;
    Q_EMIT unseenChanged();
  }
  Q_EMIT added(Notice(m_notices.front()));
}

void Notices::markSeen() {
  if (m_unseen == 0) return;
  m_unseen = 0;
  Q_EMIT unseenChanged();
}

}  // namespace strata
