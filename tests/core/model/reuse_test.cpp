// What a cache is reused for has the bits it had before: the same prompt again, another question in its place, after
// answers, batches, map switches and growth, at chunk borders, in both dtypes and every format of the cache.

#include "core/model/generate.h"
#include "golden_sessions.h"

namespace strata::testing {
namespace {

using Ids = std::vector<TokenId>;

constexpr std::int64_t kChunk = 16;  // more rows than the products of few rows take

class Reuse : public ::testing::TestWithParam<std::tuple<std::string, std::string, std::string>> {
 protected:
  std::shared_ptr<const Model> m_model =
      Model::open({.path = sourceFolder() / "tests/golden/models" / std::get<0>(GetParam()),
                   .kv = std::get<2>(GetParam()),
                   .dtype = std::get<1>(GetParam()),
                   .context = 512})
          .value();
  int m_vocab = static_cast<int>(m_model->config().vocab);
  Ids ids(int count, int start = 13) const { return someIds(count, m_vocab, start); }

  /// Logits of the last token, read chunk by chunk as a Generation does.
  static at::Tensor readFrom(InferenceSession& session, const Ids& prompt, std::int64_t held) {
    at::Tensor logits;
    if (!session.ids().empty()) session.rewind(held);
    for (auto at = static_cast<std::size_t>(held); at < prompt.size(); at += kChunk) {
      const std::size_t end = std::min(prompt.size(), at + kChunk);
      logits = session
                   .extend({prompt.begin() + static_cast<std::ptrdiff_t>(at),
                            prompt.begin() + static_cast<std::ptrdiff_t>(end)})
                   .value();
    }
    return logits;
  }
  at::Tensor fresh(const SharingMap& map, const Ids& prompt) const {
    InferenceSession session(m_model, map, {.capacity = 400, .prefillChunk = kChunk});
    return session.prefill({prompt}).value();
  }
  static GenerateConfig sampled(int tokens, std::uint64_t seed) {
    GenerateConfig config;
    config.maxTokens = tokens;
    config.ignoreEos = true;
    config.temperature = 0.8;
    config.seed = seed;
    return config;
  }
  static GenerateHooks hooks() {
    GenerateHooks hooks;
    hooks.prefillChunk = kChunk;
    return hooks;
  }
};

TEST_P(Reuse, GivesTheBitsOfAFreshPrefillAtEveryLength) {
  for (const SharingMap& map : mapsOf(*m_model)) {
    SCOPED_TRACE(printMap(map));
    for (const int held : {1, 15, 16, 17, 31, 32, 33, 47, 100}) {
      InferenceSession session(m_model, map, {.capacity = 400, .prefillChunk = kChunk});
      at::Tensor logits = readFrom(session, ids(held), 0);
      for (int i = 0; i < 20; ++i) logits = session.decode({static_cast<TokenId>(i)}).value();  // an answer
      for (const int longer : {0, 1, 15, 16, 17, 40}) {
        const Ids prompt = ids(held + longer);
        const std::int64_t reused = session.reusable(held - (longer == 0 ? 1 : 0));
        EXPECT_EQ(reused, (held - (longer == 0 ? 1 : 0)) / kChunk * kChunk);
        EXPECT_TRUE(at::equal(readFrom(session, prompt, reused), fresh(map, prompt)))
            << held << " held, " << longer << " more";
      }
    }
  }
}

TEST_P(Reuse, AnswersASeededQuestionAgainAsTheFirstTimeAtEveryTurn) {
  for (const SharingMap& map : mapsOf(*m_model)) {
    SCOPED_TRACE(printMap(map));
    ChatSession chat(m_model, map);
    Ids prompt = ids(19);
    for (int turn = 0; turn < 5; ++turn) {
      SCOPED_TRACE(turn);
      const GenerateConfig config = sampled(12, static_cast<std::uint64_t>(turn));
      const Ids first = chat.answer(prompt, config, hooks()).value().answers[0].ids;
      if (turn == 0) {
        EXPECT_EQ(first, generate(m_model, map, {prompt}, config, hooks()).value().answers[0].ids);
      }
      chat.answer(prompt, sampled(12, 99), hooks()).value();  // another seed
      const auto again = chat.begin(prompt, config, hooks()).value();
      EXPECT_EQ(again->reusedTokens(), static_cast<std::int64_t>(prompt.size()));
      EXPECT_EQ(chat.answer(prompt, config, hooks()).value().answers[0].ids, first);
      prompt.insert(prompt.end(), first.begin(), first.end());
      for (const TokenId id : ids(9, 50 + turn)) prompt.push_back(id);
    }
  }
}

TEST_P(Reuse, AnswersAnotherQuestionInItsPlaceAsAFreshStart) {
  for (const SharingMap& map : mapsOf(*m_model)) {
    SCOPED_TRACE(printMap(map));
    for (const int length : {1, 7, 8, 9, 15, 16, 17, 31, 32, 33, 60}) {
      SCOPED_TRACE(length);
      ChatSession chat(m_model, map);
      Ids prompt = ids(length);
      for (int edit = 0; edit < 3; ++edit) {
        const GenerateConfig config = sampled(12, static_cast<std::uint64_t>(edit));
        EXPECT_EQ(chat.answer(prompt, config, hooks()).value().answers[0].ids,
                  generate(m_model, map, {prompt}, config, hooks()).value().answers[0].ids);
        prompt.back() = (prompt.back() + 1) % m_vocab;
        for (const TokenId id : ids(5, 50 + edit)) prompt.push_back(id);
      }
    }
  }
}

TEST_P(Reuse, ForgetsThePromptUnderAnotherMap) {
  const SharingMap full = SharingMap::full(m_model->config().layers);
  ChatSession chat(m_model, full);
  const Ids prompt = ids(19);
  for (const SharingMap& map : mapsOf(*m_model)) {
    SCOPED_TRACE(printMap(map));
    chat.switchMap(map);
    const GenerateConfig config = sampled(12, 1);
    EXPECT_EQ(chat.answer(prompt, config, hooks()).value().answers[0].ids,
              generate(m_model, map, {prompt}, config, hooks()).value().answers[0].ids);
  }
}

TEST_P(Reuse, TakesNothingFromARowOfABatch) {
  const SharingMap map = mapsOf(*m_model)[1];
  InferenceSession session(m_model, map, {.capacity = 400, .prefillChunk = kChunk});
  ASSERT_TRUE(session.prefill({ids(40), ids(33, 5)}));
  session.keepRows({1});
  EXPECT_EQ(session.reusable(33), 0) << "a product of two sequences' rows has other bits";
  EXPECT_TRUE(at::equal(readFrom(session, ids(50, 5), 0), fresh(map, ids(50, 5))));
}

TEST_P(Reuse, SurvivesAMapSwitchThatKeepsTheCache) {
  const SharingMap full = SharingMap::full(m_model->config().layers);
  const SharingMap fewer = parseMap("prefix:1", m_model->config().layers).value();
  InferenceSession session(m_model, full, {.capacity = 400, .prefillChunk = kChunk});
  ASSERT_TRUE(session.prefill({ids(60)}));
  session.switchMap(fewer);
  ASSERT_FALSE(session.isStale());
  const std::int64_t reused = session.reusable(60);
  EXPECT_EQ(reused, 48);
  EXPECT_TRUE(at::equal(readFrom(session, ids(70), reused), fresh(fewer, ids(70))));
}

TEST_P(Reuse, SurvivesTheGrowthOfTheCache) {
  for (const SharingMap& map : mapsOf(*m_model)) {
    SCOPED_TRACE(printMap(map));
    InferenceSession session(m_model, map, {.capacity = 64, .prefillChunk = kChunk});
    ASSERT_TRUE(session.prefill({ids(60)}));
    const std::int64_t bytes = session.kvBytes();
    ASSERT_FALSE(session.extend(ids(10, 5))) << "no room";
    ASSERT_TRUE(session.grow(128));
    EXPECT_EQ(session.kvBytes(), 2 * bytes);
    EXPECT_EQ(session.ids()[0], ids(60));
    InferenceSession never(m_model, map, {.capacity = 128, .prefillChunk = kChunk});
    ASSERT_TRUE(never.prefill({ids(60)}));
    EXPECT_TRUE(at::equal(session.extend(ids(10, 5)).value(), never.extend(ids(10, 5)).value()));
    EXPECT_TRUE(at::equal(session.decode({3}).value(), never.decode({3}).value()));
    const std::int64_t reused = session.reusable(60);
    EXPECT_EQ(reused, 48);
    EXPECT_TRUE(at::equal(readFrom(session, ids(90), reused), fresh(map, ids(90))));
  }
}

INSTANTIATE_TEST_SUITE_P(
    Models, Reuse,
    ::testing::Combine(::testing::ValuesIn(kGoldenModels), ::testing::Values("float32", "bfloat16"),
                       ::testing::Values("", "int8", "fp8")),
    [](const auto& info) {
      return goldenName({std::get<0>(info.param), info.index}) + std::get<1>(info.param) + std::get<2>(info.param);
    });

}  // namespace
}  // namespace strata::testing
