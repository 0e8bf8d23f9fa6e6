// Keys and values in 8 bits: rounding by hand and against the formula, reading back, and attention over codes.

#include "kernels/kv_codes.h"

#include <array>
#include <bit>

#include "attention_cases.h"
#include "kernel_test.h"

namespace strata::kernels::testing {
namespace {

std::uint8_t float8Of(float value) {
  return fromFloat<Float8>(value).bits;
}

TEST(Float8, RoundsToNearestTiesToEven) {
  EXPECT_EQ(float8Of(0), 0x00);
  EXPECT_EQ(float8Of(-0.0f), 0x80);
  EXPECT_EQ(float8Of(1), 0x38);  // exponent 7, mantissa 0
  EXPECT_EQ(float8Of(-1), 0xb8);
  EXPECT_EQ(float8Of(1.0625f), 0x38) << "between 1 and 1.125";
  EXPECT_EQ(float8Of(1.1875f), 0x3a) << "between 1.125 and 1.25";
  EXPECT_EQ(float8Of(1.07f), 0x39);
  EXPECT_EQ(float8Of(1.9375f), 0x40) << "between 1.875 and 2";
}

TEST(Float8, KeepsSubnormals) {
  EXPECT_EQ(float8Of(0x1p-9f), 0x01);
  EXPECT_EQ(float8Of(0x7p-9f), 0x07);
  EXPECT_EQ(float8Of(0x1p-6f), 0x08) << "the smallest normal one";
  EXPECT_EQ(float8Of(0x1p-10f), 0x00) << "between 0 and 2^-9";
  EXPECT_EQ(float8Of(0x3p-10f), 0x02) << "between 2^-9 and 2^-8";
  EXPECT_EQ(float8Of(-0xfp-10f), 0x88) << "between 7 · 2^-9 and 2^-6";
  EXPECT_EQ(float8Of(0x1.1p-10f), 0x01);
  EXPECT_EQ(float8Of(1e-30f), 0x00);
}

TEST(Float8, SaturatesAndKeepsNaN) {
  EXPECT_EQ(float8Of(448), 0x7e);
  EXPECT_EQ(float8Of(464), 0x7e) << "half way to what would be 480";
  EXPECT_EQ(float8Of(1e9f), 0x7e);
  EXPECT_EQ(float8Of(-INFINITY), 0xfe);
  EXPECT_EQ(float8Of(std::nanf("")), 0x7f);
  EXPECT_TRUE(std::isnan(toFloat(Float8{0x7f})));
  EXPECT_TRUE(std::isnan(toFloat(Float8{0xff})));
}

TEST(Float8, EachCodeIsItsOwnRounding) {
  float before = -1;
  for (int code = 0; code < 0x7f; ++code) {
    const float value = toFloat(Float8{static_cast<std::uint8_t>(code)});
    EXPECT_GT(value, before);
    EXPECT_EQ(float8Of(value), code);
    EXPECT_EQ(float8Of(-value), code | 0x80);
    EXPECT_EQ(toFloat(Float8{static_cast<std::uint8_t>(code | 0x80)}), -value);
    before = value;
  }
  EXPECT_EQ(before, 448);
}

constexpr KvFormat kKvFormats[] = {KvFormat::int8, KvFormat::fp8};

/// What a code of a format stands for.
float valueOf(KvFormat format, std::uint8_t code) {
  return format == KvFormat::int8 ? static_cast<float>(static_cast<std::int8_t>(code)) : toFloat(Float8{code});
}

/// Bytes that end at an unreadable page.
class Bytes : public Array {
 public:
  explicit Bytes(std::int64_t count) : Array(Element::bf16, (count + 1) / 2), m_odd(count % 2) {
    std::memset(data(), 0x7f, static_cast<std::size_t>(count));
  }
  std::uint8_t* data() { return static_cast<std::uint8_t*>(Array::data()) + m_odd; }
  const std::uint8_t* data() const { return static_cast<const std::uint8_t*>(Array::data()) + m_odd; }

 private:
  std::int64_t m_odd;
};

/// Keys and values of [B, Hkv, capacity, D] in codes; what was not written is NaN.
struct Codes {
  Codes(std::int64_t rows, std::int64_t size)
      : d(size), k(rows * size), v(rows * size), kScales(Element::bf16, rows), vScales(Element::bf16, rows) {
    for (std::int64_t row = 0; row < rows; ++row) {
      kScales.set(row, std::nanf(""));
      vScales.set(row, std::nanf(""));
    }
  }
  KvCodes pointers() { return {k.data(), v.data(), kScales.data(), vScales.data()}; }
  float key(KvFormat format, std::int64_t at) const { return valueOf(format, k.data()[at]) * kScales.get(at / d); }
  float value(KvFormat format, std::int64_t at) const { return valueOf(format, v.data()[at]) * vScales.get(at / d); }

  std::int64_t d;
  Bytes k, v;
  Array kScales, vScales;
};

class KvCodesTest : public KernelTest {
 protected:
  /// The codes of one row.
  std::pair<std::vector<int>, float> round(KvFormat format, const std::vector<float>& values) const {
    const auto d = static_cast<std::int64_t>(values.size());
    Array x(element(), d);
    for (std::int64_t i = 0; i < d; ++i) x.set(i, values[static_cast<std::size_t>(i)]);
    Codes codes(1, d);
    const std::int64_t position = 0;
    kvAppendCodes(format, element(), x.data(), x.data(), codes.pointers(), &position, 1, 1, 1, 1, d, kOneThread);
    std::vector<int> result;
    for (std::int64_t i = 0; i < d; ++i) {
      EXPECT_EQ(codes.k.data()[i], codes.v.data()[i]);
      result.push_back(format == KvFormat::int8 ? static_cast<std::int8_t>(codes.k.data()[i]) : codes.k.data()[i]);
    }
    EXPECT_TRUE(codes.k.surroundingsUntouched());
    return {result, codes.kScales.get(0)};
  }
};

TEST_P(KvCodesTest, WholeNumbersRoundTiesToEven) {
  const TargetsScope scope(targetsOf(version()));
  const auto [codes, scale] = round(KvFormat::int8, {127, 0.5f, 1.5f, 2.5f, -0.5f, -1.5f, -2.5f, 126.5f, -127, 0});
  EXPECT_EQ(scale, 1);
  EXPECT_EQ(codes, (std::vector<int>{127, 0, 2, 2, 0, -2, -2, 126, -127, 0}));
}

TEST_P(KvCodesTest, Float8RoundsTiesToEvenAndKeepsSubnormals) {
  const TargetsScope scope(targetsOf(version()));
  const auto [codes, scale] = round(KvFormat::fp8, {448, 1.0625f, 1.1875f, 0x1p-10f, 0x3p-10f, -0x1p-9f, -448, 0});
  EXPECT_EQ(scale, 1);
  EXPECT_EQ(codes, (std::vector<int>{0x7e, 0x38, 0x3a, 0, 0x02, 0x81, 0xfe, 0}));
}

TEST_P(KvCodesTest, TheScaleIsRoundedUpSoThatNoCodeIsTooLarge) {
  const TargetsScope scope(targetsOf(version()));
  const auto [codes, scale] = round(KvFormat::int8, {-1, 0.5f, 0.25f});
  EXPECT_EQ(scale, 0x1.02p-7f + 0x1p-14f) << "1 / 127 is 1.00787 · 2^-7, and bf16 has steps of 2^-14 there";
  EXPECT_EQ(codes, (std::vector<int>{-126, 63, 32}));
}

TEST_P(KvCodesTest, ZerosStayZerosAndWhatIsNotFiniteIsNaN) {
  const TargetsScope scope(targetsOf(version()));
  for (const KvFormat format : kKvFormats) {
    EXPECT_EQ(round(format, {0, -0.0f, 0}), (std::pair(std::vector<int>{0, 0, 0}, 0.0f)));
    for (const float broken : {std::nanf(""), INFINITY, -INFINITY}) {
      EXPECT_TRUE(std::isnan(round(format, {1, 2, broken, 3, 4, 5, 6}).second));
    }
    // So small that the scale itself is subnormal.
    const auto [codes, scale] = round(format, {0x1p-120f, -0x1p-121f});
    EXPECT_NEAR(valueOf(format, static_cast<std::uint8_t>(codes[0])) * scale / 0x1p-120f, 1, 0.05);
  }
}

TEST_P(KvCodesTest, EveryRowIsRoundedByItselfToItsPlace) {
  const TargetsScope scope(targetsOf(version()));
  constexpr std::int64_t kB = 2, kT = 3, kHkv = 2, kCapacity = 7;
  const std::int64_t positions[kB] = {4, 1};
  std::mt19937 random(5);
  for (const KvFormat format : kKvFormats) {
    for (const std::int64_t d : {1, 6, 8, 16, 33, 64, 100, 128}) {
      SCOPED_TRACE(d);
      Array k(element(), kB * kT * kHkv * d, 2), v(element(), kB * kT * kHkv * d);
      k.fillRandom(random, 3);
      v.fillRandom(random, 0.01f);
      Codes codes(kB * kHkv * kCapacity, d);
      kvAppendCodes(format, element(), k.data(), v.data(), codes.pointers(), positions, kB, kT, kHkv, kCapacity, d,
                    kThreeThreads);
      for (std::int64_t row = 0; row < kB * kHkv * kCapacity; ++row) {
        const std::int64_t head = row / kCapacity, b = head / kHkv, t = row % kCapacity - positions[b];
        if (t < 0 || t >= kT) {
          EXPECT_TRUE(std::isnan(codes.kScales.get(row)));
          continue;
        }
        const std::int64_t from = ((b * kT + t) * kHkv + head % kHkv) * d;
        for (const bool isKey : {true, false}) {
          const Array& x = isKey ? k : v;
          const float scale = (isKey ? codes.kScales : codes.vScales).get(row);
          float largest = 0;
          for (std::int64_t i = 0; i < d; ++i) largest = std::max(largest, std::abs(x.get(from + i)));
          ASSERT_GE(scale * largestCode(format), largest * (1 - 1e-6));
          ASSERT_LE(scale * largestCode(format), largest * (1 + 0x1p-7));
          for (std::int64_t i = 0; i < d; ++i) {
            const std::uint8_t code = (isKey ? codes.k : codes.v).data()[row * d + i];
            const float units = x.get(from + i) / scale;
            if (format == KvFormat::int8) {
              ASSERT_EQ(static_cast<std::int8_t>(code), std::nearbyint(units));
            } else {
              ASSERT_EQ(code, fromFloat<Float8>(units).bits);
            }
          }
        }
      }
      EXPECT_TRUE(codes.k.surroundingsUntouched() && codes.v.surroundingsUntouched());
      EXPECT_TRUE(codes.kScales.surroundingsUntouched() && codes.vScales.surroundingsUntouched());
    }
  }
}

TEST_P(KvCodesTest, ReadsEachValueRoundedOnce) {
  const TargetsScope scope(targetsOf(version()));
  constexpr std::int64_t kRows = 3, kN = 4, kCapacity = 6;
  for (const KvFormat format : kKvFormats) {
    for (const std::int64_t d : {1, 7, 64, 100}) {
      Codes codes(kRows * kCapacity, d);
      for (std::int64_t i = 0; i < kRows * kCapacity * d; ++i) codes.k.data()[i] = static_cast<std::uint8_t>(i * 7);
      for (std::int64_t row = 0; row < kRows * kCapacity; ++row) codes.kScales.set(row, 0.01f * float(row + 1));
      Array out(element(), kRows * kN * d), expected(element(), kRows * kN * d);
      kvReadCodes(format, element(), codes.k.data(), codes.kScales.data(), out.data(), kRows, kN, kCapacity, d,
                  kThreeThreads);
      for (std::int64_t i = 0; i < out.size(); ++i) {
        expected.set(i, codes.key(format, (i / d / kN * kCapacity + i / d % kN) * d + i % d));
        if (std::isnan(expected.get(i))) {
          ASSERT_TRUE(std::isnan(out.get(i)));
        } else {
          ASSERT_EQ(out.get(i), expected.get(i));
        }
      }
      EXPECT_TRUE(out.surroundingsUntouched());
    }
  }
}

/// Decode attention over codes against fp64 over what they stand for.
void checkOverCodes(KvFormat format, Element element, const AttentionCase& shape, const Stream& stream) {
  const auto [b, h, hkv, d, capacity, lengths, window, slack] = shape;
  SCOPED_TRACE((format == KvFormat::int8 ? "int8, B " : "fp8, B ") + std::to_string(b) + ", H " + std::to_string(h) +
               "/" + std::to_string(hkv) + ", D " + std::to_string(d) + ", length " + std::to_string(lengths[0]));
  std::mt19937 random(static_cast<unsigned>(h * 1009 + d * 31 + lengths[0]));
  Array q(element, b * h * d, slack), out(element, b * h * d, slack), plain(element, b * h * d);
  q.fillRandom(random);
  Codes codes(b * hkv * capacity, d);
  std::vector<SequenceCache> caches;
  for (std::int64_t sequence = 0; sequence < b; ++sequence) {
    const std::int64_t row = sequence * hkv * capacity;
    for (std::int64_t position = firstKeySeen(lengths[static_cast<std::size_t>(sequence)], window);
         position < lengths[static_cast<std::size_t>(sequence)]; ++position) {
      Array k(element, hkv * d), v(element, hkv * d);
      k.fillRandom(random, 2);
      v.fillRandom(random);
      const KvCodes to{codes.k.data() + row * d, codes.v.data() + row * d, at(Element::bf16, codes.kScales.data(), row),
                       at(Element::bf16, codes.vScales.data(), row)};
      kvAppendCodes(format, element, k.data(), v.data(), to, &position, 1, 1, hkv, capacity, d, kOneThread);
    }
    caches.push_back({codes.k.data() + row * d, codes.v.data() + row * d, capacity, format,
                      at(Element::bf16, codes.kScales.data(), row), at(Element::bf16, codes.vScales.data(), row)});
  }
  const float scale = 1.0f / std::sqrt(static_cast<float>(d));
  DecodeAttentionPlan plan;
  plan.cut(lengths.data(), window, b, h, hkv, d);
  plan.attend(element, q.data(), caches.data(), scale, stream);
  plan.merge(element, out.data(), stream);

  // The plain computation in fp32, and exact.
  Array wideQ(Element::f32, q.size()), wideOut(Element::f32, q.size());
  Array wideK(Element::f32, b * hkv * capacity * d), wideV(Element::f32, b * hkv * capacity * d);
  for (std::int64_t i = 0; i < q.size(); ++i) wideQ.set(i, q.get(i));
  for (std::int64_t i = 0; i < wideK.size(); ++i) {
    wideK.set(i, codes.key(format, i));
    wideV.set(i, codes.value(format, i));
  }
  reference::decodeAttention(Element::f32, wideQ.data(), wideK.data(), wideV.data(), lengths.data(), window, scale,
                             wideOut.data(), b, h, hkv, capacity, d, kOneThread);
  for (std::int64_t i = 0; i < plain.size(); ++i) plain.set(i, wideOut.get(i));
  std::vector<double> exact;
  for (std::int64_t head = 0; head < b * h; ++head) {
    const std::int64_t end = lengths[static_cast<std::size_t>(head / h)], first = firstKeySeen(end, window);
    const std::int64_t cache = (head / h * hkv + head % h / (h / hkv)) * capacity;
    std::vector<double> weights, sums(static_cast<std::size_t>(d), 0.0);
    for (std::int64_t key = first; key < end; ++key) {
      double score = 0;
      for (std::int64_t i = 0; i < d; ++i) {
        score += static_cast<double>(q.get(head * d + i)) * wideK.get((cache + key) * d + i);
      }
      weights.push_back(score * scale);
    }
    const double largest = *std::max_element(weights.begin(), weights.end());
    double total = 0;
    for (std::int64_t key = first; key < end; ++key) {
      const double weight = std::exp(weights[static_cast<std::size_t>(key - first)] - largest);
      total += weight;
      for (std::int64_t i = 0; i < d; ++i) {
        sums[static_cast<std::size_t>(i)] += weight * wideV.get((cache + key) * d + i);
      }
    }
    for (const double sum : sums) exact.push_back(sum / total);
  }
  // As with plain caches: averages of N(0, 1), scores of up to 40.
  EXPECT_LE(largestError(out, exact), 5 * (unitOf(element) + 40 * static_cast<double>(d + 2) * 6e-8));
  expectAsGoodAs(out, plain, exact);
}

TEST_P(KvCodesTest, AttentionOverCodesIsAsExactAsThePlainComputation) {
  const TargetsScope scope(targetsOf(version()));
  for (const KvFormat format : kKvFormats) {
    for (const AttentionCase& each : attentionCases()) checkOverCodes(format, element(), each, kOneThread);
    for (AttentionCase each : attentionCases()) {
      each.slack = 2;
      checkOverCodes(format, element(), each, kThreeThreads);
    }
    checkOverCodes(format, element(), {1, 4, 1, 64, 1100, {1100}}, kThreeThreads);
    checkOverCodes(format, element(), {2, 6, 2, 48, 700, {700, 513}}, kThreeThreads);
    checkOverCodes(format, element(), {2, 4, 2, 128, 1500, {1500, 900}, 700}, kThreeThreads);
  }
}

TEST_P(KvCodesTest, AttentionLetsBrokenKeysAndValuesThrough) {
  const TargetsScope scope(targetsOf(version()));
  for (const KvFormat format : kKvFormats) {
    for (const bool isKey : {true, false}) {
      Array q(element(), 64), ones(element(), 64), broken(element(), 64), out(element(), 64);
      for (std::int64_t i = 0; i < 64; ++i) {
        q.set(i, 1);
        ones.set(i, 1);
        broken.set(i, i == 9 ? std::nanf("") : 1.0f);
      }
      Codes codes(100, 64);
      for (std::int64_t position = 0; position < 100; ++position) {
        const bool here = position == 70;
        kvAppendCodes(format, element(), (here && isKey ? broken : ones).data(),
                      (here && !isKey ? broken : ones).data(), codes.pointers(), &position, 1, 1, 1, 100, 64,
                      kOneThread);
      }
      const std::int64_t length = 100;
      const SequenceCache cache{codes.k.data(), codes.v.data(),       100,
                                format,         codes.kScales.data(), codes.vScales.data()};
      DecodeAttentionPlan plan;
      plan.cut(&length, 0, 1, 1, 1, 64);
      plan.attend(element(), q.data(), &cache, 1, kOneThread);
      plan.merge(element(), out.data(), kOneThread);
      EXPECT_TRUE(std::isnan(out.get(9)));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(, KvCodesTest,
                         ::testing::Combine(::testing::Values(Version::cpuScalar, Version::cpuAvx2, Version::cpuAvx512,
                                                              Version::cpuBest),
                                            ::testing::Values(Element::f32, Element::bf16)),
                         paramName);

}  // namespace
}  // namespace strata::kernels::testing
