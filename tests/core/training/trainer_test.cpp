// Bit equality and gradients of routed training on a small random model.

#include "core/training/trainer.h"

#include <limits>

#include "core/training/schedule.h"
#include "small_training.h"

namespace strata::testing {
namespace {

struct Outcome {
  std::vector<at::Tensor> weights;
  std::vector<double> losses, norms;
};

Outcome trained(const TrainConfig& config, bool tied = true) {
  const ModelConfig model = smallModel(tied);
  static const Dataset data = smallData();
  Weights weights = initialWeights(model, 11, kCpu);
  if (config.lora > 0) {
    EXPECT_TRUE(addLora(weights, config));
  }
  Trainer trainer(config, model, std::move(weights), data, kCpu);
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
        at::set_num_threads(distill && lora > 0 && dtype == std::string("float32") ? 2 : 1);
        SCOPED_TRACE(std::string(dtype) + (distill ? " distill" : "") + " lora " + std::to_string(lora));
        TrainConfig config = smallConfig();
        config.steps = 3;
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
  at::set_num_threads(1);
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
  config.steps = 60;
  std::vector<Row> rows;
  for (int r = 0; r < config.batch; ++r) {
    Row row;
    for (int i = 0; i < config.length; ++i) row.ids.push_back((r * 31 + i * i * 5 + i) % 97);
    row.trained.assign(row.ids.size(), true);
    rows.push_back(std::move(row));
  }
  const Dataset data = Dataset::fromRows(rows, config.length);  // one epoch is one batch
  Trainer trainer(config, smallModel(false), initialWeights(smallModel(false), 11, kCpu), data, kCpu);
  std::vector<double> losses;
  for (int i = 0; i < config.steps; ++i) {
    losses.push_back(trainer.step().value().loss);
    EXPECT_EQ(trainer.cursor().row, static_cast<std::uint64_t>(config.batch * (i + 1)));
  }
  EXPECT_GT(losses.front(), 4);  // ln 97 = 4.6
  EXPECT_LT(losses.back(), 0.1 * losses.front());
}

TEST(Trainer, AParameterThatNoGroupReadIsLeftAlone) {
  const ModelConfig model = smallModel();
  const Dataset data = smallData();
  TrainConfig config = smallConfig();
  config.sampler = "cla:5";  // layer 0 alone is read
  config.pCross = 1;
  Weights weights = initialWeights(model, 11, kCpu);
  const at::Tensor k = weights.layers[3].k.weight.clone(), v = weights.layers[3].v.weight.clone(),
                   q = weights.layers[3].q.weight.clone(), read = weights.layers[0].k.weight.clone();
  Trainer trainer(config, model, std::move(weights), data, kCpu);
  ASSERT_TRUE(trainer.step());
  EXPECT_TRUE(at::equal(trainer.weights().layers[3].k.weight, k));
  EXPECT_TRUE(at::equal(trainer.weights().layers[3].v.weight, v));
  EXPECT_FALSE(at::equal(trainer.weights().layers[3].q.weight, q));
  EXPECT_FALSE(at::equal(trainer.weights().layers[0].k.weight, read));
  for (std::size_t i = 0; i < trainer.optimizer().parameters().size(); ++i) {
    const std::string& name = trainer.optimizer().parameters()[i].name;
    const bool keyOrValue = name.find(".k_proj") != std::string::npos || name.find(".v_proj") != std::string::npos;
    EXPECT_EQ(trainer.optimizer().states()[i].m.defined(), !keyOrValue || name.find("layers.0.") != std::string::npos)
        << name;
  }
}

TEST(Trainer, PackedRowsGiveTheLossOfRowsOneByOne) {
  const ModelConfig model = smallModel();
  const Dataset data = smallData();
  TrainConfig config = smallConfig();
  Trainer trainer(config, model, initialWeights(model, 11, kCpu), data, kCpu);
  const double packed = trainer.evaluate(SharingMap::full(5), inOrder(data, 0)).value();
  const Dataset alone = Dataset::fromRows(data.rows(), 24, false);
  EXPECT_NEAR(packed, trainer.evaluate(SharingMap::full(5), inOrder(alone, 0)).value(), 2e-5);
}

TEST(Trainer, ALossThatIsNotFiniteIsOneSentenceAndChangesNothing) {
  const ModelConfig model = smallModel();
  const Dataset data = smallData();
  Weights weights = initialWeights(model, 11, kCpu);
  weights.layers[2].up.weight.fill_(std::numeric_limits<double>::infinity());
  Trainer trainer(smallConfig(), model, std::move(weights), data, kCpu);
  const at::Tensor before = trainer.weights().embedding.detach().clone();
  const auto result = trainer.step();
  ASSERT_FALSE(result);
  EXPECT_NE(result.error().message.find("finite"), std::string::npos);
  EXPECT_TRUE(at::equal(trainer.weights().embedding.detach(), before));
  EXPECT_EQ(trainer.cursor(), Cursor{});
  EXPECT_EQ(trainer.nextStep(), 0);
}

TEST(Trainer, AStepThatIsTriedAgainDrawsOtherRoutingsUnlessTheyAreAScript) {
  const ModelConfig model = smallModel();
  const Dataset data = smallData();
  const auto lossOf = [&](int attempts, const RoutingScript& script) {
    Trainer trainer(smallConfig(), model, initialWeights(model, 11, kCpu), data, kCpu, script);
    for (int i = 0; i < attempts; ++i) EXPECT_EQ(trainer.drawAgain(), script.empty());
    EXPECT_EQ(trainer.attempt(), script.empty() ? static_cast<std::uint32_t>(attempts) : 0U);
    const double loss = trainer.step().value().loss;
    EXPECT_EQ(trainer.attempt(), 0U) << "the next step is drawn for the first time";
    return loss;
  };
  EXPECT_EQ(lossOf(0, {}), lossOf(0, {}));
  EXPECT_NE(lossOf(0, {}), lossOf(1, {}));
  EXPECT_NE(lossOf(1, {}), lossOf(2, {}));
  const RoutingScript script(
      6, std::vector<SharingMap>(2, SharingMap::create({0, 0, 1, 1, 2}, MapKind::training).value()));
  EXPECT_EQ(lossOf(0, script), lossOf(2, script));
}

TEST(Trainer, SequencesThatAreLeftOutAreThoseOfTheNextStep) {
  const ModelConfig model = smallModel();
  const Dataset data = smallData();
  Trainer trainer(smallConfig(), model, initialWeights(model, 11, kCpu), data, kCpu);
  Trainer other(smallConfig(), model, initialWeights(model, 11, kCpu), data, kCpu);
  ASSERT_TRUE(trainer.step());
  other.leaveOutSequences();
  EXPECT_EQ(trainer.cursor(), other.cursor());
  EXPECT_TRUE(other.hasFiniteWeights());
  other.weights().layers[1].up.weight.mutable_data_ptr<float>()[7] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_FALSE(other.hasFiniteWeights());
}

TEST(Trainer, AnEvaluationAsksBeforeEachBatchWhetherToGoOn) {
  const ModelConfig model = smallModel();
  const Dataset data = smallData();
  Trainer trainer(smallConfig(), model, initialWeights(model, 11, kCpu), data, kCpu);
  const std::vector<PackedSequence> held = inOrder(data, 0);
  std::size_t asked = 0;
  const auto always = [&] { return ++asked > 0; };
  EXPECT_EQ(trainer.evaluate(SharingMap::full(5), held, always).value(),
            trainer.evaluate(SharingMap::full(5), held).value());
  EXPECT_EQ(asked, (held.size() + 1) / 2);
  asked = 0;
  const auto stopped = trainer.evaluate(SharingMap::full(5), held, [&] { return ++asked < 3; });
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ErrorCode::cancelled);
  EXPECT_EQ(asked, 3U);
}

TEST(Trainer, PaddingIsWhatNoRowFills) {
  const ModelConfig model = smallModel();
  std::vector<Row> rows(8, Row{{5, 6, 7, 8, 9, 10, 11, 12, 13, 14}, std::vector<bool>(10, true)});
  const Dataset data = Dataset::fromRows(rows, 24, true);
  Trainer trainer(smallConfig(), model, initialWeights(model, 11, kCpu), data, kCpu);
  const StepResult result = trainer.step().value();
  EXPECT_EQ(result.tokens, 4 * 24);
  EXPECT_EQ(result.padding, 4 * 4);
  EXPECT_EQ(result.trained, 4 * 2 * 9);
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
