// Gradients of every map, element by element: the k_proj and v_proj tensors that the golden files store.

#include <torch/csrc/autograd/autograd.h>

#include <set>

#include "core/model/decoder.h"
#include "core/model/loss.h"
#include "golden_files.h"

namespace strata::testing {
namespace {

/// d(mean NLL)/d(parameter) of one sequence; undefined where the routing leaves a parameter unused.
std::map<std::string, at::Tensor> gradientsOf(const Model& model, const SharingMap& routing,
                                              const std::vector<TokenId>& tokens, bool checkpointing) {
  Weights weights = model.weights();
  std::map<std::string, at::Tensor> leaves;
  visitParameters(weights, model.config().tied, [&](const std::string& name, at::Tensor& tensor) {
    tensor = tensor.detach().to(at::kFloat).requires_grad_(true);
    leaves[name] = tensor;
  });
  const at::Tensor ids = at::tensor(tokens, at::kInt).to(at::kLong).unsqueeze(0);
  const std::int64_t predicted = ids.size(1) - 1;
  LayerContext context;
  context.config = &model.config();
  context.rotation = rotationOf(model.rope(), at::arange(ids.size(1), at::kLong));
  const at::Tensor hidden =
      forwardHidden(weights, at::kFloat, ids, routing, context, {.checkpointing = checkpointing})[0];
  const at::Tensor loss = vocabularyLoss(hidden.narrow(0, 0, predicted), {}, weights.head.weight,
                                         ids[0].narrow(0, 1, predicted), 1.0 / static_cast<double>(predicted));
  torch::autograd::backward({loss}, {});
  for (auto& [name, tensor] : leaves) tensor = tensor.grad();
  return leaves;
}

class GoldenGradients : public ::testing::TestWithParam<std::string> {};

TEST_P(GoldenGradients, KeyAndValueProjectionsAgreeElementByElement) {
  const GoldenCase golden(GetParam());
  const auto model = openGolden(GetParam());
  std::size_t compared = 0;
  for (const Json& entry : golden.json["maps"]) {
    const std::string prefix = entry["name"].get<std::string>() + "/grad/";
    for (const bool checkpointing : {false, true}) {
      SCOPED_TRACE(prefix + (checkpointing ? " with checkpointing" : ""));
      const auto gradients = gradientsOf(*model, mapOf(entry), golden.sequence(0), checkpointing);
      for (const auto& [stored, view] : golden.tensors) {
        if (!stored.starts_with(prefix)) continue;
        const auto found = gradients.find(stored.substr(prefix.size()));
        ASSERT_NE(found, gradients.end()) << stored;
        const at::Tensor expected = golden.tensor(stored);
        const at::Tensor actual = found->second.defined() ? found->second : at::zeros_like(expected);
        ASSERT_EQ(actual.sizes(), expected.sizes()) << stored;
        EXPECT_LE((actual - expected).norm().item<double>(), 1e-4 * expected.norm().item<double>()) << stored;
        ++compared;
      }
    }
  }
  std::size_t inFile = 0;
  for (const auto& [stored, view] : golden.tensors) inFile += stored.find("/grad/") != std::string::npos ? 1 : 0;
  EXPECT_EQ(compared, 2 * inFile);
  EXPECT_GT(compared, 0U);
}

TEST_P(GoldenGradients, ExactlyTheParametersThatNobodyReadHaveNone) {
  const GoldenCase golden(GetParam());
  const auto model = openGolden(GetParam());
  for (const Json& entry : golden.json["maps"]) {
    SCOPED_TRACE(entry["name"].get<std::string>());
    const auto expected = entry["no_grad"].get<std::set<std::string>>();
    for (const bool checkpointing : {false, true}) {
      std::set<std::string> without;
      for (const auto& [name, gradient] : gradientsOf(*model, mapOf(entry), golden.sequence(0), checkpointing)) {
        if (!gradient.defined()) without.insert(name);
      }
      EXPECT_EQ(without, expected) << (checkpointing ? "with checkpointing" : "without checkpointing");
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Models, GoldenGradients, ::testing::ValuesIn(kGoldenModels), goldenName);

}  // namespace
}  // namespace strata::testing
