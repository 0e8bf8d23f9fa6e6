// strata engine: requests in, answers and notifications out, whatever is sent.

#include <gmock/gmock.h>

#include <algorithm>
#include <set>

#include "engine_process.h"

namespace strata::testing {
namespace {

using ::testing::HasSubstr;

double since(EngineProcess::Clock::time_point begun) {
  return Seconds(EngineProcess::Clock::now() - begun).count();
}

bool isTokensOf(const EngineProcess::Note& note, std::int64_t request) {
  return note.method == "chat/tokens" && note.params["request"] == request;
}

TEST(EngineProgram, IsReadySoonAndSaysWhereItRuns) {
  const auto begun = EngineProcess::Clock::now();
  EngineProcess engine;
  const Json answer = engine.result(engine.send("initialize", {{"protocolVersion", 1}, {"client", "test"}}));
  EXPECT_LT(since(begun), 2) << "on an idle machine it takes a tenth of that";
  EXPECT_EQ(answer["protocolVersion"], 1);
  EXPECT_GT(answer["pid"].get<int>(), 0);
  EXPECT_GE(answer["threads"].get<int>(), 1);
  EXPECT_FALSE(answer["host"].get<std::string>().empty());
  EXPECT_TRUE(std::filesystem::path(answer["home"].get<std::string>()).is_absolute());
  EXPECT_EQ(answer["devices"][0]["name"], "cpu");
  EXPECT_GT(answer["devices"][0]["memory_bytes"].get<std::int64_t>(), 0);
}

TEST(EngineProgram, TakesNoRequestBeforeInitializeAndNoOtherVersion) {
  EngineProcess engine;
  EXPECT_EQ(engine.call("models/load").code, RpcCode::notInitialized);
  const RpcMessage refused = engine.call("initialize", {{"protocolVersion", 7}});
  EXPECT_EQ(refused.kind, RpcMessage::Kind::errorResponse);
  EXPECT_EQ(refused.error.code, ErrorCode::unsupported);
  EXPECT_THAT(refused.error.message, HasSubstr("version 7"));
  EXPECT_THAT(refused.error.message, HasSubstr("version 1"));
  EXPECT_EQ(engine.call("shutdown").code, RpcCode::notInitialized);
  engine.initialize();
  EXPECT_EQ(engine.call("initialize", {{"protocolVersion", 1}}).code, RpcCode::invalidRequest);
}

TEST(EngineProgram, AnswersBadRequestsAndGoesOn) {
  EngineProcess engine;
  engine.initialize();
  const RpcMessage unknown = engine.call("models/fly");
  EXPECT_EQ(unknown.code, RpcCode::methodNotFound);
  EXPECT_THAT(unknown.error.message, HasSubstr("models/fly"));
  engine.sendBytes(frameOf("{\"jsonrpc\": \"2.0\", \"id\": 9, "));
  EXPECT_EQ(engine.wait(nullptr).code, RpcCode::parseError);
  EXPECT_EQ(engine.call("models/load", {{"reff", 1}}).code, RpcCode::invalidParams);
  EXPECT_EQ(engine.call("chat/compare", {{"alternatives", 99}}).code, RpcCode::invalidParams);
  const RpcMessage missing = engine.call("models/load", {{"ref", {{"model", "/nowhere/at/all"}}}});
  EXPECT_EQ(missing.code, RpcCode::engineError);
  EXPECT_EQ(missing.error.code, ErrorCode::notFound) << missing.error.message;
  EXPECT_THAT(missing.error.message, HasSubstr("/nowhere/at/all"));
  EXPECT_FALSE(engine.result(engine.send("cancel", {{"id", 12345}}))["found"].get<bool>());
  engine.result(engine.send("shutdown"));
  EXPECT_EQ(engine.exitCode(), 0);
}

TEST(EngineProgram, AFrameThatCannotBeReadEndsItWithASentence) {
  EngineProcess engine;
  engine.initialize();
  engine.sendBytes("Content-Length: many\r\n\r\n{}");
  EXPECT_EQ(engine.exitCode(), 1);
  EXPECT_THAT(engine.errors(), HasSubstr("Content-Length is \"many\""));
}

TEST(EngineProgram, EndsAtOnceWithItsInputAlsoWhileItComputes) {
  EngineProcess idle;
  idle.closeInput();
  EXPECT_EQ(idle.exitCode(), 0);
  EngineProcess engine;
  engine.initialize();
  const std::int64_t request = engine.send("chat/generate", endlessQuestion("a"));
  ASSERT_TRUE(engine.noted([&](const auto& note) { return isTokensOf(note, request); }));
  const auto begun = EngineProcess::Clock::now();
  engine.closeInput();
  EXPECT_EQ(engine.exitCode(), 0);
  EXPECT_LT(since(begun), 1);
}

TEST(EngineProgram, EndsWhenNobodyReadsItsAnswers) {
  EngineProcess engine;
  engine.initialize();
  engine.closeOutput();
  engine.send("chat/generate", endlessQuestion("a"));
  EXPECT_EQ(engine.exitCode(), 0);
}

TEST(EngineProgram, CancelIsAnsweredAtOnceAndTheAnswerIsWhatThereIs) {
  EngineProcess engine;
  engine.initialize();
  engine.result(engine.send("models/load", {{"ref", endlessQuestion("")["side"]["ref"]}}));
  for (int round = 0; round < 3; ++round) {
    const std::int64_t request = engine.send("chat/generate", endlessQuestion("a"));
    ASSERT_TRUE(engine.noted([&](const auto& note) { return isTokensOf(note, request); }));
    const auto begun = EngineProcess::Clock::now();
    EXPECT_TRUE(engine.result(engine.send("cancel", {{"id", request}}))["found"].get<bool>());
    EXPECT_LT(since(begun), 0.1);
    const Json answer = engine.result(request);
    EXPECT_LT(since(begun), 0.5);
    EXPECT_EQ(answer["finish"], "cancel");
    EXPECT_FALSE(answer["ids"].empty());
    std::vector<int> streamed;
    for (const auto& note : engine.notes) {
      if (!isTokensOf(note, request)) continue;
      for (const Json& id : note.params["ids"]) streamed.push_back(id.get<int>());
    }
    EXPECT_EQ(Json(streamed), answer["ids"]) << "every token was streamed before the answer";
  }
}

TEST(EngineProgram, TokensComeAtMostSixtyTimesASecondAndAddUpToTheAnswer) {
  EngineProcess engine;
  engine.initialize();
  const std::int64_t request =
      engine.send("chat/generate", question("a", sideOf(storyModel(), "full"), "Once upon a time", 400, true));
  const Json answer = engine.result(request);
  EXPECT_EQ(answer["ids"].size(), 400U);
  std::string text;
  std::vector<EngineProcess::Clock::time_point> times;
  for (const auto& note : engine.notes) {
    if (!isTokensOf(note, request)) continue;
    EXPECT_EQ(note.params["stream"], "a");
    text += note.params["text"].get<std::string>();
    times.push_back(note.at);
  }
  EXPECT_EQ(text, answer["text"].get<std::string>());
  ASSERT_GE(times.size(), 2U);
  const double seconds = Seconds(times.back() - times.front()).count();
  EXPECT_LE(static_cast<double>(times.size()), 3 + 60 * seconds);
}

TEST(EngineProgram, TwoAnswersAreMadeTogetherAndEachCountsTheTimeOfItsSteps) {
  EngineProcess engine;
  engine.initialize();
  const Json side = sideOf(storyModel(), "full", 4000);
  engine.result(engine.send("models/load", {{"ref", side["ref"]}}));
  const auto begun = EngineProcess::Clock::now();
  const std::int64_t first = engine.send("chat/generate", question("a", side, "Once upon a time", 1500, true));
  const std::int64_t second = engine.send("chat/generate", question("b", side, "The dog ran", 1500, true));
  const Json a = engine.result(first), b = engine.result(second);
  const double wall = since(begun);
  EXPECT_TRUE(a["shared"].get<bool>());
  EXPECT_TRUE(b["shared"].get<bool>());
  const auto own = [](const Json& answer) {
    return answer["first_token_s"].get<double>() + answer["decode_s"].get<double>();
  };
  // A step that both take counts for both; what one alone waits for counts for it alone.
  EXPECT_LE(std::max(own(a), own(b)), wall * 1.02);
  int turns = 0;
  std::int64_t last = 0;
  for (const auto& note : engine.notes) {
    if (note.method != "chat/tokens") continue;
    const auto request = note.params["request"].get<std::int64_t>();
    turns += request != last;
    last = request;
  }
  EXPECT_GT(turns, 4) << "neither waits for the other's end";
  const Json alone = engine.result(engine.send("chat/generate", question("c", side, "The dog ran", 1500, true)));
  EXPECT_FALSE(alone["shared"].get<bool>());
  EXPECT_EQ(alone["ids"], b["ids"]);
}

TEST(EngineProgram, ManyRequestsAtOnceAreAllAnswered) {
  EngineProcess engine;
  engine.initialize();
  std::vector<std::int64_t> requests;
  for (int i = 0; i < 100; ++i) {
    requests.push_back(engine.send(
        "chat/generate", question("stream " + std::to_string(i), sideOf(storyModel(), i % 2 == 0 ? "full" : "stride:2"),
                                  "Lily saw a cat", 3)));
  }
  std::set<std::string> texts;
  for (const std::int64_t request : requests) texts.insert(engine.result(request)["text"].get<std::string>());
  EXPECT_LE(texts.size(), 2U) << "one for each map";
}

TEST(EngineProgram, TellsWhatIsOpenAndWhatItTakes) {
  EngineProcess engine;
  engine.initialize();
  const Json ref = {{"model", sampleModel("sample-base")}};
  const Json loaded = engine.result(engine.send("models/load", {{"ref", ref}}));
  EXPECT_EQ(loaded["layers"], 12);
  EXPECT_EQ(loaded["dtype"], "bfloat16");
  EXPECT_EQ(loaded["hash"].get<std::string>().size(), 64U);
  EXPECT_TRUE(engine.noted([&](const auto& note) {
    return note.method == "models/loaded" && note.params["models"].size() == 1 &&
           note.params["models"][0]["hash"] == loaded["hash"];
  }));
  EXPECT_TRUE(engine.noted(
      [&](const auto& note) { return note.method == "memory" && note.params["weights"] == loaded["weight_bytes"]; }));
  const Json answer = engine.result(
      engine.send("chat/generate", question("a", {{"ref", ref}, {"map", "stride:2"}}, "Who was late?", 4)));
  EXPECT_EQ(answer["kv_bytes"].get<std::int64_t>() * 2, answer["kv_bytes_full"].get<std::int64_t>());
  EXPECT_TRUE(engine.noted(
      [&](const auto& note) { return note.method == "memory" && note.params["kv"] == answer["kv_bytes"]; }));
  engine.notes.clear();
  engine.result(engine.send("models/unload", {{"ref", ref}}));
  EXPECT_TRUE(
      engine.noted([&](const auto& note) { return note.method == "models/loaded" && note.params["models"].empty(); }));
  EXPECT_TRUE(engine.noted([&](const auto& note) {
    return note.method == "memory" && note.params["weights"] == 0 && note.params["kv"] == 0;
  }));
}

TEST(EngineProgram, UnloadingEndsAnswersAsCancelled) {
  EngineProcess engine;
  engine.initialize();
  const Json asked = endlessQuestion("a");
  const std::int64_t request = engine.send("chat/generate", asked);
  ASSERT_TRUE(engine.noted([&](const auto& note) { return isTokensOf(note, request); }));
  engine.result(engine.send("models/unload", {{"ref", asked["side"]["ref"]}}));
  EXPECT_EQ(engine.result(request)["finish"], "cancel");
}

}  // namespace
}  // namespace strata::testing
