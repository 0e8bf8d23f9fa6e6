// What an engine answers is what a fresh run of the same model and map gives, and says truly what made it.

#include <gmock/gmock.h>

#include <random>
#include <set>

#include "engine_process.h"

namespace strata::testing {
namespace {

using ::testing::HasSubstr;

Json chatAnswer(const std::string& model, const std::string& map, const std::string& text, int tokens) {
  const Answer chat =
      runProgram({"chat", model, "--map", map, "--max-tokens", std::to_string(tokens), "--json"}, text + "\n");
  EXPECT_EQ(chat.code, 0) << chat.err;
  return Json::parse(chat.out, nullptr, false);
}

TEST(EngineAnswers, EqualThoseOfStrataChat) {
  EngineProcess engine;
  engine.initialize();
  for (const char* map : {"full", "retention:.5", "0,0,2,2,4,4,4,4,8,8,8,8"}) {
    SCOPED_TRACE(map);
    const std::string model = sampleModel("sample-routed"), text = "Who came to the house?";
    const Json expected = chatAnswer(model, map, text, 40);
    const Json answer = engine.result(engine.send("chat/generate", question("a", sideOf(model, map), text, 40)));
    EXPECT_EQ(answer["ids"], expected["ids"]);
    EXPECT_EQ(answer["text"], expected["text"]);
    EXPECT_EQ(answer["finish"], expected["finish"]);
    EXPECT_EQ(answer["prompt_tokens"], expected["prompt_tokens"]);
    EXPECT_EQ(answer["kv_bytes"], expected["kv_bytes"]);
    const Json made = answer["made_by"];
    EXPECT_EQ(made["map"], map);
    EXPECT_EQ(made["folder"], model);
    EXPECT_EQ(made["sampling"]["max-tokens"], 40);
    EXPECT_EQ(made["src"].size(), 12U);
  }
}

TEST(EngineAnswers, TheNextTurnTakesWhatTheCacheHolds) {
  EngineProcess engine;
  engine.initialize();
  const std::string model = sampleModel("sample-routed");
  Json asked = question("a", sideOf(model, "full"), "Who came to the house?", 20);
  const Json first = engine.result(engine.send("chat/generate", asked));
  EXPECT_EQ(first["cached_tokens"], 0);
  asked["turns"].push_back({{"role", "assistant"}, {"content", first["text"]}});
  asked["turns"].push_back({{"role", "user"}, {"content", "And then?"}});
  const Json next = engine.result(engine.send("chat/generate", asked));
  EXPECT_GE(next["cached_tokens"], first["prompt_tokens"]);
  asked["stream"] = "another";
  const Json fresh = engine.result(engine.send("chat/generate", asked));
  EXPECT_EQ(fresh["cached_tokens"], 0);
  EXPECT_EQ(next["ids"], fresh["ids"]);
}

TEST(EngineAnswers, SayTrulyWhatMadeThemWhenTwoPanesSwitchAtRandom) {
  EngineProcess engine;
  engine.initialize();
  const std::vector<std::string> models = {sampleModel("sample-base"), sampleModel("sample-routed"), storyModel()};
  const std::vector<std::string> maps = {"full", "retention:.5", "stride:4", "prefix:2"};
  std::map<std::string, std::string> hashes;
  for (const std::string& model : models) {
    hashes[model] = engine.result(engine.send("models/load", {{"ref", {{"model", model}}}}))["hash"];
  }
  EXPECT_EQ(std::set<std::string>({hashes[models[0]], hashes[models[1]], hashes[models[2]]}).size(), 3U);
  std::mt19937 draw(7);
  std::map<std::string, Json> fresh;  // answers of streams of their own, by model and map
  for (int round = 0; round < 25; ++round) {
    std::vector<std::pair<Json, std::int64_t>> asked;
    for (const char* pane : {"a", "b"}) {
      const Json side = sideOf(models[draw() % models.size()], maps[draw() % maps.size()]);
      const Json parameters = question(pane, side, "Who came to the house?", 12);
      asked.emplace_back(side, engine.send("chat/generate", parameters));
    }
    for (const auto& [side, request] : asked) {
      const Json answer = engine.result(request), made = answer["made_by"];
      const std::string model = side["ref"]["model"], map = side["map"];
      SCOPED_TRACE(model + " " + map);
      EXPECT_EQ(made["model"], model);
      EXPECT_EQ(made["map"], map);
      EXPECT_EQ(made["hash"], hashes[model]);
      if (!fresh.contains(side.dump())) {
        const std::string alone = "fresh " + std::to_string(round);
        fresh[side.dump()] =
            engine.result(engine.send("chat/generate", question(alone, side, "Who came to the house?", 12)));
        EXPECT_EQ(fresh[side.dump()]["cached_tokens"], 0);
      }
      EXPECT_EQ(answer["ids"], fresh[side.dump()]["ids"]);
      EXPECT_EQ(made["src"], fresh[side.dump()]["made_by"]["src"]);
      EXPECT_EQ(answer["kv_bytes"], fresh[side.dump()]["kv_bytes"]);
    }
  }
  EXPECT_GT(fresh.size(), 6U);
}

TEST(EngineAnswers, ASeedFixesASampledAnswer) {
  EngineProcess engine;
  engine.initialize();
  Json asked = question("a", sideOf(sampleModel("sample-routed"), "full"), "Tell me of the sea.", 30);
  asked["sampling"]["temperature"] = 0.9;
  asked["sampling"]["seed"] = 5;
  const Json first = engine.result(engine.send("chat/generate", asked));
  EXPECT_EQ(engine.result(engine.send("chat/generate", asked))["ids"], first["ids"]);
  asked["sampling"]["seed"] = 6;
  EXPECT_NE(engine.result(engine.send("chat/generate", asked))["ids"], first["ids"]);
}

TEST(EngineAnswers, StreamedTokensTellTheCacheInUse) {
  EngineProcess engine;
  engine.initialize();
  const Json asked = question("a", sideOf(sampleModel("sample-routed"), "stride:2"), "Who came to the house?", 40);
  const Json answer = engine.result(engine.send("chat/generate", asked));
  std::int64_t used = 0;
  for (const auto& note : engine.notes) {
    if (note.method != "chat/tokens") continue;
    const auto now = note.params["kv_bytes_used"].get<std::int64_t>();
    EXPECT_GE(now, used);
    used = now;
  }
  EXPECT_GT(used, 0);
  EXPECT_LE(used, answer["kv_bytes_used"].get<std::int64_t>());
}

TEST(EngineAnswers, AnAnswerIsMarkedByWhatItsTestSetExpects) {
  EngineProcess engine;
  engine.initialize();
  Json asked = question("a", sideOf(sampleModel("sample-routed"), "full"), "Who came to the house?", 12);
  const Json plain = engine.result(engine.send("chat/generate", asked));
  EXPECT_TRUE(plain["mark"].is_null()) << plain["mark"].dump();
  asked["expected"] = {"xyzzy", "The " + plain["text"].get<std::string>() + "!"};
  const Json right = engine.result(engine.send("chat/generate", asked));
  EXPECT_EQ(right["text"], plain["text"]);
  EXPECT_EQ(right["mark"]["exact"], 1) << "articles and punctuation do not count";
  EXPECT_EQ(right["mark"]["expected"], asked["expected"]);
  asked["expected"] = {"xyzzy"};
  EXPECT_EQ(engine.result(engine.send("chat/generate", asked))["mark"]["f1"], 0);
}

TEST(EngineAnswers, ComparingASideWithItselfFindsNothingAndWithAnotherMapSomething) {
  EngineProcess engine;
  engine.initialize();
  const Json full = sideOf(sampleModel("sample-base"), "full"), half = sideOf(sampleModel("sample-base"), "stride:2");
  const Json asked = question("a", full, "Who came to the house?", 40);
  const Json answer = engine.result(engine.send("chat/generate", asked));
  Json both = {{"a", full}, {"b", full}, {"turns", asked["turns"]}, {"ids", answer["ids"]}, {"alternatives", 3}};
  const Json same = engine.result(engine.send("chat/compare", both));
  EXPECT_EQ(same["mean_kl"], 0);
  ASSERT_EQ(same["tokens"].size(), answer["ids"].size());
  std::string text;
  for (const Json& token : same["tokens"]) {
    text += token["text"].get<std::string>();
    ASSERT_EQ(token["a"].size(), 3U);
    EXPECT_GE(token["a"][0]["probability"].get<double>(), token["a"][1]["probability"].get<double>());
  }
  EXPECT_THAT(text, ::testing::StartsWith(answer["text"].get<std::string>()));
  both["b"] = half;
  const Json differing = engine.result(engine.send("chat/compare", both));
  double sum = 0;
  for (const Json& token : differing["tokens"]) sum += token["kl"].get<double>();
  EXPECT_GT(sum, 0);
  EXPECT_NEAR(differing["mean_kl"].get<double>(), sum / static_cast<double>(answer["ids"].size()), 1e-9);
}

TEST(EngineAnswers, ModelsOfOtherVocabulariesCannotBeCompared) {
  EngineProcess engine;
  engine.initialize();
  const Json asked = question("a", sideOf(storyModel(), "full"), "Lily", 4);
  const RpcMessage refused = engine.call("chat/compare", {{"a", asked["side"]},
                                                          {"b", sideOf(sampleModel("sample-base"), "full")},
                                                          {"turns", asked["turns"]},
                                                          {"ids", {1, 2, 3}}});
  EXPECT_EQ(refused.error.code, ErrorCode::unsupported);
  EXPECT_THAT(refused.error.message, HasSubstr("different vocabularies"));
}

TEST(EngineAnswers, WhatCannotBeAnsweredIsRefusedWithASentence) {
  EngineProcess engine;
  engine.initialize();
  const std::string model = storyModel();
  const RpcMessage badMap = engine.call("chat/generate", question("a", sideOf(model, "stride:0"), "Lily", 4));
  EXPECT_THAT(badMap.error.message, HasSubstr("stride"));
  std::string longText;
  for (int i = 0; i < 2000; ++i) longText += "the dog ran ";
  const RpcMessage tooLong = engine.call("chat/generate", question("a", sideOf(model, "full"), longText, 4));
  EXPECT_THAT(tooLong.error.message, HasSubstr("the context is 512"));
  Json nothing = question("a", sideOf(model, "full"), "", 4);
  nothing["turns"] = Json::array();
  EXPECT_EQ(engine.call("chat/generate", nothing).error.code, ErrorCode::usage);
  EXPECT_EQ(engine.result(engine.send("chat/generate", question("a", sideOf(model, "full"), "Lily", 4)))["ids"].size(),
            4U);
}

}  // namespace
}  // namespace strata::testing
