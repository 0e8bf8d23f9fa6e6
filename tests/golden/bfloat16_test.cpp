// The forward pass in bf16 beside what transformers computes in bf16, both against the fp32 values.

#include "core/model/score.h"
#include "golden_files.h"

namespace strata::testing {
namespace {

double rootMeanSquare(const at::Tensor& difference) {
  return difference.to(at::kDouble).square().mean().sqrt().item<double>();
}

class GoldenBf16 : public ::testing::TestWithParam<std::string> {
 protected:
  GoldenCase m_case{GetParam()};
  std::shared_ptr<const Model> m_model = openGolden(GetParam(), "bfloat16");

  ScoreResult score(const Json& entry, int i) const {
    auto result = scoreWindows(*m_model, mapOf(entry), {m_case.sequence(i)}, {.logits = true});
    EXPECT_TRUE(result) << result.error().message;
    return *result;
  }
  /// Of the losses of single tokens in both sequences, against fp32's.
  double lossError(const Json& entry) const {
    std::vector<at::Tensor> errors;
    for (int i = 0; i < 2; ++i) {
      const auto exact = scoreWindows(*m_exact, mapOf(entry), {m_case.sequence(i)}, {.logits = true});
      errors.push_back(losses(score(entry, i).logits, i) - losses(exact.value().logits, i));
    }
    return rootMeanSquare(at::cat(errors));
  }

 private:
  at::Tensor losses(const at::Tensor& logits, int i) const {
    const std::vector<TokenId> ids = m_case.sequence(i);
    const at::Tensor targets =
        at::tensor(std::vector<std::int64_t>(ids.begin() + 1, ids.end()), at::kLong).unsqueeze(1);
    return -logits.to(at::kDouble).log_softmax(-1).narrow(0, 0, targets.size(0)).gather(1, targets);
  }

  std::shared_ptr<const Model> m_exact = openGolden(GetParam(), "float32");
};

TEST_P(GoldenBf16, LogitsErrWithin1Point5TimesTheErrorOfTransformersOwnBf16) {
  for (int i = 0; i < 2; ++i) {
    SCOPED_TRACE("sequence " + std::to_string(i));
    const std::string index = std::to_string(i);
    const at::Tensor exact = m_case.tensor("identity/logits/" + index);
    const double theirs = rootMeanSquare(m_case.tensor("identity/bfloat16_logits/" + index) - exact);
    const double ours = rootMeanSquare(score(m_case.json["maps"][0], i).logits - exact);
    EXPECT_LE(ours, 1.5 * theirs);
    EXPECT_GT(ours, 0.1 * theirs);  // or it did not run in bf16
  }
}

TEST_P(GoldenBf16, LossOfEveryMapErrsWithin1Point5TimesTheUnroutedRunsOwnError) {
  ASSERT_EQ(m_case.json["maps"][0]["name"], "identity");
  const double unrouted = lossError(m_case.json["maps"][0]);
  EXPECT_GT(unrouted, 0);
  for (const Json& entry : m_case.json["maps"]) {
    EXPECT_LE(lossError(entry), 1.5 * unrouted) << entry["name"];
    for (int i = 0; i < 2; ++i) {
      EXPECT_NEAR(score(entry, i).nll(), entry["fp32"]["nll"][static_cast<std::size_t>(i)].get<double>(),
                  1.5 * unrouted)
          << entry["name"] << ", sequence " << i;
    }
  }
}

TEST_P(GoldenBf16, TheMostLikelyIdIsTheSameAtNineOfTenPositions) {
  for (const Json& entry : m_case.json["maps"]) {
    std::int64_t same = 0, positions = 0;
    for (int i = 0; i < 2; ++i) {
      const auto expected = entry["fp32"]["top1"][static_cast<std::size_t>(i)].get<std::vector<std::int64_t>>();
      const at::Tensor top = score(entry, i).logits.argmax(-1);
      ASSERT_EQ(top.numel(), static_cast<std::int64_t>(expected.size()));
      same += (top == at::tensor(expected, at::kLong)).sum().item<std::int64_t>();
      positions += top.numel();
    }
    EXPECT_GE(10 * same, 9 * positions) << entry["name"] << ": " << same << " of " << positions;
  }
}

// qwen2-bias is stored in F16, for which the golden file has no bf16 values.
INSTANTIATE_TEST_SUITE_P(Models, GoldenBf16, ::testing::Values("llama31-gqa", "qwen3-qknorm"), goldenName);

}  // namespace
}  // namespace strata::testing
