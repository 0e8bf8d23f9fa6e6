// The same routings and sequences cut into other micro-batches: every parameter's gradient is the same up to rounding.

#include <cmath>

#include "small_training.h"

namespace strata::testing {
namespace {

struct Step {
  std::map<std::string, at::Tensor> firstMoments;  // (1 - beta1) x gradient after one unclipped step
  StepResult result;
};

/// LoRA pairs as after some training: a B of zeros would hide the gradients of A.
void disturb(Weights& weights) {
  std::int64_t index = 0;
  visitLinears(weights, [&](const std::string&, Linear& linear) {
    if (!linear.loraB.defined()) return;
    const at::Tensor steps = at::arange(linear.loraB.numel(), at::kFloat).view(linear.loraB.sizes());
    linear.loraB = (steps * 0.7 + static_cast<double>(++index)).sin() * 0.05;
  });
}

Step oneStep(TrainConfig config, const Dataset& data, int microBatch) {
  config.microBatch = microBatch;
  config.clip = 0;
  Weights weights = initialWeights(smallModel(), 11, kCpu);
  if (config.lora > 0) {
    EXPECT_TRUE(addLora(weights, config));
    disturb(weights);
  }
  Trainer trainer(config, smallModel(), std::move(weights), data, kCpu);
  trainer.setNextStep(3);  // other routings and dropout masks than those of step 0
  Step step;
  const auto result = trainer.step();
  EXPECT_TRUE(result) << result.error().message;
  step.result = *result;
  for (std::size_t i = 0; i < trainer.optimizer().parameters().size(); ++i)
    step.firstMoments[trainer.optimizer().parameters()[i].name] = trainer.optimizer().states()[i].m;
  return step;
}

void expectSameGradients(const Step& a, const Step& b) {
  EXPECT_NEAR(a.result.loss, b.result.loss, 1e-5);
  EXPECT_NEAR(a.result.gradNorm, b.result.gradNorm, 1e-4 * b.result.gradNorm);
  EXPECT_EQ(a.result.trained, b.result.trained);
  ASSERT_EQ(a.firstMoments.size(), b.firstMoments.size());
  std::size_t moved = 0;
  for (const auto& [name, expected] : b.firstMoments) {
    const at::Tensor& actual = a.firstMoments.at(name);
    ASSERT_EQ(actual.defined(), expected.defined()) << name;
    if (!expected.defined()) continue;
    const double size = expected.norm().item<double>();
    EXPECT_GT(size, 0) << name;
    EXPECT_LT((actual - expected).norm().item<double>(), 1e-4 * size) << name;
    ++moved;
  }
  EXPECT_GT(moved, a.firstMoments.size() / 2);
}

Dataset wholeRows() {
  std::vector<Row> rows;
  for (int r = 0; r < 12; ++r) {
    Row row;
    for (int i = 0; i < 24; ++i) row.ids.push_back((r * 31 + i * i * 5 + i) % 97);
    row.trained.assign(row.ids.size(), true);
    rows.push_back(std::move(row));
  }
  return Dataset::fromRows(rows, 24);
}

struct Case {
  std::string name;
  bool packed = false, distill = false;
  int lora = 0;
  double dropout = 0;
};

void PrintTo(const Case& value, std::ostream* out) {
  *out << value.name;
}

class Split : public ::testing::TestWithParam<Case> {
 protected:
  Dataset m_data = GetParam().packed ? smallData() : wholeRows();
  TrainConfig config(int groups) const {
    TrainConfig config = smallConfig();
    config.routingGroups = groups;
    config.distill = GetParam().distill;
    config.lora = GetParam().lora;
    config.loraDropout = GetParam().dropout;
    return config;
  }
};

TEST_P(Split, OneGroupInOneTwoOrFourMicroBatchesHasTheSameGradients) {
  const Step whole = oneStep(config(1), m_data, 4);
  for (const int micro : {2, 1}) {
    SCOPED_TRACE(micro);
    expectSameGradients(oneStep(config(1), m_data, micro), whole);
  }
}

TEST_P(Split, TwoGroupsInTwoOrFourMicroBatchesHaveTheSameGradients) {
  expectSameGradients(oneStep(config(2), m_data, 1), oneStep(config(2), m_data, 2));
}

TEST_P(Split, AnotherNumberOfGroupsHasOtherGradients) {
  const Step one = oneStep(config(1), m_data, 1), two = oneStep(config(2), m_data, 1);
  EXPECT_GT(std::abs(one.result.gradNorm - two.result.gradNorm), 1e-3 * one.result.gradNorm);
}

INSTANTIATE_TEST_SUITE_P(
    Training, Split,
    ::testing::Values(
        Case{.name = "WholeRows"}, Case{.name = "PackedRows", .packed = true},
        Case{.name = "LoraWithDropout", .lora = 3, .dropout = 0.2}, Case{.name = "Distillation", .distill = true},
        Case{.name = "PackedDistilledLoraWithDropout", .packed = true, .distill = true, .lora = 3, .dropout = 0.2}),
    [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace strata::testing
