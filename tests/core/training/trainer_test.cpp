// Bit equality and gradients of routed training on a small random model.

#include "core/training/trainer.h"

#include <ATen/ATen.h>

#include <functional>

#include "core/training/schedule.h"
#include "support.h"

namespace strata::testing {
namespace {

ModelConfig smallModel(bool tied = true) {
  Json json = Json::parse(
      R"({"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 32, "intermediate_size": 48,
    "num_hidden_layers": 5, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8, "vocab_size": 97,
    "max_position_embeddings": 64, "rms_norm_eps": 1e-5, "initializer_range": 0.2})");
  json["tie_word_embeddings"] = tied;
  return parseModelConfig(json, "test").value();
}

/// Packed rows of unequal lengths, so that masks, positions and index tensors matter.
Dataset smallData() {
  std::vector<Row> rows;
  for (int r = 0; r < 40; ++r) {
    Row row;
    const int length = 5 + (r * 7) % 19;
    for (int i = 0; i < length; ++i) row.ids.push_back((r * 31 + i * i * 5 + i) % 97);
    row.trained.assign(row.ids.size(), true);
    for (int i = 0; i < 3; ++i) row.trained[static_cast<std::size_t>(i)] = false;
    rows.push_back(std::move(row));
  }
  return Dataset::fromRows(rows, 24, true);
}

TrainConfig smallConfig() {
  TrainConfig config;
  config.steps = 6;
  config.batch = 4;
  config.microBatch = 2;
  config.routingGroups = 2;
  config.length = 24;
  config.lr = 1e-2;
  config.pCross = 0.6;
  config.seed = 5;
  return config;
}

struct Outcome {
  std::vector<at::Tensor> weights;
  std::vector<double> losses, norms;
};

Outcome trained(const TrainConfig& config, bool tied = true) {
  const ModelConfig model = smallModel(tied);
  static const Dataset data = smallData();
  Weights weights = initialWeights(model, 11, c10::Device(c10::DeviceType::CPU));
  if (config.lora > 0) EXPECT_TRUE(addLora(weights, config));
  Trainer trainer(config, model, std::move(weights), data, c10::Device(c10::DeviceType::CPU));
  Outcome outcome;
  for (int i = 0; i < config.steps; ++i) {
    const auto result = trainer.step();
    EXPECT_TRUE(result) << result.error().message;
    outcome.losses.push_back(result->loss);
    outcome.norms.push_back(result->gradNorm);
  }
  for (const NamedParameter& parameter : trainer.optimizer().parameters())
    outcome.weights.push_back(parameter.value.detach().clone());
  return outcome;
}

void expectBitEqual(const Outcome& a, const Outcome& b) {
  EXPECT_EQ(a.losses, b.losses);
  ASSERT_EQ(a.weights.size(), b.weights.size());
  for (std::size_t i = 0; i < a.weights.size(); ++i)
    EXPECT_TRUE(at::equal(a.weights[i], b.weights[i])) << "parameter " << i;
}

TEST(Trainer, CheckpointingIsBitEqual) {
  for (const bool distill : {false, true}) {
    for (const int lora : {0, 3}) {
      for (const char* dtype : {"float32", "bfloat16"}) {
        SCOPED_TRACE(std::string(dtype) + (distill ? " distill" : "") + " lora " + std::to_string(lora));
        TrainConfig config = smallConfig();
        config.distill = distill;
        config.lora = lora;
        config.loraDropout = lora > 0 ? 0.1 : 0;
        config.dtype = dtype;
        const Outcome off = trained(config);
        config.checkpointing = true;
        expectBitEqual(off, trained(config));
      }
    }
  }
}

TEST(Trainer, AnotherSplitHasTheSameRoutingsAndGradientsUpToRounding) {
  TrainConfig config = smallConfig();
  config.steps = 1;
  config.clip = 0;
  const Outcome split = trained(config);
  config.microBatch = 1;
  const Outcome finer = trained(config);
  EXPECT_NEAR(split.losses[0], finer.losses[0], 1e-5);
  EXPECT_NEAR(split.norms[0], finer.norms[0], 1e-4 * split.norms[0]);
}

TEST(Trainer, SameSeedIsBitEqualAndAnotherSeedIsNot) {
  TrainConfig config = smallConfig();
  const Outcome first = trained(config);
  expectBitEqual(first, trained(config));
  config.seed = 6;
  EXPECT_NE(first.losses, trained(config).losses);
}

TEST(Trainer, PCrossZeroIsBitEqualToTheFullMapReplayed) {
  TrainConfig config = smallConfig();
  config.pCross = 0;
  const Outcome zero = trained(config);
  config.sampler = "cla:1";
  config.pCross = 1;
  expectBitEqual(zero, trained(config));
}

TEST(Trainer, LossFallsOnARepeatedBatch) {
  TrainConfig config = smallConfig();
  config.steps = 40;
  const Outcome outcome = trained(config, false);
  EXPECT_LT(outcome.losses.back(), 0.7 * outcome.losses.front());
}

TEST(Trainer, AParameterThatNoGroupReadIsLeftAlone) {
  const ModelConfig model = smallModel();
  const Dataset data = smallData();
  TrainConfig config = smallConfig();
  config.sampler = "cla:5";  // layer 0 alone is read
  config.pCross = 1;
  Weights weights = initialWeights(model, 11, c10::Device(c10::DeviceType::CPU));
  const at::Tensor before = weights.layers[3].k.weight.clone();
  Trainer trainer(config, model, std::move(weights), data, c10::Device(c10::DeviceType::CPU));
  ASSERT_TRUE(trainer.step());
  EXPECT_TRUE(at::equal(trainer.weights().layers[3].k.weight.detach(), before));
  EXPECT_FALSE(at::equal(trainer.weights().layers[3].q.weight.detach(), at::zeros_like(before)));
  for (std::size_t i = 0; i < trainer.optimizer().parameters().size(); ++i) {
    const std::string& name = trainer.optimizer().parameters()[i].name;
    const bool unread = name.find("layers.3.self_attn.k_proj") != std::string::npos;
    EXPECT_EQ(trainer.optimizer().states()[i].m.defined(),
              !unread && (name.find(".k_proj") == std::string::npos || name.find("layers.0.") != std::string::npos) &&
                  (name.find(".v_proj") == std::string::npos || name.find("layers.0.") != std::string::npos))
        << name;
  }
}

TEST(Trainer, PackedRowsGiveTheLossOfRowsOneByOne) {
  const ModelConfig model = smallModel();
  const Dataset data = smallData();
  TrainConfig config = smallConfig();
  Trainer trainer(config, model, initialWeights(model, 11, c10::Device(c10::DeviceType::CPU)), data,
                  c10::Device(c10::DeviceType::CPU));
  const double packed = trainer.evaluate(SharingMap::full(5), inOrder(data, 0)).value();
  const Dataset alone = Dataset::fromRows(data.rows(), 24, false);
  EXPECT_NEAR(packed, trainer.evaluate(SharingMap::full(5), inOrder(alone, 0)).value(), 2e-5);
}

TEST(Trainer, ALossThatIsNotFiniteIsOneSentenceAndChangesNothing) {
  const ModelConfig model = smallModel();
  const Dataset data = smallData();
  Weights weights = initialWeights(model, 11, c10::Device(c10::DeviceType::CPU));
  weights.layers[2].up.weight.fill_(std::numeric_limits<double>::infinity());
  Trainer trainer(smallConfig(), model, std::move(weights), data, c10::Device(c10::DeviceType::CPU));
  const at::Tensor before = trainer.weights().embedding.detach().clone();
  const auto result = trainer.step();
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("finite"), std::string::npos);
  EXPECT_TRUE(at::equal(trainer.weights().embedding.detach(), before));
  EXPECT_EQ(trainer.cursor(), Cursor{});
  EXPECT_EQ(trainer.nextStep(), 0);
}

TEST(Schedule, WarmsUpThenFallsToItsMinimum) {
  TrainConfig config;
  config.steps = 11;
  config.warmup = 2;
  config.lr = 1;
  config.minLrRatio = 0.1;
  EXPECT_DOUBLE_EQ(learningRate(config, 0), 0.5);
  EXPECT_DOUBLE_EQ(learningRate(config, 1), 1);
  EXPECT_DOUBLE_EQ(learningRate(config, 2), 1);
  EXPECT_NEAR(learningRate(config, 6), 0.55, 1e-12);
  EXPECT_NEAR(learningRate(config, 10), 0.1, 1e-12);
  config.schedule = "constant";
  EXPECT_DOUBLE_EQ(learningRate(config, 10), 1);
}

}  // namespace
}  // namespace strata::testing
