#include "widgets/client/engine_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <QTimer>

#include "client_test.h"
#include "core/protocol/columns.h"

namespace strata::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using State = EngineClient::State;

class EngineClientTest : public ::testing::Test {
 protected:
  EngineClientTest() {
    engine.setLimits(quickLimits());
    QObject::connect(&engine, &EngineClient::stateChanged, [this] {
      if (!engine.problem().isEmpty()) problems << engine.problem();
    });
    QObject::connect(&engine, &EngineClient::notRestored, [this](const QString& text) { lost << text; });
  }
  EngineClient::Command fakeEngine() const { return testing::fakeEngine(folder.path()); }
  /// The next engines, or with "MODE once" the next one.
  void misbehave(const std::string& mode) { writeText(folder.path() / "mode", mode); }
  bool becomesReady() {
    return waitUntil([this] { return engine.ready(); });
  }
  void killIt() { ::kill(static_cast<pid_t>(engine.engine().pid), SIGKILL); }
  std::string firstProblem() const { return problems.isEmpty() ? "" : problems.first().toStdString(); }

  TemporaryFolder folder;
  EngineClient engine;
  QStringList problems, lost;
};

TEST_F(EngineClientTest, StartsAndSaysWhatItTalksTo) {
  engine.start(fakeEngine());
  EXPECT_EQ(engine.state(), State::starting);
  ASSERT_TRUE(becomesReady());
  EXPECT_EQ(engine.engine().version, "0.3.0");
  EXPECT_GT(engine.engine().pid, 0);
  EXPECT_TRUE(engine.problem().isEmpty());
}

TEST_F(EngineClientTest, RequestsMadeBeforeItIsReadyWaitAndAreAnswered) {
  bool answered = false;
  const auto ticket =
      engine.call<protocol::ListModels>({}, nullptr, [&](const auto& list) { answered = list.has_value(); });
  EXPECT_TRUE(engine.waits(ticket));
  engine.start(fakeEngine());
  EXPECT_TRUE(waitUntil([&] { return answered; }));
  EXPECT_FALSE(engine.waits(ticket));
}

TEST_F(EngineClientTest, ABannerBeforeTheFirstMessageGoesToTheLog) {
  misbehave("banner");
  engine.start(fakeEngine());
  ASSERT_TRUE(becomesReady());
  EXPECT_THAT(engine.log().toStdString(), HasSubstr("Welcome to gpu-box"));
}

TEST_F(EngineClientTest, AProgramThatIsNotThereFailsWithASentence) {
  engine.start({"/nowhere/strata", {"engine"}});
  ASSERT_TRUE(waitUntil([&] { return engine.state() == State::failed; }));
  EXPECT_THAT(engine.problem().toStdString(),
              AllOf(HasSubstr("/nowhere/strata"), HasSubstr("check the engine's command")));
}

TEST_F(EngineClientTest, AnotherProtocolVersionFailsAndNamesBoth) {
  misbehave("other-version");
  engine.start(fakeEngine());
  ASSERT_TRUE(waitUntil([&] { return engine.state() == State::failed; }));
  EXPECT_THAT(engine.problem().toStdString(),
              AllOf(HasSubstr("version 2"), HasSubstr("version 1"), HasSubstr("0.3.0")));
}

TEST_F(EngineClientTest, AnEngineThatRefusesTheWindowFailsWithItsReason) {
  misbehave("refuses");
  engine.start(fakeEngine());
  ASSERT_TRUE(waitUntil([&] { return engine.state() == State::failed; }));
  EXPECT_THAT(engine.problem().toStdString(), AllOf(HasSubstr("version 1"), HasSubstr("version 7")));
}

TEST_F(EngineClientTest, AnEngineThatDiesAtOnceUsesUpItsBudgetAndCanBeRestartedByHand) {
  misbehave("dies");
  engine.start(fakeEngine());
  ASSERT_TRUE(waitUntil([&] { return engine.state() == State::failed; }));
  EXPECT_EQ(problems.size(), 6) << problems.join('\n').toStdString();  // five restarts, then the end
  EXPECT_THAT(engine.problem().toStdString(),
              AllOf(HasSubstr("exit code 3"), HasSubstr("no more memory"), HasSubstr("log")));
  EXPECT_THAT(engine.log().toStdString(), HasSubstr("first line"));
  engine.restart();
  EXPECT_EQ(engine.state(), State::starting);
  EXPECT_TRUE(engine.problem().isEmpty());
  misbehave("normal");
  engine.start(fakeEngine());
  EXPECT_TRUE(becomesReady());
}

/// Each way to misbehave: what is said of it, and that the next engine works.
struct Misbehaviour {
  const char* mode;
  const char* sentence;
};
class EngineThatMisbehaves : public EngineClientTest, public ::testing::WithParamInterface<Misbehaviour> {};

TEST_P(EngineThatMisbehaves, IsNamedAndStartedAgain) {
  auto limits = quickLimits();
  if (GetParam().mode == std::string("silent")) limits.initializeMs = 1'000;
  engine.setLimits(limits);
  misbehave(GetParam().mode + std::string(" once"));
  engine.start(fakeEngine());
  int answers = 0;
  engine.call<protocol::ListModels>({}, nullptr, [&](const auto& list) { answers += list ? 1 : 100; });
  ASSERT_TRUE(waitUntil([&] { return !problems.isEmpty(); })) << GetParam().mode;
  EXPECT_THAT(firstProblem(), AllOf(HasSubstr(GetParam().sentence), HasSubstr("it is started again")));
  EXPECT_TRUE(becomesReady());
  EXPECT_TRUE(waitUntil([&] { return answers > 0; }));
  EXPECT_EQ(answers, 1);
}

INSTANTIATE_TEST_SUITE_P(
    Ways, EngineThatMisbehaves,
    ::testing::Values(Misbehaviour{"silent", "did not answer within 1 s of its start"},
                      Misbehaviour{"hang", "no sign of life for 1 s"}, Misbehaviour{"garbage", "cannot be understood"},
                      Misbehaviour{"bad-header", "Content-Length is \"many\""},
                      Misbehaviour{"bad-json", "something that is no message"},
                      Misbehaviour{"half", "in the middle of a message"}, Misbehaviour{"half-silent", "half a message"},
                      Misbehaviour{"big", "at most 16777216"}, Misbehaviour{"dies", "exit code 3: \"no more memory\""},
                      Misbehaviour{"dies-after-start", "exit code 5"}),
    [](const auto& info) {
      std::string name = info.param.mode;
      std::erase_if(name, [](char c) { return !isalnum(static_cast<unsigned char>(c)); });
      return name;
    });

TEST_F(EngineClientTest, AnEngineThatHangsWhileNothingIsAskedOfItIsStartedAgain) {
  EngineLimits limits = quickLimits();
  limits.idlePingMs = 300;
  engine.setLimits(limits);
  misbehave("hang once");
  engine.start(fakeEngine());
  ASSERT_TRUE(waitUntil([&] { return !problems.isEmpty(); }));
  EXPECT_THAT(firstProblem(), HasSubstr("no sign of life"));
  EXPECT_TRUE(becomesReady());
}

TEST_F(EngineClientTest, TellsTheEngineHowLongItsSilenceMayBe) {
  engine.start(fakeEngine());
  ASSERT_TRUE(becomesReady());
  EXPECT_TRUE(waitUntil([&] { return engine.log().contains("heard alive {\"silence_ms\":60000}"); }));
  EXPECT_LT(2 * EngineLimits{}.idlePingMs, EngineLimits{}.silenceMs);
}

TEST_F(EngineClientTest, AFloodOnStderrBlocksNothingAndItsEndIsKept) {
  misbehave("stderr");
  engine.start(fakeEngine());
  ASSERT_TRUE(becomesReady());
  int answers = 0;
  for (int i = 0; i < 20; ++i)
    engine.call<protocol::ListModels>({}, nullptr, [&](const auto& list) { answers += list ? 1 : 0; });
  EXPECT_TRUE(waitUntil([&] { return answers == 20; }));
  EXPECT_TRUE(waitUntil([&] { return engine.log().endsWith("the last line\n"); }, 30'000));
  EXPECT_LE(engine.log().size(), 256 * 1024);
  EXPECT_TRUE(problems.isEmpty());
}

TEST_F(EngineClientTest, AKilledEngineIsStartedAgainWithItsProjectAndModels) {
  engine.start(fakeEngine());
  protocol::OpenProject::Params project;
  engine.call<protocol::OpenProject>(project, nullptr, [](const auto&) {});
  engine.call<protocol::LoadModel>({refOf("base")}, nullptr, [](const auto&) {});
  engine.call<protocol::LoadModel>({refOf("routed")}, nullptr, [](const auto&) {});
  ASSERT_TRUE(waitUntil([&] { return engine.loaded().size() == 2; }));
  const auto first = engine.engine().pid;
  killIt();
  ASSERT_TRUE(waitUntil([&] { return !problems.isEmpty(); }));
  EXPECT_THAT(firstProblem(), HasSubstr("killed by signal 9"));
  EXPECT_TRUE(engine.loaded().empty());
  ASSERT_TRUE(waitUntil([&] { return engine.ready() && engine.loaded().size() == 2; }));
  EXPECT_NE(engine.engine().pid, first);
  EXPECT_TRUE(lost.isEmpty());
}

TEST_F(EngineClientTest, WatchesOfRunsGoOnAfterARestartFromTheNewestPoints) {
  const auto watches = [this] { return requestsTo(folder.path(), protocol::WatchJob::kName); };
  engine.start(fakeEngine());
  protocol::OpenProject::Params project;
  engine.call<protocol::OpenProject>(project, nullptr, [](const auto&) {});
  std::size_t answers = 0, points = 0;
  engine.on<protocol::JobPoints>(nullptr, [&](const auto&) { ++points; });
  for (const char* id : {"watched", "new", "left"}) {
    engine.call<protocol::WatchJob>({id, true, 3}, nullptr, [&](const auto&) { ++answers; });
  }
  engine.call<protocol::WatchJob>({"left", false, 0}, nullptr, [&](const auto&) { ++answers; });
  ASSERT_TRUE(waitUntil([&] { return answers == 4; }));
  protocol::JobPoints some{.id = "watched", .series = {{}, {}}};
  some.series[0].step = protocol::encodeColumn({70, 71});
  some.series[1].step = protocol::encodeColumn({60, 80});
  writeText(folder.path() / "say",
            Json{{"method", protocol::JobPoints::kName}, {"params", configToJson(some)}}.dump() + "\n");
  ASSERT_TRUE(waitUntil([&] { return points == 1; }));
  killIt();
  ASSERT_TRUE(waitUntil([&] { return watches().size() == 6; }));
  EXPECT_EQ(watches()[4], (Json{{"id", "new"}, {"on", true}, {"from_step", 3}}));
  EXPECT_EQ(watches()[5], (Json{{"id", "watched"}, {"on", true}, {"from_step", 60}}));
  EXPECT_TRUE(lost.isEmpty());

  // Another project has none of these runs.
  project.folder = "/projects/other";
  bool opened = false;
  engine.call<protocol::OpenProject>(project, nullptr, [&](const auto&) { opened = true; });
  ASSERT_TRUE(waitUntil([&] { return opened; }));
  const auto before = engine.engine().pid;
  killIt();
  ASSERT_TRUE(waitUntil([&] { return engine.ready() && engine.engine().pid != before; }));
  bool asked = false;
  engine.call<protocol::ListModels>({}, nullptr, [&](const auto&) { asked = true; });
  ASSERT_TRUE(waitUntil([&] { return asked; }));
  EXPECT_EQ(watches().size(), 6u);
}

TEST_F(EngineClientTest, WhatWasServedIsServedAgainAtTheSameAddressUntilItIsStopped) {
  std::vector<protocol::ServeChanged> changes;
  engine.on<protocol::ServeChanged>(nullptr, [&](const auto& state) { changes.push_back(state); });
  engine.start(fakeEngine());
  protocol::StartServing::Params params;
  params.models = {refOf("base")};
  engine.call<protocol::StartServing>(params, nullptr, [](const auto&) {});
  params.models = {refOf("routed")};
  engine.call<protocol::StartServing>(params, nullptr, [](const auto&) {});
  ASSERT_TRUE(waitUntil([&] { return changes.size() == 2; }));
  killIt();
  ASSERT_TRUE(waitUntil([&] { return changes.size() == 3; }));
  EXPECT_EQ(changes.back().models, (std::vector<std::string>{"base", "routed"}));
  EXPECT_EQ(changes.back().url, "http://127.0.0.1:8123/v1");
  EXPECT_EQ(changes.back().token, "made");
  bool stopped = false;
  engine.call<protocol::StopServing>({}, nullptr, [&](const auto&) { stopped = true; });
  ASSERT_TRUE(waitUntil([&] { return stopped && changes.size() == 4; }));
  EXPECT_FALSE(changes.back().on);
  killIt();
  ASSERT_TRUE(waitUntil([&] { return problems.size() == 2 && engine.ready(); }));
  runFor(100);
  EXPECT_EQ(changes.size(), 4);
}

TEST_F(EngineClientTest, AnUnderWayAnswerIsGivenUpWithASentenceAndAReadIsRepeated) {
  writeText(folder.path() / "load", "0.3");
  engine.start(fakeEngine());
  ASSERT_TRUE(becomesReady());
  std::optional<Error> error;
  engine.call<protocol::Generate>(questionOf("slow"), nullptr, [&](const auto& answer) {
    if (!answer) error = answer.error();
  });
  killIt();
  bool listed = false;
  engine.call<protocol::ListModels>({}, nullptr, [&](const auto& list) { listed = list.has_value(); });
  ASSERT_TRUE(waitUntil([&] { return error && listed; }));
  EXPECT_EQ(error->code, ErrorCode::busy);
  EXPECT_EQ(error->message, "The engine stopped while answering; ask again.");
}

TEST_F(EngineClientTest, AModelThatEndsTheEngineIsNotOpenedForEver) {
  engine.start(fakeEngine());
  ASSERT_TRUE(becomesReady());
  std::optional<Error> error;
  engine.call<protocol::LoadModel>({refOf("deadly")}, nullptr, [&](const auto& loaded) {
    if (!loaded) error = loaded.error();
  });
  ASSERT_TRUE(waitUntil([&] { return error.has_value(); }));
  EXPECT_EQ(error->message, "The engine stopped while opening a model; ask again.");
  EXPECT_TRUE(becomesReady());
  runFor(300);
  EXPECT_EQ(problems.size(), 1);
}

TEST_F(EngineClientTest, CancellingAWaitingRequestAnswersItFromTheEventLoop) {
  std::optional<Error> error;
  const auto ticket = engine.call<protocol::ListModels>({}, nullptr, [&](const auto& list) { error = list.error(); });
  engine.cancel(ticket);
  EXPECT_FALSE(error);
  EXPECT_FALSE(engine.waits(ticket));
  ASSERT_TRUE(waitUntil([&] { return error.has_value(); }));
  EXPECT_EQ(error->code, ErrorCode::cancelled);
}

TEST_F(EngineClientTest, CancellingAnAnswerUnderWayLetsItAnswerWithWhatItHas) {
  engine.start(fakeEngine());
  ASSERT_TRUE(becomesReady());
  protocol::Generate::Params ask = questionOf("slow");
  ask.sampling.maxTokens = 100'000;
  std::string streamed;
  std::optional<protocol::Answer> answer;
  engine.on<protocol::Tokens>(nullptr, [&](const protocol::Tokens& tokens) { streamed += tokens.text; });
  const auto ticket = engine.call<protocol::Generate>(ask, nullptr, [&](const auto& result) {
    if (result) answer = *result;
  });
  ASSERT_TRUE(waitUntil([&] { return streamed.size() > 20; }));
  engine.cancel(ticket);
  ASSERT_TRUE(waitUntil([&] { return answer.has_value(); }));
  EXPECT_EQ(answer->finish, "cancel");
  EXPECT_EQ(answer->text, streamed);
}

TEST_F(EngineClientTest, AnEngineThatDoesNotAnswerACancelIsEnded) {
  misbehave("no-cancel once");
  engine.start(fakeEngine());
  ASSERT_TRUE(becomesReady());
  protocol::Generate::Params ask = questionOf("slow");
  ask.sampling.maxTokens = 100'000;
  std::optional<Error> error;
  engine.cancel(engine.call<protocol::Generate>(ask, nullptr, [&](const auto& result) {
    if (!result) error = result.error();
  }));
  ASSERT_TRUE(waitUntil([&] { return error.has_value(); }));
  EXPECT_THAT(firstProblem(), HasSubstr("did not answer a request to stop"));
  EXPECT_TRUE(becomesReady());
}

TEST_F(EngineClientTest, AnswersForAWidgetThatIsGoneAreDropped) {
  auto widget = std::make_unique<QObject>();
  int calls = 0;
  engine.call<protocol::ListModels>({}, widget.get(), [&](const auto&) { ++calls; });
  bool other = false;
  engine.call<protocol::ListModels>({}, nullptr, [&](const auto&) { other = true; });
  widget.reset();
  engine.start(fakeEngine());
  ASSERT_TRUE(waitUntil([&] { return other; }));
  EXPECT_EQ(calls, 0);
}

TEST_F(EngineClientTest, AProjectThatCannotBeOpenedAgainIsAStateUntilItIsOpened) {
  engine.start(fakeEngine());
  bool open = false;
  protocol::OpenProject::Params project;
  project.folder = "/projects/mine";
  engine.call<protocol::OpenProject>(project, nullptr, [&](const auto& info) { open = info.has_value(); });
  ASSERT_TRUE(waitUntil([&] { return open; }));
  writeText(folder.path() / "in_use", "");
  killIt();
  ASSERT_TRUE(waitUntil([&] { return engine.projectLost().has_value(); }));
  EXPECT_THAT(engine.projectLost()->message, HasSubstr("Another engine has the project open"));
  EXPECT_TRUE(becomesReady());
  std::filesystem::remove(folder.path() / "in_use");
  killIt();
  EXPECT_TRUE(waitUntil([&] { return !engine.projectLost() && engine.ready(); }));
}

TEST_F(EngineClientTest, AnotherEngineIsSaidBeforeWhatWaitedForTheOneBeforeIsAnswered) {
  QStringList order;
  QObject::connect(&engine, &EngineClient::engineReplaced, [&] { order << "replaced"; });
  engine.start(fakeEngine());
  EXPECT_TRUE(order.isEmpty());
  engine.call<protocol::ListModels>({}, nullptr, [&](const auto& list) { order << (list ? "list" : "refused"); });
  engine.start(testing::fakeEngine(folder.path() / "other"));
  EXPECT_EQ(order, QStringList({"replaced", "refused"}));
  EXPECT_TRUE(becomesReady());
}

TEST_F(EngineClientTest, RequestsBehindAnOpeningProjectMeanThatProject) {
  engine.start(fakeEngine());
  ASSERT_TRUE(becomesReady());
  QStringList order;
  engine.call<protocol::OpenProject>({}, nullptr, [&](const auto&) { order << "project"; });
  const auto list = engine.call<protocol::ListModels>({}, nullptr, [&](const auto&) { order << "list"; });
  EXPECT_TRUE(engine.waits(list));
  ASSERT_TRUE(waitUntil([&] { return order.size() == 2; }));
  EXPECT_EQ(order, QStringList({"project", "list"}));
}

TEST_F(EngineClientTest, AHandlerMayStopOrReplaceTheEngine) {
  engine.start(fakeEngine());
  bool stopped = false;
  engine.call<protocol::ListModels>({}, nullptr, [&](const auto&) {
    engine.stop();
    stopped = true;
  });
  ASSERT_TRUE(waitUntil([&] { return stopped; }));
  EXPECT_EQ(engine.state(), State::off);
  runFor(100);
  EXPECT_EQ(engine.state(), State::off);
  engine.restart();
  EXPECT_TRUE(becomesReady());
}

TEST_F(EngineClientTest, AHandlerMayDeleteTheClient) {
  auto other = std::make_unique<EngineClient>();
  other->start(fakeEngine());
  bool gone = false;
  other->call<protocol::ListModels>({}, nullptr, [&](const auto&) {
    other.reset();
    gone = true;
  });
  EXPECT_TRUE(waitUntil([&] { return gone; }));
  runFor(50);
}

}  // namespace
}  // namespace strata::testing
