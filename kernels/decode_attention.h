#pragma once
// Grouped-query attention of one new token per sequence over a KV cache. A follower passes its owner's cache.
// Work is split over (sequence, KV head) and over ranges of keys, whose partial results are merged by their
// log-sum-exp (flash-decoding); the ranges depend on a sequence's own length alone, so its result depends neither on
// the threads nor on the other sequences.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "kernels/kv_codes.h"
#include "kernels/stream.h"

namespace strata::kernels {

namespace cpu {
struct KeyRange;
}

/// Where the keys and values of one sequence lie: each [Hkv, capacity, D], or codes of this format and their scales
/// [Hkv, capacity].
struct SequenceCache {
  const void* k = nullptr;
  const void* v = nullptr;
  std::int64_t capacity = 0;
  KvFormat format = KvFormat::plain;
  const void* kScales = nullptr;
  const void* vScales = nullptr;
};

/// One step's attention, cut once for all of its layers. Between attend() and merge() of a layer, and before the next
/// layer's attend(), all threads must be done. One object serves many steps; it keeps its memory.
class DecodeAttentionPlan {
 public:
  DecodeAttentionPlan();
  ~DecodeAttentionPlan();
  DecodeAttentionPlan(DecodeAttentionPlan&&) noexcept;
  DecodeAttentionPlan& operator=(DecodeAttentionPlan&&) noexcept;

  /// Query head i reads KV head i / (h / hkv) and the keys 0 … lengths[b]-1, or with a window over 0 the last `window`
  /// of them (sliding-window attention, Beltagy et al., arXiv 2004.05150).
  void cut(const std::int64_t* lengths, std::int64_t window, std::int64_t b, std::int64_t h, std::int64_t hkv,
           std::int64_t d);
  /// q [B, H, D] over `caches` [B]; `scale` multiplies q·k.
  void attend(Element element, const void* q, const SequenceCache* caches, float scale, const Stream& stream);
  /// out [B, H, D].
  void merge(Element element, void* out, const Stream& stream) const;

 private:
  std::int64_t m_h = 0, m_hkv = 0, m_d = 0, m_keys = 0;
  std::vector<cpu::KeyRange> m_tasks;    // those of one head's keys follow one another
  std::vector<std::size_t> m_firstTask;  // [groups + 1]; a group: some query heads of one (sequence, KV head)
  std::vector<float> m_partial;          // [rows, 2 + D]
};

/// Both at once. q, out [B, H, D]; kCache, vCache [B, Hkv, capacity, D]; lengths[b] is in 1 … capacity (0 gives zeros).
void decodeAttention(Element element, const void* q, const void* kCache, const void* vCache,
                     const std::int64_t* lengths, std::int64_t window, float scale, void* out, std::int64_t b,
                     std::int64_t h, std::int64_t hkv, std::int64_t capacity, std::int64_t d, const Stream& stream);

/// The first key that a query at the end of `length` keys sees.
constexpr std::int64_t firstKeySeen(std::int64_t length, std::int64_t window) {
  return window > 0 && window < length ? length - window : 0;
}

namespace reference {
void decodeAttention(Element element, const void* q, const void* kCache, const void* vCache,
                     const std::int64_t* lengths, std::int64_t window, float scale, void* out, std::int64_t b,
                     std::int64_t h, std::int64_t hkv, std::int64_t capacity, std::int64_t d, const Stream& stream);
}

}  // namespace strata::kernels
