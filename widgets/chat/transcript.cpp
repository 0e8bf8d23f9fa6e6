#include "widgets/chat/transcript.h"

#include <QClipboard>
#include <QCoreApplication>
#include <QGuiApplication>
#include <QPointer>
#include <QThreadPool>
#include <algorithm>
#include <cmath>

#include "widgets/chat/asked_text.h"
#include "widgets/chat/blocks.h"
#include "widgets/chat/safe_text.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr qsizetype kParseHere = 16 * 1024;  // larger answers are parsed on a thread of their own
constexpr int kCharacterWidth = 7;           // pixels, about
constexpr int kFootGuess = 72;
constexpr int kLineGuess = 32;
constexpr int kLinesAboveFoot = 3;  // of a long answer, in a low view

QString footKey(int turn) {
  return QString("f%1").arg(turn);
}

}  // namespace

bool Transcript::Part::isFull() const {
  if (lines >= kSliceLines) return true;
  return text.size() >= kPieceSize && (text.back().isSpace() || text.size() >= kPieceSize + kLongWord);
}

/// Up to where the text from `at` on fits in.
qsizetype Transcript::Part::roomFor(const QString& added, qsizetype at) const {
  const qsizetype before = text.size() - at;
  int count = lines;
  for (qsizetype i = at; i < added.size(); ++i) {
    if (added[i] == u'\n' && ++count == kSliceLines) return i + 1;
    const qsizetype size = before + i + 1;
    if (size >= kPieceSize && added[i].isSpace()) return i + 1;  // behind a word
    if (size < kPieceSize + kLongWord) continue;
    const qsizetype cut = cutBefore(added, i + 1);
    return cut > at ? cut : std::min(added.size(), at + 2);  // half a surrogate pair of room
  }
  return added.size();
}

Transcript::Transcript(Session& session, Conversation& conversation, Answering& answering, Differences& differences,
                       Which which, QWidget* parent)
    : BlockList(parent),
      m_session(session),
      m_conversation(conversation),
      m_answering(answering),
      m_differences(differences),
      m_which(which) {
  setObjectName(which == Which::a ? "transcriptA" : "transcriptB");
  setAccessibleName(which == Which::a ? tr("Conversation of side A") : tr("Conversation of side B"));
  connect(&conversation, &Conversation::reset, this, [this] {
    m_shown.clear();
    rebuildFrom(0);
    followEnd();
  });
  connect(&conversation, &Conversation::turnsChanged, this, [this](int from) {
    m_shown.resize(static_cast<std::size_t>(std::min(from, static_cast<int>(m_shown.size()))));
    rebuildFrom(std::max(0, from - 1));
    followEnd();
  });
  connect(&conversation, &Conversation::answerChanged, this, [this](int turn, Which which) {
    if (which == m_which) takeAnswer(turn);
  });
  connect(&conversation, &Conversation::textAdded, this, [this](int turn, Which which, const QString& text) {
    if (which == m_which) addText(turn, text);
  });
  connect(&answering, &Answering::stateChanged, this, [this](Which which) {
    if (which == m_which) updateFeet();
  });
  connect(&answering, &Answering::liveChanged, this, [this](Which which) {
    auto* foot = which == m_which ? qobject_cast<AnswerFoot*>(widgetOf(footKey(m_answering.turn(which)))) : nullptr;
    if (foot != nullptr) foot->showLive(m_answering.live(which));
  });
  connect(&conversation, &Conversation::infoChanged, this, &Transcript::updateFeet);
  connect(&session, &Session::sidesChanged, this, &Transcript::updateFeet);
  connect(&session.engine(), &EngineClient::loadedChanged, this, &Transcript::updateFeet);
  connect(&differences, &Differences::changed, this, [this] {
    updateMarks();
    updateFeet();
  });
  connect(&differences, &Differences::chosenChanged, this, &Transcript::updateMarks);
  followTheme(this, [this] {
    viewport()->update();
    measureAgain();
  });
}

/// Index of a turn's first block; behind the last turn, of the column's end.
int Transcript::startOf(int turn) const {
  const auto index = static_cast<std::size_t>(turn);
  return index < m_starts.size() ? m_starts[index] : count();
}

int Transcript::bottomOf(int turn) const {
  return topOf(startOf(turn + 1));
}

/// Of the view, above the end's margin.
int Transcript::room() const {
  return std::max(1, viewport()->height() - kGapGroups);
}

Transcript::Place Transcript::place() const {
  const int top = viewTop();
  for (int turn = 0; turn < static_cast<int>(m_starts.size()); ++turn) {
    const int begin = topOf(startOf(turn));
    const int end = bottomOf(turn);
    if (end <= top) continue;
    const int higher = std::max(0, end - begin - room());
    const int inside = std::clamp(top - begin, 0, higher);
    return {turn, higher > 0 ? double(inside) / higher : 0, top - begin - inside};
  }
  return {};
}

void Transcript::setPlace(const Place& place) {
  if (place.turn < 0 || place.turn >= static_cast<int>(m_starts.size())) return;
  const int begin = topOf(startOf(place.turn));
  const int higher = std::max(0, bottomOf(place.turn) - begin - room());
  setViewTop(begin + static_cast<int>(std::lround(place.inside * higher)) + place.below);
}

std::vector<int> Transcript::turnHeights() const {
  std::vector<int> heights;
  for (int turn = 0; turn < static_cast<int>(m_starts.size()); ++turn) {
    heights.push_back(heightOf(startOf(turn), startOf(turn + 1)));
  }
  return heights;
}

void Transcript::alignTo(const std::vector<int>& otherTurns) {
  const std::vector<int> own = turnHeights();
  std::vector<std::pair<int, int>> spaces;
  for (std::size_t turn = 0; turn < std::min(own.size(), otherTurns.size()); ++turn) {
    // Beside an answer that is longer than the view by much, what stands here would scroll out of it.
    const int other = otherTurns[turn];
    const int wanted = other <= room() + own[turn] / 2 ? other : room();
    if (wanted > own[turn]) spaces.emplace_back(startOf(static_cast<int>(turn) + 1) - 1, wanted - own[turn]);
  }
  setSpaces(spaces);
}

int Transcript::turnAboveView() const {
  if (m_starts.empty()) return 0;
  const int view = viewport()->height(), begin = topOf(m_starts.back());
  const int atEnd = topOf(count()) - view - begin;
  const int lines = kLinesAboveFoot * scaled(kLineBody);
  if (heightOf(count() - 1, count()) <= view - lines) return atEnd;
  const int answer = topOf(count() - 1) - begin;
  return std::min(atEnd, answer <= view ? 0 : answer - lines);
}

void Transcript::setTurnAboveView(int pixels) {
  const int begin = m_starts.empty() ? 0 : topOf(m_starts.back());
  setLeftBelow(std::max(0, topOf(count()) - viewport()->height() - begin - pixels));
}

void Transcript::setWaiting(bool waits) {
  if (m_waiting == waits) return;
  m_waiting = waits;
  updateFeet();
}

QString Transcript::answerName(int turn) const {
  return (m_which == Which::a ? tr("Answer %1 of side A") : tr("Answer %1 of side B")).arg(turn + 1);
}

int Transcript::guessLines(qsizetype characters) const {
  const int perLine = std::max(20, viewport()->width() / scaled(kCharacterWidth));
  return static_cast<int>(characters / perLine + 1) * scaled(kLineBody);
}

void Transcript::rebuildFrom(int turn) {
  const int turns = m_conversation.lastTurn() + 1;
  m_starts.resize(static_cast<std::size_t>(std::min(turn, static_cast<int>(m_starts.size()))));
  const int first = std::min(turn, static_cast<int>(m_starts.size()));
  const int known = static_cast<int>(m_shown.size());
  m_shown.resize(static_cast<std::size_t>(turns));
  for (int i = known; i < turns; ++i) render(i);
  int next = 0;
  if (first > 0) {
    const int before = first - 1;
    next = m_starts[static_cast<std::size_t>(before)] + entriesIn(before);
  }
  const int from = next;
  std::vector<Entry> entries;
  for (int i = first; i < turns; ++i) {
    m_starts.push_back(next);
    std::vector<Entry> ofTurn = entriesOf(i);
    next += static_cast<int>(ofTurn.size());
    std::move(ofTurn.begin(), ofTurn.end(), std::back_inserter(entries));
  }
  replaceFrom(from, std::move(entries));
  updateFeet();
}

void Transcript::takeAnswer(int turn) {
  if (turn < 0 || turn >= static_cast<int>(m_shown.size())) return;
  render(turn);
  rebuildFrom(turn);
}

/// Decides how an answer is shown, and begins to parse a long one.
void Transcript::render(int turn) {
  Shown& shown = m_shown[static_cast<std::size_t>(turn)];
  const SideAnswer* answer = m_conversation.answer(turn, m_which);
  shown = {};
  shown.version = ++m_version;
  if (answer == nullptr || answer->text.isEmpty()) return;
  if (answer->running) {
    addText(turn, answer->text);
    return;
  }
  shown.whole = true;
  const QString& text = answer->text;
  shown.stacked = text.size() <= kPieceSize;
  if (text.size() <= kParseHere) {
    if (!shown.stacked) shown.pieces = std::make_shared<std::vector<Piece>>(piecesOf(parseMarkdown(text)));
    return;
  }
  shown.text = text;
  shown.slices = std::make_shared<std::vector<Slice>>(slicesOf(text));
  if (text.size() > kMarkdownLimit) return;
  QThreadPool::globalInstance()->start([self = QPointer<Transcript>(this), text, turn, version = shown.version] {
    auto pieces = std::make_shared<std::vector<Piece>>(piecesOf(parseMarkdown(text)));
    QMetaObject::invokeMethod(QCoreApplication::instance(), [self, turn, version, pieces = std::move(pieces)] {
      if (!self || turn >= static_cast<int>(self->m_shown.size())) return;
      Shown& place = self->m_shown[static_cast<std::size_t>(turn)];
      if (place.version != version) return;
      place.slices.reset();
      place.pieces = pieces;
      place.version = ++self->m_version;
      self->rebuildFrom(turn);
    });
  });
}

void Transcript::addText(int turn, const QString& text) {
  if (turn < 0 || turn >= static_cast<int>(m_shown.size())) return;
  const Shown& shown = m_shown[static_cast<std::size_t>(turn)];
  if (shown.growing.empty() && shown.text.size() + text.size() <= kParseHere) {
    addMarkdown(turn, text);
  } else {
    addPlain(turn, text);
  }
}

/// All that came is parsed again, and what looks different is drawn again: mostly the last paragraph.
void Transcript::addMarkdown(int turn, const QString& text) {
  Shown& shown = m_shown[static_cast<std::size_t>(turn)];
  shown.text += text;
  if (!shown.coming) shown.coming = std::make_shared<std::vector<Piece>>();
  const std::vector<Piece> before = std::exchange(*shown.coming, piecesOf(parseMarkdown(shown.text)));
  const std::vector<Piece>& pieces = *shown.coming;
  std::vector<std::size_t> changed;
  for (std::size_t i = 0; i < std::min(before.size(), pieces.size()); ++i) {
    if (before[i] != pieces[i]) changed.push_back(i);
  }
  const std::vector<QString> keys = comingKeys(turn, before);
  if (keys != comingKeys(turn, pieces)) rebuildFrom(turn);
  for (const std::size_t i : changed) {
    if (auto* block = qobject_cast<PiecesBlock*>(widgetOf(keys[i]))) block->show({pieces[i]});
  }
}

/// Of the blocks of an answer that comes; one that is followed by another part of its paragraph has another height.
std::vector<QString> Transcript::comingKeys(int turn, const std::vector<Piece>& pieces) const {
  std::vector<QString> keys;
  for (std::size_t i = 0; i < pieces.size(); ++i) {
    const bool goesOn = i + 1 < pieces.size() && pieces[i + 1].blocks.front().continues;
    keys.push_back(QString("c%1.%2.%3%4")
                       .arg(turn)
                       .arg(m_shown[static_cast<std::size_t>(turn)].version)
                       .arg(i)
                       .arg(goesOn ? "+" : ""));
  }
  return keys;
}

void Transcript::addPlain(int turn, const QString& text) {
  Shown& shown = m_shown[static_cast<std::size_t>(turn)];
  qsizetype at = 0;
  bool more = false;
  while (at < text.size()) {
    if (shown.growing.empty() || shown.growing.back()->isFull()) {
      const qsizetype source =
          shown.growing.empty() ? shown.text.size() : shown.growing.back()->source + shown.growing.back()->text.size();
      shown.growing.push_back(std::make_shared<Part>(Part{{}, source, 0}));
      more = true;
    }
    Part& part = *shown.growing.back();
    const qsizetype cut = part.roomFor(text, at);
    const QString added = text.mid(at, cut - at);
    part.text += added;
    part.lines += static_cast<int>(added.count('\n'));
    const QString key = QString("s%1.%2.%3").arg(turn).arg(shown.version).arg(shown.growing.size() - 1);
    if (auto* block = qobject_cast<StreamBlock*>(widgetOf(key))) block->append(added);
    at = cut;
  }
  if (more) rebuildFrom(turn);
}

int Transcript::entriesIn(int turn) const {
  const Shown& shown = m_shown[static_cast<std::size_t>(turn)];
  std::size_t parts = shown.growing.size() + (shown.coming ? shown.coming->size() : 0);
  if (shown.whole) parts += shown.stacked ? 1 : shown.slices ? shown.slices->size() : shown.pieces->size();
  return static_cast<int>(parts) + 2;  // the turn's line and the foot
}

std::vector<BlockList::Entry> Transcript::entriesOf(int turn) {
  const auto index = static_cast<std::size_t>(turn);
  const Shown& shown = m_shown[index];
  std::vector<Entry> entries;
  const bool several = m_conversation.lastTurn() > 0, last = turn == m_conversation.lastTurn();
  entries.push_back({QString("q%1%2").arg(several + 2 * last).arg(m_conversation.turns()[index].id),
                     several ? scaled(kLineGuess) : 0, [this, turn] { return makeLine(turn); }});
  const QString part = QString("%1.%2.").arg(turn).arg(shown.version);
  if (shown.coming) {
    const std::vector<QString> keys = comingKeys(turn, *shown.coming);
    for (std::size_t i = 0; i < keys.size(); ++i) {
      entries.push_back({keys[i], guessLines((*shown.coming)[i].size()),
                         [this, turn, coming = shown.coming, i, goesOn = keys[i].endsWith('+')] {
                           return makePieces(turn, {(*coming)[i]}, goesOn);
                         }});
    }
  }
  for (std::size_t i = 0; i < shown.growing.size(); ++i) {
    entries.push_back({'s' + part + QString::number(i), guessLines(shown.growing[i]->text.size()),
                       [this, turn, growing = shown.growing[i]] {
                         return new StreamBlock(growing->text, growing->source, answerName(turn));
                       }});
  }
  if (shown.whole && shown.stacked) {
    const SideAnswer* answer = m_conversation.answer(turn, m_which);
    entries.push_back({'m' + part, guessLines(answer != nullptr ? answer->text.size() : 0), [this, turn] {
                         const SideAnswer* answer = m_conversation.answer(turn, m_which);
                         return makePieces(turn, piecesOf(parseMarkdown(answer != nullptr ? answer->text : QString())));
                       }});
  } else if (shown.slices) {
    for (std::size_t i = 0; i < shown.slices->size(); ++i) {
      const Slice& slice = (*shown.slices)[i];
      entries.push_back({'p' + part + QString::number(i),
                         guessLines(slice.size) + (slice.lines - 1) * (scaled(kLineBody) + kGapRelated),
                         [this, turn, text = shown.text, slice] {
                           const qsizetype end = slice.begin + slice.size;
                           const bool goesOn = end < text.size() && text[end - 1] != u'\n';
                           return makePieces(turn, {pieceOf(text, slice)}, goesOn);
                         }});
    }
  } else if (shown.pieces) {
    for (std::size_t i = 0; i < shown.pieces->size(); ++i) {
      entries.push_back({'m' + part + QString::number(i), guessLines((*shown.pieces)[i].size()),
                         [this, turn, pieces = shown.pieces, i] {
                           const bool goesOn = i + 1 < pieces->size() && (*pieces)[i + 1].blocks.front().continues;
                           return makePieces(turn, {(*pieces)[i]}, goesOn);
                         }});
    }
  }
  entries.push_back({footKey(turn), kFootGuess, [this, turn] { return makeFoot(turn); }});
  return entries;
}

/// The last question stands above the panes; earlier ones are named once, on the side that answers first.
Block* Transcript::makeLine(int turn) {
  const bool named = turn < m_conversation.lastTurn() && (m_which == Which::a || !m_session.side(Which::a));
  const QString& question = m_conversation.turns()[static_cast<std::size_t>(turn)].question;
  auto* line = new TurnLine(named ? safeText(titleOfPrompt(question)) : QString(), turn, m_conversation.lastTurn() > 0);
  connect(line, &TurnLine::editWanted, this, [this, turn] { Q_EMIT editWanted(turn); });
  connect(line, &TurnLine::branchWanted, this, [this, turn] { Q_EMIT branchWanted(turn); });
  return line;
}

Block* Transcript::makePieces(int turn, const std::vector<Piece>& pieces, bool goesOn) {
  auto* block = new PiecesBlock(pieces, answerName(turn), goesOn);
  block->setMarks(m_differences.marks(turn, m_which, block->begin(), block->end()));
  block->setProperty("turn", turn);
  connect(block, &PiecesBlock::hovered, this,
          [this, turn](qsizetype source) { m_differences.chooseAt(m_which, turn, source); });
  for (TextView* view : block->views()) {
    view->setTip([this, turn](qsizetype source) { return m_differences.textAt(m_which, turn, source); });
  }
  return block;
}

Block* Transcript::makeFoot(int turn) {
  auto* foot = new AnswerFoot(turn, m_which);
  foot->show(footState(turn));
  connect(foot, &AnswerFoot::againWanted, this,
          [this, turn](bool newSeed) { Q_EMIT againWanted(m_which, turn, newSeed); });
  connect(foot, &AnswerFoot::differencesWanted, this, [this, turn] { Q_EMIT differencesWanted(m_which, turn); });
  connect(foot, &AnswerFoot::copyWanted, this, [this, turn] {
    if (const SideAnswer* answer = m_conversation.answer(turn, m_which)) {
      QGuiApplication::clipboard()->setText(answer->text);
      m_session.announce(tr("Copied."));
    }
  });
  return foot;
}

FootState Transcript::footState(int turn) const {
  FootState state;
  state.answer = m_conversation.answer(turn, m_which);
  state.last = turn == m_conversation.lastTurn();
  state.waits = m_waiting && state.last && state.answer == nullptr;
  if (m_answering.turn(m_which) == turn) {
    state.state = m_answering.state(m_which);
    state.stage = m_answering.stage(m_which);
    state.live = m_answering.live(m_which);
  }
  state.sideNow = m_session.side(m_which);
  if (state.answer != nullptr && state.answer->asked) {
    state.modelName = m_session.modelName(state.answer->asked->ref);
  }
  if (state.sideNow) {
    for (const protocol::LoadedModel& model : m_session.engine().loaded()) {
      if (model.ref == state.sideNow->ref) state.hashNow = model.hash;
    }
  }
  state.greedy = m_conversation.info().sampling.temperature == 0;
  state.difference = m_differences.first(turn, m_which);
  // The last turn's stand behind the switch above.
  const bool compared = m_differences.isOn() ? m_differences.turn() == turn : state.last;
  state.comparable = state.difference.has_value() && !compared;
  return state;
}

void Transcript::updateFeet() {
  for (int turn = 0; turn <= m_conversation.lastTurn(); ++turn) {
    if (auto* foot = qobject_cast<AnswerFoot*>(widgetOf(footKey(turn)))) foot->show(footState(turn));
  }
}

void Transcript::updateMarks() {
  for (PiecesBlock* block : findChildren<PiecesBlock*>()) {
    block->setMarks(m_differences.marks(block->property("turn").toInt(), m_which, block->begin(), block->end()));
  }
}

}  // namespace strata
