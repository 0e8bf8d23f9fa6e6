// Losses over a vocabulary against their formulas, and a whole training pass without data (the meta device).

#include "core/model/loss.h"

#include <torch/csrc/autograd/autograd.h>

#include "core/model/decoder.h"
#include "golden_sessions.h"

namespace strata::testing {
namespace {

/// `chunked` is as near to the exact gradient as the straightforward computation is, with a factor for another order of
/// sums.
void expectAsExact(const at::Tensor& chunked, const at::Tensor& direct, const at::Tensor& exact) {
  EXPECT_LE(distance(chunked.to(at::kDouble), exact), 2 * distance(direct.to(at::kDouble), exact));
}

TEST(VocabularyLoss, ChunkedGradientsEqualThoseOfTheWholeMatrix) {
  at::manual_seed(1);
  const at::Tensor hidden = at::randn({50, 16}).requires_grad_(true),
                   head = at::randn({70000, 16}).requires_grad_(true);
  const at::Tensor targets = at::randint(70000, {50}, at::kLong);
  vocabularyLoss(hidden, {}, head, targets, 1.0 / 50).backward();
  const at::Tensor dHidden = hidden.grad().clone(), dHead = head.grad().clone();
  hidden.mutable_grad() = head.mutable_grad() = at::Tensor();
  const at::Tensor direct = at::cross_entropy_loss(at::linear(hidden, head), targets);
  direct.backward();
  const at::Tensor exactHidden = hidden.detach().to(at::kDouble).requires_grad_(true),
                   exactHead = head.detach().to(at::kDouble).requires_grad_(true);
  at::cross_entropy_loss(at::linear(exactHidden, exactHead), targets).backward();
  expectAsExact(dHidden, hidden.grad(), exactHidden.grad());
  expectAsExact(dHead, head.grad(), exactHead.grad());
}

struct Distilled {
  double loss = 0;
  at::Tensor dRouted, dFull, dHead;
};

/// Loss and gradients by vocabularyLoss() or, `direct`, by the formula over all logits at once.
Distilled distilled(const DistillTerms& terms, bool fullHasGradient, bool direct) {
  at::manual_seed(2);
  const at::Tensor routed = at::randn({9, 8}).requires_grad_(true), head = at::randn({31, 8}).requires_grad_(true),
                   full = at::randn({9, 8}).requires_grad_(fullHasGradient);
  const at::Tensor targets = at::randint(31, {9}, at::kLong);
  at::Tensor loss;
  if (direct) {
    const at::Tensor r = at::linear(routed, head), f = at::linear(full, head);
    const at::Tensor teacher = at::log_softmax(f / terms.tau, -1).detach();
    const at::Tensor kl = (teacher.exp() * (teacher - at::log_softmax(r / terms.tau, -1))).sum() / 9;
    loss = (1 - terms.lambda) * at::cross_entropy_loss(r, targets) + terms.lambda * terms.tau * terms.tau * kl;
    if (terms.mu > 0) loss = loss + terms.mu * at::cross_entropy_loss(f, targets);
  } else {
    loss = vocabularyLoss(routed, full, head, targets, 1.0 / 9, terms);
  }
  loss.backward();
  return {loss.item<double>(), routed.grad(), full.grad(), head.grad()};
}

void expectSame(const Distilled& actual, const Distilled& expected) {
  EXPECT_NEAR(actual.loss, expected.loss, 1e-5);
  EXPECT_LT(distance(actual.dRouted, expected.dRouted), 1e-6);
  EXPECT_LT(distance(actual.dHead, expected.dHead), 1e-5);
}

TEST(VocabularyLoss, DistillationEqualsItsFormulaAndDetachesTheTeacherInTheKlTermOnly) {
  for (const DistillTerms& terms : {DistillTerms{0.3, 2, 0.7}, DistillTerms{1, 1, 0.5}, DistillTerms{0, 1, 0.5}}) {
    SCOPED_TRACE(terms.lambda);
    const Distilled actual = distilled(terms, true, false), expected = distilled(terms, true, true);
    expectSame(actual, expected);
    EXPECT_LT(distance(actual.dFull, expected.dFull), 1e-6);
  }
}

TEST(VocabularyLoss, WithMuZeroNothingReachesTheFullMapsStates) {
  const DistillTerms terms{0.3, 2, 0};
  for (const bool fullHasGradient : {false, true}) {
    SCOPED_TRACE(fullHasGradient);
    const Distilled actual = distilled(terms, fullHasGradient, false);
    expectSame(actual, distilled(terms, false, true));
    if (actual.dFull.defined()) {
      EXPECT_EQ(actual.dFull.abs().max().item<double>(), 0);
    }
  }
}

/// Nothing in a training pass may depend on values: a read of one by the host would stall a GPU.
TEST(TrainingPass, RunsOnTheMetaDeviceWithoutAHostRead) {
  for (const std::string& name : kGoldenModels) {
    for (const bool checkpointing : {false, true}) {
      SCOPED_TRACE(name + (checkpointing ? " with checkpointing" : ""));
      const auto model = golden(name);
      const ModelConfig& config = model->config();
      const SharingMap routing = parseMap("stride:2", config.layers).value();
      Weights weights = model->weights();
      std::vector<at::Tensor> leaves;
      visitParameters(weights, config.tied, [&](const std::string&, at::Tensor& tensor) {
        tensor = at::empty(tensor.sizes(), at::TensorOptions(at::kFloat).device(at::kMeta)).requires_grad_(true);
        leaves.push_back(tensor);
      });
      const auto options = at::TensorOptions(at::kLong).device(at::kMeta);
      LayerContext context;
      context.config = &config;
      context.rotation = rotationOf({model->rope().inverseFrequencies.to(at::kMeta), model->rope().scaling},
                                    at::empty({2, 12}, options));
      context.first = at::empty({2, 12}, options.dtype(at::kInt));
      const auto pass = [&](const SharingMap& map) {
        return forwardHidden(weights, at::kFloat, at::empty({2, 12}, options), map, context,
                             {.checkpointing = checkpointing})
            .view({24, config.width});
      };
      const at::Tensor loss = vocabularyLoss(pass(routing), pass(SharingMap::full(config.layers)), weights.head.weight,
                                             at::empty({24}, options), 1.0 / 24, {0.5, 1, 0.5});
      EXPECT_TRUE(loss.is_meta());
      torch::autograd::backward({loss}, {});
      for (const at::Tensor& leaf : leaves) EXPECT_TRUE(leaf.grad().defined());
    }
  }
}

}  // namespace
}  // namespace strata::testing
