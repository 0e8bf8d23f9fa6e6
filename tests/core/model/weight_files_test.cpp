// A model whose weights file is changed while it is open: a sentence, never a signal and never other weights.

#include <ATen/ATen.h>

#include <filesystem>
#include <fstream>

#include "core/model/generate.h"
#include "core/model/memory.h"
#include "golden_sessions.h"

namespace strata::testing {
namespace {

namespace fs = std::filesystem;
using Ids = std::vector<TokenId>;

const bool kCountsWeights = (installAllocator(), true);  // before the first tensor

class WeightFiles : public ::testing::TestWithParam<Placement> {
 protected:
  WeightFiles() {
    fs::copy(sourceFolder() / "tests/golden/models/llama2-mha", m_model, fs::copy_options::recursive);
    m_opened = Model::open({.path = m_model, .placement = GetParam()}).value();
    m_config.maxTokens = 20;
    m_config.ignoreEos = true;
    m_expected = generate(m_opened, m_map, {m_prompt}, m_config).value().answers[0].ids;
  }
  fs::path weights() const { return m_model / "model.safetensors"; }
  void cutShort() const { fs::resize_file(weights(), 4096); }
  void overwrite() const {
    std::fstream file(weights(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(-64, std::ios::end);
    file.write(std::string(64, '\x3f').data(), 64);
    file.close();
    fs::last_write_time(weights(), fs::last_write_time(weights()) + std::chrono::seconds(1));
  }
  void expectRefusal(const char* how) const {
    const auto answer = generate(m_opened, m_map, {m_prompt}, m_config);
    const auto score = scoreWindows(*m_opened, m_map, {m_prompt});
    ChatSession chat(m_opened, m_map);
    const auto turn = chat.answer(m_prompt, m_config);
    ASSERT_FALSE(answer);
    ASSERT_FALSE(score);
    ASSERT_FALSE(turn);
    for (const Error& error : {answer.error(), score.error(), turn.error()}) {
      EXPECT_EQ(error.code, ErrorCode::invalidData);
      EXPECT_EQ(error.message, weights().string() + " was " + how + " after it was opened; open it again.");
    }
  }

  TemporaryFolder m_folder;
  fs::path m_model = m_folder.path() / "model";
  std::shared_ptr<const Model> m_opened;
  SharingMap m_map = SharingMap::full(4);
  Ids m_prompt = someIds(30, 100), m_expected;
  GenerateConfig m_config;
};

TEST_P(WeightFiles, ThatWereCutShortEndInASentence) {
  cutShort();
  expectRefusal("cut short");
}

TEST_P(WeightFiles, ThatWereOverwrittenInPlaceEndInASentence) {
  overwrite();
  expectRefusal("overwritten");
}

TEST_P(WeightFiles, ThatWereReplacedEndInASentence) {
  fs::copy_file(weights(), m_model / "new");
  fs::rename(m_model / "new", weights());
  expectRefusal("replaced");
}

TEST_P(WeightFiles, ThatWereRemovedGoOnAnswering) {
  fs::remove_all(m_model);
  EXPECT_EQ(generate(m_opened, m_map, {m_prompt}, m_config).value().answers[0].ids, m_expected);
}

TEST_P(WeightFiles, ThatChangeWhileAnAnswerIsMadeNeitherEndTheProcessNorChangeTheAnswer) {
  for (const bool cut : {false, true}) {
    m_opened = Model::open({.path = m_model, .placement = GetParam()}).value();
    m_expected = generate(m_opened, m_map, {m_prompt}, m_config).value().answers[0].ids;
    InferenceSession session(m_opened, m_map, {.capacity = 60});
    Generation generation(*m_opened, session, 60, {m_prompt}, m_config, {});
    for (int i = 0; i < 3; ++i) ASSERT_TRUE(generation.step());
    cut ? cutShort() : overwrite();
    Result<bool> more = true;
    while (more && *more) more = generation.step();
    if (GetParam() == Placement::mapped) {
      ASSERT_FALSE(more);
      EXPECT_NE(more.error().message.find(" after it was opened; open it again."), std::string::npos);
    } else {
      EXPECT_EQ(generation.take().answers[0].ids, m_expected);
    }
  }
}

TEST_P(WeightFiles, AreTheSameTensorsWhereverTheyLie) {
  const auto mapped = Model::open({.path = m_model, .placement = Placement::mapped}).value();
  Weights a = m_opened->weights(), b = mapped->weights();
  std::vector<at::Tensor> expected;
  visitParameters(b, true, [&](const std::string&, at::Tensor& tensor) { expected.push_back(tensor); });
  std::size_t at = 0;
  visitParameters(a, true, [&](const std::string& name, at::Tensor& tensor) {
    EXPECT_TRUE(at::equal(tensor, expected[at++])) << name;
  });
  EXPECT_EQ(at, expected.size());
}

INSTANTIATE_TEST_SUITE_P(, WeightFiles, ::testing::Values(Placement::copied, Placement::mapped),
                         [](const auto& info) { return info.param == Placement::copied ? "Copied" : "Mapped"; });

TEST(Weights, AreCountedWhereTheyAreCopiedAndGoWithTheModel) {
  const fs::path path = sourceFolder() / "tests/golden/models/llama2-mha";
  const std::int64_t before = memoryUsage().part(MemoryPart::weights).current;
  auto model = Model::open({.path = path}).value();
  const std::int64_t held = memoryUsage().part(MemoryPart::weights).current - before;
  EXPECT_GE(held, model->checkpoint()->bytesOnDisk() * 9 / 10) << "a small model is copied";
  EXPECT_LE(held, model->checkpoint()->bytesOnDisk() * 11 / 10);
  model.reset();
  EXPECT_EQ(memoryUsage().part(MemoryPart::weights).current, before);
}

}  // namespace
}  // namespace strata::testing
