#include <QLabel>
#include <QSignalSpy>

#include "shell_fixture.h"

namespace strata {
namespace {

class FirstSteps : public Shell {
 protected:
  void listen() {
    QObject::connect(&window->firstStart(), &FirstStart::draftWanted, &watcher,
                     [this](const QString& text) { drafts << text; });
    QObject::connect(&window->firstStart(), &FirstStart::newChatWanted, &watcher, [this] { ++chats; });
    QObject::connect(&window->firstStart(), &FirstStart::askBoth, &watcher, [this] {
      ++asked;
      window->firstStart().noteAsked();
    });
    QObject::connect(&window->firstStart(), &FirstStart::askAgain, &watcher, [this] { ++again; });
    QObject::connect(&window->firstStart(), &FirstStart::halveCache, &watcher, [this](Which which) {
      halved << (which == Which::a ? "A" : "B");
      workspace->setMap(which, "stride:2");
    });
  }
  void SetUp() override {
    Shell::SetUp();
    listen();
  }
  QObject watcher;
  QStringList drafts, halved;
  int asked = 0, again = 0, chats = 0;
};

TEST_F(FirstSteps, TypeInTheFirstQuestionOnceTheEngineIsReady) {
  EXPECT_EQ(window->currentPage(), chat);
  EXPECT_TRUE(window->firstStart().isVisible());
  EXPECT_TRUE(child<QLabel>("step-note")->text().contains("engine is ready"));
  startEngine();
  ASSERT_TRUE(eventually([&] { return drafts == QStringList{"Who came late? (2)"}; }));
  EXPECT_TRUE(child<QLabel>("step-note")->text().startsWith("question 2 of 100"));
}

TEST_F(FirstSteps, AreTickedByTheAnswersAndNotByTheAsking) {
  startEngine();
  ASSERT_TRUE(eventually([&] { return !drafts.isEmpty(); }));
  auto* ask = child<QPushButton>("step-ask");
  ask->click();
  EXPECT_EQ(asked, 1);
  EXPECT_TRUE(ask->icon().isNull()) << "nobody has answered";
  window->firstStart().markAnswered(false);
  EXPECT_FALSE(ask->icon().isNull());
  EXPECT_EQ(ask->accessibleName(), "Step 1: ask both, done");
  child<QPushButton>("step-halve")->click();
  EXPECT_EQ(halved, (QStringList{"A", "B"}));
  EXPECT_EQ(again, 1);
  EXPECT_FALSE(window->firstStart().halvedDone()) << "nobody has answered with half of the cache";
  window->firstStart().markAnswered(true);
  EXPECT_TRUE(window->firstStart().halvedDone());
}

TEST_F(FirstSteps, AskOnceMoreInANewChatAfterAnAnswerThatFailed) {
  startEngine();
  ASSERT_TRUE(eventually([&] { return !drafts.isEmpty(); }));
  for (int i = 0; i < 2; ++i) child<QPushButton>("step-ask")->click();
  EXPECT_EQ(asked, 2);
  EXPECT_EQ(drafts, (QStringList{"Who came late? (2)", "Who came late? (2)"}));
  EXPECT_EQ(chats, 1);
}

TEST_F(FirstSteps, HalveBAloneWhereOneModelStandsOnBothSides) {
  startEngine();
  workspace->copyAToB();
  child<QPushButton>("step-halve")->click();
  EXPECT_EQ(halved, QStringList{"B"});
}

TEST_F(FirstSteps, AskedBeforeTheEngineIsReadyTheQuestionWaits) {
  child<QPushButton>("step-ask")->click();
  EXPECT_EQ(asked, 0);
  startEngine();
  ASSERT_TRUE(eventually([&] { return asked == 1; }));
  EXPECT_EQ(drafts, QStringList{"Who came late? (2)"});
}

TEST_F(FirstSteps, DrawTheOneThatWasWantedLastHoweverFastTheyAreAskedFor) {
  startEngine();
  for (int i = 0; i < 3; ++i) child<QPushButton>("step-another")->click();
  ASSERT_TRUE(eventually([&] { return drafts.contains("Who came late? (5)"); }));
  EXPECT_TRUE(child<QLabel>("step-note")->text().startsWith("question 5 of 100")) << "and says so";
  EXPECT_EQ(drafts.last(), "Who came late? (5)");
}

TEST_F(FirstSteps, DrawTheNextQuestionByItsSeed) {
  startEngine();
  child<QPushButton>("step-another")->click();
  ASSERT_TRUE(eventually([&] { return drafts.contains("Who came late? (3)"); }));
  EXPECT_EQ(settings.value("first_start/seed").toInt(), 3);
  EXPECT_EQ(chats, 1) << "in a new chat";
  EXPECT_EQ(asked, 1) << "and asked";
}

TEST_F(FirstSteps, AreGoneOnceClosedAndBackByHelp) {
  startEngine();
  child<QPushButton>("step-close")->click();
  EXPECT_FALSE(window->firstStart().isVisible());
  makeWindow();
  EXPECT_FALSE(window->firstStart().isVisible());
  window->firstStart().bringBack();
  EXPECT_TRUE(window->firstStart().isVisible());
}

TEST_F(FirstSteps, StandAboveChatAlone) {
  window->showPage("models");
  EXPECT_FALSE(window->firstStart().isVisible());
  window->showPage("chat");
  EXPECT_TRUE(window->firstStart().isVisible());
}

TEST_F(FirstSteps, SayWhyTheEngineCannotStartAndWhatToDo) {
  engine->start({"/no/such/strata", {"engine"}, false});
  ASSERT_TRUE(eventually([&] { return engine->state() == EngineClient::State::failed; }));
  auto* problem = child<QLabel>("step-problem");
  EXPECT_TRUE(problem->isVisible());
  EXPECT_TRUE(problem->text().contains("/no/such/strata")) << qPrintable(problem->text());
  EXPECT_FALSE(child<QPushButton>("step-ask")->isVisible());
  child<QPushButton>("step-change-engine")->click();
  EXPECT_NE(popup("engine-popup"), nullptr);
}

TEST_F(FirstSteps, OpenTheUsersOwnModelOnModels) {
  child<QPushButton>("step-own")->click();
  EXPECT_EQ(window->currentPage(), models);
  EXPECT_EQ(models->opened, QStringList{"browse"});
}

}  // namespace
}  // namespace strata
