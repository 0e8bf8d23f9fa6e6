// Five AdamW steps through the Trainer with a routing per step; a parameter that nobody read is left alone.

#include <ATen/ATen.h>

#include "core/training/trainer.h"
#include "golden_files.h"

namespace strata::testing {
namespace {

/// AdamW divides a gradient by its own size, so that one near its epsilon is moved by rounding: fp32 and fp64 of the
/// reference differ by up to 1e-4 in single weights, and two fp32 computations by twice that. One weight of
/// qwen3-qknorm is such.
double weightTolerance(const std::string& model) {
  return model == "qwen3-qknorm" ? 2e-4 : 1e-4;
}

class GoldenOptimizer : public ::testing::TestWithParam<std::string> {};

TEST_P(GoldenOptimizer, FiveRoutedStepsGiveTheExpectedWeights) {
  const GoldenCase golden(GetParam());
  const Json& optim = golden.json["optim"];
  const Json& expected = optim["none_grad_skip"];
  const auto model = openGolden(GetParam());

  std::vector<Row> rows;
  for (const Json& ids : optim["batch_ids"]) {
    Row row{ids.get<std::vector<TokenId>>(), {}};
    row.trained.assign(row.ids.size(), true);
    row.trained[0] = false;
    rows.push_back(std::move(row));
  }
  const Dataset data = Dataset::fromRows(rows, 20);
  RoutingScript script;
  for (const Json& src : optim["src_per_step"]) {
    script.push_back({SharingMap::create(src.get<std::vector<int>>(), MapKind::training).value()});
  }
  TrainConfig config;
  config.steps = 5;
  config.batch = 3;
  config.length = 20;
  config.lr = 1e-3;
  config.schedule = "constant";
  std::map<std::string, at::Tensor> start;
  Weights before = model->weights();
  visitParameters(before, model->config().tied,
                  [&](const std::string& name, at::Tensor& value) { start[name] = value.clone(); });
  Trainer trainer(config, model->config(), model->weights(), data, model->device(), script);

  for (std::size_t step = 0; step < 5; ++step) {
    const auto result = trainer.step();
    ASSERT_TRUE(result) << result.error().message;
    EXPECT_NEAR(result->loss, expected["loss"][step].get<double>(), 2e-5) << "step " << step;
    const double norm = expected["grad_norm_before_clip"][step].get<double>();
    EXPECT_NEAR(result->gradNorm, norm, 1e-4 * norm) << "step " << step;
  }
  std::size_t compared = 0;
  visitParameters(trainer.weights(), model->config().tied, [&](const std::string& name, at::Tensor& value) {
    const double norm = expected["final_l2"][name].get<double>();
    EXPECT_NEAR(value.detach().norm().item<double>(), norm, 1e-4 * norm) << name;
    ++compared;
    if (name.find("k_proj") == std::string::npos && name.find("v_proj") == std::string::npos) return;
    const at::Tensor difference = value.detach() - golden.tensor("optim/skip/final/" + name);
    EXPECT_LT(difference.abs().max().item<double>(), weightTolerance(GetParam())) << name;
    EXPECT_LE((difference.abs() > 1e-4).sum().item<std::int64_t>(), 1) << name;
    const double change = expected["change_l2"][name].get<double>();
    EXPECT_NEAR((value.detach() - start.at(name)).norm().item<double>(), change, 1e-4 * change) << name;
  });
  EXPECT_EQ(compared, expected["final_l2"].size());
  std::vector<PackedSequence> held = inOrder(data, 0);
  const auto final = trainer.evaluate(SharingMap::full(model->config().layers), held);
  ASSERT_TRUE(final);
  EXPECT_NEAR(*final, expected["final_loss_identity"].get<double>(), 1e-4);
}

INSTANTIATE_TEST_SUITE_P(Models, GoldenOptimizer, ::testing::ValuesIn(kTrainedGoldenModels), goldenName);

}  // namespace
}  // namespace strata::testing
