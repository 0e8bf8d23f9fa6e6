// Answers made a step at a time, and a session that is read on.

#include <ATen/ATen.h>

#include "core/model/generate.h"
#include "golden_sessions.h"

namespace strata::testing {
namespace {

using Ids = std::vector<TokenId>;

class GenerationTest : public ::testing::TestWithParam<std::string> {
 protected:
  std::shared_ptr<const Model> m_model = golden(GetParam());
  Ids ids(int count, int start = 13) const { return someIds(count, static_cast<int>(m_model->config().vocab), start); }
  static GenerateConfig tokens(int count) {
    GenerateConfig config;
    config.maxTokens = count;
    config.ignoreEos = true;
    return config;
  }
};

TEST_P(GenerationTest, ReadsThePromptInChunksAndThenATokenAStep) {
  for (const SharingMap& map : mapsOf(*m_model)) {
    SCOPED_TRACE(printMap(map));
    const Ids expected = generate(m_model, map, {ids(23)}, tokens(6)).value().answers[0].ids;
    InferenceSession session(m_model, map, {.capacity = 40, .prefillChunk = 10});
    std::vector<std::size_t> tokensBefore;  // each step
    std::size_t told = 0;
    GenerateHooks hooks;
    hooks.onToken = [&](std::size_t, TokenId, const std::string&) { ++told; };
    Generation generation(*m_model, session, 40, {ids(23)}, tokens(6), hooks);
    for (bool more = true; more;) {
      tokensBefore.push_back(told);
      more = generation.step().value();
    }
    EXPECT_EQ(tokensBefore, (std::vector<std::size_t>{0, 0, 0, 1, 2, 3, 4, 5}));
    EXPECT_FALSE(generation.step().value());
    const GenerateResult result = generation.take();
    EXPECT_EQ(result.answers[0].ids, expected);
    EXPECT_EQ(result.kvBytes, session.kvBytes());
    EXPECT_GE(result.firstTokenSeconds, result.prefillSeconds);
  }
}

TEST_P(GenerationTest, ACancelledOneKeepsWhatItHas) {
  const SharingMap map = SharingMap::full(m_model->config().layers);
  std::atomic<bool> cancel{false};
  GenerateHooks hooks;
  hooks.cancel = &cancel;
  hooks.prefillChunk = 4;
  ChatSession conversation(m_model, map);
  const auto generation = conversation.begin(ids(9), tokens(20), hooks).value();
  for (int i = 0; i < 5; ++i) EXPECT_TRUE(generation->step().value());  // three that read the prompt
  cancel = true;
  EXPECT_FALSE(generation->step().value());
  const GenerateResult result = generation->take();
  EXPECT_EQ(result.answers[0].finish, Finish::cancel);
  EXPECT_EQ(result.answers[0].ids.size(), 3U);
  const auto next = conversation.begin(ids(9), tokens(20)).value();
  EXPECT_EQ(next->reusedTokens(), 9) << "the prompt is still there, with what comes after it";
}

TEST_P(GenerationTest, AChatUnderAnotherMapAnswersAsAFreshStart) {
  ChatSession conversation(m_model, SharingMap::full(m_model->config().layers));
  Ids prompt = ids(11);
  for (int round = 0; round < 2; ++round) {
    for (const SharingMap& map : mapsOf(*m_model)) {
      SCOPED_TRACE(printMap(map));
      conversation.switchMap(map);
      const auto answer = conversation.answer(prompt, tokens(8)).value();
      const auto fresh = generate(m_model, map, {prompt}, tokens(8)).value();
      EXPECT_EQ(answer.answers[0].ids, fresh.answers[0].ids);
      EXPECT_EQ(answer.kvBytes % map.owners(), 0);
      prompt.push_back(answer.answers[0].ids.front());
    }
  }
}

TEST_P(GenerationTest, ReadGivesTheHiddenStatesOfEveryToken) {
  const Ids all = ids(25);
  for (const SharingMap& map : mapsOf(*m_model)) {
    SCOPED_TRACE(printMap(map));
    const at::Tensor expected = scoreWindows(*m_model, map, {all}, {.logits = true}).value().logits;
    InferenceSession session(m_model, map, {.capacity = 32, .prefillChunk = 6});
    ASSERT_TRUE(session.extend({all.begin(), all.begin() + 7}));
    const at::Tensor hidden = session.read({Ids(all.begin() + 7, all.end())}).value()[0];
    const at::Tensor logits = at::linear(hidden, m_model->weights().head.weight).to(at::kFloat);
    EXPECT_LT(distance(logits, expected.slice(0, 7)), kTolerance);
    EXPECT_EQ(session.ids()[0], all);
    EXPECT_FALSE(session.read({ids(8)})) << "no room";
    EXPECT_EQ(session.ids()[0], all);
    InferenceSession fresh(m_model, map, {.capacity = 32});
    EXPECT_LT(
        distance(at::linear(fresh.read({all}).value()[0], m_model->weights().head.weight).to(at::kFloat), expected),
        kTolerance);
  }
}

TEST_P(GenerationTest, AnswersMadeTogetherUnderTheirOwnMapsHaveTheBitsTheyHaveAlone) {
  const std::vector<SharingMap> maps = mapsOf(*m_model);
  std::vector<std::unique_ptr<InferenceSession>> sessions;
  std::vector<std::unique_ptr<Generation>> generations;
  std::vector<std::vector<Ids>> prompts;
  for (std::size_t i = 0; i < maps.size(); ++i) {
    prompts.push_back({ids(5 + 3 * static_cast<int>(i))});
    if (i == 1) prompts.back().push_back(ids(7, 3));  // two rows in one cache
    sessions.push_back(std::make_unique<InferenceSession>(m_model, maps[i], SessionOptions{.capacity = 64}));
    // Each leaves at another step.
    generations.push_back(std::make_unique<Generation>(*m_model, *sessions[i], 64, prompts[i],
                                                       tokens(4 + static_cast<int>(i)), GenerateHooks()));
  }
  std::size_t together = 0;
  while (true) {
    std::vector<Generation*> decoding;
    for (const auto& each : generations) {
      if (each->isDecoding()) decoding.push_back(each.get());
    }
    together += decoding.size() > 1 ? 1 : 0;
    if (!decoding.empty()) Generation::decodeTogether(decoding);
    bool more = false;
    for (const auto& each : generations) more = each->step().value() || more;
    if (!more) break;
  }
  EXPECT_GT(together, 2U);
  for (std::size_t i = 0; i < maps.size(); ++i) {
    SCOPED_TRACE(printMap(maps[i]));
    InferenceSession alone(m_model, maps[i], {.capacity = 64});
    Generation generation(*m_model, alone, 64, prompts[i], tokens(4 + static_cast<int>(i)), {});
    const GenerateResult expected = generation.finish().value(), made = generations[i]->take();
    for (std::size_t answer = 0; answer < prompts[i].size(); ++answer) {
      EXPECT_EQ(made.answers[answer].ids, expected.answers[answer].ids);
    }
    const Ids next(prompts[i].size(), 1);
    EXPECT_TRUE(at::equal(sessions[i]->decode(next).value(), alone.decode(next).value()));
  }
}

TEST_P(GenerationTest, ACancelledOneLeavesTheOthersAtTheNextLayer) {
  const SharingMap map = mapsOf(*m_model)[1];
  std::atomic<bool> cancel{false};
  GenerateHooks hooks;
  hooks.cancel = &cancel;
  InferenceSession first(m_model, map, {.capacity = 64, .cancel = &cancel}), second(m_model, map, {.capacity = 64});
  InferenceSession alone(m_model, map, {.capacity = 64});
  for (InferenceSession* session : {&first, &second, &alone}) ASSERT_TRUE(session->prefill({ids(9)}));
  cancel = true;
  const Ids next{5};
  const auto logits = InferenceSession::decodeTogether({&first, &second}, {&next, &next});
  ASSERT_FALSE(logits[0]);
  EXPECT_EQ(logits[0].error().code, ErrorCode::cancelled);
  EXPECT_EQ(first.ids()[0], ids(9));
  EXPECT_TRUE(at::equal(logits[1].value(), alone.decode(next).value()));
  cancel = false;
  EXPECT_TRUE(at::equal(first.decode(next).value(), logits[1].value()));
}

INSTANTIATE_TEST_SUITE_P(Models, GenerationTest, ::testing::ValuesIn(kGoldenModels), goldenName);

}  // namespace
}  // namespace strata::testing
