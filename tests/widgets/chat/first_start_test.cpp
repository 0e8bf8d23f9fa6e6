#include "widgets/chat/first_start.h"

#include <QLabel>
#include <QSignalSpy>

#include "shell_fixture.h"

namespace strata {
namespace {

class FirstSteps : public Shell {
 protected:
  void listen() {
    QObject::connect(&steps(), &FirstStart::draftWanted, &watcher, [this](const QString& text) { drafts << text; });
    QObject::connect(&steps(), &FirstStart::newChatWanted, &watcher, [this] { ++chats; });
    QObject::connect(&steps(), &FirstStart::askBoth, &watcher, [this] {
      ++asked;
      steps().noteAsked();
    });
    QObject::connect(&steps(), &FirstStart::askAgain, &watcher, [this] { ++again; });
    QObject::connect(&steps(), &FirstStart::halveCache, &watcher, [this](Which which) {
      halved << (which == Which::a ? "A" : "B");
      session->setMap(which, "stride:2");
    });
  }
  FirstStart& steps() { return *m_steps; }
  void prepare() override {
    m_steps = new FirstStart(*session, chat);
    m_steps->hide();
    showSteps();
    QObject::connect(m_steps, &FirstStart::wantedChanged, chat, [this] {
      showSteps();
      Q_EMIT chat->bannerChanged();
    });
    if (m_steps->wanted()) m_steps->begin();
    listen();
  }
  void showSteps() { chat->top = m_steps->wanted() ? m_steps : nullptr; }
  FirstStart* m_steps = nullptr;
  QObject watcher;
  QStringList drafts, halved;
  int asked = 0, again = 0, chats = 0;
};

TEST_F(FirstSteps, TypeInTheFirstQuestionOnceTheEngineIsReady) {
  EXPECT_EQ(window->currentPage(), chat);
  EXPECT_TRUE(steps().isVisible());
  EXPECT_TRUE(child<QLabel>("step-note")->text().contains("engine is ready"));
  startEngine();
  ASSERT_TRUE(eventually([&] { return drafts == QStringList{"Who came late? (2)"}; }));
  EXPECT_TRUE(child<QLabel>("step-note")->text().startsWith("Test question 2 of 100"));
}

TEST_F(FirstSteps, TheThirdGoesToTheMapAndTheFourthTrains) {
  auto* map = new PaperPage("map", "Map", "diagram-3", true);
  window->addPage(map);
  auto* see = child<QPushButton>("step-map");
  EXPECT_EQ(see->text().toStdString(), "3  See which layers share");
  EXPECT_TRUE(see->icon().isNull());
  see->click();
  EXPECT_EQ(window->currentPage(), map);
  EXPECT_FALSE(see->icon().isNull());
  EXPECT_EQ(see->accessibleName().toStdString(), "Step 3: see which layers share, done");
  EXPECT_EQ(child<QPushButton>("step-train")->text().toStdString(), "4  Train your own");
  steps().bringBack();
  EXPECT_TRUE(see->icon().isNull());
}

TEST_F(FirstSteps, AreTickedByTheAnswersAndNotByTheAsking) {
  startEngine();
  ASSERT_TRUE(eventually([&] { return !drafts.isEmpty(); }));
  auto* ask = child<QPushButton>("step-ask");
  ask->click();
  EXPECT_EQ(asked, 1);
  EXPECT_TRUE(ask->icon().isNull()) << "nobody has answered";
  steps().markAnswered(false);
  EXPECT_FALSE(ask->icon().isNull());
  EXPECT_EQ(ask->accessibleName(), "Step 1: ask both, done");
  child<QPushButton>("step-halve")->click();
  EXPECT_EQ(halved, (QStringList{"A", "B"}));
  EXPECT_EQ(again, 1);
  EXPECT_FALSE(steps().halvedDone()) << "nobody has answered with half of the cache";
  steps().markAnswered(true);
  EXPECT_TRUE(steps().halvedDone());
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
  session->copyAToB();
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
  EXPECT_TRUE(child<QLabel>("step-note")->text().startsWith("Test question 5 of 100")) << "and says so";
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
  EXPECT_FALSE(steps().isVisible());
  makeWindow();
  EXPECT_FALSE(steps().isVisible());
  steps().bringBack();
  EXPECT_TRUE(steps().isVisible());
}

TEST_F(FirstSteps, StandAboveChatAlone) {
  window->showPage("models");
  EXPECT_FALSE(steps().isVisible());
  window->showPage("chat");
  EXPECT_TRUE(steps().isVisible());
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
  EXPECT_EQ(models->opened, (QList<Place>{{{}, PlaceKind::newModel, {}}}));
}

}  // namespace
}  // namespace strata
