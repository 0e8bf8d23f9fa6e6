#pragma once
// One step of decoding as a straight line of entry points (entries.h), from token ids to logits: what the engine runs
// and captures in a CUDA graph, and what the tests run in the emulation, against a recording stub, and beside the same
// line of the reference kernels.
//
//   const StepEntries entries = …;                         // STRATA_FIND_STEP_ENTRIES
//   const int status = runDecodeStep(DeviceOperations{entries, step.element, stream}, step);
// Layers run in the model's order, so the followers of an owner come soon after it, and its K and V are kept in L2.

#include <cstdint>
#include <vector>

#include "kernels/cuda/entries.h"

namespace strata::kernels::cuda {

/// A linear layer. The target's y is not looked at.
struct StepLinear {
  MatvecTarget target;
  const void* loraA = nullptr;  // [rank, inputs], or null
  const void* loraB = nullptr;  // [outputs, rank]
  std::int64_t rank = 0;
  float loraScale = 0;
};

struct StepLayer {
  const void *inputNorm = nullptr, *postNorm = nullptr;  // [C]
  const void *qNorm = nullptr, *kNorm = nullptr;         // [D], or null
  StepLinear q, k, v, o, gate, up, down;                 // k and v are not looked at where no part owns the layer
  std::int64_t window = 0;
};

/// The keys and values that a layer reads.
struct StepSource {
  void *k = nullptr, *v = nullptr;  // [rows, Hkv, capacity, D]
  bool isOwn = true;                // the layer also writes them
  const void* kept = nullptr;       // where they are, if other layers read them too
  std::int64_t keptBytes = 0;
  bool operator==(const StepSource&) const = default;
};

/// Rows of a step that are the sequences of one cache, under one map.
struct StepPart {
  std::int64_t begin = 0, rows = 0, capacity = 0;
  std::vector<StepSource> sources;  // [L]
  bool operator==(const StepPart&) const = default;
};

/// Sizes by design.md section 2, and the addresses of all arrays. Weights and activations are in `element`.
struct DecodeStep {
  int element = 0;
  std::int64_t b = 0, c = 0, h = 0, hkv = 0, d = 0, f = 0, vocab = 0;
  float eps = 0, scale = 0;
  std::vector<StepLayer> layers;
  std::vector<StepPart> parts;                                  // all rows, in order
  const void* embedding = nullptr;                              // [V, C]
  const void* norm = nullptr;                                   // [C]
  MatvecTarget head;                                            // [V, C]
  const float *cos = nullptr, *sin = nullptr;                   // [positions, D/2], of as many as the largest cache has
  const std::int64_t* ids = nullptr;                            // [B]
  const std::int64_t* lengths = nullptr;                        // [B], the new token included
  void *hidden = nullptr, *normed = nullptr, *delta = nullptr;  // [B, C]
  void *q = nullptr, *attention = nullptr;                      // [B, H, D]
  void *k = nullptr, *v = nullptr;                              // [B, Hkv, D]
  void *gate = nullptr, *up = nullptr;                          // [B, F]
  void *low[3] = {}, *wide = nullptr;  // of LoRA: [B, rank] each, [B, outputs]; null without one
  float* logits = nullptr;             // [B, V]
  void* workspace = nullptr;
  std::int64_t workspaceBytes = 0;
};

/// What a linear layer reads and writes.
struct StepProduct {
  const StepLinear* linear;
  void* y;
};

/// y of `count` linear layers of one x, LoRA included. Operations: see DeviceOperations.
template <class Operations>
int runProducts(const Operations& run, const DecodeStep& s, const void* x, std::int64_t k, const StepProduct* products,
                int count) {
  int status = 0;
  const auto then = [&](int next) { status = status == 0 ? next : status; };
  MatvecTarget targets[3], reduced[3];
  int reducedCount = 0;
  for (int i = 0; i < count; ++i) {
    targets[i] = products[i].linear->target;
    targets[i].y = products[i].y;
    if (products[i].linear->loraA == nullptr) continue;
    MatvecTarget& low = reduced[reducedCount++];
    low.weight = products[i].linear->loraA;
    low.y = s.low[i];
    low.n = products[i].linear->rank;
  }
  then(run.matvec(s.element, x, s.b, k, targets, count));
  if (reducedCount == 0) return status;
  then(run.matvec(s.element, x, s.b, k, reduced, reducedCount));
  for (int i = 0; i < count; ++i) {
    const StepLinear& linear = *products[i].linear;
    if (linear.loraA == nullptr) continue;
    MatvecTarget back;
    back.weight = linear.loraB;
    back.y = s.wide;
    back.n = linear.target.n;
    then(run.matvec(s.element, s.low[i], s.b, linear.rank, &back, 1));
    then(run.addScaled(products[i].y, s.wide, linear.loraScale, s.b * back.n));
  }
  return status;
}

/// Reads ids and lengths, appends at lengths - 1, leaves the logits. The first status that is not 0.
template <class Operations>
int runDecodeStep(const Operations& run, const DecodeStep& s) {
  int status = 0;
  const auto then = [&](int next) { status = status == 0 ? next : status; };
  const std::int64_t width = s.h * s.d;
  then(run.selectRows(s.embedding, s.ids, s.hidden, s.b, s.vocab, s.c));
  const void* delta = nullptr;  // what is still to be added to hidden
  for (std::size_t l = 0; l < s.layers.size(); ++l) {
    const StepLayer& layer = s.layers[l];
    bool isOwner = false;
    for (const StepPart& part : s.parts) isOwner = isOwner || part.sources[l].isOwn;
    then(run.addRmsNorm(s.hidden, delta, layer.inputNorm, s.eps, s.normed, s.b, s.c));
    const StepProduct qkv[] = {{&layer.q, s.q}, {&layer.k, s.k}, {&layer.v, s.v}};
    then(runProducts(run, s, s.normed, s.c, qkv, isOwner ? 3 : 1));
    if (layer.qNorm != nullptr) then(run.addRmsNorm(s.q, nullptr, layer.qNorm, s.eps, s.q, s.b * s.h, s.d));
    if (isOwner && layer.kNorm != nullptr) {
      then(run.addRmsNorm(s.k, nullptr, layer.kNorm, s.eps, s.k, s.b * s.hkv, s.d));
    }
    for (const StepPart& part : s.parts) {
      then(run.ropeAppend(s, part, part.sources[l]));
      then(run.attention(s, part, part.sources[l], layer.window));
    }
    const StepProduct o{&layer.o, s.delta};
    then(runProducts(run, s, s.attention, width, &o, 1));
    then(run.addRmsNorm(s.hidden, s.delta, layer.postNorm, s.eps, s.normed, s.b, s.c));
    const StepProduct gateUp[] = {{&layer.gate, s.gate}, {&layer.up, s.up}};
    then(runProducts(run, s, s.normed, s.c, gateUp, 2));
    then(run.siluMul(s.gate, s.up, s.gate, s.b * s.f));
    const StepProduct down{&layer.down, s.delta};
    then(runProducts(run, s, s.gate, s.f, &down, 1));
    delta = s.delta;
  }
  then(run.addRmsNorm(s.hidden, delta, s.norm, s.eps, s.normed, s.b, s.c));
  MatvecTarget head = s.head;
  head.y = s.logits;
  then(run.matvec(0, s.normed, s.b, s.c, &head, 1));
  return status;
}

/// The entry points of one module that a step calls.
struct StepEntries {
  decltype(&strata_cuda_select_rows) selectRows = nullptr;
  decltype(&strata_cuda_add_rms_norm) addRmsNorm = nullptr;
  decltype(&strata_cuda_matvec) matvec = nullptr;
  decltype(&strata_cuda_add_scaled) addScaled = nullptr;
  decltype(&strata_cuda_rope_append) ropeAppend = nullptr;
  decltype(&strata_cuda_decode_attention) attention = nullptr;
  decltype(&strata_cuda_decode_attention_workspace) attentionWorkspace = nullptr;
  decltype(&strata_cuda_silu_mul) siluMul = nullptr;

  bool isComplete() const {
    return selectRows && addRmsNorm && matvec && addScaled && ropeAppend && attention && attentionWorkspace && siluMul;
  }
  std::int64_t workspaceBytes(const DecodeStep& s) const {
    std::int64_t most = 0;
    for (const StepPart& part : s.parts) {
      const std::int64_t bytes = attentionWorkspace(part.rows, s.h, s.hkv, s.d, part.capacity);
      most = bytes > most ? bytes : most;
    }
    return most;
  }
};

/// By STRATA_ENTRY(name), which the place of use defines.
#define STRATA_FIND_STEP_ENTRIES(entries)                                            \
  entries.selectRows = STRATA_ENTRY(strata_cuda_select_rows);                        \
  entries.addRmsNorm = STRATA_ENTRY(strata_cuda_add_rms_norm);                       \
  entries.matvec = STRATA_ENTRY(strata_cuda_matvec);                                 \
  entries.addScaled = STRATA_ENTRY(strata_cuda_add_scaled);                          \
  entries.ropeAppend = STRATA_ENTRY(strata_cuda_rope_append);                        \
  entries.attention = STRATA_ENTRY(strata_cuda_decode_attention);                    \
  entries.attentionWorkspace = STRATA_ENTRY(strata_cuda_decode_attention_workspace); \
  entries.siluMul = STRATA_ENTRY(strata_cuda_silu_mul)

/// A step's operations by the entry points, on a stream.
struct DeviceOperations {
  const StepEntries& entries;
  int element;
  void* stream;

  int selectRows(const void* table, const std::int64_t* ids, void* out, std::int64_t rows, std::int64_t vocab,
                 std::int64_t c) const {
    return entries.selectRows(element, table, ids, out, rows, vocab, c, stream);
  }
  int addRmsNorm(void* x, const void* delta, const void* weight, float eps, void* y, std::int64_t rows,
                 std::int64_t c) const {
    return entries.addRmsNorm(element, x, delta, weight, eps, y, rows, c, stream);
  }
  /// Any rows, kMostRows in a launch.
  int matvec(int outElement, const void* x, std::int64_t rows, std::int64_t k, const MatvecTarget* targets,
             int count) const {
    for (std::int64_t begin = 0; begin < rows; begin += kMostRows) {
      const std::int64_t part = rows - begin < kMostRows ? rows - begin : kMostRows;
      MatvecTarget moved[kMostTargets];
      for (int t = 0; t < count; ++t) {
        moved[t] = targets[t];
        moved[t].y = static_cast<char*>(targets[t].y) + begin * targets[t].n * bytesOf(outElement);
      }
      const void* from = static_cast<const char*>(x) + begin * k * bytesOf(element);
      if (const int status = entries.matvec(element, outElement, from, part, k, moved, count, stream); status != 0) {
        return status;
      }
    }
    return 0;
  }
  int addScaled(void* y, const void* x, float scale, std::int64_t n) const {
    return entries.addScaled(element, y, x, scale, n, stream);
  }
  int ropeAppend(const DecodeStep& s, const StepPart& part, const StepSource& source) const {
    return entries.ropeAppend(element, rowsOf(s.q, part, s.h * s.d),
                              source.isOwn ? rowsOf(s.k, part, s.hkv * s.d) : nullptr,
                              source.isOwn ? rowsOf(s.v, part, s.hkv * s.d) : nullptr, s.cos, s.sin, source.k, source.v,
                              s.lengths + part.begin, part.rows, s.h, s.hkv, part.capacity, s.d, stream);
  }
  int attention(const DecodeStep& s, const StepPart& part, const StepSource& source, std::int64_t window) const {
    const std::int64_t most = window > 0 && window < part.capacity ? window : part.capacity;
    return entries.attention(element, rowsOf(s.q, part, s.h * s.d), source.k, source.v, s.lengths + part.begin, window,
                             s.scale, rowsOf(s.attention, part, s.h * s.d), part.rows, s.h, s.hkv, part.capacity, s.d,
                             most, source.kept, source.keptBytes, s.workspace, s.workspaceBytes, stream);
  }
  int siluMul(const void* gate, const void* up, void* y, std::int64_t n) const {
    return entries.siluMul(element, gate, up, y, n, stream);
  }

 private:
  static std::int64_t bytesOf(int element) { return element == 0 ? 4 : 2; }
  void* rowsOf(void* rows, const StepPart& part, std::int64_t width) const {
    return static_cast<char*>(rows) + part.begin * width * bytesOf(element);
  }
};

}  // namespace strata::kernels::cuda
