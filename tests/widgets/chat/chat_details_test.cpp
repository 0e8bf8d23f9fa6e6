// What is shown around a chat: focus, help, the head of a pane, menus, and what an answer is compared by.

#include <QLabel>
#include <QListView>
#include <QMenu>
#include <QPushButton>
#include <sstream>
#include <tuple>

#include "chat_fixture.h"
#include "field_help.h"
#include "widgets/chat/answer_foot.h"
#include "widgets/style/button.h"
#include "widgets/style/state_pane.h"

namespace strata::testing {
namespace {

class ChatDetails : public ChatFixture {
 protected:
  QString mapOfB() const { return page->pane(Which::b)->findChild<QLabel*>("paneMapB")->text(); }
};

SideAnswer saying(const QString& text, std::vector<int> ids) {
  SideAnswer said;
  said.text = text;
  said.answer.emplace();
  said.answer->text = text.toStdString();
  said.answer->ids = std::move(ids);
  return said;
}

/// By this model with this adapter, under the full map.
protocol::MadeBy madeBy(const std::string& model, const std::string& adapter) {
  protocol::MadeBy made;
  made.model = model;
  made.adapter = adapter;
  made.map = "full";
  return made;
}

TEST(FirstDifference, IsNoneWhereOneEndsByALineBreakAndTheOtherByItself) {
  const SideAnswer byItself = saying("the old mill", {1, 2, 3, 4}), byLine = saying("the old mill", {1, 2, 3, 4, 13});
  const SideAnswer spaced = saying("the old mill \n", {1, 2, 3, 4, 13, 13});
  for (const SideAnswer* other : {&byLine, &spaced}) {
    ASSERT_TRUE(firstDifference(&byItself, other));
    EXPECT_EQ(firstDifference(&byItself, other)->token, -1);
    EXPECT_EQ(firstDifference(other, &byItself)->token, -1);
  }
  const SideAnswer longer = saying("the old mill burned", {1, 2, 3, 4, 9});
  EXPECT_EQ(firstDifference(&longer, &byItself)->token, 4);
}

TEST(MadeBy, AnotherAdapterMakesAnAnswerStale) {
  protocol::MadeBy made = madeBy("base", "/loras/squad");
  protocol::Side now;
  now.ref.model = "base";
  now.ref.adapter = "/loras/squad/";
  EXPECT_FALSE(isStale(made, now, {}));
  now.ref.adapter = "loras/squad";  // of the engine's folder
  EXPECT_FALSE(isStale(made, now, {}));
  now.ref.adapter = "/loras/trivia";
  EXPECT_TRUE(isStale(made, now, {}));
  now.ref.adapter.clear();
  EXPECT_TRUE(isStale(made, now, {}));
  made.adapter.clear();
  EXPECT_FALSE(isStale(made, now, {}));
}

TEST(MadeBy, ARunThatIsAnAdapterMadeItsOwnAnswers) {
  protocol::MadeBy made = madeBy("20261128-101500-aa@40", "/project/runs/20261128-101500-aa/checkpoints/step-40");
  protocol::Side now;
  now.ref.model = made.model;
  EXPECT_FALSE(isStale(made, now, {}));
  made.hash = "old";
  EXPECT_TRUE(isStale(made, now, "new")) << "its weights changed";
}

TEST_F(ChatDetails, EveryPaneShowsTheFocus) {
  ASSERT_TRUE(begin());
  ASSERT_TRUE(ask("echo one"));
  ASSERT_TRUE(soon([&] { return page->list()->model()->rowCount() == 1; }));
  page->activateWindow();
  ASSERT_TRUE(QTest::qWaitForWindowActive(page.get()));
  for (QWidget* pane : page->panes()) {
    pane->setFocus(Qt::ShortcutFocusReason);
    const QImage with = page->grab().toImage();
    pane->clearFocus();
    EXPECT_NE(page->grab().toImage(), with) << pane->objectName().toStdString();
  }
}

TEST_F(ChatDetails, EveryFieldHasHelp) {
  ASSERT_TRUE(begin());
  EXPECT_EQ(fieldsWithoutHelp(*page).join(", ").toStdString(), "");
}

TEST_F(ChatDetails, TheHeadShowsTheMapThatRuns) {
  ASSERT_TRUE(begin());
  page->setDraft("slow");
  page->sendDraft();
  ASSERT_TRUE(soon([&] { return answer(Which::b) && !answer(Which::b)->text.isEmpty(); }));
  page->setRetention(Which::b, .5);
  EXPECT_EQ(mapOfB(), "full");
  page->answering().stopAll();
  ASSERT_TRUE(soon([&] { return !page->answering().busy(); }));
  EXPECT_EQ(mapOfB(), "stride:2");
}

TEST_F(ChatDetails, AnAnswerThatComesWhileAnotherProjectIsOpenedIsStoredInItsOwn) {
  ASSERT_TRUE(begin());
  page->setDraft("slow");
  page->sendDraft();
  ASSERT_TRUE(soon([&] { return answer(Which::b) && !answer(Which::b)->text.isEmpty(); }));
  session->openProject("/projects/other");
  ASSERT_TRUE(soon([&] { return session->project()->folder == "/projects/other"; }));
  ASSERT_TRUE(soon([&] { return page->conversation().isEmpty(); }));
  QTest::qWait(200);
  bool isOther = false;
  std::string answers;  // that were stored in the first project
  std::istringstream log(readText(folder.path() / "log"));
  for (std::string line; std::getline(log, line);) {
    const Json request = *parseJson(line, "log");
    if (request["method"] == "project/open") isOther = request["params"]["folder"] == "/projects/other";
    if (request["method"] != "chats/put") continue;
    EXPECT_FALSE(isOther) << line;
    for (const Json& message : request["params"]["messages"]) answers += message["role"].get<std::string>() + ' ';
  }
  EXPECT_NE(answers.find("b "), std::string::npos) << answers;
}

TEST_F(ChatDetails, AQuestionIsNotSentWhileAnotherProjectIsOpened) {
  ASSERT_TRUE(begin());
  session->openProject("/projects/other");
  page->setDraft("Who was it?");
  page->sendDraft();
  EXPECT_EQ(page->composer()->draft(), "Who was it?") << "it is there to be sent, or not";
  EXPECT_TRUE(page->conversation().isEmpty());
  ASSERT_TRUE(soon([&] { return session->project()->folder == "/projects/other"; }));
  EXPECT_EQ(requests("chat/generate").size(), 0U);
  ASSERT_TRUE(ask("Who was it?"));
  EXPECT_EQ(requests("chat/generate").size(), 2U);
}

TEST_F(ChatDetails, AnAnswerToATestQuestionIsMarked) {
  ASSERT_TRUE(begin());
  file("Who came late?.base", "Anne");
  file("Who came late?.routed", "It was Bob");
  page->setQuestion("Who came late?", {"\n"}, {"Anne", "Anne Smith"});
  page->sendDraft();
  ASSERT_TRUE(soon([&] { return answer(Which::a) && answer(Which::a)->answer && !page->answering().busy(); }));
  const auto texts = [&](Which which) {
    QStringList all;
    for (const QLabel* label : page->pane(which)->findChildren<QLabel*>()) all << label->text();
    return all;
  };
  EXPECT_TRUE(texts(Which::a).contains("right")) << texts(Which::a).join("|").toStdString();
  EXPECT_TRUE(texts(Which::b).contains("wrong"));
  EXPECT_TRUE(session->notices().at(0).text.contains("finds the answer"))
      << session->notices().at(0).text.toStdString();
  page->answerAgain({Which::b}, true);
  ASSERT_TRUE(soon([&] { return !page->answering().busy() && requests("chat/generate").size() == 3; }));
  EXPECT_TRUE(answer(Which::b)->answer->mark) << "made again, it is marked again";
  ASSERT_TRUE(ask("echo something typed"));
  EXPECT_FALSE(answer(Which::a)->answer->mark) << "nothing is expected of a question of one's own";
}

TEST_F(ChatDetails, TheRightButtonOpensAMenuAndChoosesNoChat) {
  ASSERT_TRUE(begin());
  ASSERT_TRUE(ask("echo apples"));
  const QString apples = page->conversation().id();
  page->startNew();
  ASSERT_TRUE(ask("echo pears"));
  const QString pears = page->conversation().id();
  ChatList* list = page->list();
  ASSERT_TRUE(soon([&] { return list->model()->rowCount() == 2 && list->currentId() == pears; }));
  const QPoint at = list->view()->visualRect(list->model()->index(list->model()->rowOf(apples))).center();
  QTest::mouseClick(list->view()->viewport(), Qt::RightButton, {}, at);
  EXPECT_EQ(list->currentId(), pears);
  Q_EMIT list->view()->customContextMenuRequested(at);
  auto* menu = child<QMenu>("chatMenu");
  ASSERT_NE(menu, nullptr);
  EXPECT_EQ(menu->accessibleName(), "Actions for echo apples");
  EXPECT_EQ(list->currentId(), pears);
  menu->close();
}

TEST_F(ChatDetails, WhatIsWrongWithTheProjectIsNotSaidInEachPaneToo) {
  file("in_use", "");
  makePage();
  client->start(command());
  session->openProject({});
  ASSERT_TRUE(soon([&] { return session->projectProblem().has_value(); }));
  for (const Which which : kBothSides) EXPECT_EQ(page->pane(which)->states()->state(), StatePane::State::empty);
}

TEST_F(ChatDetails, WhatIsTypedAfterSendIsTheNextQuestion) {
  ASSERT_TRUE(begin());
  page->activateWindow();
  ASSERT_TRUE(QTest::qWaitForWindowActive(page.get()));
  page->setDraft("echo one");
  page->composer()->sendButton()->setFocus();
  QTest::mouseClick(page->composer()->sendButton(), Qt::LeftButton);
  EXPECT_EQ(page->focusWidget(), page->composer()->edit());
}

class FullDisk : public ChatDetails {
 protected:
  void tryAgainAfter(int milliseconds) {
    EngineLimits limits;
    limits.storeAgainMs = milliseconds;
    client->setLimits(limits);
  }
  std::size_t storedMessages(const QString& id) const {
    const auto stored = readJson(folder.path() / "chats.json");
    const std::string key = id.toStdString();
    return stored && stored->contains(key) ? (*stored)[key]["messages"].size() : 0;
  }
  QString firstListed() const { return page->list()->model()->index(0).data().toString(); }
};

TEST_F(FullDisk, IsTriedAgainWhenSomebodySaysSo) {
  tryAgainAfter(600'000);
  ASSERT_TRUE(begin());
  file("full", "");
  ASSERT_TRUE(ask("echo one"));
  ASSERT_TRUE(soon([&] { return child<QPushButton>("chatNoticeAction")->isVisible(); }));
  EXPECT_EQ(child<QPushButton>("chatNoticeAction")->text(), "Try again");
  std::filesystem::remove(folder.path() / "full");
  child<QPushButton>("chatNoticeAction")->click();
  EXPECT_TRUE(soon([&] { return storedMessages(page->conversation().id()) == 3; }));
}

TEST_F(FullDisk, LosesNoQuestionAndNoChatWhileOthersAreOpened) {
  tryAgainAfter(50);
  ASSERT_TRUE(begin());
  ASSERT_TRUE(ask("echo one"));
  const QString first = page->conversation().id();
  file("full", "");
  ASSERT_TRUE(ask("echo two"));
  page->startNew();
  ASSERT_TRUE(ask("echo three"));
  const QString second = page->conversation().id();
  ASSERT_TRUE(soon([&] { return firstListed() == "Not stored: echo three"; })) << firstListed().toStdString();
  const std::vector<std::tuple<QString, const char*, int>> chats = {
      {first, "two", 1}, {second, "three", 0}, {first, "two", 1}};
  for (const auto& [id, last, turns] : chats) {
    page->open(Place::chat(id));
    ASSERT_TRUE(soon([&, &id = id] { return page->conversation().id() == id && !page->conversation().isOpening(); }));
    ASSERT_EQ(page->conversation().lastTurn(), turns) << "it is shown as it was left, not as it was stored";
    EXPECT_EQ(answer(Which::a)->text, last);
    EXPECT_EQ(answer(Which::b)->text, last);
  }
  std::filesystem::remove(folder.path() / "full");
  ASSERT_TRUE(ask("echo four"));
  EXPECT_TRUE(soon([&] { return storedMessages(first) == 9 && storedMessages(second) == 3; }))
      << storedMessages(first) << " and " << storedMessages(second);
  EXPECT_TRUE(soon([&] { return firstListed().startsWith("echo"); })) << firstListed().toStdString();
}

}  // namespace
}  // namespace strata::testing
