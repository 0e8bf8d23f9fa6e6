// A conversation keeps what its cache holds: each answer is the one that a fresh start gives.

#include "core/model/generate.h"
#include "golden_sessions.h"

namespace strata::testing {
namespace {

using Ids = std::vector<TokenId>;

class ChatSessionTest : public ::testing::TestWithParam<std::string> {
 protected:
  std::shared_ptr<const Model> m_model = golden(GetParam());
  Ids ids(int count, int start) const { return someIds(count, static_cast<int>(m_model->config().vocab), start); }
};

Ids joined(Ids a, const Ids& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

TEST_P(ChatSessionTest, AnswersAsAFreshStartWhateverThePromptSharesWithTheLastOne) {
  GenerateConfig config;
  config.maxTokens = 10;
  config.ignoreEos = true;
  for (const SharingMap& map : mapsOf(*m_model)) {
    SCOPED_TRACE(printMap(map));
    ChatSession conversation(m_model, map);
    Ids prompt = ids(12, 3), last;
    const auto expectFreshAnswer = [&](const char* what) {
      const auto answer = conversation.answer(prompt, config);
      ASSERT_TRUE(answer) << what << ": " << answer.error().message;
      last = answer->answers[0].ids;
      EXPECT_EQ(last, generate(m_model, map, {prompt}, config).value().answers[0].ids) << what;
    };
    expectFreshAnswer("the first turn");
    expectFreshAnswer("the same prompt again");
    prompt = joined(joined(prompt, last), ids(7, 50));
    expectFreshAnswer("the next turn");
    prompt = joined({prompt.begin(), prompt.begin() + 9}, ids(5, 90));
    expectFreshAnswer("an edited turn");
    prompt = ids(4, 120);
    expectFreshAnswer("another text");
    prompt = ids(60, 3);
    expectFreshAnswer("a long one");
  }
}

TEST_P(ChatSessionTest, EndsAtTheIdsThatTheCallerAdds) {
  GenerateConfig config;
  config.maxTokens = 6;
  ChatSession conversation(m_model, SharingMap::full(m_model->config().layers));
  const Ids plain = conversation.answer(ids(8, 3), config).value().answers[0].ids;
  GenerateHooks hooks;
  hooks.alsoEndAt = {plain[1]};
  const auto ended = conversation.answer(ids(8, 3), config, hooks).value().answers[0];
  EXPECT_EQ(ended.finish, Finish::eos);
  EXPECT_EQ(ended.ids.back(), plain[1]);
  EXPECT_LE(ended.ids.size(), 2U);
}

TEST(ChatSession, GrowsItsCacheWithTheText) {
  const auto model = Model::open({.path = sourceFolder() / "tests/golden/models/llama2-mha", .context = 4096}).value();
  GenerateConfig config;
  config.maxTokens = 4;
  config.ignoreEos = true;
  ChatSession conversation(model, SharingMap::full(model->config().layers));
  std::int64_t before = 0;
  for (const int length : {10, 1500, 3000}) {
    const Ids prompt = someIds(length, static_cast<int>(model->config().vocab));
    const auto answer = conversation.answer(prompt, config);
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(answer->answers[0].ids,
              generate(model, SharingMap::full(model->config().layers), {prompt}, config).value().answers[0].ids);
    EXPECT_GT(answer->kvBytes, before);
    before = answer->kvBytes;
  }
  EXPECT_FALSE(conversation.answer(someIds(4096, 200), config)) << "no room for one token";
}

INSTANTIATE_TEST_SUITE_P(Models, ChatSessionTest, ::testing::ValuesIn(kGoldenModels), goldenName);

}  // namespace
}  // namespace strata::testing
