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
#include "widgets/chat/notice_bar.h"
#include "widgets/shell/first_start.h"
#include "widgets/style/controls.h"

namespace strata {
namespace {

constexpr double kHalf = 0.5;

}  // namespace

void ChatPage::serve(FirstStart& steps) {
  connect(&steps, &FirstStart::newChatWanted, this, &ChatPage::startEmpty);
  connect(&steps, &FirstStart::draftWanted, this, &ChatPage::setQuestion);
  connect(&steps, &FirstStart::askBoth, this, &ChatPage::sendDraft);
  connect(&steps, &FirstStart::halveCache, this, [this](Which side) { setRetention(side, kHalf); });
  connect(&steps, &FirstStart::askAgain, this, &ChatPage::askAgain);
  connect(this, &ChatPage::asked, &steps, &FirstStart::noteAsked);
  connect(this, &ChatPage::answered, &steps, &FirstStart::markAnswered);
}

void ChatPage::takeSampleQuestion() {
  const auto seed = static_cast<std::uint64_t>(QRandomGenerator::global()->bounded(1, 1'000'000));
  m_workspace.engine().call<protocol::SampleQuestion>(
      {seed}, this, [this](const Result<protocol::SampleQuestion::Answer>& question) {
        if (question) {
          QStringList stop;
          for (const std::string& text : question->stop) stop << QString::fromStdString(text);
          setQuestion(QString::fromStdString(question->text), stop);
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

QList<Command> ChatPage::commands() {
  QList<Command> commands = {
      {tr("New chat"), "Ctrl+N", [this] { startNew(); }},
      {tr("Search the chats"), {}, [this] { m_list->search()->setFocus(); }},
      {tr("Answer again on both sides"), "Ctrl+R",
       [this] {
         answerAgain({Which::a, Which::b}, false);
       }},
      {tr("Answer again on side A"), {}, [this] { answerAgain({Which::a}, false); }},
      {tr("Answer again on side B"), {}, [this] { answerAgain({Which::b}, false); }},
      {tr("Answer again with a new seed"),
       {},
       [this] {
         answerAgain({Which::a, Which::b}, true);
       }},
      {tr("Time them: one side after the other"), {}, [this] { timeThem(); }},
      {tr("Stop both answers"), "Esc", [this] { m_answering->stopAll(); }},
      {tr("Edit the last question"), {}, [this] { editLast(); }},
      {tr("New chat with all up to here"), {}, [this] { branchFrom(m_conversation->lastTurn()); }},
      {tr("Differences, token by token"), "Ctrl+D", [this] { m_differencesSwitch->toggle(); }},
      {tr("Scroll together"), {}, [this] { m_scrollSwitch->toggle(); }},
      {tr("Sampling settings and system prompt"), {}, [this] { m_composer->settingsButton()->toggle(); }},
      {tr("Take a question from the test split"), {}, [this] { takeSampleQuestion(); }},
  };
  if (!m_conversation->isEmpty()) {
    const QString id = m_conversation->id();
    const QString title = m_title->text();
    commands << Command{
        tr("Export this chat as Markdown"), {}, [this, id, title] { m_list->exportChat(id, title, "md"); }};
    commands << Command{
        tr("Export this chat as JSON"), {}, [this, id, title] { m_list->exportChat(id, title, "json"); }};
    commands << Command{tr("Move this chat to the trash"), {}, [this, id] { m_list->trash(id); }};
  }
  return commands;
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
