// Models converted to GGUF are the models that they were made from.

#include "core/model/generate.h"
#include "core/model/score.h"
#include "gguf_model.h"
#include "golden_files.h"
#include "golden_models.h"

namespace strata::testing {
namespace {

std::vector<TokenId> greedy(const std::shared_ptr<const Model>& model, const std::vector<TokenId>& prompt) {
  GenerateConfig config;
  config.maxTokens = 40;
  config.ignoreEos = true;
  return generate(model, SharingMap::full(model->config().layers), {prompt}, config).value().answers[0].ids;
}

class GgufGolden : public ::testing::TestWithParam<std::string> {};

TEST_P(GgufGolden, HasTheWeightsAndAnswersOfTheFolder) {
  const std::filesystem::path folder = sourceFolder() / "tests/golden/models" / GetParam();
  const TemporaryFolder temporary;
  const std::filesystem::path path = temporary.path() / "model.gguf";
  writeText(path, ggufOf(Checkpoint::open(folder).value()).file());
  const auto original = Model::open({.path = folder, .dtype = "float32"}).value();
  const auto opened = Model::open({.path = path, .dtype = "float32"});
  ASSERT_TRUE(opened) << opened.error().message;
  const Model& gguf = **opened;
  Weights expected = original->weights(), found = gguf.weights();
  std::map<std::string, at::Tensor> byName;
  visitParameters(expected, original->config().tied,
                  [&](const std::string& name, at::Tensor& tensor) { byName[name] = tensor; });
  std::size_t compared = 0;
  visitParameters(found, gguf.config().tied, [&](const std::string& name, at::Tensor& tensor) {
    EXPECT_TRUE(at::equal(tensor, byName.at(name))) << name;
    ++compared;
  });
  EXPECT_EQ(compared, byName.size());
  EXPECT_EQ(describeRope(gguf.config().rope), describeRope(original->config().rope));
  // llama.cpp knows no sliding window for Qwen.
  if (GetParam().starts_with("qwen2-") && GetParam() != "qwen2-bias") return;
  EXPECT_EQ(gguf.config().traits.windows, original->config().traits.windows);
  EXPECT_EQ(greedy(*opened, {3, 14, 15, 9, 26}), greedy(original, {3, 14, 15, 9, 26}));
}

INSTANTIATE_TEST_SUITE_P(Models, GgufGolden, ::testing::ValuesIn(kGoldenModels), goldenName);

class GgufStories : public ::testing::Test {
 protected:
  std::shared_ptr<const Model> open(std::uint32_t type, const std::string& dtype = {}) const {
    writeStoriesGguf(m_folder.path() / "stories.gguf", type);
    return Model::open({.path = m_folder.path() / "stories.gguf", .dtype = dtype}).value();
  }
  TemporaryFolder m_folder;
};

TEST_F(GgufStories, AnswersAsTheFolderDoes) {
  const auto gguf = open(GgufWriter::kF32);
  EXPECT_EQ(gguf->dtype(), at::kFloat);
  const auto folder = Model::open({.path = sourceFolder() / "resources/models/stories260K"}).value();
  const auto ids = gguf->needTokenizer().value()->withSpecials(gguf->tokenizer()->encode("Once upon a time"));
  EXPECT_EQ(ids, folder->tokenizer()->withSpecials(folder->tokenizer()->encode("Once upon a time")));
  EXPECT_EQ(greedy(gguf, ids), greedy(folder, ids));
  EXPECT_EQ(gguf->eosIds(), folder->eosIds());
}

TEST_F(GgufStories, InBlocksIsComputedInBfloat16AndWithoutASecondRoundingInFloat32) {
  EXPECT_EQ(open(GgufWriter::kQ8_0)->dtype(), at::kBFloat16);
  const auto whole = open(GgufWriter::kQ8_0, "float32");
  const auto folder = Model::open({.path = sourceFolder() / "resources/models/stories260K"}).value();
  const at::Tensor difference = whole->weights().layers[2].q.weight - folder->weights().layers[2].q.weight;
  const float largest = folder->weights().layers[2].q.weight.abs().max().item<float>();
  EXPECT_GT(difference.abs().max().item<float>(), 0);
  EXPECT_LT(difference.abs().max().item<float>(), largest / 127);
  const SharingMap full = SharingMap::full(5);
  const std::vector<TokenId> text = {1, 403, 407, 261, 378, 426, 438};
  const double exact = scoreWindows(*folder, full, {text})->nllSum;
  EXPECT_NEAR(scoreWindows(*whole, full, {text})->nllSum, exact, 0.02 * exact);
}

}  // namespace
}  // namespace strata::testing
