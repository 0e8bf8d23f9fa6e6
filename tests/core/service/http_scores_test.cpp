// Log-probabilities over HTTP, from a real model: those of `strata score`.

#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include <cmath>

#include "core/model/score.h"
#include "core/service/model_host.h"
#include "core/text/utf8.h"
#include "http_test.h"

namespace strata::testing {
namespace {

using ::testing::HasSubstr;

constexpr const char* kPath = "/v1/completions";
constexpr std::int64_t kContext = 128;

class HttpScores : public ::testing::Test {
 protected:
  HttpScores() {
    protocol::ModelRef ref;
    ref.model = (sourceFolder() / "resources/models/stories260K").string();
    ref.context = kContext;
    const auto name = m_server.serve(ref, m_never);
    EXPECT_TRUE(name) << name.error().message;
    const auto started = m_server.start();
    EXPECT_TRUE(started) << started.error().message;
    m_model = m_host.open(ref, nullptr, m_never).value()->model;
  }

  Plain ask(const char* path, const Plain& body, int status = 200) {
    const std::string url = m_server.state().url;
    httplib::Client client("127.0.0.1", std::atoi(url.c_str() + url.rfind(':') + 1));
    client.set_bearer_token_auth(kToken);
    client.set_read_timeout(60);
    const auto response = client.Post(path, body.dump(), "application/json");
    EXPECT_TRUE(response) << httplib::to_string(response.error());
    if (!response) return {};
    EXPECT_EQ(response->status, status) << response->body;
    return Plain::parse(response->body, nullptr, false);
  }
  Plain score(const Plain& prompt, const std::string& map = "full", int logprobs = 0, int maxTokens = 0) {
    return ask(kPath, {{"model", "stories260K@" + map},
                       {"prompt", prompt},
                       {"max_tokens", maxTokens},
                       {"temperature", 0},
                       {"echo", true},
                       {"logprobs", logprobs}});
  }
  std::vector<TokenId> idsOf(const std::string& text) const {
    return m_model->tokenizer()->withSpecials(m_model->tokenizer()->encode(text));
  }
  /// Of each token but the first, from the logits of the uncached model.
  std::vector<double> expected(const std::vector<TokenId>& ids, const std::string& map) const {
    const auto scored = scoreWindows(*m_model, parseMap(map, 5).value(), {ids}, {.logits = true}).value();
    const at::Tensor logprobs = scored.logits.log_softmax(1);
    std::vector<double> list;
    for (std::size_t i = 1; i < ids.size(); ++i) {
      list.push_back(logprobs[static_cast<std::int64_t>(i) - 1][ids[i]].item<double>());
    }
    return list;
  }
  static void expectNear(const Plain& logprobs, const std::vector<double>& wanted) {
    ASSERT_EQ(logprobs["token_logprobs"].size(), wanted.size() + 1);
    EXPECT_TRUE(logprobs["token_logprobs"][0].is_null());
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      EXPECT_NEAR(logprobs["token_logprobs"][i + 1].get<double>(), wanted[i], 1e-5) << i;
    }
  }

  std::atomic<bool> m_never = false;
  ModelHost m_host{{.version = "test", .onChange = [] {}}};
  HttpServer m_server{httpEngine(m_host), Served::fill({})};
  std::shared_ptr<const Model> m_model;
};

constexpr const char* kStory = "Once upon a time, there was a little girl named Lily. She loved to play “outside”.";

TEST_F(HttpScores, AnEchoedTextHasTheScoresOfTheUncachedModelUnderEachMap) {
  const std::vector<TokenId> ids = idsOf(kStory);
  for (const char* map : {"full", "stride:2", "prefix:1"}) {
    SCOPED_TRACE(map);
    const Plain answer = score(kStory, map);
    expectNear(answer["choices"][0]["logprobs"], expected(ids, map));
    EXPECT_EQ(answer["choices"][0]["text"], kStory);
    EXPECT_EQ(answer["choices"][0]["finish_reason"], "length");
    EXPECT_EQ(answer["usage"]["prompt_tokens"], ids.size());
    EXPECT_EQ(answer["usage"]["completion_tokens"], 0);
  }
}

TEST_F(HttpScores, TokensSpellTheTextAndHaveTheirPlaceInIt) {
  const Plain choice = score(kStory)["choices"][0];
  const std::u32string text = [] {
    std::u32string points;
    const std::string story = kStory;
    for (const char* at = story.c_str(); at < story.c_str() + story.size();) points += nextCodePoint(at);
    return points;
  }();
  std::int64_t before = 0;
  for (const Plain& offset : choice["logprobs"]["text_offset"]) {
    EXPECT_GE(offset, before);
    before = offset;
  }
  const auto& tokens = choice["logprobs"]["tokens"];
  EXPECT_EQ(choice["logprobs"]["text_offset"][0], 0);
  EXPECT_EQ(tokens[0], "") << "BOS has no text";
  std::string start;
  for (std::size_t i = 0; i < 6; ++i) {
    EXPECT_EQ(choice["logprobs"]["text_offset"][i], start.size());
    start += tokens[i];
  }
  EXPECT_EQ(std::string(kStory).substr(0, start.size()), start);
  EXPECT_LT(before, static_cast<std::int64_t>(text.size()));
}

TEST_F(HttpScores, IdsAreTakenAsTheyAreAndEachPromptByItself) {
  const std::vector<TokenId> whole = idsOf(kStory);
  const std::vector<TokenId> ids(whole.begin() + 1, whole.end());  // without BOS
  expectNear(score(ids)["choices"][0]["logprobs"], expected(ids, "full"));
  const Plain choices = score(Plain::array({ids, whole}))["choices"];
  ASSERT_EQ(choices.size(), 2U);
  EXPECT_EQ(choices[0]["logprobs"], score(ids)["choices"][0]["logprobs"]);
  EXPECT_EQ(choices[1]["logprobs"], score(kStory)["choices"][0]["logprobs"]);
}

TEST_F(HttpScores, TheLikeliestTokensAreListedWithTheTokenItself) {
  const std::vector<TokenId> ids = idsOf(kStory);
  const Plain logprobs = score(ids, "full", 3)["choices"][0]["logprobs"];
  const auto scored = scoreWindows(*m_model, SharingMap::full(5), {ids}, {.logits = true}).value();
  const at::Tensor best = std::get<0>(scored.logits.log_softmax(1).max(1));
  EXPECT_TRUE(logprobs["top_logprobs"][0].is_null());
  for (std::size_t i = 1; i < ids.size(); ++i) {
    const Plain& top = logprobs["top_logprobs"][i];
    EXPECT_GE(top.size(), 1U);
    EXPECT_LE(top.size(), 4U);
    double most = -1e9;
    for (const Plain& value : top) most = std::max(most, value.get<double>());
    EXPECT_NEAR(most, best[static_cast<std::int64_t>(i) - 1].item<double>(), 1e-5);
    ASSERT_TRUE(top.contains(logprobs["tokens"][i])) << logprobs["tokens"][i];
    EXPECT_GE(top[logprobs["tokens"][i].get<std::string>()], logprobs["token_logprobs"][i]);
  }
}

TEST_F(HttpScores, AnAnswersTokensAreScoredAfterThePrompts) {
  const Plain plain =
      ask(kPath, {{"model", "stories260K"}, {"prompt", kStory}, {"max_tokens", 12}, {"temperature", 0}});
  const Plain echoed = score(kStory, "full", 1, 12)["choices"][0];
  EXPECT_EQ(echoed["text"], kStory + plain["choices"][0]["text"].get<std::string>());
  const std::vector<TokenId> prompt = idsOf(kStory);
  ASSERT_EQ(echoed["logprobs"]["tokens"].size(), prompt.size() + 12);
  for (std::size_t i = prompt.size(); i < prompt.size() + 12; ++i) {  // greedy
    EXPECT_EQ(echoed["logprobs"]["top_logprobs"][i].size(), 1U);
    EXPECT_EQ(echoed["logprobs"]["top_logprobs"][i].begin().value(), echoed["logprobs"]["token_logprobs"][i]);
  }
  const Plain alone = ask(kPath, {{"model", "stories260K"},
                                  {"prompt", kStory},
                                  {"max_tokens", 12},
                                  {"temperature", 0},
                                  {"logprobs", 1}})["choices"][0];
  EXPECT_EQ(alone["text"], plain["choices"][0]["text"]);
  ASSERT_EQ(alone["logprobs"]["tokens"].size(), 12U);
  EXPECT_EQ(alone["logprobs"]["text_offset"][0], 0);
  for (std::size_t i = 0; i < 12; ++i) {
    EXPECT_EQ(alone["logprobs"]["tokens"][i], echoed["logprobs"]["tokens"][prompt.size() + i]);
    EXPECT_EQ(alone["logprobs"]["token_logprobs"][i], echoed["logprobs"]["token_logprobs"][prompt.size() + i]);
  }
}

TEST_F(HttpScores, AnswersStopAtAnyOfSeveralTextsAndTheSeedFixesThem) {
  const Plain body = {{"model", "stories260K"},  {"prompt", kStory}, {"max_tokens", 60}, {"temperature", 1},
                      {"stop", {".", "!", ","}}, {"seed", 5},        {"logprobs", 0}};
  const Plain first = ask(kPath, body), second = ask(kPath, body);
  EXPECT_EQ(first["choices"], second["choices"]);
  EXPECT_EQ(first["choices"][0]["finish_reason"], "stop");
  EXPECT_EQ(first["choices"][0]["text"].get<std::string>().find_first_of(".!,"), std::string::npos);
}

TEST_F(HttpScores, APromptMayFillTheContextToBeScoredAndMustLeaveATokenToBeAnswered) {
  const std::vector<TokenId> full(kContext, 410), over(kContext + 1, 410);
  EXPECT_EQ(score(full)["choices"][0]["logprobs"]["tokens"].size(), full.size());
  EXPECT_THAT(
      ask(kPath, {{"model", "stories260K"}, {"prompt", full}, {"max_tokens", 1}, {"echo", true}, {"logprobs", 1}},
          400)["error"]["message"]
          .get<std::string>(),
      HasSubstr("128 tokens and the context is 128"));
  EXPECT_THAT(
      ask(kPath, {{"model", "stories260K"}, {"prompt", over}, {"max_tokens", 0}, {"echo", true}, {"logprobs", 1}},
          400)["error"]["message"]
          .get<std::string>(),
      HasSubstr("129 tokens and the context is 128"));
  EXPECT_THAT(ask(kPath, {{"model", "stories260K"}, {"prompt", {1, 600}}, {"max_tokens", 1}, {"logprobs", 1}},
                  400)["error"]["message"]
                  .get<std::string>(),
              HasSubstr("600 is outside the vocabulary of 512"));
  const Plain one = score(Plain::array({1}));
  EXPECT_EQ(one["choices"][0]["logprobs"]["token_logprobs"], Plain::array({nullptr}));
}

TEST_F(HttpScores, TokenizersSpeakOfTheModelsOwn) {
  const Plain whole = ask("/tokenize", {{"prompt", kStory}});
  EXPECT_EQ(whole["tokens"], Plain(idsOf(kStory)));
  EXPECT_EQ(whole["max_model_len"], kContext);
  const Plain bare = ask("/tokenize", {{"prompt", kStory}, {"add_special_tokens", false}});
  EXPECT_EQ(bare["tokens"], Plain(m_model->tokenizer()->encode(kStory)));
  EXPECT_EQ(ask("/detokenize", {{"tokens", bare["tokens"]}})["prompt"], kStory);
  ask("/detokenize", {{"tokens", {600}}}, 400);
  const std::string url = m_server.state().url;
  httplib::Client client("127.0.0.1", std::atoi(url.c_str() + url.rfind(':') + 1));
  client.set_bearer_token_auth(kToken);
  const Plain info = Plain::parse(client.Get("/tokenizer_info")->body);
  EXPECT_EQ(info["model_max_length"], kContext);
  EXPECT_EQ(info["vocab_size"], 512);
  EXPECT_EQ(info["add_bos_token"], true);
  for (const auto& [name, id] : {std::pair{"bos_token", 1}, std::pair{"eos_token", 2}}) {
    const Plain named = ask("/tokenize", {{"prompt", info[name]}, {"add_special_tokens", false}});
    EXPECT_EQ(named["tokens"], Plain::array({id})) << name << " " << info[name];
  }
}

}  // namespace
}  // namespace strata::testing
