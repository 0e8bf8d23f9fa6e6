#include "shell_fixture.h"
#include "widgets/shell/engine_command.h"

namespace strata {
namespace {

protocol::Side sideOf(const std::string& model, const std::string& map = "full") {
  protocol::Side side;
  side.ref.model = model;
  side.map = map;
  return side;
}

using WorkspaceTest = Shell;

TEST_F(WorkspaceTest, OpensTheSampleAndTakesItsSides) {
  startEngine();
  EXPECT_EQ(workspace->project()->name, "tiny-stories");
  EXPECT_EQ(workspace->side(Which::a), sideOf("base"));
  EXPECT_EQ(workspace->side(Which::b), sideOf("routed"));
  EXPECT_EQ(workspace->recentProjects(), QStringList{"/projects/tiny-stories"});
}

TEST_F(WorkspaceTest, StoresWhatIsPutOnASide) {
  startEngine();
  workspace->setMap(Which::b, "stride:2");
  EXPECT_EQ(workspace->side(Which::b)->map, "stride:2");
  Json stored;
  ASSERT_TRUE(eventually([&] { return requests("project/set_sides", &stored) == 1; }));
  EXPECT_EQ(stored["b"]["map"], "stride:2");
  EXPECT_EQ(stored["a"]["ref"]["model"], "base");
  workspace->setMap(Which::b, "stride:2");  // no change, no message
  workspace->swapSides();
  ASSERT_TRUE(eventually([&] { return requests("project/set_sides", &stored) >= 2; }));
  EXPECT_EQ(requests("project/set_sides"), 2);
  EXPECT_EQ(workspace->side(Which::a), sideOf("routed", "stride:2"));
  workspace->copyAToB();
  EXPECT_EQ(workspace->side(Which::b), sideOf("routed", "stride:2"));
  EXPECT_TRUE(workspace->sharesWeights());
}

TEST_F(WorkspaceTest, SaysWhyAProjectCannotBeOpenedAndKeepsTheOneBefore) {
  startEngine();
  workspace->openProject("/missing");
  ASSERT_TRUE(eventually([&] { return workspace->projectProblem().has_value(); }));
  EXPECT_EQ(workspace->projectProblem()->code, ErrorCode::notFound);
  EXPECT_EQ(workspace->project()->name, "tiny-stories");
  workspace->openProject("/projects/other");
  ASSERT_TRUE(eventually([&] { return !workspace->projectProblem().has_value(); }));
  EXPECT_EQ(workspace->recentProjects(), (QStringList{"/projects/other", "/projects/tiny-stories"}));
}

TEST_F(WorkspaceTest, AnotherEngineThatRefusesTheProjectShowsNothingOfTheOneBefore) {
  startEngine();
  EngineClient::Command other = fakeEngine();
  other.arguments.last() += "/other";
  engine->start(other);
  EXPECT_FALSE(workspace->project());
  EXPECT_FALSE(workspace->side(Which::a) || workspace->side(Which::b));
  workspace->openProject("/missing");
  ASSERT_TRUE(eventually([&] { return workspace->projectProblem().has_value(); }));
  EXPECT_FALSE(workspace->project());
  workspace->openProject({});
  ASSERT_TRUE(eventually([&] { return workspace->project().has_value(); }));
  EXPECT_FALSE(workspace->projectProblem());
}

TEST_F(WorkspaceTest, AsksForACardOnceHoweverManyWaitForIt) {
  startEngine();
  const int before = requests("models/inspect");
  int answers = 0;
  for (int i = 0; i < 3; ++i) {
    workspace->card(sideOf("other").ref, window.get(),
                    [&](const Result<protocol::ModelCard>& card) { answers += card && card->layers == 12; });
  }
  ASSERT_TRUE(eventually([&] { return answers == 3; }));
  EXPECT_EQ(requests("models/inspect"), before + 1);
  workspace->card(sideOf("other").ref, window.get(), [&](const auto&) { ++answers; });
  EXPECT_EQ(answers, 4);  // at once
}

TEST_F(WorkspaceTest, ACardThatWasOnItsWayWhenCardsWereForgottenIsAskedForAgain) {
  startEngine();
  int answers = 0;
  const auto count = [&](const Result<protocol::ModelCard>&) { ++answers; };
  workspace->card(sideOf("other").ref, window.get(), count);
  workspace->forgetCards();
  workspace->card(sideOf("other").ref, window.get(), count);
  ASSERT_TRUE(eventually([&] { return answers == 2; }));
  int others = 0;
  for (const Json& params : allRequests("models/inspect")) others += params["ref"]["model"] == "other";
  EXPECT_EQ(others, 2);
}

TEST_F(WorkspaceTest, NamesAModelByItsLastPart) {
  EXPECT_EQ(Workspace::shortName(sideOf("base").ref), "base");
  EXPECT_EQ(Workspace::shortName(sideOf("/models/Qwen3-0.6B/").ref), "Qwen3-0.6B");
  protocol::ModelRef ref = sideOf("base").ref;
  ref.adapter = "/adapters/squad";
  EXPECT_EQ(Workspace::shortName(ref), "base + squad");
}

TEST_F(WorkspaceTest, KeepsContextAndChatsOverARestart) {
  workspace->setContext(4096, 16);
  makeWindow();
  EXPECT_EQ(workspace->context(), 4096);
  EXPECT_EQ(workspace->chats(), 16);
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
