// AdamW with its clipping, against the update written out.

#include "core/training/optimizer.h"

#include "small_training.h"

namespace strata::testing {
namespace {

AdamW optimizerOf(std::vector<NamedParameter>& parameters) {
  at::manual_seed(2);
  for (const char* name : {"matrix", "vector", "unread"}) {
    const at::Tensor value = name[0] == 'm' ? at::randn({7, 5}) : at::randn({9});
    parameters.push_back({name, value.requires_grad_(true)});
  }
  for (std::size_t i = 0; i < 2; ++i) {
    parameters[i].value.mutable_grad() = 3 * at::randn(parameters[i].value.sizes());
  }
  return AdamW(parameters, {});
}

TEST(AdamW, ClippingBoundsTheNormOfTheGradientsItKnows) {
  std::vector<NamedParameter> parameters;
  const AdamW optimizer = optimizerOf(parameters);
  const double norm = optimizer.gradientNorm().item<double>();
  const at::Tensor all = at::cat({parameters[0].value.grad().flatten(), parameters[1].value.grad()});
  EXPECT_NEAR(norm, all.norm().item<double>(), 1e-5 * norm);
  EXPECT_NEAR(norm * AdamW::clipFactor(norm, 1.5), 1.5, 1e-5);
  EXPECT_EQ(AdamW::clipFactor(norm, 0), 1);
  EXPECT_EQ(AdamW::clipFactor(0.1, 1.5), 1);
}

TEST(AdamW, AFactorIsThatOfTheGradients) {
  std::vector<NamedParameter> parameters, others;
  AdamW optimizer = optimizerOf(parameters), other = optimizerOf(others);
  for (int step = 0; step < 3; ++step) {
    optimizer.step(1e-2, 0.125);
    for (std::size_t i = 0; i < 2; ++i) {
      others[i].value.mutable_grad() = 0.125 * others[i].value.grad();
      parameters[i].value.mutable_grad() = at::randn(parameters[i].value.sizes());
    }
    other.step(1e-2);
    for (std::size_t i = 0; i < 2; ++i) others[i].value.mutable_grad() = parameters[i].value.grad().clone();
  }
  for (std::size_t i = 0; i < 3; ++i) EXPECT_TRUE(at::equal(parameters[i].value, others[i].value)) << others[i].name;
  EXPECT_FALSE(optimizer.states()[2].m.defined()) << "no gradient reached it";
}

}  // namespace
}  // namespace strata::testing
