#pragma once
// The device kernels with the signatures of kernels/*.h: copies to the device, calls the entry, copies back.

#include <algorithm>
#include <memory>
#include <vector>

#include "device_under_test.h"
#include "kernels/elements.h"

namespace strata::kernels::testing {

inline int entryElement(Element element) {
  return element == Element::f32 ? 0 : 1;
}

inline void addRmsNormOnDevice(Element element, void* x, const void* delta, const void* weight, float eps, void* y,
                               std::int64_t rows, std::int64_t c, const Stream&) {
  const std::int64_t bytes = rows * c * elementBytes(element);
  const Memory xThere(x, bytes), weightThere(weight, c * elementBytes(element)), yThere(y, bytes);
  const Memory deltaThere(delta == nullptr ? x : delta, bytes);
  ASSERT_EQ(STRATA_ENTRY(strata_cuda_add_rms_norm)(entryElement(element), xThere.data(),
                                                   delta == nullptr ? nullptr : deltaThere.data(), weightThere.data(),
                                                   eps, yThere.data(), rows, c, nullptr),
            0);
  yThere.copyBack(y);
  if (delta != nullptr) xThere.copyBack(x);
}

inline void rmsNormOnDevice(Element element, const void* x, const void* weight, float eps, void* y, std::int64_t rows,
                            std::int64_t c, const Stream& stream) {
  addRmsNormOnDevice(element, const_cast<void*>(x), nullptr, weight, eps, y, rows, c, stream);
}

inline void ropeOnDevice(Element element, void* x, const float* cos, const float* sin, std::int64_t rows,
                         std::int64_t heads, std::int64_t d, const Stream&) {
  const Memory xThere(x, rows * heads * d * elementBytes(element));
  const Memory cosThere(cos, rows * d / 2 * 4), sinThere(sin, rows * d / 2 * 4);
  ASSERT_EQ(
      STRATA_ENTRY(strata_cuda_rope)(entryElement(element), xThere.data(), static_cast<const float*>(cosThere.data()),
                                     static_cast<const float*>(sinThere.data()), rows, heads, d, nullptr),
      0);
  xThere.copyBack(x);
}

inline void siluMulOnDevice(Element element, const void* gate, const void* up, void* y, std::int64_t n, const Stream&) {
  const std::int64_t bytes = n * elementBytes(element);
  const Memory gateThere(gate, bytes), upThere(up, bytes), yThere(y, bytes);
  ASSERT_EQ(STRATA_ENTRY(strata_cuda_silu_mul)(entryElement(element), gateThere.data(), upThere.data(), yThere.data(),
                                               n, nullptr),
            0);
  yThere.copyBack(y);
}

/// Without rotation; where q is not null, with the angles of cos and sin [capacity, D/2].
inline void ropeAppendOnDevice(Element element, void* q, const void* k, const void* v, const float* cos,
                               const float* sin, void* kCache, void* vCache, const std::int64_t* lengths,
                               std::int64_t b, std::int64_t h, std::int64_t hkv, std::int64_t capacity,
                               std::int64_t d) {
  const std::int64_t bytes = elementBytes(element), half = d / 2;
  const Memory kThere(k, b * hkv * d * bytes), vThere(v, b * hkv * d * bytes), lengthsThere(lengths, b * 8);
  const Memory kCacheThere(kCache, b * hkv * capacity * d * bytes), vCacheThere(vCache, b * hkv * capacity * d * bytes);
  std::unique_ptr<Memory> qThere, cosThere, sinThere;
  if (q != nullptr) {
    qThere = std::make_unique<Memory>(q, b * h * d * bytes);
    cosThere = std::make_unique<Memory>(cos, capacity * half * 4);
    sinThere = std::make_unique<Memory>(sin, capacity * half * 4);
  }
  const auto at = [](const auto& memory) { return memory ? memory->data() : nullptr; };
  ASSERT_EQ(STRATA_ENTRY(strata_cuda_rope_append)(
                entryElement(element), at(qThere), kThere.data(), vThere.data(), static_cast<float*>(at(cosThere)),
                static_cast<float*>(at(sinThere)), kCacheThere.data(), vCacheThere.data(),
                static_cast<const std::int64_t*>(lengthsThere.data()), b, h, hkv, capacity, d, nullptr),
            0);
  if (q != nullptr) qThere->copyBack(q);
  kCacheThere.copyBack(kCache);
  vCacheThere.copyBack(vCache);
}

inline void kvAppendOnDevice(Element element, const void* k, const void* v, void* kCache, void* vCache,
                             const std::int64_t* positions, std::int64_t b, std::int64_t hkv, std::int64_t capacity,
                             std::int64_t d, const Stream&) {
  std::vector<std::int64_t> lengths(positions, positions + b);
  for (std::int64_t& length : lengths) ++length;
  ropeAppendOnDevice(element, nullptr, k, v, nullptr, nullptr, kCache, vCache, lengths.data(), b, 0, hkv, capacity, d);
}

inline void matvecOnDevice(Element element, Element outElement, const void* x, std::int64_t rows, std::int64_t k,
                           const MatvecTarget* targets, int targetCount, const Stream&) {
  const std::int64_t bytes = elementBytes(element);
  const Memory xThere(x, rows * k * bytes);
  std::vector<std::unique_ptr<Memory>> memory;
  std::vector<MatvecTarget> there(targets, targets + targetCount);
  for (MatvecTarget& target : there) {
    const bool isPlain = target.format == WeightFormat::plain;
    const std::int64_t rowBytes = isPlain ? k * bytes : codeBytes(target.format, k, target.group);
    memory.push_back(std::make_unique<Memory>(target.weight, target.n * rowBytes));
    target.weight = memory.back()->data();
    if (!isPlain) {
      memory.push_back(std::make_unique<Memory>(target.scales, target.n * groupsOf(k, target.group) * 2));
      target.scales = memory.back()->data();
    }
    if (target.bias != nullptr) {
      memory.push_back(std::make_unique<Memory>(target.bias, target.n * bytes));
      target.bias = memory.back()->data();
    }
    memory.push_back(std::make_unique<Memory>(target.y, rows * target.n * elementBytes(outElement)));
    target.y = memory.back()->data();
  }
  ASSERT_EQ(STRATA_ENTRY(strata_cuda_matvec)(entryElement(element), entryElement(outElement), xThere.data(), rows, k,
                                             there.data(), targetCount, nullptr),
            0);
  for (int t = 0; t < targetCount; ++t) {
    for (const auto& each : memory) {
      if (each->data() == there[static_cast<std::size_t>(t)].y) each->copyBack(targets[t].y);
    }
  }
}

inline void softmaxCrossEntropyOnDevice(Element element, void* logits, const std::int64_t* targets, float scale,
                                        float* losses, std::int64_t rows, std::int64_t vocab, const Stream&) {
  const Memory logitsThere(logits, rows * vocab * elementBytes(element)), targetsThere(targets, rows * 8);
  const Memory lossesThere(losses, rows * 4);
  ASSERT_EQ(STRATA_ENTRY(strata_cuda_softmax_cross_entropy)(
                entryElement(element), logitsThere.data(), static_cast<const std::int64_t*>(targetsThere.data()), scale,
                static_cast<float*>(lossesThere.data()), rows, vocab, nullptr),
            0);
  logitsThere.copyBack(logits);
  lossesThere.copyBack(losses);
}

/// capacity 0: k and v [B, T, Hkv, D] and no lengths.
inline void prefillOnDevice(Element element, const void* q, const void* k, const void* v,
                            const std::vector<std::int64_t>& lengths, std::int64_t window, float scale, void* out,
                            std::int64_t b, std::int64_t t, std::int64_t h, std::int64_t hkv, std::int64_t capacity,
                            std::int64_t d) {
  const std::int64_t bytes = elementBytes(element), keyRows = b * hkv * (capacity > 0 ? capacity : t);
  const Memory qThere(q, b * t * h * d * bytes), kThere(k, keyRows * d * bytes), vThere(v, keyRows * d * bytes);
  const Memory outThere(out, b * t * h * d * bytes), lengthsThere(lengths.data(), b * 8 * (capacity > 0 ? 1 : 0));
  ASSERT_EQ(STRATA_ENTRY(strata_cuda_attention)(
                entryElement(element), qThere.data(), kThere.data(), vThere.data(),
                capacity > 0 ? static_cast<const std::int64_t*>(lengthsThere.data()) : nullptr, window, scale,
                outThere.data(), b, t, h, hkv, capacity, d, nullptr),
            0);
  outThere.copyBack(out);
}

/// maxLength 0: the longest of the lengths.
inline void decodeAttentionOnDevice(Element element, const void* q, const void* kCache, const void* vCache,
                                    const std::int64_t* lengths, std::int64_t window, float scale, void* out,
                                    std::int64_t b, std::int64_t h, std::int64_t hkv, std::int64_t capacity,
                                    std::int64_t d, std::int64_t maxLength) {
  const std::int64_t bytes = elementBytes(element);
  std::int64_t longest = *std::max_element(lengths, lengths + b);
  if (window > 0) longest = std::min(longest, window);
  if (maxLength > 0) longest = maxLength;
  const std::int64_t workspaceBytes = STRATA_ENTRY(strata_cuda_decode_attention_workspace)(b, h, hkv, d, longest);
  const Memory qThere(q, b * h * d * bytes), kThere(kCache, b * hkv * capacity * d * bytes);
  const Memory vThere(vCache, b * hkv * capacity * d * bytes), lengthsThere(lengths, b * 8);
  const Memory outThere(out, b * h * d * bytes), workspace(nullptr, workspaceBytes);
  ASSERT_EQ(STRATA_ENTRY(strata_cuda_decode_attention)(
                entryElement(element), qThere.data(), kThere.data(), vThere.data(),
                static_cast<const std::int64_t*>(lengthsThere.data()), window, scale, outThere.data(), b, h, hkv,
                capacity, d, longest, nullptr, 0, workspace.data(), workspaceBytes, nullptr),
            0);
  outThere.copyBack(out);
}

inline void attentionOnDevice(Element element, const void* q, const void* kCache, const void* vCache,
                              const std::int64_t* lengths, std::int64_t window, float scale, void* out, std::int64_t b,
                              std::int64_t h, std::int64_t hkv, std::int64_t capacity, std::int64_t d, const Stream&) {
  decodeAttentionOnDevice(element, q, kCache, vCache, lengths, window, scale, out, b, h, hkv, capacity, d, 0);
}

}  // namespace strata::kernels::testing
