#pragma once
// Chat: the same question to both sides, their answers beside each other, with what each took and what made it.

#include <array>

#include "widgets/chat/answering.h"
#include "widgets/chat/conversation.h"
#include "widgets/chat/differences.h"
#include "widgets/session/page.h"

class QSplitter;

namespace strata {

class Button;
class ChatList;
class ChatPane;
class Composer;
class DifferenceBar;
class ElidedLabel;
class FirstStart;
class NoticeBar;
class PromptBar;
class PromptCount;
class RunStrip;
class SamplingPanel;
class Switch;

class ChatPage : public Page {
  Q_OBJECT

 public:
  explicit ChatPage(Session& session, QWidget* parent = nullptr);
  ~ChatPage() override;

  QString id() const override { return "chat"; }
  QString title() const override { return tr("Chat"); }
  QString iconName() const override { return "chat-left-text"; }
  bool showsSides() const override { return true; }
  QList<QWidget*> panes() override;
  QWidget* banner() override;
  bool bannerShowsEngine() const override { return true; }
  void updateActions() override;
  QList<QPair<QString, QString>> keys() override;
  bool shows(const Place& place) const override;
  void open(const Place& place) override;
  bool escape() override;
  QByteArray saveState() const override;
  void restoreState(const QByteArray& state) override;

  Conversation& conversation() { return *m_conversation; }
  Answering& answering() { return *m_answering; }
  Differences& differences() { return *m_differences; }
  ChatPane* pane(Which which) const { return m_panes[indexOf(which)]; }
  ChatList* list() const { return m_list; }
  Composer* composer() const { return m_composer; }
  NoticeBar* notice() const { return m_notice; }
  PromptBar* prompt() const { return m_prompt; }
  PromptCount& promptCount() { return *m_count; }
  FirstStart& firstSteps() { return *m_steps; }
  RunStrip* runStrip() const { return m_run; }

 public Q_SLOTS:
  void setDraft(const QString& text);
  /// Types in a question of a task: its answers end at one of these texts, those to other questions do not. A draft of
  /// the user's own returns once it is sent.
  void setQuestion(const QString& text, const std::vector<std::string>& stop, const std::vector<std::string>& expected);
  /// Asks both sides; before the engine is ready the question waits. One that the context does not hold is not sent.
  void sendDraft();
  void setRetention(strata::Which which, double retention);
  /// The last question once more, on the sides whose answers are not by what stands there now; else on both.
  void askAgain();
  /// The last question once more.
  void answerAgain(const std::vector<strata::Which>& sides, bool newSeed);
  /// The same of any turn; what follows it stays as it was.
  void answerTurnAgain(int turn, const std::vector<strata::Which>& sides, bool newSeed);
  void timeThem();
  void startNew();
  /// The same, where this chat holds anything.
  void startEmpty();
  void editLast();
  void branchFrom(int turn);
  void takeSampleQuestion();

 Q_SIGNALS:
  /// A question went to both sides.
  void asked();
  /// Both sides have answered it in full; `sharing`: layers of side B shared their caches.
  void answered(bool sharing);

 protected:
  void showEvent(QShowEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;

 private:
  void build();
  QWidget* buildHead();
  void connectAll();
  /// Does what the strip of first steps asks for, and reports the results to it.
  void connectSteps();
  void addCommands();
  void connectPane(ChatPane* pane);
  void scrollTogether(Which leader);
  void alignPanes();
  void openChat(const QString& id);
  void chatOpened();
  void editTurn(int turn);
  void ask(const QString& question);
  void answerWaiting();
  void answerFinished(int turn);
  void recount();
  void offerRoom(const PromptCount& count);
  void dropOldest(const PromptCount& count);
  void sidesChanged();
  void followRun();
  void projectChanged();
  void showState();
  void showNote();
  void showTitle();
  /// The question of the turn in view, and what was seen of its answers.
  void showPrompt();
  void fitPrompt();
  int turnInView() const;
  /// Of a question as it is typed.
  std::vector<std::string> stopFor(const QString& question) const;
  void showSampling();
  void samplingEdited();
  /// As they were when the window was closed.
  void readSampling();
  void setSampling(const GenerateConfig& sampling);
  void remember();
  Which focusedSide() const;
  bool anySide() const;

  Session& m_session;
  Conversation* m_conversation;
  Answering* m_answering;
  Differences* m_differences;
  PromptCount* m_count;    // of the draft
  PromptCount* m_refused;  // of a question that the engine refused
  QSplitter *m_columns, *m_sides;
  ChatList* m_list;
  std::array<ChatPane*, 2> m_panes{};
  ElidedLabel* m_title;
  Switch *m_differencesSwitch, *m_scrollSwitch;
  Button *m_again, *m_time;
  RunStrip* m_run;  // that side B or A answers with while it trains
  PromptBar* m_prompt;
  DifferenceBar* m_differenceBar;
  NoticeBar* m_notice;
  SamplingPanel* m_sampling;
  Composer* m_composer;
  FirstStart* m_steps;
  QAction *m_stopAction = nullptr, *m_editAction = nullptr, *m_branchAction = nullptr, *m_seedAction = nullptr;
  QList<QAction*> m_chatActions;  // of a chat that holds something
  QString m_keptDraft;            // the user's own, while a question of a task is typed in
  QString m_project;              // whose chats these are
  QString m_question;             // of setQuestion(), and where its answers end
  std::vector<std::string> m_questionStop, m_questionExpected;
  std::vector<std::string> m_ownStop;  // of all other questions
  int m_unasked = -1;                  // a turn that waits for a side
  Which m_leader = Which::a;           // the pane that was scrolled last
  bool m_scrolling = false, m_aligning = false, m_alignAgain = false;
};

}  // namespace strata
