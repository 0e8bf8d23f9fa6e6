// What Esc, F6, Ctrl+K, the status bar and the first steps ask of the chat page.

#include <QLineEdit>
#include <QListView>
#include <QRandomGenerator>
#include <QSplitter>

#include "widgets/chat/chat_list.h"
#include "widgets/chat/chat_page.h"
#include "widgets/chat/chat_pane.h"
#include "widgets/chat/composer.h"
#include "widgets/chat/difference_bar.h"
#include "widgets/chat/first_start.h"
#include "widgets/chat/notice_bar.h"
#include "widgets/style/controls.h"

namespace strata {
namespace {

constexpr double kHalf = 0.5;

}  // namespace

void ChatPage::connectSteps() {
  connect(m_steps, &FirstStart::newChatWanted, this, &ChatPage::startEmpty);
  connect(m_steps, &FirstStart::draftWanted, this, &ChatPage::setQuestion);
  connect(m_steps, &FirstStart::askBoth, this, &ChatPage::sendDraft);
  connect(m_steps, &FirstStart::halveCache, this, [this](Which side) { setRetention(side, kHalf); });
  connect(m_steps, &FirstStart::askAgain, this, &ChatPage::askAgain);
  connect(m_steps, &FirstStart::wantedChanged, this, &ChatPage::bannerChanged);
  connect(this, &ChatPage::asked, m_steps, &FirstStart::noteAsked);
  connect(this, &ChatPage::answered, m_steps, &FirstStart::markAnswered);
  if (m_steps->wanted()) m_steps->begin();
}

void ChatPage::takeSampleQuestion() {
  const auto seed = static_cast<std::uint64_t>(QRandomGenerator::global()->bounded(1, 1'000'000));
  m_session.engine().call<protocol::SampleQuestion>(
      {seed}, this, [this](const Result<protocol::SampleQuestion::Answer>& question) {
        if (question) {
          setQuestion(QString::fromStdString(question->text), question->stop, question->answers);
          m_composer->edit()->setFocus();
        } else {
          m_notice->show(QString::fromStdString(question.error().message));
        }
      });
}

Which ChatPage::focusedSide() const {
  QWidget* focus = window()->focusWidget();
  return focus != nullptr && m_panes[1]->isAncestorOf(focus) ? Which::b : Which::a;
}

/// Esc stops the answer in the focused pane; in the composer, both.
bool ChatPage::escape() {
  QWidget* focus = window()->focusWidget();
  const bool inPane = focus != nullptr && m_sides->isAncestorOf(focus);
  if (inPane && m_answering->state(focusedSide()) != Answering::State::idle) {
    m_answering->stop(focusedSide());
    return true;
  }
  if (m_answering->busy()) {
    m_answering->stopAll();
    return true;
  }
  if (m_differences->state() == Differences::State::computing) {
    m_differences->cancel();
    return true;
  }
  if (m_composer->editedTurn() >= 0) {
    m_composer->editTurn(-1, {});
    return true;
  }
  return false;
}

QList<QWidget*> ChatPage::panes() {
  QList<QWidget*> panes;
  if (m_list->width() > 0) panes << m_list->view();
  panes << m_panes[0]->transcript() << m_panes[1]->transcript();
  if (m_differences->isOn()) panes << m_differenceBar;
  panes << m_composer->edit();
  return panes;
}

void ChatPage::addCommands() {
  const auto again = [this](std::vector<Which> sides, bool newSeed) {
    return [this, sides = std::move(sides), newSeed] { answerAgain(sides, newSeed); };
  };
  addCommand("chat-new", tr("New chat"), QKeySequence("Ctrl+N"), [this] { startNew(); });
  addCommand("chat-search", tr("Search chats"), QKeySequence("Ctrl+F"), [this] { m_list->search()->setFocus(); });
  addCommand("chat-again", tr("Regenerate both answers"), QKeySequence("Ctrl+R"), again({Which::a, Which::b}, false));
  addCommand("chat-again-a", tr("Regenerate answer A"), {}, again({Which::a}, false));
  addCommand("chat-again-b", tr("Regenerate answer B"), {}, again({Which::b}, false));
  m_seedAction = addCommand("chat-again-seed", tr("Regenerate with a new seed"), {}, again({Which::a, Which::b}, true));
  addCommand("chat-time", tr("Time both, one after the other"), {}, [this] { timeThem(); });
  m_stopAction = addCommand("chat-stop", tr("Stop both answers"), {}, [this] { m_answering->stopAll(); });
  m_editAction = addCommand("chat-edit", tr("Edit the last question"), {}, [this] { editLast(); });
  m_branchAction = addCommand("chat-branch", tr("New chat with all up to here"), {},
                              [this] { branchFrom(m_conversation->lastTurn()); });
  addCommand("chat-differences", tr("Differences, token by token"), QKeySequence("Ctrl+D"),
             [this] { m_differencesSwitch->toggle(); });
  addCommand("chat-scroll", tr("Scroll together"), {}, [this] { m_scrollSwitch->toggle(); });
  addCommand("chat-settings", tr("Sampling settings and system prompt"), {},
             [this] { m_composer->settingsButton()->toggle(); });
  addCommand("chat-sample", tr("Ask a question from the test split"), {}, [this] { takeSampleQuestion(); });
  const auto exported = [this](const char* format) {
    return [this, format] {
      m_list->exportChat(m_conversation->id(), QString::fromStdString(m_conversation->info().title), format);
    };
  };
  m_chatActions = {
      addCommand("chat-export-md", tr("Export this chat as Markdown"), {}, exported("md")),
      addCommand("chat-export-json", tr("Export this chat as JSON"), {}, exported("json")),
      addCommand("chat-trash", tr("Move this chat to the trash"), {}, [this] { m_list->trash(m_conversation->id()); })};
}

void ChatPage::updateActions() {
  const bool any = !m_conversation->isEmpty();
  for (QAction* action : m_chatActions) action->setEnabled(any);
  m_editAction->setEnabled(any);
  m_branchAction->setEnabled(any);
  m_seedAction->setEnabled(any && m_conversation->info().sampling.temperature > 0);
  m_stopAction->setEnabled(m_answering->busy());
}

QWidget* ChatPage::banner() {
  return m_steps->wanted() ? m_steps : nullptr;
}

QList<QPair<QString, QString>> ChatPage::keys() {
  QWidget* focus = window()->focusWidget();
  QList<QPair<QString, QString>> keys;
  if (m_answering->busy()) keys << qMakePair(QStringLiteral("Esc"), tr("stop"));
  if (focus == m_composer->edit()) {
    keys << qMakePair(QStringLiteral("Enter"), tr("send")) << qMakePair(QStringLiteral("Shift+Enter"), tr("new line"));
    if (m_composer->draft().isEmpty() && !m_conversation->isEmpty()) {
      keys << qMakePair(QStringLiteral("Up"), tr("edit the last"));
    }
  } else if (focus == m_composer->sendButton()) {
    keys << qMakePair(QStringLiteral("Enter"), tr("send"));
  } else if (focus == m_list->view()) {
    keys << qMakePair(QStringLiteral("Enter"), tr("open")) << qMakePair(QStringLiteral("F2"), tr("rename"))
         << qMakePair(QStringLiteral("Del"), tr("trash"));
  } else if (focus == m_differenceBar) {
    keys << qMakePair(QStringLiteral("Left, Right"), tr("token"))
         << qMakePair(QStringLiteral("Home"), tr("first difference"));
  }
  keys << qMakePair(QStringLiteral("Ctrl+N"), tr("new chat"));
  return keys;
}

}  // namespace strata
