#include "widgets/chat/conversation.h"

#include <QUuid>
#include <algorithm>
#include <utility>

#include "widgets/chat/asked_text.h"
#include "widgets/chat/safe_text.h"

namespace strata {
namespace {

constexpr qsizetype kSpaces = 64;                  // that one writing of a question may have more than another
constexpr const char* kContextFull = "--context";  // the engine's error names the setting that is too small

QString newId() {
  return QUuid::createUuid().toString(QUuid::WithoutBraces);
}

}  // namespace

Conversation::Conversation(Session& session, QObject* parent) : QObject(parent), m_session(session) {
  m_info.id = newId().toStdString();
}

SideAnswer* Conversation::find(int turn, Which which) {
  if (turn < 0 || turn > lastTurn()) return nullptr;
  auto& answer = m_turns[static_cast<std::size_t>(turn)].answers[indexOf(which)];
  return answer ? &*answer : nullptr;
}

const SideAnswer* Conversation::answer(int turn, Which which) const {
  return const_cast<Conversation*>(this)->find(turn, which);
}

std::vector<std::string> Conversation::expected(int turn) const {
  const ChatTurn& asked = m_turns[static_cast<std::size_t>(turn)];
  if (!asked.expected.empty()) return asked.expected;
  for (const std::optional<SideAnswer>& side : asked.answers) {
    if (side && side->answer && side->answer->mark) return side->answer->mark->expected;
  }
  return {};
}

void Conversation::setExpected(int turn, std::vector<std::string> answers) {
  m_turns[static_cast<std::size_t>(turn)].expected = std::move(answers);
}

std::vector<std::string> Conversation::stop(int turn) const {
  const ChatTurn& asked = m_turns[static_cast<std::size_t>(turn)];
  if (asked.stop) return *asked.stop;
  for (const std::optional<SideAnswer>& side : asked.answers) {
    if (side && side->answer) return side->answer->madeBy.sampling.stop;
  }
  return m_info.sampling.stop;
}

void Conversation::setStop(int turn, std::vector<std::string> texts) {
  m_turns[static_cast<std::size_t>(turn)].stop = std::move(texts);
}

int Conversation::turnAsking(const QString& question) const {
  const QString wanted = question.simplified();
  for (int turn = lastTurn(); turn >= 0; --turn) {
    const QString& asked = m_turns[static_cast<std::size_t>(turn)].question;
    if (asked.size() >= wanted.size() && asked.size() <= question.size() + kSpaces && asked.simplified() == wanted) {
      return turn;
    }
  }
  return -1;
}

std::vector<int> Conversation::answeredBefore(int turn, Which which) const {
  std::vector<int> turns;
  for (int i = 0; i < turn && i <= lastTurn(); ++i) {
    const SideAnswer* before = answer(i, which);
    if (before != nullptr && (before->answer || !before->text.isEmpty())) turns.push_back(i);
  }
  return turns;
}

std::vector<protocol::Turn> Conversation::asked(int turn, Which which, const QString& question) const {
  std::vector<protocol::Turn> turns;
  if (!m_info.system.empty()) turns.push_back({"system", m_info.system});
  for (const int i : answeredBefore(turn, which)) {
    const SideAnswer* before = answer(i, which);
    turns.push_back({"user", m_turns[static_cast<std::size_t>(i)].question.toStdString()});
    turns.push_back({"assistant", before->answer ? before->answer->text : before->text.toStdString()});
  }
  turns.push_back({"user", question.toStdString()});
  return turns;
}

std::vector<protocol::Turn> Conversation::asked(int turn, Which which) const {
  return asked(turn, which, m_turns[static_cast<std::size_t>(turn)].question);
}

void Conversation::stopOpening() {
  ++m_openNumber;
  m_openNext.clear();
  m_opening = false;
  m_loading = {};
}

void Conversation::startNew() {
  stopOpening();
  protocol::ChatInfo info;
  info.id = newId().toStdString();
  info.sampling = m_info.sampling;
  info.system = m_info.system;
  m_info = std::move(info);
  m_turns.clear();
  m_dropped = {};
  Q_EMIT reset();
  Q_EMIT infoChanged();
}

void Conversation::open(const QString& id) {
  stopOpening();
  m_opening = true;
  if (m_storing > 0) {  // what is on its way may be of the chat that is asked for
    m_openNext = id;
    return;
  }
  openFrom(id, 0);
}

void Conversation::openFrom(const QString& id, int turn) {
  m_session.engine().call<protocol::OpenChat>(
      {id.toStdString(), turn}, this,
      [this, id, turn, number = m_openNumber](const Result<protocol::OpenChat::Answer>& page) {
        if (number != m_openNumber) return;
        if (page) {
          if (turn == 0) m_loading.info = page->chat;
          add(page->messages, m_loading.turns);
          if (page->nextTurn > turn) return openFrom(id, page->nextTurn);
        }
        const bool isWhole = page || (turn == 0 && page.error().code == ErrorCode::notFound);
        const bool added = isWhole && addUnstored(id);
        if (page || added) return showLoaded();
        stopOpening();
        Q_EMIT failed(page.error());
      });
}

void Conversation::showLoaded() {
  Loading loaded = std::move(m_loading);
  stopOpening();
  Q_EMIT replacing();
  m_info = std::move(loaded.info);
  m_turns = std::move(loaded.turns);
  m_dropped = {};
  Q_EMIT reset();
  Q_EMIT infoChanged();
  const std::optional<protocol::Side> a = m_info.a, b = m_info.b;
  if (!a && !b) return;  // an old chat without sides goes on with those of now
  m_session.setSide(Which::a, a);
  m_session.setSide(Which::b, b);
}

/// What was asked and answered while the project could not store it belongs to the chat as well.
bool Conversation::addUnstored(const QString& id) {
  bool any = false;
  for (const protocol::PutChat::Params& change : m_session.engine().unstored()) {
    if (QString::fromStdString(change.chat.id) != id) continue;
    any = true;
    m_loading.info = change.chat;
    const auto kept = static_cast<std::size_t>(std::max(change.dropFromTurn, 0));
    if (change.dropFromTurn >= 0 && m_loading.turns.size() > kept) m_loading.turns.resize(kept);
    add(change.messages, m_loading.turns);
  }
  return any;
}

void Conversation::add(const std::vector<protocol::ChatMessage>& messages, std::vector<ChatTurn>& turns) {
  for (const protocol::ChatMessage& message : messages) {
    if (message.turn < 0) continue;
    if (static_cast<std::size_t>(message.turn) >= turns.size()) {
      turns.resize(static_cast<std::size_t>(message.turn) + 1);
    }
    ChatTurn& turn = turns[static_cast<std::size_t>(message.turn)];
    const QString id = QString::fromStdString(message.id);
    if (message.role == "user") {
      turn.id = id;
      turn.question = QString::fromStdString(message.text);
      continue;
    }
    SideAnswer answer;
    answer.id = id;
    answer.text = safeText(message.text);
    answer.answer = message.answer;
    if (answer.answer && answer.answer->text.empty()) answer.answer->text = message.text;
    answer.problem = QString::fromStdString(message.problem);
    turn.answers[message.role == "a" ? 0 : 1] = std::move(answer);
  }
}

void Conversation::branch(int turn, int from) {
  stopOpening();
  m_turns.resize(static_cast<std::size_t>(std::clamp(turn + 1, 0, lastTurn() + 1)));
  m_turns.erase(m_turns.begin(), m_turns.begin() + std::clamp(from, 0, lastTurn() + 1));
  m_dropped = {};
  m_info.id = newId().toStdString();
  const QString title = from > 0 ? tr("%1 (shortened)") : tr("%1 (branch)");
  m_info.title = title.arg(QString::fromStdString(m_info.title)).toStdString();
  for (ChatTurn& said : m_turns) {
    said.id = newId();
    for (auto& answer : said.answers) {
      if (answer) answer->id = newId();
    }
  }
  putAll();
  Q_EMIT reset();
  Q_EMIT infoChanged();
}

int Conversation::ask(const QString& question) {
  m_dropped = {};
  if (m_turns.empty() && m_info.title.empty()) m_info.title = titleOfPrompt(question).toStdString();
  m_turns.push_back({newId(), question, {}, {}, {}});
  put({messageOf(lastTurn())});
  Q_EMIT turnsChanged(lastTurn());
  Q_EMIT infoChanged();
  return lastTurn();
}

void Conversation::replaceFrom(int turn, const QString& question) {
  if (turn < 0 || turn > lastTurn()) return;
  const auto begin = m_turns.begin() + turn;
  m_dropped = {turn, {std::make_move_iterator(begin), std::make_move_iterator(m_turns.end())}};
  m_turns.erase(begin, m_turns.end());
  m_turns.push_back({newId(), question, {}, {}, {}});
  put({messageOf(turn)}, turn);
  Q_EMIT turnsChanged(turn);
}

/// The turns return under their own ids, which takes them out of the trash; what replaced them goes there.
void Conversation::takeBack() {
  if (!canTakeBack()) return;
  const int from = m_dropped.from;
  m_turns.resize(static_cast<std::size_t>(from));
  for (ChatTurn& turn : m_dropped.turns) m_turns.push_back(std::move(turn));
  m_dropped = {};
  putAll(from, from);
  Q_EMIT turnsChanged(from);
}

void Conversation::beginAnswer(int turn, Which which, const protocol::Side& side) {
  if (turn < 0 || turn > lastTurn()) return;
  SideAnswer answer;
  const SideAnswer* before = find(turn, which);
  answer.id = before != nullptr ? before->id : newId();
  answer.running = true;
  answer.asked = side;
  m_turns[static_cast<std::size_t>(turn)].answers[indexOf(which)] = std::move(answer);
  Q_EMIT answerChanged(turn, which);
}

void Conversation::addText(int turn, Which which, const QString& text) {
  SideAnswer* answer = find(turn, which);
  if (answer == nullptr || text.isEmpty()) return;
  answer->text += text;
  Q_EMIT textAdded(turn, which, text);
}

void Conversation::finishAnswer(int turn, Which which, const Result<protocol::Answer>& answer) {
  SideAnswer* place = find(turn, which);
  if (place == nullptr) return;
  place->running = false;
  if (answer) {
    place->answer = *answer;
    place->text = safeText(answer->text);
    place->problem.clear();
  } else {
    place->problem = QString::fromStdString(answer.error().message);
    place->full = answer.error().context == kContextFull;
  }
  if (const auto message = messageOf(turn, which)) put({*message});
  Q_EMIT answerChanged(turn, which);
}

void Conversation::restoreAnswer(int turn, Which which, const SideAnswer& answer) {
  if (find(turn, which) == nullptr) return;
  m_turns[static_cast<std::size_t>(turn)].answers[indexOf(which)] = answer;
  if (const auto message = messageOf(turn, which)) put({*message});
  Q_EMIT answerChanged(turn, which);
}

void Conversation::setSampling(const GenerateConfig& sampling) {
  m_info.sampling = sampling;
  if (!isEmpty()) put({});
  Q_EMIT infoChanged();
}

void Conversation::setSystem(const QString& system) {
  if (QString::fromStdString(m_info.system) == system) return;
  m_info.system = system.toStdString();
  if (!isEmpty()) put({});
  Q_EMIT infoChanged();
}

void Conversation::setTitle(const QString& title) {
  m_info.title = title.toStdString();
  if (!isEmpty()) put({});
  Q_EMIT infoChanged();
}

protocol::ChatMessage Conversation::messageOf(int turn) const {
  const ChatTurn& said = m_turns[static_cast<std::size_t>(turn)];
  protocol::ChatMessage message;
  message.id = said.id.toStdString();
  message.turn = turn;
  message.role = "user";
  message.text = said.question.toStdString();
  return message;
}

std::optional<protocol::ChatMessage> Conversation::messageOf(int turn, Which which) const {
  const SideAnswer* said = answer(turn, which);
  if (said == nullptr) return std::nullopt;
  protocol::ChatMessage message;
  message.id = said->id.toStdString();
  message.turn = turn;
  message.role = which == Which::a ? "a" : "b";
  message.text = said->answer ? said->answer->text : said->text.toStdString();
  message.answer = said->answer;
  if (message.answer) message.answer->text.clear();  // it is the message's: a text is sent and kept once
  message.problem = said->problem.toStdString();
  return message;
}

void Conversation::putAll(int dropFrom, int from) {
  std::vector<protocol::ChatMessage> messages;
  for (int turn = from; turn <= lastTurn(); ++turn) {
    messages.push_back(messageOf(turn));
    for (const Which which : kBothSides) {
      if (auto message = messageOf(turn, which)) messages.push_back(*std::move(message));
    }
  }
  put(std::move(messages), dropFrom);
}

void Conversation::put(std::vector<protocol::ChatMessage> messages, int dropFrom) {
  m_info.a = m_session.side(Which::a);
  m_info.b = m_session.side(Which::b);
  m_info.turns = lastTurn() + 1;
  ++m_storing;
  // The client notes it in its journal before it is sent, and sends it until it is confirmed.
  const protocol::PutChat::Params params{m_info, std::move(messages), dropFrom};
  m_session.engine().call<protocol::PutChat>(params, this, [this](const Result<protocol::Nothing>& answer) {
    --m_storing;
    if (answer) {
      Q_EMIT stored();
    } else {
      Q_EMIT notStored(answer.error());
    }
    if (m_storing == 0 && !m_openNext.isEmpty()) {
      const QString next = std::exchange(m_openNext, {});
      if (m_opening) openFrom(next, 0);
    }
  });
}

}  // namespace strata
