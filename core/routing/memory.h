#pragma once
// Memory by formula; the engine's counts are compared with these.

#include <cstdint>

#include "core/routing/kv_format.h"
#include "core/routing/sharing_map.h"

namespace strata {

struct ModelShape {
  int layers = 0;          // L
  int width = 0;           // C
  int heads = 0;           // H
  int kvHeads = 0;         // Hkv
  int headDim = 0;         // D
  int ffn = 0;             // F
  std::int64_t vocab = 0;  // V
  bool tied = false;
  std::int64_t parameters = 0;
  bool qkNorm = false;  // queries and keys are normed
};

// All results stop at the largest std::int64_t instead of wrapping around.

/// owners · 2 · Hkv · (D · elementBytes + scaleBytes) · tokens, for one sequence.
std::int64_t kvBytes(const SharingMap& map, const ModelShape& shape, std::int64_t tokens, const KvStorage& storage);

struct MemoryEstimate {  // bytes
  std::int64_t weights = 0;
  std::int64_t kv = 0;
  std::int64_t activations = 0;
  std::int64_t gradients = 0;
  std::int64_t optimizer = 0;
  std::int64_t logits = 0;
  std::int64_t process = 0;  // what tensors do not hold: program, libraries, freed memory that is kept
  std::int64_t apart = 0;    // of the parts above, bytes that are in use at different times
  /// At the highest moment: the parts' sum less what is apart.
  std::int64_t total() const;
};

/// One model served with one fixed map to `users` sessions of `context` tokens.
///
/// weights: (parameters - followers · 2·Hkv·D·C) · weightBytesPerElement;
/// a follower's k_proj and v_proj are not kept.
///
/// kv: users · kvBytes of one session.
///
/// activations: min(context, 512) · (4·C + 2·H·D + 2·Hkv·D + 3·F) · 4,
/// a prompt's chunk in one layer, + users · V · 4, the logits; with a cache of 8 bits also
/// 2·Hkv·D · context · weightBytesPerElement: a layer's keys and values, read back for a prompt's chunk.
MemoryEstimate estimateInference(const ModelShape& shape, const SharingMap& map, std::int64_t context, int users,
                                 int weightBytesPerElement, const KvStorage& storage);

struct TrainingShape {
  int microBatch = 1;
  int length = 0;
  int computeBytes = 4;                // 2 for bf16
  std::int64_t trainedParameters = 0;  // all, or those of the LoRA
  bool checkpointing = false;
  int microBatches = 1;       // of a step
  int lora = 0;               // rank
  bool loraDropout = false;   // its masks are kept for the backward pass
  bool routed = true;         // layers borrow: what they borrow is kept for the backward pass
  bool distill = false;       // a second pass with the full map,
  bool teacherTrains = true;  // which trains too (distill-mu > 0)
  bool evaluates = false;     // between steps
  int ranks = 1;              // that share a step; microBatch and microBatches are one's own
};
/// One process on the CPU; a GPU's kernels keep what these do to within a few percent. B·T = microBatch · length
/// tokens, all of them predicted. P: parameters, P': the trained ones, c: computeBytes, E = V·C·4 where the embedding
/// is trained, else 0.
///
/// weights: P' · 4, the fp32 masters, + P · c where P' < P, the frozen model under a LoRA.
///
/// gradients: P' · 4, + E where the head is the embedding: both leave a gradient, and they are added at the end.
///
/// optimizer: P' · 8, the two fp32 moments of AdamW.
///
/// activations: B·T · (L · A + 4·C) · c, where a layer keeps A = 4·C + 2·H·D + 2·Hkv·D + 3·F + H·4/c values a token:
/// 4·C: its input, the two normed states, the state between; 2·H·D: q and the result of attention; 2·Hkv·D: K,V;
/// 3·F: gate, up, and their product; H: log-sum-exp of attention in fp32. Norms of q and k add H·D + Hkv·D; a LoRA 7·r,
/// and with dropout two copies of each linear layer's input. 4·C: the last state, normed, selected, and its gradient.
/// With checkpointing B·T · (L · C + 4·C) · c, L · (C + 2·Hkv·D) where layers borrow. Distillation keeps twice as much
/// where the teacher trains.
///
/// logits: R · V · c, the R rows whose logits take 128 MiB (at most B·T), turned into their gradient in place.
/// Distillation: R · V · 4 · 7 (c < 4: R · V · (3·c + 5·4)).
///
/// The highest moment (total) is that of the optimiser's and the weights' bytes and the most of
/// - the loss: activations, logits, E, and the gradients of the micro-batches before;
/// - the backward pass in a layer: gradients, and A + 2·F + 2·C of that layer;
/// - its end: gradients, and E once more with several micro-batches;
/// - an evaluation: a layer, and R · V · (8 + c where c < 4).
///
/// Of N ranks each has P' · 8 / N of the optimizer, and of gradients P' · 4 / N more, its share of their sum, and two
/// buckets of at most 25 MiB on their way (core/distributed/README.md).
///
/// process: 220 MB of program, libraries and their work space; half of the activations (a quarter with a LoRA), which
/// stay mapped after they are freed; and what rounding to maps of 2 MiB adds to matrices of 1 MiB and more.
MemoryEstimate estimateTraining(const ModelShape& shape, const TrainingShape& training);

}  // namespace strata
