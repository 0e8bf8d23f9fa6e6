#pragma once
// The questions that a run answered, a row each, and how such a row is drawn.

#include <QAbstractListModel>
#include <QStyledItemDelegate>
#include <map>
#include <string>
#include <vector>

#include "core/protocol/messages.h"

namespace strata {

class AnsweredQuestions : public QAbstractListModel {
  Q_OBJECT

 public:
  static constexpr std::size_t kMost = 300;  // rows; of more questions the last ones

  struct Given {
    QString answer;
    double exact = 0, f1 = 0;
    std::int64_t step = 0;
  };
  struct Question {
    QString text, expected;
    std::vector<std::pair<QString, Given>> answers;  // by map, the full one first, then by falling retention
  };

  using QAbstractListModel::QAbstractListModel;

  /// Replaces what was answered under the map before; rows change with commit().
  void take(const std::string& map, const protocol::AnswerInfo& answer);
  void commit();
  void clear();
  /// The newest step that a question was answered at; 0: none was.
  std::int64_t step() const { return m_step; }
  const Question& at(int row) const { return m_rows[static_cast<std::size_t>(row)]; }
  /// "100 %: 14 of 20 right", one for each map.
  QStringList summary() const;

  int rowCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;

  /// "right", "partly, F1 40 %" or "wrong".
  static QString verdictText(const Given& given);

 private:
  std::map<std::string, std::map<std::string, protocol::AnswerInfo>> m_answers;  // by map and question
  std::vector<Question> m_rows;
  std::int64_t m_step = 0;
  bool m_changed = false;
};

class AnsweredDelegate : public QStyledItemDelegate {
  Q_OBJECT

 public:
  using QStyledItemDelegate::QStyledItemDelegate;
  void paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const override;
  QSize sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const override;

 private:
  /// Draws the row from the top of `room`, or where there is no painter only measures it; its height.
  int layOut(QPainter* painter, const QRect& room, const AnsweredQuestions::Question& question,
             std::int64_t step) const;
};

}  // namespace strata
