// Attention of many queries: compiled for the emulation (STRATA_SIMT) and for a GPU.

#include <gmock/gmock.h>

#include "device_functions.h"
#include "kernel_test.h"
#include "kernels/attention.h"

namespace strata::kernels::testing {
namespace {

struct PrefillCase {
  std::int64_t b, t, h, hkv, d;
  std::int64_t capacity = 0;               // over 0: a cache
  std::vector<std::int64_t> lengths = {};  // of a cache, [B]
  std::int64_t window = 0;
};

class PrefillAttention : public OnDevice<::testing::TestWithParam<Element>, 9> {
 protected:
  /// Against fp64 and the reference; what no query may see is NaN.
  void check(const PrefillCase& shape) const {
    const std::int64_t b = shape.b, t = shape.t, h = shape.h, hkv = shape.hkv, d = shape.d;
    const std::int64_t capacity = shape.capacity, window = shape.window;
    const std::vector<std::int64_t>& lengths = shape.lengths;
    SCOPED_TRACE("T " + std::to_string(t) + ", H " + std::to_string(h) + "/" + std::to_string(hkv) + ", D " +
                 std::to_string(d) + ", capacity " + std::to_string(capacity));
    std::mt19937 random(static_cast<unsigned>(t * 1009 + d * 31 + h));
    const std::int64_t keyRows = b * hkv * (capacity > 0 ? capacity : t);
    Array q(GetParam(), b * t * h * d), out(GetParam(), q.size()), plain(GetParam(), q.size());
    Array k(GetParam(), keyRows * d), v(GetParam(), keyRows * d);
    q.fillRandom(random);
    k.fillRandom(random, 2);
    v.fillRandom(random);
    const auto keysOf = [&](std::int64_t sequence) {
      return capacity > 0 ? lengths[static_cast<std::size_t>(sequence)] : t;
    };
    for (std::int64_t row = 0; row < keyRows && capacity > 0; ++row) {
      const std::int64_t keys = keysOf(row / capacity / hkv), key = row % capacity;
      if (key < keys && (window == 0 || key > keys - t - window)) continue;
      for (std::int64_t i = 0; i < d; ++i) {
        k.set(row * d + i, std::nanf(""));
        v.set(row * d + i, std::nanf(""));
      }
    }
    const float scale = 1.0f / std::sqrt(static_cast<float>(d));
    prefillOnDevice(GetParam(), q.data(), k.data(), v.data(), lengths, window, scale, out.data(), b, t, h, hkv,
                    capacity, d);

    std::vector<double> exact;
    for (std::int64_t row = 0; row < b * t * h; ++row) {
      const std::int64_t sequence = row / h / t, query = row / h % t, kvHead = row % h / (h / hkv);
      const std::int64_t own = keysOf(sequence) - t + query;
      const std::int64_t begin = window > 0 ? std::max<std::int64_t>(0, own + 1 - window) : 0;
      const auto keyAt = [&](std::int64_t key) {
        return capacity > 0 ? ((sequence * hkv + kvHead) * capacity + key) * d
                            : ((sequence * t + key) * hkv + kvHead) * d;
      };
      std::vector<double> p;
      std::vector<float> plainP;
      double most = -1e300, total = 0;
      for (std::int64_t key = begin; key <= own; ++key) {
        double score = 0;
        float plainScore = 0;
        for (std::int64_t i = 0; i < d; ++i) {
          score += static_cast<double>(q.get(row * d + i)) * k.get(keyAt(key) + i);
          plainScore += q.get(row * d + i) * k.get(keyAt(key) + i);
        }
        p.push_back(score / std::sqrt(static_cast<double>(d)));
        plainP.push_back(plainScore * scale);
        most = std::max(most, p.back());
      }
      const float plainMost = *std::max_element(plainP.begin(), plainP.end());
      float plainTotal = 0;
      for (std::size_t i = 0; i < p.size(); ++i) {
        p[i] = std::exp(p[i] - most);
        total += p[i];
        plainP[i] = std::exp(plainP[i] - plainMost);
        plainTotal += plainP[i];
        if (GetParam() == Element::bf16) plainP[i] = toFloat(fromFloat<Bfloat16>(plainP[i]));
      }
      for (std::int64_t i = 0; i < d; ++i) {
        double sum = 0;
        float plainSum = 0;
        for (std::size_t key = 0; key < p.size(); ++key) {
          const std::int64_t at = keyAt(begin + static_cast<std::int64_t>(key)) + i;
          sum += p[key] * v.get(at);
          plainSum += plainP[key] * v.get(at);
        }
        exact.push_back(sum / total);
        plain.set(row * d + i, plainSum / plainTotal);
      }
    }
    // Values are averages of N(0, 1), of which each probability and the result are rounded.
    EXPECT_LE(largestError(out, exact), 5 * (2 * unitOf(GetParam()) + 40 * static_cast<double>(d + 2) * 6e-8));
    expectAsGoodAs(out, plain, exact);
  }
};

TEST_P(PrefillAttention, IsAsExactAsThePlainComputationForEveryShape) {
  check({1, 1, 1, 1, 8});
  check({2, 17, 2, 2, 16});
  check({1, 64, 4, 2, 64});
  check({1, 65, 3, 1, 40});
  check({1, 130, 2, 1, 128});
  check({2, 70, 6, 2, 96});
}

TEST_P(PrefillAttention, ReadsACacheFromItsOwnLengthsOn) {
  check({1, 5, 2, 1, 64, 40, {5}});
  check({2, 9, 4, 2, 32, 150, {9, 140}});
  check({1, 70, 2, 2, 128, 200, {200}});
}

TEST_P(PrefillAttention, SeesAWindow) {
  check({1, 100, 2, 1, 16, 0, {}, 7});
  check({2, 6, 4, 2, 64, 300, {250, 6}, 100});
  check({1, 80, 2, 2, 64, 300, {300}, 65});
}

INSTANTIATE_TEST_SUITE_P(, PrefillAttention, ::testing::Values(Element::f32, Element::bf16),
                         [](const auto& info) { return info.param == Element::f32 ? "F32" : "Bf16"; });

}  // namespace
}  // namespace strata::kernels::testing
