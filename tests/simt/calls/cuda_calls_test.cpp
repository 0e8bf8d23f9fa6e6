// How tensors reach libstrata_cuda.so: the engine must give it the right arrays, sizes and order.

#include "core/model/cuda_calls.h"

#include <ATen/ATen.h>

#include "core/model/kernel_calls.h"
#include "emulated_module.h"

namespace strata::testing {
namespace {

class CudaCalls : public WithEmulatedModule<::testing::TestWithParam<at::ScalarType>> {
 protected:
  at::Tensor random(at::IntArrayRef sizes) const {
    return at::randn(sizes, m_generator, at::TensorOptions(at::kFloat)).to(GetParam());
  }
  void expectClose(const at::Tensor& got, const at::Tensor& expected) const {
    ASSERT_TRUE(got.defined());
    ASSERT_EQ(got.sizes(), expected.sizes());
    ASSERT_EQ(got.scalar_type(), expected.scalar_type());
    const double tolerance = GetParam() == at::kFloat ? 1e-5 : 2e-2;
    EXPECT_TRUE(at::allclose(got.to(at::kDouble), expected.to(at::kDouble), tolerance, tolerance))
        << (got.to(at::kDouble) - expected.to(at::kDouble)).abs().max().item<double>();
  }

  at::Generator m_generator = at::make_generator<at::CPUGeneratorImpl>(3);
};

TEST_P(CudaCalls, RmsNormIsThatOfTheCpu) {
  const at::Tensor x = random({2, 3, 40}).transpose(0, 1), weight = random({40});
  const at::Tensor before = x.clone();
  expectClose(calls::cuda::rmsNorm(x, weight, 1e-5), calls::rmsNorm(x, weight, 1e-5));
  EXPECT_TRUE(at::equal(x, before));
  EXPECT_FALSE(calls::cuda::rmsNorm(x, weight.to(at::kDouble), 1e-5).defined());
}

TEST_P(CudaCalls, RotateIsThatOfTheCpu) {
  const at::Tensor angles = at::rand({2, 3, 8}, m_generator), x = random({2, 3, 4, 16});
  const Rotation rotation{angles.cos(), angles.sin()};
  at::Tensor got = x.clone(), expected = x.clone(), transposed = x.transpose(1, 2);
  EXPECT_TRUE(calls::cuda::rotate(got, rotation.cos, rotation.sin));
  calls::rotate(expected, rotation);
  expectClose(got, expected);
  EXPECT_FALSE(calls::cuda::rotate(transposed, rotation.cos, rotation.sin));
}

TEST_P(CudaCalls, SiluMulIsThatOfTheCpu) {
  const at::Tensor gate = random({3, 50}), up = random({3, 50});
  expectClose(calls::cuda::siluMul(gate, up), calls::siluMul(gate, up));
}

TEST_P(CudaCalls, MatvecIsThatOfTheCpu) {
  const at::Tensor x = random({2, 3, 48}), weight = random({20, 48}), bias = random({20});
  at::Tensor y = at::empty({2, 3, 20}, at::kFloat);
  kernels::MatvecTarget target;
  target.weight = weight.const_data_ptr();
  target.bias = bias.const_data_ptr();
  target.y = y.mutable_data_ptr();
  target.n = 20;
  EXPECT_TRUE(calls::cuda::matvec(x, at::kFloat, {target}));
  expectClose(y, at::linear(x.to(at::kFloat), weight.to(at::kFloat), bias.to(at::kFloat)));
  EXPECT_FALSE(calls::cuda::matvec(random({9, 48}), at::kFloat, {target})) << "too many rows";
}

TEST_P(CudaCalls, SoftmaxCrossEntropyIsThatOfTheCpu) {
  const at::Tensor logits = random({5, 300}),
                   targets = at::randint(300, {5}, m_generator, at::TensorOptions(at::kLong));
  at::Tensor got = logits.clone(), expected = logits.clone();
  expectClose(calls::cuda::softmaxCrossEntropy(got, targets, 0.5).to(GetParam()),
              calls::softmaxCrossEntropy(expected, targets, 0.5).to(GetParam()));
  expectClose(got, expected);
}

TEST_P(CudaCalls, AppendAndDecodeAttentionAreThoseOfTheCpu) {
  const at::Tensor k = random({2, 1, 2, 16}), v = random({2, 1, 2, 16}), q = random({2, 1, 6, 16});
  at::Tensor kCache = random({2, 2, 9, 16}), vCache = random({2, 2, 9, 16});
  at::Tensor kExpected = kCache.clone(), vExpected = vCache.clone();
  const std::vector<std::int64_t> positions{8, 3}, lengths{9, 4};
  EXPECT_TRUE(calls::cuda::appendOne(k, v, kCache, vCache, positions));
  calls::appendOne(k, v, kExpected, vExpected, positions);
  EXPECT_TRUE(at::equal(kCache, kExpected));
  EXPECT_TRUE(at::equal(vCache, vExpected));
  for (const std::int64_t window : {0, 3}) {
    expectClose(calls::cuda::decodeAttention(q, kCache, vCache, lengths, window, window > 0 ? 3 : 9, 0.25),
                calls::decodeAttention(q, kCache, vCache, lengths, window));
  }
  EXPECT_FALSE(
      calls::cuda::decodeAttention(random({1, 1, 1, 264}), random({1, 1, 4, 264}), random({1, 1, 4, 264}), {4}, 0, 4, 1)
          .defined())
      << "a head larger than the kernel takes";
}

TEST_P(CudaCalls, CacheAttentionIsThatOfTheCpu) {
  const at::Tensor q = random({2, 5, 6, 16}), kCache = random({2, 2, 20, 16}), vCache = random({2, 2, 20, 16});
  for (const std::int64_t window : {0, 3}) {
    for (const std::int64_t start : {0, 13}) {
      expectClose(calls::cuda::cacheAttention(q, kCache, vCache, start, window, 0.25),
                  calls::cacheAttention(q, kCache, vCache, start, window));
    }
  }
  EXPECT_EQ(calls::cuda::cacheAttention(random({1, 1, 1, 136}), random({1, 1, 4, 136}), random({1, 1, 4, 136}), 0, 0, 1)
                .defined(),
            GetParam() == at::kFloat);
}

INSTANTIATE_TEST_SUITE_P(, CudaCalls, ::testing::Values(at::kFloat, at::kBFloat16),
                         [](const auto& info) { return info.param == at::kFloat ? "F32" : "Bf16"; });

}  // namespace
}  // namespace strata::testing
