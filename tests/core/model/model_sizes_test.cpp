// Models of unusual proportions: many layers, a large vocabulary; random weights, tiny width.

#include <ATen/ATen.h>

#include <fstream>

#include "core/checkpoint/safetensors.h"
#include "core/model/generate.h"
#include "golden_sessions.h"

namespace strata::testing {
namespace {

Json smallConfig(int layers, int vocab) {
  return {{"architectures", {"Qwen2ForCausalLM"}},
          {"model_type", "qwen2"},
          {"num_hidden_layers", layers},
          {"hidden_size", 16},
          {"intermediate_size", 24},
          {"num_attention_heads", 2},
          {"num_key_value_heads", 1},
          {"vocab_size", vocab},
          {"tie_word_embeddings", true},
          {"torch_dtype", "float32"}};
}

/// Writes a model with these sizes into `folder` and opens it.
std::shared_ptr<const Model> writtenAndOpened(const std::filesystem::path& folder, const Json& config) {
  const ModelConfig parsed = parseModelConfig(config, "config.json").value();
  Weights weights = initialWeights(parsed, 1, c10::Device(c10::DeviceType::CPU));
  std::vector<TensorToWrite> tensors;
  visitParameters(weights, parsed.tied, [&](const std::string& name, at::Tensor& tensor) {
    const auto* bytes = static_cast<const std::byte*>(tensor.const_data_ptr());
    tensors.push_back({name, DType::f32, tensor.sizes().vec(), {bytes, tensor.nbytes()}});
  });
  EXPECT_TRUE(writeSafetensors(folder / "model.safetensors", tensors));
  std::ofstream(folder / "config.json") << config.dump();
  auto opened = Model::open({.path = folder});
  EXPECT_TRUE(opened) << opened.error().message;
  return opened.value_or(nullptr);
}

void expectItRuns(const std::shared_ptr<const Model>& model) {
  ASSERT_TRUE(model);
  const std::vector<TokenId> ids = someIds(12, static_cast<int>(model->config().vocab));
  GenerateConfig config;
  config.maxTokens = 4;
  config.ignoreEos = true;
  for (const SharingMap& map : mapsOf(*model)) {
    SCOPED_TRACE(printMap(map));
    const auto generated = generate(model, map, {ids}, config);
    ASSERT_TRUE(generated) << generated.error().message;
    EXPECT_EQ(generated->answers[0].ids.size(), 4U);
    InferenceSession session(model, map, {.capacity = 16});
    EXPECT_LT(distance(session.prefill({ids}).value()[0], uncachedLast(*model, map, ids)), kTolerance);
  }
}

TEST(ModelSizes, AModelOf126LayersOpensAndRuns) {
  const TemporaryFolder folder;
  expectItRuns(writtenAndOpened(folder.path(), smallConfig(126, 300)));
}

TEST(ModelSizes, AVocabularyOf152KOpensAndRuns) {
  const TemporaryFolder folder;
  expectItRuns(writtenAndOpened(folder.path(), smallConfig(3, 152064)));
}

}  // namespace
}  // namespace strata::testing
