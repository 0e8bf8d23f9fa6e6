// What the chat page does when both sides are done, and when the context does not hold the next prompt.

#include <algorithm>

#include "widgets/chat/chat_page.h"
#include "widgets/chat/chat_pane.h"
#include "widgets/chat/composer.h"
#include "widgets/chat/headline.h"
#include "widgets/chat/notice_bar.h"
#include "widgets/chat/prompt_bar.h"
#include "widgets/chat/prompt_count.h"
#include "widgets/chat/safe_text.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kRoomyHeight = 840;  // of the page: from here on a passage has several lines
constexpr int kRoomyLines = 5;
constexpr int kTightHeight = 340;  // below it the question and the headline share a line

/// Whether a layer read another one's cache.
bool sharesLayers(const protocol::MadeBy& madeBy) {
  for (std::size_t layer = 0; layer < madeBy.src.size(); ++layer) {
    if (madeBy.src[layer] != static_cast<int>(layer)) return true;
  }
  return madeBy.src.empty() && madeBy.map != "full";
}

}  // namespace

void ChatPage::answerFinished(int turn) {
  if (m_answering->busy()) return;
  const std::array both = {m_conversation->answer(turn, Which::a), m_conversation->answer(turn, Which::b)};
  const QString seen = headlineOf(both[0], both[1]);
  m_session.announce(seen.isEmpty() ? tr("The answer is in.") : seen);
  const auto whole = [](const SideAnswer* side) {
    return side != nullptr && !side->running && side->answer && side->problem.isEmpty() &&
           side->answer->finish != "cancel";
  };
  if (whole(both[0]) && whole(both[1])) Q_EMIT answered(sharesLayers(both[1]->answer->madeBy));
  const auto full = [](const SideAnswer* side) { return side != nullptr && !side->running && side->full; };
  if (std::any_of(both.begin(), both.end(), full)) {
    m_refused->setQuestion(m_conversation->turns()[static_cast<std::size_t>(turn)].question, turn);
  }
  recount();
}

/// The draft's tokens at the turn where Send would put it.
void ChatPage::recount() {
  showSampling();
  const int edited = m_composer->editedTurn();
  m_count->setQuestion(m_composer->draft(), edited >= 0 ? edited : m_conversation->lastTurn() + 1);
}

/// The context does not hold the question and what comes before it.
void ChatPage::offerRoom(const PromptCount& count) {
  std::vector<NoticeBar::Action> actions;
  if (count.keepFrom() >= 0) {
    actions.push_back({tr("New chat"), [this, &count] {
                         const QString question = count.question();
                         startNew();
                         if (!question.isEmpty()) ask(question);
                       }});
    actions.push_back({tr("Drop the oldest turns"), [this, &count] { dropOldest(count); }});
  }
  m_notice->offer(count.problem(), actions);
}

/// Goes on in a new chat that holds the newest turns alone; the whole one stays in the list.
void ChatPage::dropOldest(const PromptCount& count) {
  const QString question = count.question();
  const int from = count.keepFrom(), turn = count.turn();
  if (!count.isFull() || from < 0) return sendDraft();  // the draft has changed since
  m_answering->abandon();
  m_conversation->branch(turn - 1, from);
  ask(question);
  m_notice->show(tr("%n oldest turn(s) dropped. The whole chat is still in the list.", nullptr, from));
}

int ChatPage::turnInView() const {
  const Transcript* leader = m_panes[indexOf(m_leader)]->transcript();
  const int turn = leader->followsEnd() ? -1 : leader->place().turn;
  return turn < 0 ? m_conversation->lastTurn() : std::min(turn, m_conversation->lastTurn());
}

void ChatPage::showPrompt() {
  PromptBar::Shown shown;
  shown.turn = turnInView();
  if (shown.turn >= 0) {
    shown.of = m_conversation->lastTurn() + 1;
    shown.prompt = m_conversation->turns()[static_cast<std::size_t>(shown.turn)].question;
    for (const std::string& answer : m_conversation->expected(shown.turn)) {
      shown.expected << safeText(answer).simplified();
    }
    shown.expected.removeDuplicates();
    shown.headline =
        headlineOf(m_conversation->answer(shown.turn, Which::a), m_conversation->answer(shown.turn, Which::b));
  }
  m_prompt->show(shown);
}

void ChatPage::resizeEvent(QResizeEvent* event) {
  Page::resizeEvent(event);
  fitPrompt();
}

void ChatPage::fitPrompt() {
  m_prompt->setLines(height() >= scaled(kRoomyHeight) ? kRoomyLines : height() >= scaled(kTightHeight) ? 1 : 0);
}

void ChatPage::showNote() {
  if (m_composer->editedTurn() >= 0) return;  // what editing does
  const bool ready = m_session.engine().ready();
  m_composer->setNote(ready ? m_count->text() : tr("Send works now; the question waits for the engine."));
}

void ChatPage::startNew() {
  m_answering->abandon();
  m_unasked = -1;
  m_conversation->startNew();
  m_composer->edit()->setFocus();
}

void ChatPage::startEmpty() {
  if (!m_conversation->isEmpty()) return startNew();
  m_composer->edit()->setFocus();
}

}  // namespace strata
