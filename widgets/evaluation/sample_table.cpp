#include "widgets/evaluation/sample_table.h"

#include <algorithm>
#include <utility>

#include "widgets/evaluation/evaluation_words.h"
#include "widgets/style/labels.h"

namespace strata {
namespace {

constexpr int kPage = 100;
constexpr int kBefore = 20;            // rows above the one that is looked at
constexpr qsizetype kShownText = 400;  // characters of a cell
constexpr qsizetype kTipText = 2000;

QString oneLine(const std::string& text) {
  return QString::fromUtf8(text.data(), static_cast<qsizetype>(std::min<std::size_t>(text.size(), 4 * kShownText)))
      .left(kShownText)
      .simplified();
}

}  // namespace

SampleTable::SampleTable(EngineClient& engine, QObject* parent) : QAbstractTableModel(parent), m_engine(engine) {}

bool SampleTable::show(const protocol::EvaluatedSide& a, const protocol::EvaluatedSide& b, const std::string& exact) {
  if (a == m_params.a && b == m_params.b && exact == m_exact) return false;
  m_params.a = a;
  m_params.b = b;
  m_exact = exact;
  m_counts.reset();
  restart();
  return true;
}

void SampleTable::setFilter(const std::string& filter) {
  if (filter == m_params.filter) return;
  m_params.filter = filter;
  restart();
}

void SampleTable::setSearch(const std::string& words) {
  if (words == m_params.search) return;
  m_params.search = words;
  restart();
}

void SampleTable::restart() {
  beginResetModel();
  m_rows.clear();
  endResetModel();
  ++m_question;
  m_asking = false;
  m_wanted = -1;
  m_problem.reset();
  if (m_params.a.run.empty()) return Q_EMIT arrived();
  ask(0);
}

void SampleTable::refresh() {
  ++m_age;
  if (m_params.a.run.empty()) return;
  // The first row tells how many there are; those that are looked at are painted anew, and asked for.
  ask(0);
  if (!m_rows.empty()) Q_EMIT dataChanged(index(0, 0), index(rowCount() - 1, kColumns - 1));
}

const SampleTable::Sample* SampleTable::at(int row) const {
  if (row < 0 || row >= rowCount()) return nullptr;
  const auto& sample = m_rows[static_cast<std::size_t>(row)].sample;
  return sample ? &*sample : nullptr;
}

int SampleTable::rowOf(const std::string& id) const {
  const auto found =
      std::find_if(m_rows.begin(), m_rows.end(), [&](const Row& row) { return row.sample && row.sample->id == id; });
  return found == m_rows.end() ? -1 : static_cast<int>(found - m_rows.begin());
}

void SampleTable::setNote(const std::string& id, const std::string& note) {
  const int row = rowOf(id);
  if (row < 0) return;
  m_rows[static_cast<std::size_t>(row)].sample->note = note;
  Q_EMIT dataChanged(index(row, kNote), index(row, kNote));
}

int SampleTable::rowCount(const QModelIndex& parent) const {
  return parent.isValid() ? 0 : static_cast<int>(m_rows.size());
}

QVariant SampleTable::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal || role != Qt::DisplayRole) return {};
  const QString titles[] = {tr("Question"), tr("Expected"), tr("A"), tr("B"), tr("Note")};
  return titles[section];
}

QVariant SampleTable::data(const QModelIndex& index, int role) const {
  if (!index.isValid()) return {};
  const Row& row = m_rows[static_cast<std::size_t>(index.row())];
  const bool isShown = role == Qt::DisplayRole || role == Qt::DecorationRole;
  if (isShown && row.age != m_age) want(index.row());
  if (!row.sample)
    return role == Qt::DisplayRole && index.column() == kQuestion ? QVariant(QStringLiteral("…")) : QVariant();
  const Sample& sample = *row.sample;
  const bool isAnswer = index.column() == kAnswerA || index.column() == kAnswerB;
  const auto& scores = index.column() == kAnswerA ? sample.scoresA : sample.scoresB;
  const bool isUnscored = isAnswer && scores.empty();
  const std::string* texts[] = {&sample.text, &sample.expected, &sample.answerA, &sample.answerB, &sample.note};
  const std::string& text = *texts[index.column()];
  switch (role) {
    case Qt::DisplayRole:
      if (index.column() == kExpected && text.empty() && !sample.answerable) return tr("no answer");
      if (isAnswer && text.empty() && !isUnscored) return tr("(says nothing)");
      return oneLine(text);
    case Qt::DecorationRole:
      return isAnswer && !isUnscored ? QVariant(verdictIcon(verdictOf(scores, m_exact))) : QVariant();
    case Qt::ToolTipRole: {
      const QString whole = QString::fromStdString(text);
      const QString shown = whole.size() > kTipText ? whole.left(kTipText) + u'…' : whole;
      return tipOf(isAnswer && !isUnscored ? verdictText(scores, m_exact) + u'\n' + shown : shown);
    }
    case Qt::AccessibleTextRole:
      return isAnswer && !isUnscored ? tr("%1: %2").arg(verdictText(scores, m_exact), oneLine(text)) : oneLine(text);
    default:
      return {};
  }
}

/// Called while a view paints: asks once it has done so.
void SampleTable::want(int row) const {
  m_wanted = row;
  if (std::exchange(m_queued, true)) return;
  QMetaObject::invokeMethod(
      const_cast<SampleTable*>(this),
      [self = const_cast<SampleTable*>(this)] {
        self->m_queued = false;
        if (self->m_wanted >= 0 && !self->m_asking) self->ask(std::exchange(self->m_wanted, -1));
      },
      Qt::QueuedConnection);
}

void SampleTable::ask(int row) {
  if (row >= 0 && row < rowCount() && m_rows[static_cast<std::size_t>(row)].age == m_age) return;
  if (m_asking) {
    m_wanted = row;
    return;
  }
  m_asking = true;
  protocol::ListSamples::Params params = m_params;
  int from = std::max(0, row - kBefore);
  while (from < row && m_rows[static_cast<std::size_t>(from)].age == m_age) ++from;
  params.from = from;
  params.count = kPage;
  m_engine.call<protocol::ListSamples>(
      params, this,
      [this, from, age = m_age, question = m_question](const Result<protocol::ListSamples::Answer>& answer) {
        if (question != m_question) return;
        m_asking = false;
        if (answer) {
          m_problem.reset();
          take(from, age, *answer);
        } else {
          m_problem = answer.error();
        }
        Q_EMIT arrived();
        if (m_wanted >= 0 && answer) ask(std::exchange(m_wanted, -1));
      });
}

void SampleTable::take(int from, int age, const protocol::ListSamples::Answer& answer) {
  m_counts = answer;
  m_counts->samples.clear();
  const int total = static_cast<int>(std::clamp<std::int64_t>(answer.total, 0, 1 << 30));
  const int before = rowCount();
  if (total > before) {
    beginInsertRows({}, before, total - 1);
    m_rows.resize(static_cast<std::size_t>(total));
    endInsertRows();
  } else if (total < before) {
    beginRemoveRows({}, total, before - 1);
    m_rows.resize(static_cast<std::size_t>(total));
    endRemoveRows();
  }
  int row = from;
  for (const Sample& sample : answer.samples) {
    if (row >= total) break;
    m_rows[static_cast<std::size_t>(row++)] = {sample, age};
  }
  if (row > from) Q_EMIT dataChanged(index(from, 0), index(row - 1, kColumns - 1));
}

}  // namespace strata
