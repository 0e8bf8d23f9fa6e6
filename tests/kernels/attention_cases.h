#pragma once
// The body of the decode-attention test, for the CPU's versions, the emulated device and a real one.

#include <algorithm>

#include "kernel_test.h"
#include "kernels/decode_attention.h"

namespace strata::kernels::testing {

using AttentionFunction = void (*)(Element, const void* q, const void* kCache, const void* vCache,
                                   const std::int64_t* lengths, std::int64_t window, float scale, void* out,
                                   std::int64_t b, std::int64_t h, std::int64_t hkv, std::int64_t capacity,
                                   std::int64_t d, const Stream& stream);

struct AttentionCase {
  std::int64_t b, h, hkv, d, capacity;
  std::vector<std::int64_t> lengths;  // [b]
  std::int64_t window = 0;            // over 0: keys seen
  std::size_t slack = 0;              // bytes between the arrays and the unreadable page behind them
};

inline std::vector<AttentionCase> attentionCases() {
  return {
      {1, 1, 1, 6, 3, {1}},          {1, 3, 1, 6, 9, {2}},
      {1, 4, 4, 12, 20, {20}},       {2, 6, 2, 12, 70, {70, 1}},
      {1, 8, 2, 64, 130, {129}},     {2, 9, 3, 64, 66, {65, 2}},
      {1, 4, 1, 128, 90, {90}},      {1, 12, 1, 32, 65, {64}},  // more heads in a group than one task takes
      {3, 2, 2, 7, 33, {33, 32, 1}}, {1, 2, 1, 80, 40, {40}},
      {1, 5, 1, 33, 12, {11}},       {1, 2, 1, 256, 37, {37}},
      {1, 4, 2, 24, 40, {40}, 16},   {3, 4, 2, 12, 300, {300, 6, 257}, 6},  // one shorter than the window
      {1, 2, 1, 64, 90, {90}, 1},    {1, 4, 1, 16, 33, {33}, 33},
  };
}

/// One case against fp64 and the reference. Behind each sequence's keys and before its window lie NaN: they are never
/// read as keys.
inline void checkAttention(AttentionFunction attention, Element element, const AttentionCase& shape,
                           const Stream& stream) {
  const auto [b, h, hkv, d, capacity, lengths, window, slack] = shape;
  SCOPED_TRACE("B " + std::to_string(b) + ", H " + std::to_string(h) + "/" + std::to_string(hkv) + ", D " +
               std::to_string(d) + ", length " + std::to_string(lengths[0]));
  std::mt19937 random(static_cast<unsigned>(h * 1009 + d * 31 + lengths[0]));
  Array q(element, b * h * d, slack), out(element, b * h * d, slack), plain(element, b * h * d);
  Array k(element, b * hkv * capacity * d, slack), v(element, b * hkv * capacity * d, slack);
  q.fillRandom(random);
  k.fillRandom(random, 2);
  v.fillRandom(random);
  for (std::int64_t row = 0; row < b * hkv * capacity; ++row) {
    const std::int64_t length = lengths[static_cast<std::size_t>(row / capacity / hkv)];
    if (row % capacity < length && row % capacity >= firstKeySeen(length, window)) continue;
    for (std::int64_t i = 0; i < d; ++i) {
      k.set(row * d + i, std::nanf(""));
      v.set(row * d + i, std::nanf(""));
    }
  }
  const float scale = 1.0f / std::sqrt(static_cast<float>(d));
  attention(element, q.data(), k.data(), v.data(), lengths.data(), window, scale, out.data(), b, h, hkv, capacity, d,
            stream);
  reference::decodeAttention(element, q.data(), k.data(), v.data(), lengths.data(), window, scale, plain.data(), b, h,
                             hkv, capacity, d, kOneThread);

  std::vector<double> exact;
  for (std::int64_t head = 0; head < b * h; ++head) {
    const std::int64_t all = lengths[static_cast<std::size_t>(head / h)], first = firstKeySeen(all, window);
    const std::int64_t length = all - first;
    const std::int64_t cache = ((head / h * hkv + head % h / (h / hkv)) * capacity + first) * d;
    std::vector<double> scores;
    for (std::int64_t key = 0; key < length; ++key) {
      double score = 0;
      for (std::int64_t i = 0; i < d; ++i) {
        score += static_cast<double>(q.get(head * d + i)) * k.get(cache + key * d + i);
      }
      scores.push_back(score * scale);
    }
    const double largest = *std::max_element(scores.begin(), scores.end());
    double total = 0;
    for (const double score : scores) total += std::exp(score - largest);
    for (std::int64_t i = 0; i < d; ++i) {
      double sum = 0;
      for (std::int64_t key = 0; key < length; ++key) {
        sum += std::exp(scores[static_cast<std::size_t>(key)] - largest) * v.get(cache + key * d + i);
      }
      exact.push_back(sum / total);
    }
  }
  // Values are averages of N(0, 1): no more than 5 or so, and scores of up to 40 are good to 40 (D + 2) units.
  EXPECT_LE(largestError(out, exact), 5 * (unitOf(element) + 40 * static_cast<double>(d + 2) * 6e-8));
  expectAsGoodAs(out, plain, exact);
}

}  // namespace strata::kernels::testing
