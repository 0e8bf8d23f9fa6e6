// Steps of decoding as a straight line of kernel calls.

#include "core/model/decode_plan.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <ATen/record_function.h>
#include <c10/core/InferenceMode.h>

#include "golden_sessions.h"

namespace strata::testing {
namespace {

using Ids = std::vector<TokenId>;

class DecodePlanTest : public ::testing::TestWithParam<std::string> {
 protected:
  std::shared_ptr<const Model> m_model = golden(GetParam());
  Ids ids(int count) const { return someIds(count, static_cast<int>(m_model->config().vocab)); }

  /// The same model with a LoRA of another rank on every linear layer.
  std::shared_ptr<const Model> adapted(at::ScalarType dtype) const {
    Weights weights = m_model->weights();
    std::int64_t rank = 1;
    visitLinears(weights, [&](const std::string&, Linear& linear) {
      rank = rank % 5 + 1;
      linear.loraA = 0.1 * at::randn({rank, linear.inputs()});
      linear.loraB = 0.1 * at::randn({linear.outputs(), rank});
      linear.loraScale = 0.5 * static_cast<double>(rank);
    });
    return Model::over(m_model->config(), std::move(weights), dtype);
  }
};

TEST_P(DecodePlanTest, AddsAdaptersAsAPrefillDoes) {
  at::manual_seed(3);
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
    const std::shared_ptr<const Model> model = adapted(dtype);
    ASSERT_TRUE(DecodePlan::supports(*model));
    for (const SharingMap& map : mapsOf(*model)) {
      SCOPED_TRACE(printMap(map) + (dtype == at::kFloat ? " fp32" : " bf16"));
      InferenceSession steps(model, map, {.capacity = 40}), whole(model, map, {.capacity = 40});
      ASSERT_TRUE(steps.prefill({ids(9)}));
      at::Tensor logits;
      for (int i = 9; i < 13; ++i) logits = steps.decode({ids(13)[static_cast<std::size_t>(i)]}).value();
      const at::Tensor expected = whole.prefill({ids(13)}).value();
      EXPECT_LT(distance(logits, expected),
                dtype == at::kFloat ? kTolerance : 0.05 * expected.abs().max().item<double>());
    }
  }
}

TEST_P(DecodePlanTest, ATokenTakesNoOperatorOfLibTorch) {
  const c10::InferenceMode inference;
  const SharingMap map = mapsOf(*m_model)[1];
  for (const KvFormat format : {KvFormat::plain, KvFormat::int8, KvFormat::fp8}) {
    SCOPED_TRACE(printKvFormat(format));
    KvCache cache(m_model->config(), map, 1, 40, m_model->dtype(), m_model->device(), format);
    DecodePlan plan(*m_model);
    static int operators = 0;
    const auto handle = at::addThreadLocalCallback(at::RecordFunctionCallback([](const at::RecordFunction&) {
      ++operators;
      return std::unique_ptr<at::ObserverContext>();
    }));
    std::vector<DecodeRow> rows(1);
    for (std::int64_t position = 0; position < 8; ++position) {
      operators = 0;
      rows[0] = {5, position, &map, &cache, 0, nullptr};
      plan.step(rows);
      if (position > 0) {
        EXPECT_EQ(operators, 0) << "at " << position;
      }
    }
    at::removeCallback(handle);
    EXPECT_TRUE(plan.logits().isfinite().all().item<bool>());
  }
}

TEST_P(DecodePlanTest, LogitsThatAreStillHeldAreNotOverwritten) {
  InferenceSession session(m_model, mapsOf(*m_model)[0], {.capacity = 40});
  ASSERT_TRUE(session.prefill({ids(5)}));
  const at::Tensor first = session.decode({1}).value(), copy = first.clone();
  ASSERT_TRUE(session.decode({2}));
  EXPECT_TRUE(at::equal(first, copy));
}

TEST(DecodePlanThreads, HowManyWalkThroughTheLayersChangesNoBit) {
  const auto plain = Model::open({.path = sourceFolder() / "resources/models/sample-routed"}).value();
  const int threads = at::get_num_threads();
  for (const KvFormat kv : {KvFormat::plain, KvFormat::int8, KvFormat::fp8}) {
    const auto model = plain->withKv(kv);
    for (const SharingMap& map : mapsOf(*model)) {
      SCOPED_TRACE(printMap(map) + " " + model->kvName());
      std::vector<at::Tensor> logits;
      for (const int count : {1, 2, 3}) {
        at::set_num_threads(count);
        InferenceSession session(model, map, {.capacity = 400});
        ASSERT_TRUE(session.prefill({someIds(300, 2000)}));
        for (const TokenId id : {5, 6, 7}) logits.push_back(session.decode({id}).value());
      }
      for (std::size_t i = 3; i < logits.size(); ++i) EXPECT_TRUE(at::equal(logits[i], logits[i % 3])) << i;
    }
  }
  at::set_num_threads(threads);
}

TEST(DecodePlanLimits, WeightsThatNoKernelReadsAreLeftToOperators) {
  const auto model = golden("llama2-mha");
  Weights weights = model->weights();
  EXPECT_TRUE(DecodePlan::supports(*Model::over(model->config(), weights, at::kFloat)));
  EXPECT_FALSE(DecodePlan::supports(*Model::over(model->config(), weights, at::kDouble)));
  weights.layers[1].down.weight = weights.layers[1].down.weight.t().contiguous().t();
  EXPECT_FALSE(DecodePlan::supports(*Model::over(model->config(), weights, at::kFloat)));
}

INSTANTIATE_TEST_SUITE_P(Models, DecodePlanTest, ::testing::ValuesIn(kGoldenModels), goldenName);

}  // namespace
}  // namespace strata::testing
