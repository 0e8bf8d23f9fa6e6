// Weights of 8 and 4 bits: what a rounded model answers, how far its losses are from those of bf16, what it holds.

#include <ATen/ATen.h>

#include <cmath>

#include "core/model/generate.h"
#include "core/model/kernel_calls.h"
#include "core/model/score.h"
#include "golden_sessions.h"

namespace strata::testing {
namespace {

const std::filesystem::path kSample = sourceFolder() / "resources/models/sample-routed";

std::shared_ptr<const Model> sampleAs(const std::string& weights) {
  auto model = Model::open({.path = kSample, .weights = weights});
  EXPECT_TRUE(model) << model.error().message;
  return model.value_or(nullptr);
}

/// Nats a token of the shipped held-out text under a map.
double heldOutLoss(const Model& model, const std::string& map) {
  const std::string text = readText(sourceFolder() / "tests/golden/low_bits/heldout.txt");
  const auto result = scoreWindows(model, parseMap(map, model.config().layers).value(),
                                   windowsOf(*model.tokenizer(), text, model.context()), {});
  EXPECT_TRUE(result) << result.error().message;
  return result->nllSum / static_cast<double>(result->tokens);
}

TEST(LowBits, LoseLittleOfTheHeldOutLossUnderEveryMap) {
  const auto bf16 = sampleAs(""), eight = sampleAs("int8"), four = sampleAs("int4");
  for (const char* map : {"full", "retention:0.5", "retention:0.25"}) {
    SCOPED_TRACE(map);
    const double stored = heldOutLoss(*bf16, map);
    EXPECT_LE(heldOutLoss(*eight, map), 1.005 * stored);
    EXPECT_LE(heldOutLoss(*four, map), 1.03 * stored);
  }
}

TEST(LowBits, AnswerAQuestionAsTheStoredWeightsDo) {
  const std::string prompt =
      "Context: She went up to Rebecca, who sat by the window of the old house. Before noon Arthur rode away to London "
      "with the letter, and nobody at the farm knew where he had gone.\nQuestion: Before noon Arthur rode away to "
      "____\n"
      "Answer:";
  std::vector<TokenId> stored;
  for (const char* weights : {"", "int8", "int4", "int4:128"}) {
    const auto model = sampleAs(weights);
    InferenceSession session(model, SharingMap::full(model->config().layers), {.capacity = 512});
    at::Tensor logits = session.prefill({model->tokenizer()->encode(prompt)}).value();
    std::vector<TokenId> answer;
    for (int i = 0; i < 3; ++i) {
      answer.push_back(static_cast<TokenId>(logits[0].argmax().item<std::int64_t>()));
      logits = session.decode({answer.back()}).value();
    }
    if (stored.empty()) stored = answer;
    EXPECT_EQ(answer, stored) << weights;
  }
}

TEST(LowBits, HoldLessAndSayHowFarTheyAreOff) {
  const auto stored = sampleAs(""), eight = sampleAs("int8"), four = sampleAs("int4");
  const auto bytes = [](const Model& model) { return weightBytes(model.weights(), model.config().tied); };
  EXPECT_EQ(quantizationError(stored->weights()), 0);
  EXPECT_GT(quantizationError(eight->weights()), 0.001);
  EXPECT_LT(quantizationError(eight->weights()), 0.01);
  EXPECT_LT(quantizationError(four->weights()), 0.1);
  // A tied embedding stays for look-ups beside the head in 8 bits, and 192 inputs take two groups of 128.
  EXPECT_LT(bytes(*eight), bytes(*stored) * 80 / 100);
  EXPECT_LT(bytes(*four), bytes(*stored) * 55 / 100);
  EXPECT_FALSE(four->weights().layers[0].q.weight.defined());
  EXPECT_EQ(four->weights().head.quantized->as, (Quantization{8, 128}));
}

TEST(LowBits, ProductsOfManyRowsAreThoseOfFew) {
  const auto model = sampleAs("int8");
  const Linear& up = model->weights().layers[3].up;
  at::manual_seed(2);
  const at::Tensor x = at::randn({40, model->config().width}).to(at::kFloat);
  const at::Tensor many = calls::linears(x, {&up})[0];
  for (std::int64_t row = 0; row < 40; row += 13) {
    const at::Tensor one = calls::linears(x.narrow(0, row, 1), {&up})[0];
    EXPECT_LT((one[0] - many[row]).abs().max().item<double>(), 1e-4);
  }
}

TEST(LowBits, AreUnpackedByOperatorsAsByTheKernel) {
  for (const char* weights : {"int8", "int8:32", "int4", "int4:64"}) {
    SCOPED_TRACE(weights);
    const auto model = sampleAs(weights);
    const QuantizedWeight& down = *model->weights().layers[1].down.quantized;
    for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
      EXPECT_TRUE(at::equal(dequantizeByOperators(down, 5, 30, dtype), dequantizeRows(down, 5, 30, dtype)));
    }
  }
}

TEST(LowBits, ServeOneMapWithoutTheFollowersProjections) {
  auto model = Model::open({.path = kSample, .weights = "int4", .onlyMap = "retention:0.5"});
  ASSERT_TRUE(model) << model.error().message;
  EXPECT_FALSE((*model)->weights().layers[1].k.loaded());
  EXPECT_TRUE((*model)->weights().layers[0].k.loaded());
  const double all = heldOutLoss(*sampleAs("int4"), "retention:0.5");
  EXPECT_DOUBLE_EQ(heldOutLoss(**model, "retention:0.5"), all);
}

TEST(LowBits, RefusesUnknownFormatsAndWeightsThatAreNotFinite) {
  for (const char* weights : {"int3", "int8:", "int4:48", "8", "INT8"}) {
    const auto model = Model::open({.path = kSample, .weights = weights});
    ASSERT_FALSE(model) << weights;
    EXPECT_EQ(model.error().message, "The weights \"" + std::string(weights) +
                                         "\" are unknown; give int8 or int4, or with the inputs that share a scale "
                                         "int4:32, :64 or :128.");
  }
  Linear broken;
  broken.weight = at::ones({4, 64});
  broken.weight[2][5] = INFINITY;
  EXPECT_FALSE(std::isfinite(quantizeWeight(broken.weight, {8, 32}).squaredError));
}

}  // namespace
}  // namespace strata::testing
