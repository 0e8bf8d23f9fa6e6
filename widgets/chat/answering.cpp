#include "widgets/chat/answering.h"

#include <algorithm>

#include "widgets/chat/safe_text.h"

namespace strata {
namespace {

constexpr int kFlushMilliseconds = 33;
constexpr int kLiveMilliseconds = 250;             // figures that change faster cannot be read
constexpr std::int64_t kPrepareBytes = 1LL << 30;  // larger models are opened by the first question alone

}  // namespace

Answering::Answering(Session& session, Conversation& conversation, QObject* parent)
    : QObject(parent), m_session(session), m_conversation(conversation) {
  m_flush.setInterval(kFlushMilliseconds);
  connect(&m_flush, &QTimer::timeout, this, &Answering::flushAll);
  EngineClient& engine = session.engine();
  engine.on<protocol::Tokens>(this, [this](const protocol::Tokens& tokens) { take(tokens); });
  engine.on<protocol::Progress>(this, [this](const protocol::Progress& how) { progress(how); });
  connect(&engine, &EngineClient::stateChanged, this, &Answering::engineChanged);
  connect(&engine, &EngineClient::loadedChanged, this, &Answering::engineChanged);
}

bool Answering::busy() const {
  return state(Which::a) != State::idle || state(Which::b) != State::idle;
}

QString Answering::streamOf(Which which) const {
  return m_conversation.id() + (which == Which::a ? "/a" : "/b");
}

bool Answering::isLoaded(const protocol::ModelRef& ref) const {
  for (const protocol::LoadedModel& model : m_session.engine().loaded()) {
    if (model.ref == ref) return true;
  }
  return false;
}

void Answering::setState(Which which, State state) {
  Asked& side = m_sides[indexOf(which)];
  if (side.state == state) return;
  side.state = state;
  if (!busy()) m_flush.stop();
  Q_EMIT stateChanged(which);
}

void Answering::answer(int turn, const std::vector<Which>& sides) {
  m_afterwards.reset();
  for (const Which which : sides) start(turn, which);
}

void Answering::answerInTurn(int turn) {
  m_afterwards = {turn, Which::b};
  start(turn, Which::a);
  if (state(Which::a) == State::idle) {  // side A is empty
    m_afterwards.reset();
    start(turn, Which::b);
  }
}

void Answering::start(int turn, Which which) {
  Asked& side = m_sides[indexOf(which)];
  if (side.state != State::idle) {
    side.next = turn;
    stop(which);
    return;
  }
  const std::optional<protocol::Side>& what = m_session.side(which);
  if (!what || turn > m_conversation.lastTurn()) return;
  side.turn = turn;
  side.stage = {};
  side.live = {};
  side.pending.clear();
  for (QElapsedTimer* timer : {&side.sinceFlush, &side.sinceFirst, &side.sinceLive}) timer->invalidate();
  m_conversation.beginAnswer(turn, which, *what);
  protocol::Generate::Params params;
  params.stream = streamOf(which).toStdString();
  params.side = *what;
  params.turns = m_conversation.asked(turn, which);
  params.sampling = m_conversation.info().sampling;
  params.sampling.stop = m_conversation.stop(turn);
  params.expected = m_conversation.expected(turn);
  const int number = ++m_number;
  side.number = number;
  side.ticket = m_session.engine().call<protocol::Generate>(
      params, this,
      [this, which, turn, number](const Result<protocol::Answer>& answer) { done(which, turn, number, answer); });
  if (m_session.engine().waits(side.ticket)) {
    setState(which, State::waiting);
  } else {
    setState(which, isLoaded(what->ref) ? State::answering : State::loading);
  }
  m_flush.start();
}

void Answering::done(Which which, int turn, int number, const Result<protocol::Answer>& answer) {
  Asked& side = m_sides[indexOf(which)];
  if (number != side.number) return;
  flush(which);
  side.ticket = 0;
  side.turn = -1;
  m_conversation.finishAnswer(turn, which, answer);
  setState(which, State::idle);
  Q_EMIT finished(turn, which);
  if (side.next >= 0) {
    start(std::exchange(side.next, -1), which);
  } else if (m_afterwards && which != m_afterwards->second) {
    const auto [next, other] = *std::exchange(m_afterwards, std::nullopt);
    start(next, other);
  }
}

void Answering::stop(Which which) {
  Asked& side = m_sides[indexOf(which)];
  if (side.ticket == 0 || side.state == State::stopping) return;
  setState(which, State::stopping);
  m_session.engine().cancel(side.ticket);
}

void Answering::stopAll() {
  m_afterwards.reset();
  for (const Which which : kBothSides) {
    m_sides[indexOf(which)].next = -1;
    stop(which);
  }
}

void Answering::abandon() {
  m_afterwards.reset();
  for (const Which which : kBothSides) {
    Asked& side = m_sides[indexOf(which)];
    side.next = -1;
    if (side.ticket == 0) continue;
    m_session.engine().cancel(side.ticket);
    done(which, side.turn, side.number,
         fail(ErrorCode::cancelled, tr("Stopped before the answer was complete.").toStdString()));
    side.number = 0;
  }
}

void Answering::prepare() {
  if (!m_session.engine().ready()) return;
  for (const Which which : kBothSides) {
    const std::optional<protocol::Side>& side = m_session.side(which);
    if (side && !isLoaded(side->ref) && !opening(side->ref)) open(side->ref);
  }
}

void Answering::open(const protocol::ModelRef& ref) {
  m_openings.push_back({ref, 0, {}});
  Q_EMIT openingChanged();
  m_session.card(ref, this, [this, ref](const Result<protocol::ModelCard>& card) {
    if (!opening(ref)) return;
    if (!card || !card->problem.empty() || card->bytesOnDisk > kPrepareBytes) return forget(ref);
    const EngineClient::Ticket ticket = m_session.engine().call<protocol::LoadModel>(
        {ref}, this, [this, ref](const Result<protocol::LoadedModel>&) { forget(ref); });
    for (Opening& one : m_openings) {
      if (one.ref == ref) one.ticket = ticket;
    }
  });
}

const Answering::Opening* Answering::find(const protocol::ModelRef& ref) const {
  const auto found =
      std::find_if(m_openings.begin(), m_openings.end(), [&](const Opening& one) { return one.ref == ref; });
  return found == m_openings.end() ? nullptr : &*found;
}

void Answering::forget(const protocol::ModelRef& ref) {
  std::erase_if(m_openings, [&](const Opening& one) { return one.ref == ref; });
  Q_EMIT openingChanged();
}

Answering::Stage Answering::openingStage(const protocol::ModelRef& ref) const {
  const Opening* one = find(ref);
  return one != nullptr ? one->stage : Stage{};
}

void Answering::cancelOpening(const protocol::ModelRef& ref) {
  const Opening* one = find(ref);
  if (one == nullptr) return;
  if (one->ticket != 0) m_session.engine().cancel(one->ticket);
  forget(ref);
}

void Answering::take(const protocol::Tokens& tokens) {
  for (const Which which : kBothSides) {
    Asked& side = m_sides[indexOf(which)];
    // By request: what is late of an abandoned answer has the same stream.
    if (side.ticket == 0 || tokens.request != Json(side.ticket)) continue;
    side.pending += safeText(tokens.text);
    count(which, tokens);
    if (side.state == State::loading || side.state == State::waiting) setState(which, State::answering);
    if (!side.sinceFlush.isValid() || side.sinceFlush.elapsed() >= kFlushMilliseconds) flush(which);
  }
}

/// The first tokens begin the time; the speed is that of those after them.
void Answering::count(Which which, const protocol::Tokens& tokens) {
  Asked& side = m_sides[indexOf(which)];
  const int made = static_cast<int>(tokens.ids.size());
  side.live.tokens += made;
  if (tokens.kvBytesUsed > 0) side.live.kvBytesUsed = tokens.kvBytesUsed;
  if (!side.sinceFirst.isValid()) {
    side.sinceFirst.start();
  } else {
    side.live.timed += made;
    side.live.seconds = static_cast<double>(side.sinceFirst.nsecsElapsed()) / 1e9;
  }
  if (side.sinceLive.isValid() && side.sinceLive.elapsed() < kLiveMilliseconds) return;
  side.sinceLive.start();
  Q_EMIT liveChanged(which);
}

void Answering::progress(const protocol::Progress& how) {
  for (const Which which : kBothSides) {
    Asked& side = m_sides[indexOf(which)];
    if (side.ticket == 0 || how.request != Json(side.ticket)) continue;
    side.stage = {QString::fromStdString(how.stage), how.done, how.total};
    Q_EMIT stateChanged(which);
  }
  for (Opening& one : m_openings) {
    if (one.ticket == 0 || how.request != Json(one.ticket)) continue;
    one.stage = {QString::fromStdString(how.stage), how.done, how.total};
    Q_EMIT openingChanged();
  }
}

void Answering::flush(Which which) {
  Asked& side = m_sides[indexOf(which)];
  if (side.pending.isEmpty()) return;
  side.sinceFlush.start();
  m_conversation.addText(side.turn, which, std::exchange(side.pending, {}));
}

void Answering::flushAll() {
  for (const Which which : kBothSides) flush(which);
}

void Answering::engineChanged() {
  for (const Which which : kBothSides) {
    Asked& side = m_sides[indexOf(which)];
    if (side.ticket == 0) continue;
    if (side.state == State::waiting && !m_session.engine().waits(side.ticket)) {
      const auto& what = m_session.side(which);
      setState(which, what && isLoaded(what->ref) ? State::answering : State::loading);
    } else if (side.state == State::loading) {
      const SideAnswer* answer = m_conversation.answer(side.turn, which);
      if (answer != nullptr && answer->asked && isLoaded(answer->asked->ref)) setState(which, State::answering);
    }
  }
}

}  // namespace strata
