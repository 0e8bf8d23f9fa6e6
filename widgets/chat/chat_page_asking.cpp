// How the chat page asks: what stands in the draft, the same once more, and with which settings.

#include <QRandomGenerator>
#include <utility>

#include "widgets/chat/answer_foot.h"
#include "widgets/chat/chat_page.h"
#include "widgets/chat/composer.h"
#include "widgets/chat/notice_bar.h"
#include "widgets/chat/prompt_count.h"
#include "widgets/chat/sampling_panel.h"
#include "widgets/style/controls.h"

namespace strata {
namespace {

constexpr const char* kSamplingKey = "chat/sampling";

}  // namespace

void ChatPage::setQuestion(const QString& text, const std::vector<std::string>& stop,
                           const std::vector<std::string>& expected) {
  if (m_composer->editedTurn() >= 0) m_composer->editTurn(-1, {});
  const QString own = m_composer->draft().trimmed();
  if (!own.isEmpty() && own != m_question && own != text.trimmed()) m_keptDraft = m_composer->draft();
  m_question = text.trimmed();
  m_questionStop = stop;
  m_questionExpected = expected;
  const QWidget* focus = window()->focusWidget();
  const bool idle = focus == nullptr || (focus == m_composer->edit() && m_composer->draft().isEmpty());
  setDraft(text);
  showSampling();
  if (idle) m_composer->sendButton()->setFocus(Qt::TabFocusReason);  // nothing is left to type: Enter asks
}

void ChatPage::sendDraft() {
  const QString question = m_composer->draft().trimmed();
  if (question.isEmpty()) return;
  if (!anySide() && m_session.project()) {
    m_session.announce(tr("No model on side A or B. Choose one first."));
    return;
  }
  if (m_session.isLeaving()) {
    m_composer->setNote(tr("Another project is being opened."));
    return;
  }
  if (m_conversation->isOpening()) {
    m_composer->setNote(tr("The chat is being opened."));
    return;
  }
  if (m_count->question() == question && m_count->isFull()) return offerRoom(*m_count);
  ask(question);
  // What is typed next is the next question.
  if (window()->focusWidget() == m_composer->sendButton()) m_composer->edit()->setFocus();
}

void ChatPage::ask(const QString& question) {
  GenerateConfig sampling = m_conversation->info().sampling;
  sampling.stop = stopFor(question);
  const std::vector<std::string> stop = sampling.stop;
  const int before = m_conversation->turnAsking(question);
  std::vector<std::string> expected;
  if (question.simplified() == m_question.simplified()) {
    expected = m_questionExpected;
  } else if (before >= 0) {
    expected = m_conversation->expected(before);
  }
  if (sampling.stop != m_conversation->info().sampling.stop) setSampling(sampling);
  const bool typed = m_composer->draft().trimmed() == question;
  const int edited = typed ? m_composer->editedTurn() : -1;
  if (typed) {
    m_composer->clear();
    if (!m_keptDraft.isEmpty()) setDraft(std::exchange(m_keptDraft, {}));
  }
  m_notice->hide();  // what it would take back is past now
  m_refused->setQuestion({}, 0);
  int turn = m_conversation->lastTurn() + 1;
  if (edited >= 0 && edited <= m_conversation->lastTurn()) {
    turn = edited;
    m_answering->abandon();  // an answer goes to the trash as far as it came
    m_conversation->replaceFrom(edited, question);
    m_notice->show(tr("The replaced messages are in the trash as a separate chat."), tr("Undo"), [this] {
      m_answering->abandon();
      m_conversation->takeBack();
    });
  } else {
    m_conversation->ask(question);
  }
  m_conversation->setExpected(turn, std::move(expected));
  m_conversation->setStop(turn, stop);
  showPrompt();
  remember();
  if (anySide()) {
    m_answering->answer(turn);
  } else {
    m_unasked = turn;
  }
  showState();
  Q_EMIT asked();
}

/// A question that was asked before any side was known.
void ChatPage::answerWaiting() {
  if (m_unasked < 0 || !anySide() || !m_session.project()) return;
  m_answering->answer(std::exchange(m_unasked, -1));
}

void ChatPage::askAgain() {
  if (m_conversation->isEmpty()) {
    sendDraft();
    return;
  }
  std::vector<Which> sides;
  for (const Which which : kBothSides) {
    const SideAnswer* answer = m_conversation->answer(m_conversation->lastTurn(), which);
    const bool fresh =
        answer != nullptr && answer->answer && !isStale(answer->answer->madeBy, m_session.side(which), {});
    if (!fresh) sides.push_back(which);
  }
  answerAgain(sides.empty() ? std::vector{Which::a, Which::b} : sides, false);
}

void ChatPage::answerAgain(const std::vector<Which>& sides, bool newSeed) {
  answerTurnAgain(m_conversation->lastTurn(), sides, newSeed);
}

void ChatPage::answerTurnAgain(int turn, const std::vector<Which>& sides, bool newSeed) {
  if (turn < 0 || !anySide() || m_session.isLeaving()) return;
  if (newSeed) {
    GenerateConfig sampling = m_conversation->info().sampling;
    sampling.seed = QRandomGenerator::global()->bounded(1, 1'000'000);
    setSampling(sampling);
  }
  std::vector<std::pair<Which, SideAnswer>> before;
  for (const Which which : sides) {
    const SideAnswer* answer = m_conversation->answer(turn, which);
    if (answer != nullptr && !answer->running && answer->answer) before.emplace_back(which, *answer);
  }
  m_answering->answer(turn, sides);
  if (before.empty()) return;
  const bool last = turn == m_conversation->lastTurn();
  m_notice->show(last ? tr("Regenerated. Undo restores the previous answers.")
                      : tr("Answering question %1 again. Later answers stay as they were.").arg(turn + 1),
                 tr("Undo"), [this, turn, before, id = m_conversation->id()] {
                   if (id != m_conversation->id()) return;
                   m_answering->abandon();
                   for (const auto& [which, answer] : before) m_conversation->restoreAnswer(turn, which, answer);
                 });
}

void ChatPage::timeThem() {
  if (m_conversation->isEmpty() || !anySide() || m_session.isLeaving()) return;
  m_notice->hide();
  m_answering->answerInTurn(m_conversation->lastTurn());
}

void ChatPage::readSampling() {
  GenerateConfig sampling;
  const auto stored = parseJson(m_session.settings().value(kSamplingKey, "{}").toString().toStdString(), kSamplingKey);
  if (!stored || !configFromJson(*stored, kSamplingKey, sampling, UnknownKeys::ignore)) return;
  m_ownStop = sampling.stop;
  m_conversation->setSampling(sampling);
}

void ChatPage::setSampling(const GenerateConfig& sampling) {
  m_conversation->setSampling(sampling);
  showSampling();
  GenerateConfig own = sampling;
  own.stop = m_ownStop;
  m_session.settings().setValue(kSamplingKey, QString::fromStdString(dumpLine(configToJson(own))));
}

/// A question of a test set ends where its task says, and one that was asked before where it did then.
std::vector<std::string> ChatPage::stopFor(const QString& question) const {
  const QString asked = question.simplified();
  if (!asked.isEmpty() && asked == m_question.simplified()) return m_questionStop;
  const int before = asked.isEmpty() ? m_conversation->lastTurn() : m_conversation->turnAsking(question);
  return before >= 0 ? m_conversation->stop(before) : m_ownStop;
}

/// As the draft would be asked with; without one, as the last question was.
void ChatPage::showSampling() {
  GenerateConfig sampling = m_conversation->info().sampling;
  sampling.stop = stopFor(m_composer->draft());
  m_sampling->setSampling(sampling);
  m_composer->setSampling(sampling);
}

/// Stop texts that are changed count for the question that stands there, and for those to come.
void ChatPage::samplingEdited() {
  const GenerateConfig sampling = m_sampling->sampling();
  const QString draft = m_composer->draft().simplified();
  if (sampling.stop != stopFor(draft)) {
    m_ownStop = sampling.stop;
    if (draft == m_question.simplified()) m_questionStop = sampling.stop;
    const int before = draft.isEmpty() ? m_conversation->lastTurn() : m_conversation->turnAsking(draft);
    if (before >= 0) m_conversation->setStop(before, sampling.stop);
  }
  setSampling(sampling);
}

}  // namespace strata
