#pragma once
// Memory by formula; the engine's counts are compared with these.

#include <cstdint>

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
};

// All results stop at the largest std::int64_t instead of wrapping around.

/// owners · 2 · Hkv · D · tokens · bytesPerElement, for one sequence.
std::int64_t kvBytes(const SharingMap& map, const ModelShape& shape, std::int64_t tokens, int bytesPerElement);

struct MemoryEstimate {  // bytes
  std::int64_t weights = 0;
  std::int64_t kv = 0;
  std::int64_t activations = 0;
  std::int64_t gradients = 0;
  std::int64_t optimizer = 0;
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
/// a prompt's chunk in one layer, + users · V · 4, the logits.
MemoryEstimate estimateInference(const ModelShape& shape, const SharingMap& map, std::int64_t context, int users,
                                 int weightBytesPerElement, int kvBytesPerElement);

struct TrainingShape {
  int microBatch = 1;
  int length = 0;
  int computeBytes = 4;                // 2 for bf16
  std::int64_t trainedParameters = 0;  // all, or those of the LoRA
  bool checkpointing = false;
};
/// One micro-batch of B·T = microBatch · length tokens. P: parameters, P': the trained ones, c: computeBytes.
///
/// weights: P' · 4, the fp32 masters,
/// + P' · c where c < 4, their copies to compute with,
/// + P · c where P' < P, the frozen model under a LoRA.
///
/// gradients: P' · 4.
///
/// optimizer: P' · 8, the two fp32 moments of AdamW.
///
/// activations: B·T · L · A · c, where A = 5·C + 2·H·D + 2·Hkv·D + 4·F counts, of one layer:
/// 5·C: its input, the two normed states, the state between, the projected output of attention;
/// 2·H·D: q and the result of attention;
/// 2·Hkv·D: its own K,V;
/// 4·F: gate, up, the silu of gate, and the product.
/// With checkpointing B·T · (L · (C + 2·Hkv·D) + A) · c: input and K,V of every layer, and all of the one layer that is
/// recomputed. Both + 2 · min(B·T, 512) · V · 4: a chunk of logits and its gradient.
MemoryEstimate estimateTraining(const ModelShape& shape, const TrainingShape& training);

}  // namespace strata
