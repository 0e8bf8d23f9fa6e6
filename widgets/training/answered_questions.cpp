#include "widgets/training/answered_questions.h"

#include <QPainter>
#include <algorithm>

#include "widgets/runs/map_text.h"
#include "widgets/style/controls.h"
#include "widgets/style/format.h"
#include "widgets/style/icons.h"
#include "widgets/style/style_painters.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr qsizetype kMostQuestion = 280, kMostAnswer = 180;  // characters drawn; the tooltip has all

double scoreOf(const protocol::AnswerInfo& answer, const char* name) {
  for (const protocol::Score& score : answer.scores) {
    if (score.name == name) return score.value;
  }
  return 0;
}

QString shortened(const QString& text, qsizetype most) {
  const QString line = text.simplified();
  return line.size() <= most ? line : line.left(most - 1).trimmed() + u'…';
}

QString shownAnswer(const QString& answer) {
  return answer.trimmed().isEmpty() ? AnsweredQuestions::tr("(no answer)") : answer;
}

bool isRight(const AnsweredQuestions::Given& given) {
  return given.exact >= 1;
}

}  // namespace

void AnsweredQuestions::take(const std::string& map, const protocol::AnswerInfo& answer) {
  protocol::AnswerInfo& known = m_answers[map][answer.question];
  m_changed = m_changed || known.step != answer.step || known.answer != answer.answer || known.text != answer.text ||
              known.question.empty();
  known = answer;
  m_step = std::max(m_step, answer.step);
}

void AnsweredQuestions::clear() {
  beginResetModel();
  m_answers.clear();
  m_rows.clear();
  m_step = 0;
  m_changed = false;
  endResetModel();
}

void AnsweredQuestions::commit() {
  if (!m_changed) return;
  m_changed = false;
  std::vector<std::string> maps;
  std::map<std::string, Question> all;
  for (const auto& [map, answers] : m_answers) maps.push_back(map);
  std::stable_sort(maps.begin(), maps.end(), [](const std::string& a, const std::string& b) {
    return retentionRank(QString::fromStdString(a)) > retentionRank(QString::fromStdString(b));
  });
  for (const std::string& map : maps) {
    for (const auto& [id, answer] : m_answers[map]) {
      Question& question = all[id];
      const std::string& text = answer.text.empty() ? id : answer.text;  // runs of before kept the ids alone
      question.text = QString::fromStdString(text);
      question.expected = QString::fromStdString(answer.expected);
      question.answers.emplace_back(
          QString::fromStdString(map),
          Given{QString::fromStdString(answer.answer), scoreOf(answer, "em"), scoreOf(answer, "f1"), answer.step});
    }
  }
  std::vector<Question> rows;
  for (auto& [id, question] : all) rows.push_back(std::move(question));
  if (rows.size() > kMost) rows.erase(rows.begin(), rows.end() - static_cast<std::ptrdiff_t>(kMost));
  if (rows.size() == m_rows.size()) {  // nothing moves
    m_rows = std::move(rows);
    Q_EMIT dataChanged(index(0), index(rowCount() - 1));
    Q_EMIT layoutChanged();
    return;
  }
  beginResetModel();
  m_rows = std::move(rows);
  endResetModel();
}

QStringList AnsweredQuestions::summary() const {
  QStringList parts;
  if (m_rows.empty()) return parts;
  std::vector<std::pair<QString, std::pair<int, int>>> counts;  // by map: right, all
  for (const Question& question : m_rows) {
    for (const auto& [map, given] : question.answers) {
      auto found =
          std::find_if(counts.begin(), counts.end(), [&, &name = map](const auto& each) { return each.first == name; });
      if (found == counts.end()) found = counts.insert(counts.end(), {map, {0, 0}});
      found->second.first += isRight(given) ? 1 : 0;
      ++found->second.second;
    }
  }
  for (const auto& [map, count] : counts) {
    parts << tr("%1: %2 of %3 right").arg(mapText(map), formatCount(count.first), formatCount(count.second));
  }
  return parts;
}

int AnsweredQuestions::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(m_rows.size());
}

QVariant AnsweredQuestions::data(const QModelIndex& index, int role) const {
  if (!index.isValid() || (role != Qt::DisplayRole && role != Qt::AccessibleTextRole && role != Qt::ToolTipRole)) {
    return {};
  }
  const Question& question = at(index.row());
  if (role == Qt::DisplayRole) return question.text;
  QStringList lines{question.text};
  if (!question.expected.isEmpty()) lines << tr("Expected: %1").arg(question.expected);
  for (const auto& [map, given] : question.answers) {
    lines << tr("%1, %2: %3").arg(mapText(map), verdictText(given), shownAnswer(given.answer));
  }
  const QString whole = lines.join(u'\n');
  return role == Qt::ToolTipRole ? tipOf(whole) : whole;
}

QString AnsweredQuestions::verdictText(const Given& given) {
  if (isRight(given)) return tr("right");
  return given.f1 > 0 ? tr("partly, F1 %1").arg(formatPercent(given.f1)) : tr("wrong");
}

int AnsweredDelegate::layOut(QPainter* painter, const QRect& room, const AnsweredQuestions::Question& question,
                             std::int64_t step) const {
  const Colors& c = colors();
  int y = room.top();
  const auto write = [&](const QString& text, TextRole role, const QColor& ink, int indent) {
    const QFont& font = fontOf(role);
    const QRect place(room.left() + indent, y, room.width() - indent, 1 << 20);
    const QRect used = QFontMetrics(font).boundingRect(place, Qt::TextWordWrap | Qt::AlignLeft, text);
    if (painter != nullptr) {
      painter->setFont(font);
      painter->setPen(ink);
      painter->drawText(place, Qt::TextWordWrap | Qt::AlignLeft, text);
    }
    y += used.height();
  };
  write(shortened(question.text, kMostQuestion), TextRole::body, c.text, 0);
  y += kGapInside;
  if (!question.expected.isEmpty()) {
    write(tr("Expected: %1").arg(shortened(question.expected, kMostAnswer)), TextRole::body, c.second, 0);
  }
  const int indent = metrics().icon + kGapRelated;
  for (const auto& [map, given] : question.answers) {
    y += kGapInside;
    const bool right = isRight(given), partly = !right && given.f1 > 0;
    QStringList words{mapText(map), AnsweredQuestions::verdictText(given)};
    if (given.step != step) words << tr("at step %1").arg(formatCount(given.step));
    if (painter != nullptr) {
      const QIcon sign = right    ? icon("check-lg", Ink::good)
                         : partly ? icon("dash-lg", Ink::warn)
                                  : icon("x-lg", Ink::bad);
      sign.paint(painter, QRect(room.left(), y, metrics().icon, metrics().icon));
    }
    write(words.join(QStringLiteral(" · ")), TextRole::strong, right ? c.good : partly ? c.warn : c.bad, indent);
    write(shortened(shownAnswer(given.answer), kMostAnswer), TextRole::body, c.text, indent);
  }
  return y - room.top();
}

QSize AnsweredDelegate::sizeHint(const QStyleOptionViewItem& option, const QModelIndex& index) const {
  const auto* view = qobject_cast<const QAbstractItemView*>(option.widget);
  const auto* questions = qobject_cast<const AnsweredQuestions*>(index.model());
  if (view == nullptr || questions == nullptr) return {};
  const int width = view->viewport()->width();
  const QRect room(0, 0, std::max(width - 2 * kGapGroups, 1), 0);
  return {width, layOut(nullptr, room, questions->at(index.row()), questions->step()) + 2 * kGapRelated};
}

void AnsweredDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const {
  const auto* questions = qobject_cast<const AnsweredQuestions*>(index.model());
  if (questions == nullptr) return;
  painter->save();
  painter->fillRect(option.rect, colors().surface);
  if (option.state & QStyle::State_Selected) paint::selection(*painter, option.rect, colors(), true);
  if (index.row() > 0)
    painter->fillRect(option.rect.left() + kGapGroups, option.rect.top(), option.rect.width() - 2 * kGapGroups, 1,
                      colors().line);
  layOut(painter, option.rect.adjusted(kGapGroups, kGapRelated, -kGapGroups, 0), questions->at(index.row()),
         questions->step());
  if (paint::showsFocus(option)) paint::focusRing(*painter, option.rect, colors());
  painter->restore();
}

}  // namespace strata
