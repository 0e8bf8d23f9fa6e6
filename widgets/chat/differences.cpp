#include "widgets/chat/differences.h"

#include <algorithm>
#include <array>

#include "widgets/chat/answer_foot.h"
#include "widgets/chat/safe_text.h"
#include "widgets/chat/token_text.h"

namespace strata {
namespace {

constexpr std::array kHeatSteps = {0.01, 0.03, 0.1, 0.3};  // nats
constexpr qsizetype kMarkMost = 24;                        // characters that the first difference marks

qsizetype commonPrefix(const QString& a, const QString& b) {
  const auto [end, ignored] = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  qsizetype at = end - a.begin();
  if (at > 0 && at < a.size() && a[at].isLowSurrogate()) --at;
  return at;
}

/// The text without white space at its end.
QStringView withoutEnd(const QString& text) {
  qsizetype size = text.size();
  while (size > 0 && text[size - 1].isSpace()) --size;
  return QStringView(text).left(size);
}

}  // namespace

std::optional<FirstDifference> firstDifference(const SideAnswer* mine, const SideAnswer* other) {
  if (mine == nullptr || other == nullptr || !mine->answer || !other->answer) return std::nullopt;
  const std::vector<int>& ids = mine->answer->ids;
  const std::vector<int>& others = other->answer->ids;
  FirstDifference difference;
  difference.of = static_cast<int>(ids.size());
  const auto [end, ignored] = std::mismatch(ids.begin(), ids.end(), others.begin(), others.end());
  if (end == ids.end() && ids.size() == others.size()) return difference;
  // One may have ended by a line break and the other by itself: they say the same.
  if (withoutEnd(mine->text) == withoutEnd(other->text)) return difference;
  difference.token = static_cast<int>(end - ids.begin());
  difference.begin = commonPrefix(mine->text, other->text);
  qsizetype last = difference.begin;
  while (last < mine->text.size() && mine->text[last].isSpace()) ++last;
  while (last < mine->text.size() && last - difference.begin < kMarkMost && !mine->text[last].isSpace()) ++last;
  difference.end = cutBefore(mine->text, last);
  return difference;
}

int heatOf(double kl) {
  const auto above = std::upper_bound(kHeatSteps.begin(), kHeatSteps.end(), kl);
  const auto step = static_cast<int>(above - kHeatSteps.begin());
  return step == 0 ? -1 : step;
}

Differences::Differences(Session& session, Conversation& conversation, QObject* parent)
    : QObject(parent), m_session(session), m_conversation(conversation) {
  session.engine().on<protocol::Progress>(this, [this](const protocol::Progress& how) {
    if (m_ticket == 0 || how.request != Json(m_ticket)) return;
    m_stage = {QString::fromStdString(how.stage), how.done, how.total};
    Q_EMIT changed();
  });
  const auto forget = [this] {
    m_wantedTurn = -1;
    m_answerKey.clear();
    m_firsts.clear();
  };
  connect(&conversation, &Conversation::reset, this, forget);
  connect(&conversation, &Conversation::turnsChanged, this, forget);
  connect(&conversation, &Conversation::answerChanged, this, [this](int turn) {
    for (const Which which : kBothSides) m_firsts.erase({turn, which});
    if (turn == m_turn) m_answerKey.clear();
  });
}

void Differences::setOn(bool on) {
  if (m_on == on) return;
  m_on = on;
  if (on) {
    refresh();
    return;
  }
  cancel();
  m_wantedTurn = -1;
  m_state = State::off;
  Q_EMIT changed();
}

void Differences::showTurn(int turn, Which text) {
  m_wantedTurn = turn;
  m_text = text;
  m_on = true;
  refresh();
}

void Differences::setText(Which which) {
  if (m_text == which) return;
  m_text = which;
  refresh();
}

protocol::Side Differences::sideOf(const SideAnswer& answer, Which which) const {
  const protocol::MadeBy& made = answer.answer->madeBy;
  protocol::Side side;
  if (answer.asked) {
    side = *answer.asked;
    // The run may have a newer checkpoint by now than the one that answered.
    if (isLatestOf(side.ref.model, made.model)) side.ref.model = made.model;
    return side;
  }
  const auto& now = m_session.side(which);
  if (now && (now->ref.model == made.model || isLatestOf(now->ref.model, made.model))) side.ref = now->ref;
  side.ref.model = made.model;
  const std::string run = made.model.substr(0, made.model.find('@'));
  const bool isOwn = made.adapter.find("/runs/" + run + "/") != std::string::npos;  // the run is the adapter
  side.ref.adapter = isOwn ? std::string() : made.adapter;
  side.map = made.map;
  return side;
}

void Differences::refresh() {
  if (!m_on) {
    Q_EMIT changed();  // the first difference may be another
    return;
  }
  compare();
}

void Differences::compare() {
  const int turn = isWhole(m_wantedTurn) ? m_wantedTurn : m_conversation.lastTurn();
  const SideAnswer* a = m_conversation.answer(turn, Which::a);
  const SideAnswer* b = m_conversation.answer(turn, Which::b);
  const SideAnswer* read = m_text == Which::a ? a : b;
  if (!isWhole(turn) || read->answer->ids.empty()) {
    cancel();
    m_result.reset();
    m_answerKey.clear();
    m_state = State::nothing;
    Q_EMIT changed();
    return;
  }
  const QString key = QString("%1/%2/%3").arg(m_conversation.id()).arg(turn).arg(indexOf(m_text));
  if (key == m_answerKey && (m_state == State::shown || m_state == State::computing)) return;
  protocol::Compare::Params params;
  params.a = sideOf(*a, Which::a);
  params.b = sideOf(*b, Which::b);
  params.turns = m_conversation.asked(turn, m_text);
  params.ids = read->answer->ids;
  cancel();
  m_answerKey = key;
  m_turn = turn;
  m_result.reset();
  m_chosen = -1;
  m_stage = {};
  m_state = State::computing;
  const int number = ++m_number;
  const QString text = read->text;
  m_ticket = m_session.engine().call<protocol::Compare>(
      params, this, [this, number, text](const Result<protocol::Compare::Answer>& answer) {
        if (number != m_number) return;
        m_ticket = 0;
        if (answer) {
          m_result = *answer;
          takePlaces(text);
          m_state = State::shown;
          chooseFirstDifference();
        } else {
          m_problem = QString::fromStdString(answer.error().message);
          m_state = State::failed;
        }
        Q_EMIT changed();
      });
  Q_EMIT changed();
}

/// Whether both sides answered it.
bool Differences::isWhole(int turn) const {
  const SideAnswer* a = m_conversation.answer(turn, Which::a);
  const SideAnswer* b = m_conversation.answer(turn, Which::b);
  return a != nullptr && b != nullptr && a->answer && b->answer && !a->running && !b->running;
}

void Differences::cancel() {
  if (m_ticket == 0) return;
  m_session.engine().cancel(std::exchange(m_ticket, 0));
  ++m_number;
  m_answerKey.clear();
  m_state = State::failed;
  m_problem = tr("Stopped.");
  Q_EMIT changed();
}

/// The tokens' texts laid along the answer; one that does not stand there (half a character) has no place.
void Differences::takePlaces(const QString& text) {
  m_places.clear();
  qsizetype at = 0;
  for (const protocol::TokenDifference& token : m_result->tokens) {
    const QString said = safeText(token.text);
    const bool there = !said.isEmpty() && QStringView(text).mid(at).startsWith(said);
    m_places.push_back({at, there ? at + said.size() : at});
    if (there) at += said.size();
  }
}

void Differences::choose(int token) {
  const int last = static_cast<int>(m_places.size()) - 1;
  const int chosen = last < 0 ? -1 : std::clamp(token, 0, last);
  if (chosen == m_chosen) return;
  m_chosen = chosen;
  Q_EMIT chosenChanged();
}

int Differences::tokenAt(Which which, int turn, qsizetype source) const {
  if (m_state != State::shown || which != m_text || turn != m_turn || source < 0) return -1;
  const auto after = std::upper_bound(m_places.begin(), m_places.end(), source,
                                      [](qsizetype at, const Place& place) { return at < place.end; });
  return after != m_places.end() && source >= after->begin ? static_cast<int>(after - m_places.begin()) : -1;
}

void Differences::chooseAt(Which which, int turn, qsizetype source) {
  if (const int token = tokenAt(which, turn, source); token >= 0) choose(token);
}

QString Differences::textAt(Which which, int turn, qsizetype source) const {
  const int token = tokenAt(which, turn, source);
  return token < 0 ? QString() : textOf(*m_result, static_cast<std::size_t>(token)).lines();
}

const std::optional<FirstDifference>& Differences::first(int turn, Which which) const {
  const auto known = m_firsts.find({turn, which});
  if (known != m_firsts.end()) return known->second;
  return m_firsts[{turn, which}] =
             firstDifference(m_conversation.answer(turn, which), m_conversation.answer(turn, otherOf(which)));
}

void Differences::chooseFirstDifference() {
  const auto& difference = first(m_turn, m_text);
  choose(difference && difference->token >= 0 ? difference->token : 0);
}

std::vector<Mark> Differences::marks(int turn, Which which, qsizetype begin, qsizetype end) const {
  std::vector<Mark> marks;
  const bool tinted = m_on && m_state == State::shown && turn == m_turn && which == m_text;
  if (tinted) {
    const auto after = std::upper_bound(m_places.begin(), m_places.end(), begin,
                                        [](qsizetype at, const Place& place) { return at < place.end; });
    for (auto i = static_cast<std::size_t>(after - m_places.begin()); i < m_places.size(); ++i) {
      if (m_places[i].begin >= end) break;
      Mark mark{m_places[i].begin, m_places[i].end, heatOf(m_result->tokens[i].kl)};
      if (mark.heat >= 0 && mark.begin < mark.end) marks.push_back(mark);
    }
  }
  const auto& parts = first(turn, which);
  if (parts && parts->token >= 0 && parts->begin < parts->end) {
    Mark mark{parts->begin, parts->end};
    mark.first = true;
    const auto token = static_cast<std::size_t>(parts->token);
    if (tinted && token < m_places.size() && m_places[token].begin < m_places[token].end) {
      mark.begin = m_places[token].begin;
      mark.end = m_places[token].end;
      mark.heat = heatOf(m_result->tokens[token].kl);
    }
    marks.push_back(mark);
  }
  if (tinted && m_chosen >= 0) {
    const Place& place = m_places[static_cast<std::size_t>(m_chosen)];
    Mark mark{place.begin, place.end};
    mark.chosen = true;
    if (place.begin < place.end) marks.push_back(mark);
  }
  return marks;
}

}  // namespace strata
