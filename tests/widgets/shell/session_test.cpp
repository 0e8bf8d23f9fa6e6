#include "shell_fixture.h"
#include "widgets/shell/engine_command.h"
#include "widgets/shell/picker_button.h"

namespace strata {
namespace {

protocol::Side sideOf(const std::string& model, const std::string& map = "full") {
  protocol::Side side;
  side.ref.model = model;
  side.map = map;
  return side;
}

using SessionTest = Shell;

TEST_F(SessionTest, OpensTheSampleAndTakesItsSides) {
  startEngine();
  EXPECT_EQ(session->project()->name, "tiny-stories");
  EXPECT_EQ(session->side(Which::a), sideOf("base"));
  EXPECT_EQ(session->side(Which::b), sideOf("routed"));
  EXPECT_EQ(session->recentProjects(), QStringList{"/projects/tiny-stories"});
}

TEST_F(SessionTest, StoresWhatIsPutOnASide) {
  startEngine();
  session->setMap(Which::b, "stride:2");
  EXPECT_EQ(session->side(Which::b)->map, "stride:2");
  Json stored;
  ASSERT_TRUE(eventually([&] { return requests("project/set_sides", &stored) == 1; }));
  EXPECT_EQ(stored["b"]["map"], "stride:2");
  EXPECT_EQ(stored["a"]["ref"]["model"], "base");
  session->setMap(Which::b, "stride:2");  // no change, no message
  session->swapSides();
  ASSERT_TRUE(eventually([&] { return requests("project/set_sides", &stored) >= 2; }));
  EXPECT_EQ(requests("project/set_sides"), 2);
  EXPECT_EQ(session->side(Which::a), sideOf("routed", "stride:2"));
  session->copyAToB();
  EXPECT_EQ(session->side(Which::b), sideOf("routed", "stride:2"));
  EXPECT_TRUE(session->sharesWeights());
}

TEST_F(SessionTest, SaysWhyAProjectCannotBeOpenedAndKeepsTheOneBefore) {
  startEngine();
  session->openProject("/missing");
  ASSERT_TRUE(eventually([&] { return session->projectProblem().has_value(); }));
  EXPECT_EQ(session->projectProblem()->code, ErrorCode::notFound);
  EXPECT_EQ(session->project()->name, "tiny-stories");
  session->openProject("/projects/other");
  ASSERT_TRUE(eventually([&] { return !session->projectProblem().has_value(); }));
  EXPECT_EQ(session->recentProjects(), (QStringList{"/projects/other", "/projects/tiny-stories"}));
}

TEST_F(SessionTest, EmptyPagesLinkToTheSampleWhereItIsNotOpen) {
  startEngine();
  EXPECT_EQ(session->sampleLink(), "");
  session->openProject("/projects/other");
  EXPECT_TRUE(session->isLeaving());
  ASSERT_TRUE(eventually([&] { return session->project()->folder == "/projects/other"; }));
  EXPECT_FALSE(session->isLeaving());
  EXPECT_EQ(session->sampleLink(), "Open the sample");
}

TEST_F(SessionTest, AnotherEngineThatRefusesTheProjectShowsNothingOfTheOneBefore) {
  startEngine();
  EngineClient::Command other = fakeEngine();
  other.arguments.last() += "/other";
  engine->start(other);
  EXPECT_FALSE(session->project());
  EXPECT_FALSE(session->side(Which::a) || session->side(Which::b));
  session->openProject("/missing");
  ASSERT_TRUE(eventually([&] { return session->projectProblem().has_value(); }));
  EXPECT_FALSE(session->project());
  session->openProject({});
  ASSERT_TRUE(eventually([&] { return session->project().has_value(); }));
  EXPECT_FALSE(session->projectProblem());
}

TEST_F(SessionTest, AsksForACardOnceHoweverManyWaitForIt) {
  startEngine();
  const int before = requests("models/inspect");
  int answers = 0;
  for (int i = 0; i < 3; ++i) {
    session->card(sideOf("other").ref, window.get(),
                  [&](const Result<protocol::ModelCard>& card) { answers += card && card->layers == 12; });
  }
  ASSERT_TRUE(eventually([&] { return answers == 3; }));
  EXPECT_EQ(requests("models/inspect"), before + 1);
  session->card(sideOf("other").ref, window.get(), [&](const auto&) { ++answers; });
  EXPECT_EQ(answers, 4);  // at once
}

TEST_F(SessionTest, ACardThatWasOnItsWayWhenCardsWereForgottenIsAskedForAgain) {
  startEngine();
  int answers = 0;
  const auto count = [&](const Result<protocol::ModelCard>&) { ++answers; };
  session->card(sideOf("other").ref, window.get(), count);
  session->forgetCards();
  session->card(sideOf("other").ref, window.get(), count);
  ASSERT_TRUE(eventually([&] { return answers == 2; }));
  int others = 0;
  for (const Json& params : allRequests("models/inspect")) others += params["ref"]["model"] == "other";
  EXPECT_EQ(others, 2);
}

TEST_F(SessionTest, NamesAModelByItsLastPart) {
  EXPECT_EQ(Session::shortName(sideOf("base").ref), "base");
  EXPECT_EQ(Session::shortName(sideOf("/models/Qwen3-0.6B/").ref), "Qwen3-0.6B");
  protocol::ModelRef ref = sideOf("base").ref;
  ref.adapter = "/adapters/squad";
  EXPECT_EQ(Session::shortName(ref), "base + squad");
}

TEST_F(SessionTest, NamesARunAsTheListOfModelsDoes) {
  startEngine();
  ASSERT_TRUE(eventually([&] { return session->models().isKnown(); }));
  EXPECT_EQ(session->modelName(sideOf("20261128-101500-aa").ref), "base on train.txt");
  EXPECT_EQ(session->modelName(sideOf("20261128-101500-aa@200").ref), "base on train.txt@200");
  EXPECT_EQ(session->modelName(sideOf("base").ref), "base");
  session->useModel(Which::a, sideOf("20261128-101500-aa").ref);
  EXPECT_TRUE(eventually([&] { return child<PickerButton>("model-a")->choice().startsWith("base on train.txt"); }));
}

TEST_F(SessionTest, KeepsContextAndChatsOverARestart) {
  session->setContext(4096, 16);
  makeWindow();
  EXPECT_EQ(session->context(), 4096);
  EXPECT_EQ(session->chats(), 16);
}

TEST(EngineCommand, TellsAnEngineOfAnotherMachineFromALocalOne) {
  const EngineClient::Command there = engineCommand(QString("ssh gpu-box strata engine"));
  EXPECT_TRUE(there.remote);
  EXPECT_EQ(there.arguments, (QStringList{"gpu-box", "strata", "engine"}));
  EXPECT_FALSE(engineCommand(QString("/opt/strata/bin/strata engine")).remote);
  const EngineClient::Command local = engineCommand(QString());
  EXPECT_FALSE(local.remote);
  EXPECT_EQ(local.arguments, QStringList{"engine"});
}

TEST(EngineCommand, IsReadBackFromItsText) {
  const EngineClient::Command command =
      engineCommand(QStringList{"/my programs/strata", "engine", "--log", "a \"b\" c"});
  const EngineClient::Command again = engineCommand(commandText(command));
  EXPECT_EQ(again.program, command.program);
  EXPECT_EQ(again.arguments, command.arguments);
}

}  // namespace
}  // namespace strata
