#pragma once
// One decoding step of a small model whose layer 1 reads the keys and values of layer 0, as a list of calls: once of
// the reference kernels on the host, once of the device's entry points, which read ids and lengths where the device has
// them.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <random>
#include <vector>

#include "kernels/cuda/entries.h"
#include "kernels/decode_attention.h"
#include "kernels/elements.h"
#include "kernels/kv_append.h"
#include "kernels/rms_norm.h"
#include "kernels/rope.h"
#include "kernels/silu_mul.h"

namespace strata::kernels::testing {

struct StepSizes {
  std::int64_t b = 2, layers = 3, c = 64, h = 4, hkv = 2, d = 16, f = 96, vocab = 101, capacity = 24;
};
constexpr int kStepSources[] = {0, 0, 2};  // src[l]
constexpr float kStepEps = 1e-5f;

/// Addresses of all arrays of a step. Weights in `element`: per layer input norm, q, k, v, o, post norm, gate, up,
/// down.
struct StepArrays {
  struct Layer {
    void *inputNorm, *q, *k, *v, *o, *postNorm, *gate, *up, *down;
    void *kCache, *vCache;
  };
  std::vector<Layer> layers;
  void *embedding, *norm, *head;
  void *cos, *sin;      // F32 [capacity, D/2]
  void *ids, *lengths;  // int64 [B]
  void *hidden, *normed, *q, *k, *v, *attention, *projected, *gate, *up, *logits;
  void* workspace;
  std::int64_t workspaceBytes;
};

/// Where each array of a step lies in one block of memory, and how it begins.
class StepMemory {
 public:
  StepMemory(Element element, const StepSizes& sizes, std::int64_t workspaceBytes)
      : m_element(element), m_sizes(sizes), m_workspaceBytes(workspaceBytes) {
    place(nullptr);
  }
  std::int64_t bytes() const { return m_bytes; }
  StepArrays at(void* base) { return place(static_cast<char*>(base)); }

  /// Random weights, the first ids, and the lengths that count them.
  void fill(void* base) {
    std::mt19937 random(17);
    std::normal_distribution<float> normal(0, 1);
    const StepArrays arrays = at(base);
    const auto fillWith = [&](void* array, std::int64_t n, float scale, float mean) {
      for (std::int64_t i = 0; i < n; ++i) storeElement(m_element, array, i, mean + scale * normal(random));
    };
    const auto [b, layers, c, h, hkv, d, f, vocab, capacity] = m_sizes;
    const float wide = 1 / std::sqrt(static_cast<float>(c));
    for (const StepArrays::Layer& layer : arrays.layers) {
      fillWith(layer.inputNorm, c, 0.1f, 1);
      fillWith(layer.q, h * d * c, 2 * wide, 0);
      fillWith(layer.k, hkv * d * c, 2 * wide, 0);
      fillWith(layer.v, hkv * d * c, wide, 0);
      fillWith(layer.o, c * h * d, wide, 0);
      fillWith(layer.postNorm, c, 0.1f, 1);
      fillWith(layer.gate, f * c, wide, 0);
      fillWith(layer.up, f * c, wide, 0);
      fillWith(layer.down, c * f, wide, 0);
    }
    fillWith(arrays.embedding, vocab * c, 1, 0);
    fillWith(arrays.norm, c, 0.1f, 1);
    fillWith(arrays.head, vocab * c, 1, 0);
    for (std::int64_t i = 0; i < capacity * d / 2; ++i) {
      const double angle = static_cast<double>(i / (d / 2)) * std::pow(100.0, -static_cast<double>(i % (d / 2)) / 8);
      static_cast<float*>(arrays.cos)[i] = static_cast<float>(std::cos(angle));
      static_cast<float*>(arrays.sin)[i] = static_cast<float>(std::sin(angle));
    }
    for (std::int64_t row = 0; row < b; ++row) {
      static_cast<std::int64_t*>(arrays.ids)[row] = 3 + row;
      static_cast<std::int64_t*>(arrays.lengths)[row] = 1;
    }
  }

 private:
  StepArrays place(char* base) {
    std::int64_t at = 0;
    const auto next = [&](std::int64_t bytes) {
      char* const array = base == nullptr ? nullptr : base + at;  // nullptr: only the size is wanted
      at += (bytes + 15) / 16 * 16;
      return static_cast<void*>(array);
    };
    const std::int64_t e = elementBytes(m_element);
    const auto [b, layers, c, h, hkv, d, f, vocab, capacity] = m_sizes;
    StepArrays arrays{};
    for (std::int64_t l = 0; l < layers; ++l) {
      StepArrays::Layer layer{};
      layer.inputNorm = next(c * e);
      layer.q = next(h * d * c * e);
      layer.k = next(hkv * d * c * e);
      layer.v = next(hkv * d * c * e);
      layer.o = next(c * h * d * e);
      layer.postNorm = next(c * e);
      layer.gate = next(f * c * e);
      layer.up = next(f * c * e);
      layer.down = next(c * f * e);
      layer.kCache = next(b * hkv * capacity * d * e);
      layer.vCache = next(b * hkv * capacity * d * e);
      arrays.layers.push_back(layer);
    }
    arrays.embedding = next(vocab * c * e);
    arrays.norm = next(c * e);
    arrays.head = next(vocab * c * e);
    arrays.cos = next(capacity * d / 2 * 4);
    arrays.sin = next(capacity * d / 2 * 4);
    arrays.ids = next(b * 8);
    arrays.lengths = next(b * 8);
    arrays.hidden = next(b * c * e);
    arrays.normed = next(b * c * e);
    arrays.q = next(b * h * d * e);
    arrays.k = next(b * hkv * d * e);
    arrays.v = next(b * hkv * d * e);
    arrays.attention = next(b * h * d * e);
    arrays.projected = next(b * c * e);
    arrays.gate = next(b * f * e);
    arrays.up = next(b * f * e);
    arrays.logits = next(b * vocab * 4);
    arrays.workspace = next(m_workspaceBytes);
    arrays.workspaceBytes = m_workspaceBytes;
    m_bytes = at;
    return arrays;
  }

  Element m_element;
  StepSizes m_sizes;
  std::int64_t m_workspaceBytes, m_bytes = 0;
};

/// The step: reads ids, appends at lengths - 1, leaves the next ids and lengths.
template <class Operations>
void runStep(const Operations& run, const StepSizes& s, const StepArrays& a) {
  const auto target = [](void* weight, void* y, std::int64_t n) {
    MatvecTarget result;
    result.weight = weight;
    result.y = y;
    result.n = n;
    return result;
  };
  const std::int64_t width = s.h * s.d;
  run.selectRows(a.embedding, a.ids, a.hidden, s.b, s.vocab, s.c);
  const void* delta = nullptr;  // what is still to be added to hidden
  for (std::size_t l = 0; l < a.layers.size(); ++l) {
    const StepArrays::Layer& layer = a.layers[l];
    const auto source = static_cast<std::size_t>(kStepSources[l]);
    const bool owns = source == l;
    run.addRmsNorm(a.hidden, delta, layer.inputNorm, a.normed, s.b, s.c);
    const MatvecTarget qkv[] = {target(layer.q, a.q, width), target(layer.k, a.k, s.hkv * s.d),
                                target(layer.v, a.v, s.hkv * s.d)};
    run.matvec(false, a.normed, s.b, s.c, qkv, owns ? 3 : 1);
    run.ropeAppend(a.q, owns ? a.k : nullptr, owns ? a.v : nullptr, a, layer, s);
    run.attention(a.q, a.layers[source].kCache, a.layers[source].vCache, a.attention, a, s);
    const MatvecTarget o = target(layer.o, a.projected, s.c);
    run.matvec(false, a.attention, s.b, width, &o, 1);
    run.addRmsNorm(a.hidden, a.projected, layer.postNorm, a.normed, s.b, s.c);
    const MatvecTarget gateUp[] = {target(layer.gate, a.gate, s.f), target(layer.up, a.up, s.f)};
    run.matvec(false, a.normed, s.b, s.c, gateUp, 2);
    run.siluMul(a.gate, a.up, a.gate, s.b * s.f);
    const MatvecTarget down = target(layer.down, a.projected, s.c);
    run.matvec(false, a.gate, s.b, s.f, &down, 1);
    delta = a.projected;
  }
  run.addRmsNorm(a.hidden, delta, a.norm, a.normed, s.b, s.c);
  const MatvecTarget head = target(a.head, a.logits, s.vocab);
  run.matvec(true, a.normed, s.b, s.c, &head, 1);
  run.argmax(a, s);
}

struct HostOperations {
  Element element;

  void selectRows(const void* table, const void* ids, void* out, std::int64_t rows, std::int64_t,
                  std::int64_t c) const {
    const std::int64_t bytes = c * elementBytes(element);
    for (std::int64_t row = 0; row < rows; ++row) {
      std::memcpy(static_cast<char*>(out) + row * bytes,
                  static_cast<const char*>(table) + static_cast<const std::int64_t*>(ids)[row] * bytes,
                  static_cast<std::size_t>(bytes));
    }
  }
  void addRmsNorm(void* x, const void* delta, const void* weight, void* y, std::int64_t rows, std::int64_t c) const {
    if (delta == nullptr) {
      reference::rmsNorm(element, x, weight, kStepEps, y, rows, c, {});
    } else {
      reference::addRmsNorm(element, x, delta, weight, kStepEps, y, rows, c, {});
    }
  }
  void matvec(bool isWide, const void* x, std::int64_t rows, std::int64_t k, const MatvecTarget* targets,
              int count) const {
    reference::matvec(element, isWide ? Element::f32 : element, x, rows, k, targets, count, {});
  }
  void ropeAppend(void* q, void* k, void* v, const StepArrays& a, const StepArrays::Layer& layer,
                  const StepSizes& s) const {
    std::vector<std::int64_t> positions;
    std::vector<float> cos, sin;
    for (std::int64_t row = 0; row < s.b; ++row) {
      positions.push_back(static_cast<const std::int64_t*>(a.lengths)[row] - 1);
      for (std::int64_t i = 0; i < s.d / 2; ++i) {
        cos.push_back(static_cast<const float*>(a.cos)[positions.back() * s.d / 2 + i]);
        sin.push_back(static_cast<const float*>(a.sin)[positions.back() * s.d / 2 + i]);
      }
    }
    reference::rope(element, q, cos.data(), sin.data(), s.b, s.h, s.d, {});
    if (k == nullptr) return;
    reference::rope(element, k, cos.data(), sin.data(), s.b, s.hkv, s.d, {});
    reference::kvAppend(element, k, v, layer.kCache, layer.vCache, positions.data(), s.b, s.hkv, s.capacity, s.d, {});
  }
  void attention(const void* q, const void* kCache, const void* vCache, void* out, const StepArrays& a,
                 const StepSizes& s) const {
    reference::decodeAttention(element, q, kCache, vCache, static_cast<const std::int64_t*>(a.lengths), 0, 0.25f, out,
                               s.b, s.h, s.hkv, s.capacity, s.d, {});
  }
  void siluMul(const void* gate, const void* up, void* y, std::int64_t n) const {
    reference::siluMul(element, gate, up, y, n, {});
  }
  void argmax(const StepArrays& a, const StepSizes& s) const {
    for (std::int64_t row = 0; row < s.b; ++row) {
      const float* logits = static_cast<const float*>(a.logits) + row * s.vocab;
      static_cast<std::int64_t*>(a.ids)[row] = std::max_element(logits, logits + s.vocab) - logits;
      ++static_cast<std::int64_t*>(a.lengths)[row];
    }
  }
};

/// The entry points of one module.
struct StepEntries {
  decltype(&strata_cuda_select_rows) selectRows = nullptr;
  decltype(&strata_cuda_add_rms_norm) addRmsNorm = nullptr;
  decltype(&strata_cuda_matvec) matvec = nullptr;
  decltype(&strata_cuda_rope_append) ropeAppend = nullptr;
  decltype(&strata_cuda_decode_attention) attention = nullptr;
  decltype(&strata_cuda_decode_attention_workspace) attentionWorkspace = nullptr;
  decltype(&strata_cuda_silu_mul) siluMul = nullptr;
  decltype(&strata_cuda_argmax) argmax = nullptr;
  decltype(&strata_cuda_argmax_workspace) argmaxWorkspace = nullptr;

  std::int64_t workspaceBytes(const StepSizes& s) const {
    return std::max(argmaxWorkspace(s.b, s.vocab), attentionWorkspace(s.b, s.h, s.hkv, s.d, s.capacity));
  }
};

/// By STRATA_ENTRY(name).
#define STRATA_FIND_STEP_ENTRIES(entries)                                            \
  entries.selectRows = STRATA_ENTRY(strata_cuda_select_rows);                        \
  entries.addRmsNorm = STRATA_ENTRY(strata_cuda_add_rms_norm);                       \
  entries.matvec = STRATA_ENTRY(strata_cuda_matvec);                                 \
  entries.ropeAppend = STRATA_ENTRY(strata_cuda_rope_append);                        \
  entries.attention = STRATA_ENTRY(strata_cuda_decode_attention);                    \
  entries.attentionWorkspace = STRATA_ENTRY(strata_cuda_decode_attention_workspace); \
  entries.siluMul = STRATA_ENTRY(strata_cuda_silu_mul);                              \
  entries.argmax = STRATA_ENTRY(strata_cuda_argmax);                                 \
  entries.argmaxWorkspace = STRATA_ENTRY(strata_cuda_argmax_workspace)

struct DeviceOperations {
  const StepEntries& entries;
  int element;
  void* stream;

  void selectRows(const void* table, const void* ids, void* out, std::int64_t rows, std::int64_t vocab,
                  std::int64_t c) const {
    EXPECT_EQ(entries.selectRows(element, table, static_cast<const std::int64_t*>(ids), out, rows, vocab, c, stream),
              0);
  }
  void addRmsNorm(void* x, const void* delta, const void* weight, void* y, std::int64_t rows, std::int64_t c) const {
    EXPECT_EQ(entries.addRmsNorm(element, x, delta, weight, kStepEps, y, rows, c, stream), 0);
  }
  void matvec(bool isWide, const void* x, std::int64_t rows, std::int64_t k, const MatvecTarget* targets,
              int count) const {
    EXPECT_EQ(entries.matvec(element, isWide ? 0 : element, x, rows, k, targets, count, stream), 0);
  }
  void ropeAppend(void* q, void* k, void* v, const StepArrays& a, const StepArrays::Layer& layer,
                  const StepSizes& s) const {
    EXPECT_EQ(entries.ropeAppend(element, q, k, v, static_cast<const float*>(a.cos), static_cast<const float*>(a.sin),
                                 layer.kCache, layer.vCache, static_cast<const std::int64_t*>(a.lengths), s.b, s.h,
                                 s.hkv, s.capacity, s.d, stream),
              0);
  }
  void attention(const void* q, const void* kCache, const void* vCache, void* out, const StepArrays& a,
                 const StepSizes& s) const {
    EXPECT_EQ(entries.attention(element, q, kCache, vCache, static_cast<const std::int64_t*>(a.lengths), 0, 0.25f, out,
                                s.b, s.h, s.hkv, s.capacity, s.d, s.capacity, a.workspace, a.workspaceBytes, stream),
              0);
  }
  void siluMul(const void* gate, const void* up, void* y, std::int64_t n) const {
    EXPECT_EQ(entries.siluMul(element, gate, up, y, n, stream), 0);
  }
  void argmax(const StepArrays& a, const StepSizes& s) const {
    EXPECT_EQ(
        entries.argmax(static_cast<const float*>(a.logits), static_cast<std::int64_t*>(a.ids),
                       static_cast<std::int64_t*>(a.lengths), s.b, s.vocab, a.workspace, a.workspaceBytes, stream),
        0);
  }
};

}  // namespace strata::kernels::testing
