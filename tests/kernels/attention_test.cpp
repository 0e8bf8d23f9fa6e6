#include "kernels/attention.h"

#include "splits.h"

namespace strata::kernels::testing {
namespace {

using Doubles = std::vector<double>;

/// One call's inputs, and in fp64 what it should give.
struct Case {
  Case(Element element, const AttentionShape& s, bool packed, unsigned seed)
      : shape(s),
        scale(1 / std::sqrt(static_cast<float>(s.d))),
        q(element, s.b * s.t * s.h * s.d, 2),
        k(element, s.b * (s.capacity > 0 ? s.capacity : s.keys()) * s.hkv * s.d, 2),
        v(element, k.size()),
        dOut(element, s.b * s.t * s.h * s.d, 2) {
    std::mt19937 random(seed);
    q.fillRandom(random, 2);
    k.fillRandom(random);
    v.fillRandom(random);
    dOut.fillRandom(random);
    if (packed) {  // rows of 11, 21, … tokens, with a window of 40
      for (std::int64_t b = 0; b < s.b; ++b) {
        std::int64_t row = 0, length = 11;
        for (std::int64_t t = s.offset; t < s.keys(); ++t) {
          if (t - row == length) row = t, length += 10;
          first.push_back(static_cast<std::int32_t>(std::max(row, t - 39)));
        }
      }
    }
    compute();
  }
  /// Where element 0 of a key lies.
  std::int64_t keyAt(std::int64_t b, std::int64_t key, std::int64_t kvHead) const {
    if (shape.capacity > 0) return ((b * shape.hkv + kvHead) * shape.capacity + key) * shape.d;
    return ((b * shape.keys() + key) * shape.hkv + kvHead) * shape.d;
  }
  const std::int32_t* firsts() const { return first.empty() ? nullptr : first.data(); }

  void compute() {
    const std::int64_t group = shape.h / shape.hkv;
    out.resize(static_cast<std::size_t>(q.size()));
    dq = out;
    dk.resize(static_cast<std::size_t>(k.size()));
    dv = dk;
    for (std::int64_t b = 0; b < shape.b; ++b) {
      for (std::int64_t head = 0; head < shape.h; ++head) {
        for (std::int64_t t = 0; t < shape.t; ++t) query(b, head, head / group, t);
      }
    }
  }
  void query(std::int64_t b, std::int64_t head, std::int64_t kvHead, std::int64_t t) {
    const std::int64_t begin = first.empty() ? 0 : first[static_cast<std::size_t>(b * shape.t + t)], d = shape.d;
    const std::int64_t at = ((b * shape.t + t) * shape.h + head) * d;
    Doubles p, dp;
    double sum = 0, delta = 0;
    for (std::int64_t key = begin; key <= shape.offset + t; ++key) {
      double score = 0, product = 0;
      for (std::int64_t i = 0; i < d; ++i) {
        score += static_cast<double>(q.get(at + i)) * k.get(keyAt(b, key, kvHead) + i);
        product += static_cast<double>(dOut.get(at + i)) * v.get(keyAt(b, key, kvHead) + i);
      }
      p.push_back(std::exp(score * scale));
      dp.push_back(product);
      sum += p.back();
    }
    lse.push_back(std::log(sum));
    for (std::size_t j = 0; j < p.size(); ++j) delta += (p[j] /= sum) * dp[j];
    for (std::size_t j = 0; j < p.size(); ++j) {
      const double ds = p[j] * (dp[j] - delta) * scale;
      for (std::int64_t i = 0; i < d; ++i) {
        const auto own = static_cast<std::size_t>(at + i);
        const auto other = static_cast<std::size_t>(keyAt(b, begin + static_cast<std::int64_t>(j), kvHead) + i);
        out[own] += p[j] * v.get(static_cast<std::int64_t>(other));
        dq[own] += ds * k.get(static_cast<std::int64_t>(other));
        dk[other] += ds * q.get(static_cast<std::int64_t>(own));
        dv[other] += p[j] * dOut.get(static_cast<std::int64_t>(own));
      }
    }
  }

  AttentionShape shape;
  float scale;
  Array q, k, v, dOut;
  std::vector<std::int32_t> first;
  Doubles out, lse, dq, dk, dv;  // lse in the order b, head, t
};

struct Results {
  Results(Element element, const Case& c)
      : out(element, c.q.size(), 2),
        dq(element, c.q.size()),
        dk(element, c.k.size(), 2),
        dv(element, c.k.size()),
        lse(Element::f32, c.shape.b * c.shape.h * c.shape.t) {}
  Array out, dq, dk, dv, lse;
};

class Attention : public KernelTest {
 protected:
  void forward(const Case& c, Results& r, float* lse, bool plain, const Stream& stream) const {
    const TargetsScope scope(targetsOf(version()));
    (plain ? reference::attention : kernels::attention)(element(), c.q.data(), c.k.data(), c.v.data(), c.firsts(),
                                                        c.scale, r.out.data(), lse, c.shape, stream);
  }
  void run(const Case& c, Results& r, bool plain, const Stream& stream) const {
    const TargetsScope scope(targetsOf(version()));
    const bool byReference = plain || isReference();
    auto* const lse = static_cast<float*>(r.lse.data());
    forward(c, r, lse, byReference, stream);
    if (c.shape.offset > 0 || c.shape.capacity > 0) return;
    (byReference ? reference::attentionBackward : kernels::attentionBackward)(
        element(), c.q.data(), c.k.data(), c.v.data(), c.firsts(), c.scale, {r.out.data(), lse, c.dOut.data()},
        {r.dq.data(), r.dk.data(), r.dv.data()}, c.shape, stream);
  }
};

TEST_P(Attention, ReadsACacheFromAnyPositionAndNothingBeyondIt) {
  const AttentionShape shapes[] = {{1, 3, 2, 1, 8, 5, 9},        {2, 33, 4, 2, 32, 31, 70},
                                   {1, 40, 2, 2, 16, 64, 104},   {1, 1, 3, 1, 20, 100, 120},
                                   {2, 7, 2, 1, 64, 1200, 1300}, {1, 70, 1, 1, 8, 2500, 2570},
                                   {2, 12, 2, 1, 16, 30}};
  unsigned seed = 100;
  for (const AttentionShape& shape : shapes) {
    for (const bool windowed : {false, true}) {
      SCOPED_TRACE(::testing::Message() << "T " << shape.t << " from " << shape.offset << (windowed ? ", window" : ""));
      Case c(element(), shape, windowed, ++seed);
      for (std::int64_t row = 0; shape.capacity > 0 && row < shape.b * shape.hkv; ++row) {
        for (std::int64_t key = 0; key < shape.capacity; ++key) {
          // Keys before every window are not read, but for those of the first one's block.
          if (key < shape.keys() && !(windowed && key < shape.offset - 39 - 32)) continue;
          for (std::int64_t i = 0; i < shape.d; ++i) {
            c.k.set((row * shape.capacity + key) * shape.d + i, std::nanf(""));
            c.v.set((row * shape.capacity + key) * shape.d + i, std::nanf(""));
          }
        }
      }
      Results got(element(), c), plain(element(), c);
      run(c, got, false, kOneThread);
      run(c, plain, true, kOneThread);
      expectAsGoodAs(got.out, plain.out, c.out);
      expectAsGoodAs(got.lse, plain.lse, c.lse);
      if (isReference()) continue;
      for (const Stream& stream : kSplits) {
        forward(c, plain, nullptr, false, stream);
        EXPECT_TRUE(sameBits(got.out, plain.out));
      }
    }
  }
}

TEST_P(Attention, IsAsExactAsThePlainComputationAndTheSameForAnySplit) {
  const AttentionShape shapes[] = {{1, 3, 1, 1, 8},    {2, 5, 2, 1, 32},  {1, 32, 2, 2, 16},  {2, 67, 3, 1, 20},
                                   {1, 130, 4, 2, 64}, {3, 96, 6, 2, 32}, {1, 70, 2, 1, 128}, {1, 600, 2, 1, 16},
                                   {2, 300, 4, 1, 8},  {1, 1100, 1, 1, 8}};
  unsigned seed = 0;
  for (const AttentionShape& shape : shapes) {
    for (const bool packed : {false, true}) {
      SCOPED_TRACE(::testing::Message() << "T " << shape.t << ", D " << shape.d << (packed ? ", packed" : ""));
      const Case c(element(), shape, packed, ++seed);
      Results got(element(), c), plain(element(), c);
      run(c, got, false, kOneThread);
      run(c, plain, true, kOneThread);
      expectAsGoodAs(got.out, plain.out, c.out);
      expectAsGoodAs(got.lse, plain.lse, c.lse);
      expectAsGoodAs(got.dq, plain.dq, c.dq);
      expectAsGoodAs(got.dk, plain.dk, c.dk);
      expectAsGoodAs(got.dv, plain.dv, c.dv);
      const double terms = static_cast<double>(std::max<std::int64_t>(128, shape.t)) / 128;  // of a sum, in fp32
      EXPECT_LE(largestError(got.out, c.out), 4 * unitOf(element()) + 2e-6 * terms);
      EXPECT_LE(largestError(got.lse, c.lse), 1e-5);
      if (isReference()) continue;
      for (const Stream& stream : kSplits) {
        run(c, plain, false, stream);
        EXPECT_TRUE(sameBits(got.out, plain.out));
        EXPECT_TRUE(sameBits(got.lse, plain.lse));
        EXPECT_TRUE(sameBits(got.dq, plain.dq));
        EXPECT_TRUE(sameBits(got.dk, plain.dk));
        EXPECT_TRUE(sameBits(got.dv, plain.dv));
      }
    }
  }
}

TEST_P(Attention, StandsScoresOfAnySize) {
  Case c(element(), {1, 40, 2, 1, 32}, false, 3);
  for (std::int64_t i = 0; i < c.q.size(); ++i) c.q.set(i, 100 * c.q.get(i));
  Results got(element(), c);
  run(c, got, false, kOneThread);
  for (std::int64_t i = 0; i < got.dq.size(); ++i) {
    ASSERT_TRUE(std::isfinite(got.out.get(i)) && std::isfinite(got.dq.get(i)));
  }
}

TEST_P(Attention, PassesNaNOnToTheQueriesThatReadIt) {
  Case c(element(), {1, 40, 1, 1, 32}, false, 4);
  c.v.set(20 * 32, std::nanf(""));
  c.k.set(30 * 32, std::nanf(""));
  Results got(element(), c);
  run(c, got, false, kOneThread);
  for (std::int64_t t = 0; t < 40; ++t) {
    EXPECT_TRUE(t < 20 || std::isnan(got.out.get(t * 32))) << t;
    EXPECT_EQ(std::isnan(got.out.get(t * 32 + 1)), t >= 30) << t;
  }
}

STRATA_ALL_VERSIONS(Attention);

}  // namespace
}  // namespace strata::kernels::testing
