#pragma once
// A small model for kernels/cuda/decode_step.h with all that a layer may have: norms of heads, a window, a bias, LoRA;
// its rows belong to two caches under two maps. Its steps run once by the reference kernels on the host and once by the
// device's entry points.

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <cstring>
#include <random>
#include <vector>

#include "kernels/cuda/decode_step.h"
#include "kernels/decode_attention.h"
#include "kernels/elements.h"
#include "kernels/kv_append.h"
#include "kernels/rms_norm.h"
#include "kernels/rope.h"
#include "kernels/silu_mul.h"

namespace strata::kernels::testing {

using cuda::DecodeStep;
using cuda::DeviceOperations;
using cuda::runDecodeStep;
using cuda::StepEntries;
using cuda::StepLayer;
using cuda::StepLinear;
using cuda::StepPart;
using cuda::StepSource;

struct StepSizes {
  std::int64_t b = 2, layers = 3, c = 64, h = 4, hkv = 2, d = 16, f = 96, vocab = 101, capacity = 24, rank = 4;
};
constexpr int kStepSources[][3] = {{0, 0, 2}, {0, 1, 1}};  // src[l] of the first row, and of the others
constexpr std::int64_t kStepWindows[] = {0, 5, 0};         // of the layers

/// Where each array of a step is in one block of memory, and how it begins.
class StepMemory {
 public:
  StepMemory(Element element, const StepSizes& sizes, std::int64_t workspaceBytes)
      : m_element(element), m_sizes(sizes), m_workspaceBytes(workspaceBytes) {
    place(nullptr);
  }
  std::int64_t bytes() const { return m_bytes; }
  DecodeStep at(void* base) { return place(static_cast<char*>(base)); }

  /// Random weights, the first ids, and the lengths that count them.
  void fill(void* base) {
    std::mt19937 random(17);
    std::normal_distribution<float> normal(0, 1);
    const DecodeStep step = at(base);
    const auto fillWith = [&](const void* array, std::int64_t n, float scale, float mean) {
      if (array == nullptr) return;
      for (std::int64_t i = 0; i < n; ++i)
        storeElement(m_element, const_cast<void*>(array), i, mean + scale * normal(random));
    };
    const float wide = 1 / std::sqrt(static_cast<float>(step.c));
    const auto fillLinear = [&](const StepLinear& linear, std::int64_t inputs, float scale) {
      fillWith(linear.target.weight, linear.target.n * inputs, scale * wide, 0);
      fillWith(linear.target.bias, linear.target.n, 0.1f, 0);
      fillWith(linear.loraA, linear.rank * inputs, wide, 0);
      fillWith(linear.loraB, linear.target.n * linear.rank, 0.5f, 0);
    };
    for (const StepLayer& layer : step.layers) {
      for (const void* norm : {layer.inputNorm, layer.postNorm}) fillWith(norm, step.c, 0.1f, 1);
      for (const void* norm : {layer.qNorm, layer.kNorm}) fillWith(norm, step.d, 0.1f, 1);
      fillLinear(layer.q, step.c, 2);
      fillLinear(layer.k, step.c, 2);
      fillLinear(layer.v, step.c, 1);
      fillLinear(layer.o, step.h * step.d, 1);
      fillLinear(layer.gate, step.c, 1);
      fillLinear(layer.up, step.c, 1);
      fillLinear(layer.down, step.f, 1);
    }
    fillWith(step.embedding, step.vocab * step.c, 1, 0);
    fillWith(step.norm, step.c, 0.1f, 1);
    fillWith(step.head.weight, step.vocab * step.c, 1, 0);
    for (std::int64_t i = 0; i < m_sizes.capacity * step.d / 2; ++i) {
      const double angle =
          static_cast<double>(i / (step.d / 2)) * std::pow(100.0, -static_cast<double>(i % (step.d / 2)) / 8);
      const_cast<float*>(step.cos)[i] = static_cast<float>(std::cos(angle));
      const_cast<float*>(step.sin)[i] = static_cast<float>(std::sin(angle));
    }
    for (std::int64_t row = 0; row < step.b; ++row) {
      const_cast<std::int64_t*>(step.ids)[row] = 3 + row;
      const_cast<std::int64_t*>(step.lengths)[row] = 1;
    }
  }

 private:
  DecodeStep place(char* base) {
    std::int64_t at = 0;
    const auto next = [&](std::int64_t bytes) {
      char* const array = base == nullptr ? nullptr : base + at;  // nullptr: only the size is wanted
      at += (bytes + 15) / 16 * 16;
      return static_cast<void*>(array);
    };
    const std::int64_t e = elementBytes(m_element);
    const auto [b, layers, c, h, hkv, d, f, vocab, capacity, rank] = m_sizes;
    DecodeStep step;
    step.element = m_element == Element::f32 ? 0 : 1;
    step.b = b, step.c = c, step.h = h, step.hkv = hkv, step.d = d, step.f = f, step.vocab = vocab;
    step.eps = 1e-5f;
    step.scale = 1 / std::sqrt(static_cast<float>(d));
    const auto linear = [&](std::int64_t outputs, std::int64_t inputs, bool hasBias, std::int64_t r) {
      StepLinear result;
      result.target.n = outputs;
      result.target.weight = next(outputs * inputs * e);
      if (hasBias) result.target.bias = next(outputs * e);
      if (r == 0) return result;
      result.loraA = next(r * inputs * e);
      result.loraB = next(outputs * r * e);
      result.rank = r;
      result.loraScale = 0.5f;
      return result;
    };
    for (std::int64_t l = 0; l < layers; ++l) {
      StepLayer layer;
      const std::int64_t own = l == 2 ? rank : 0;  // the last layer has adapters
      layer.inputNorm = next(c * e);
      layer.postNorm = next(c * e);
      if (l != 2) {
        layer.qNorm = next(d * e);
        layer.kNorm = next(d * e);
      }
      layer.q = linear(h * d, c, l == 0, own);
      layer.k = linear(hkv * d, c, l == 0, 0);
      layer.v = linear(hkv * d, c, l == 0, own);
      layer.o = linear(c, h * d, false, own);
      layer.gate = linear(f, c, false, 0);
      layer.up = linear(f, c, false, own);
      layer.down = linear(c, f, false, own);
      layer.window = kStepWindows[l];
      step.layers.push_back(layer);
    }
    for (const std::int64_t begin : {0, 1}) {
      StepPart part;
      part.begin = begin;
      part.rows = begin == 0 ? 1 : b - 1;
      part.capacity = capacity - 8 * begin;
      const std::int64_t bytes = part.rows * hkv * part.capacity * d * e;
      for (std::int64_t l = 0; l < layers; ++l) {
        StepSource source;
        const int from = kStepSources[begin][l];
        source.isOwn = from == l;
        source.k = source.isOwn ? next(bytes) : part.sources[static_cast<std::size_t>(from)].k;
        source.v = source.isOwn ? next(bytes) : part.sources[static_cast<std::size_t>(from)].v;
        if (!source.isOwn) {
          StepSource& own = part.sources[static_cast<std::size_t>(from)];
          source.kept = own.kept = own.k;
          source.keptBytes = own.keptBytes = 2 * bytes;
        }
        part.sources.push_back(source);
      }
      step.parts.push_back(part);
    }
    step.embedding = next(vocab * c * e);
    step.norm = next(c * e);
    step.head.weight = next(vocab * c * e);
    step.head.n = vocab;
    step.cos = static_cast<float*>(next(capacity * d / 2 * 4));
    step.sin = static_cast<float*>(next(capacity * d / 2 * 4));
    step.ids = static_cast<std::int64_t*>(next(b * 8));
    step.lengths = static_cast<std::int64_t*>(next(b * 8));
    for (void** rows : {&step.hidden, &step.normed, &step.delta}) *rows = next(b * c * e);
    for (void** rows : {&step.q, &step.attention}) *rows = next(b * h * d * e);
    for (void** rows : {&step.k, &step.v}) *rows = next(b * hkv * d * e);
    for (void** rows : {&step.gate, &step.up}) *rows = next(b * f * e);
    for (void*& low : step.low) low = next(b * rank * e);
    step.wide = next(b * std::max({c, f, h * d}) * e);
    step.logits = static_cast<float*>(next(b * vocab * 4));
    step.workspace = next(m_workspaceBytes);
    step.workspaceBytes = m_workspaceBytes;
    m_bytes = at;
    return step;
  }

  Element m_element;
  StepSizes m_sizes;
  std::int64_t m_workspaceBytes, m_bytes = 0;
};

/// A step's operations by the reference kernels.
struct HostOperations {
  Element element;

  int selectRows(const void* table, const std::int64_t* ids, void* out, std::int64_t rows, std::int64_t,
                 std::int64_t c) const {
    const std::int64_t bytes = c * elementBytes(element);
    for (std::int64_t row = 0; row < rows; ++row) {
      std::memcpy(static_cast<char*>(out) + row * bytes, static_cast<const char*>(table) + ids[row] * bytes,
                  static_cast<std::size_t>(bytes));
    }
    return 0;
  }
  int addRmsNorm(void* x, const void* delta, const void* weight, float eps, void* y, std::int64_t rows,
                 std::int64_t c) const {
    if (delta == nullptr) {
      reference::rmsNorm(element, x, weight, eps, y, rows, c, {});
    } else {
      reference::addRmsNorm(element, x, delta, weight, eps, y, rows, c, {});
    }
    return 0;
  }
  int matvec(int outElement, const void* x, std::int64_t rows, std::int64_t k, const MatvecTarget* targets,
             int count) const {
    reference::matvec(element, outElement == 0 ? Element::f32 : element, x, rows, k, targets, count, {});
    return 0;
  }
  int addScaled(void* y, const void* x, float scale, std::int64_t n) const {
    withElement(element, [&](auto kind) {
      using T = decltype(kind);
      for (std::int64_t i = 0; i < n; ++i) {
        storeElement<T>(y, i, loadElement<T>(y, i) + scale * loadElement<T>(x, i));
      }
    });
    return 0;
  }
  int ropeAppend(const DecodeStep& s, const StepPart& part, const StepSource& source) const {
    std::vector<std::int64_t> positions;
    std::vector<float> cos, sin;
    for (std::int64_t row = part.begin; row < part.begin + part.rows; ++row) {
      positions.push_back(s.lengths[row] - 1);
      for (std::int64_t i = 0; i < s.d / 2; ++i) {
        cos.push_back(s.cos[positions.back() * s.d / 2 + i]);
        sin.push_back(s.sin[positions.back() * s.d / 2 + i]);
      }
    }
    const auto rowsOf = [&](void* rows, std::int64_t width) { return at(element, rows, part.begin * width); };
    reference::rope(element, rowsOf(s.q, s.h * s.d), cos.data(), sin.data(), part.rows, s.h, s.d, {});
    if (!source.isOwn) return 0;
    void* const k = rowsOf(s.k, s.hkv * s.d);
    reference::rope(element, k, cos.data(), sin.data(), part.rows, s.hkv, s.d, {});
    reference::kvAppend(element, k, rowsOf(s.v, s.hkv * s.d), source.k, source.v, positions.data(), part.rows, s.hkv,
                        part.capacity, s.d, {});
    return 0;
  }
  int attention(const DecodeStep& s, const StepPart& part, const StepSource& source, std::int64_t window) const {
    const std::int64_t begin = part.begin * s.h * s.d;
    reference::decodeAttention(element, at(element, s.q, begin), source.k, source.v, s.lengths + part.begin, window,
                               s.scale, at(element, s.attention, begin), part.rows, s.h, s.hkv, part.capacity, s.d, {});
    return 0;
  }
  int siluMul(const void* gate, const void* up, void* y, std::int64_t n) const {
    reference::siluMul(element, gate, up, y, n, {});
    return 0;
  }
};

/// A step, and the choice of the next ids, which grows the lengths.
inline void stepOnHost(Element element, const DecodeStep& s) {
  EXPECT_EQ(runDecodeStep(HostOperations{element}, s), 0);
  for (std::int64_t row = 0; row < s.b; ++row) {
    const float* logits = s.logits + row * s.vocab;
    const_cast<std::int64_t*>(s.ids)[row] = std::max_element(logits, logits + s.vocab) - logits;
    ++const_cast<std::int64_t*>(s.lengths)[row];
  }
}

/// Entry points of one module: of a step, of the choice after it, and of recorded steps.
struct StepModule {
  StepEntries step;
  decltype(&strata_cuda_argmax) argmax = nullptr;
  decltype(&strata_cuda_argmax_workspace) argmaxWorkspace = nullptr;
  decltype(&strata_cuda_graph_begin) graphBegin = nullptr;
  decltype(&strata_cuda_graph_end) graphEnd = nullptr;
  decltype(&strata_cuda_graph_launch) graphLaunch = nullptr;
  decltype(&strata_cuda_graph_release) graphRelease = nullptr;

  std::int64_t workspaceBytes(const StepSizes& s) const {
    return std::max({argmaxWorkspace(s.b, s.vocab), step.attentionWorkspace(1, s.h, s.hkv, s.d, s.capacity),
                     step.attentionWorkspace(s.b - 1, s.h, s.hkv, s.d, s.capacity)});
  }
  void run(const DecodeStep& s, void* stream) const {
    EXPECT_EQ(runDecodeStep(DeviceOperations{step, s.element, stream}, s), 0);
    EXPECT_EQ(argmax(s.logits, const_cast<std::int64_t*>(s.ids), const_cast<std::int64_t*>(s.lengths), s.b, s.vocab,
                     s.workspace, s.workspaceBytes, stream),
              0);
  }
};

/// By STRATA_ENTRY(name).
#define STRATA_FIND_STEP_MODULE(module)                                \
  STRATA_FIND_STEP_ENTRIES(module.step);                               \
  module.argmax = STRATA_ENTRY(strata_cuda_argmax);                    \
  module.argmaxWorkspace = STRATA_ENTRY(strata_cuda_argmax_workspace); \
  module.graphBegin = STRATA_ENTRY(strata_cuda_graph_begin);           \
  module.graphEnd = STRATA_ENTRY(strata_cuda_graph_end);               \
  module.graphLaunch = STRATA_ENTRY(strata_cuda_graph_launch);         \
  module.graphRelease = STRATA_ENTRY(strata_cuda_graph_release)

}  // namespace strata::kernels::testing
