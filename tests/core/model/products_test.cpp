#include "core/model/products.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

namespace strata {
namespace {

class ProductsOf : public ::testing::TestWithParam<at::ScalarType> {
 protected:
  at::Tensor random(std::int64_t rows, std::int64_t columns) const {
    return at::randn({rows, columns}, at::kFloat).to(GetParam());
  }
  void expectNear(const at::Tensor& y, const at::Tensor& exact) const {
    const double tolerance = y.scalar_type() == at::kBFloat16 ? 0.2 : 1e-4;
    EXPECT_LE((y.to(at::kDouble) - exact).abs().max().item<double>(), tolerance);
  }
  static at::Tensor wide(const at::Tensor& x) { return x.to(at::kDouble); }
};

TEST_P(ProductsOf, SumsTakeViewsOfEitherLayoutABiasAndFp32Weights) {
  const at::Tensor x = random(20, 12), reduced = random(4, 20), bias = random(1, 7)[0];
  const at::Tensor weight = at::randn({7, 12}, at::kFloat), b = random(4, 7);
  const auto y = calls::products({x, reduced.t()}, {{{{0, weight}, {1, b.t()}}, bias}}, GetParam())[0];
  const at::Tensor rounded = weight.to(GetParam());
  expectNear(y, wide(x).mm(wide(rounded).t()) + wide(reduced).t().mm(wide(b)) + wide(bias));
}

TEST_P(ProductsOf, RowsThatArePartsOfALargerTensorAreReadInPlace) {
  const at::Tensor all = random(30, 40), x = all.narrow(1, 8, 16), weight = random(5, 16);
  expectNear(calls::product(x, weight, GetParam()), wide(x).mm(wide(weight).t()));
  const at::Tensor scattered = all.as_strided({6, 16}, {80, 2});
  expectNear(calls::product(scattered, weight, GetParam()), wide(scattered).mm(wide(weight).t()));
}

TEST_P(ProductsOf, AGradientOfWeightsIsAddedToInFp32) {
  const at::Tensor dy = random(33, 9), x = random(33, 14);
  const at::Tensor sum = at::full({9, 14}, 2, at::kFloat);
  const calls::Products intoSum{{{0, x.t()}}, {}, sum, false}, again{{{0, x.t()}}, {}, sum, true};
  const at::Tensor exact = wide(dy).t().mm(wide(x));
  calls::products({dy.t()}, {intoSum}, at::kFloat);
  EXPECT_LE((wide(sum) - exact).abs().max().item<double>(), 0.2);
  calls::products({dy.t()}, {again}, at::kFloat);
  EXPECT_LE((wide(sum) - 2 * exact).abs().max().item<double>(), 0.4);
}

TEST_P(ProductsOf, ALoraIsPartOfItsLayersProduct) {
  const at::Tensor x = random(2 * 9, 16).view({2, 9, 16});
  const Linear plain{random(6, 16), {}, {}, {}, 0};
  const Linear adapted{random(10, 16), random(1, 10)[0], random(3, 16), random(10, 3), 0.5};
  const auto [results, reduced] = calls::linearProducts(x, {&plain, &adapted});
  ASSERT_EQ(results[1].sizes(), (std::vector<std::int64_t>{2, 9, 10}));
  EXPECT_FALSE(reduced[0].defined());
  const at::Tensor rows = wide(x).view({18, 16});
  expectNear(results[0].view({18, 6}), rows.mm(wide(plain.weight).t()));
  const at::Tensor lora = rows.mm(wide(adapted.loraA).t()).mm(wide(adapted.loraB).t());
  expectNear(results[1].view({18, 10}), rows.mm(wide(adapted.weight).t()) + wide(adapted.bias) + 0.5 * lora);
}

INSTANTIATE_TEST_SUITE_P(Of, ProductsOf, ::testing::Values(at::kFloat, at::kBFloat16),
                         [](const auto& info) { return info.param == at::kFloat ? "Float32" : "Bfloat16"; });

}  // namespace
}  // namespace strata
