// The sample model against double-precision reference values (tests/golden/stories260K/golden.json).

#include "core/model/generate.h"
#include "core/model/score.h"
#include "golden_files.h"

namespace strata::testing {
namespace {

class Stories : public ::testing::Test {
 protected:
  Json m_golden = readJson(sourceFolder() / "tests/golden/stories260K/golden.json").value();
  std::shared_ptr<const Model> m_model = Model::open({.path = sourceFolder() / "resources/models/stories260K"}).value();
  SharingMap m_full = SharingMap::full(5);

  void expectLogits(const std::vector<TokenId>& ids, const Json& expected) {
    const at::Tensor logits = scoreWindows(*m_model, m_full, {ids}, {.logits = true}).value().logits[-1];
    const auto values = expected.get<std::vector<double>>();
    EXPECT_LT((logits.to(at::kDouble) - at::tensor(values, at::kDouble)).abs().max().item<double>(), 2e-4);
  }
};

TEST_F(Stories, LogitsAfterBosAgree) {
  expectLogits({1}, m_golden["logits_after_bos"]);
}

TEST_F(Stories, LogitsAfterThePromptAgree) {
  expectLogits(m_golden["prompt"]["token_ids"].get<std::vector<TokenId>>(),
               m_golden["prompt"]["logits_after_last_prompt_token"]);
}

TEST_F(Stories, GreedyStoryFromBosIsEqual) {
  GenerateConfig config;
  config.maxTokens = m_golden["greedy_from_bos"]["steps"].get<int>();
  const auto result = generate(m_model, m_full, {{1}}, config);
  ASSERT_TRUE(result) << result.error().message;
  auto expected = m_golden["greedy_from_bos"]["token_ids"].get<std::vector<TokenId>>();
  if (expected.front() == 1) expected.erase(expected.begin());
  auto ids = result->answers[0].ids;
  ids.resize(std::min(ids.size(), expected.size()));
  EXPECT_EQ(ids, expected);
}

TEST_F(Stories, PromptTokenisesAndContinuesAsExpected) {
  const std::string prompt = m_golden["prompt"]["text"];
  const auto ids = m_model->tokenizer()->withSpecials(m_model->tokenizer()->encode(prompt));
  EXPECT_EQ(ids, m_golden["prompt"]["token_ids"].get<std::vector<TokenId>>());
  const auto expected = m_golden["prompt"]["greedy_continuation_ids"].get<std::vector<TokenId>>();
  GenerateConfig config;
  config.maxTokens = static_cast<int>(expected.size());
  EXPECT_EQ(generate(m_model, m_full, {ids}, config).value().answers[0].ids, expected);
}

TEST_F(Stories, LossOfEachStoryAgrees) {
  STRATA_NEEDS_SHARED_DATA();
  const auto documents = splitDocuments(readText(sharedData() / "corpora/tinystories_sample.txt"));
  double sum = 0;
  std::int64_t tokens = 0;
  for (const Json& story : m_golden["nll_first_20_stories_of_tinystories_sample"]["per_story"]) {
    std::string text = documents[story["story"].get<std::size_t>()];
    text.erase(0, text.find_first_not_of('\n'));
    text.erase(text.find_last_not_of('\n') + 1);
    auto ids = m_model->tokenizer()->withSpecials(m_model->tokenizer()->encode(text));
    ids.resize(std::min<std::size_t>(ids.size(), 512));
    const auto score = scoreWindows(*m_model, m_full, {ids});
    ASSERT_TRUE(score);
    EXPECT_NEAR(score->nllSum, story["nll_sum"].get<double>(), 2e-5 * static_cast<double>(score->tokens))
        << story["story"];
    sum += score->nllSum;
    tokens += score->tokens;
  }
  EXPECT_EQ(tokens, m_golden["nll_first_20_stories_of_tinystories_sample"]["predicted_tokens"].get<std::int64_t>());
  EXPECT_NEAR(sum / static_cast<double>(tokens),
              m_golden["nll_first_20_stories_of_tinystories_sample"]["mean_nll_nats_per_token"].get<double>(), 2e-5);
}

}  // namespace
}  // namespace strata::testing
