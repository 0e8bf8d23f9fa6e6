#pragma once
// One step of decoding on the CPU as a straight line of kernel calls: buffers are made once, all threads walk through
// the layers together, and a token costs neither a LibTorch operator nor an allocation.
//
//   DecodePlan plan(model);
//   plan.step(rows);                     // each row under its own map, in its own cache
//   const at::Tensor logits = plan.logits();
// A row's result does not depend on the other rows: an answer in a batch is bit for bit the answer alone.

#include <ATen/core/Tensor.h>

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "core/model/kv_cache.h"
#include "core/model/model.h"
#include "core/routing/sharing_map.h"

namespace strata {

/// The next token of one sequence.
struct DecodeRow {
  TokenId id = 0;
  std::int64_t position = 0;  // of this token; the cache holds all before it
  const SharingMap* map = nullptr;
  KvCache* cache = nullptr;
  std::int64_t sequence = 0;                  // of the cache
  const std::atomic<bool>* cancel = nullptr;  // looked at before every layer
  bool isCancelled = false;                   // set by step(): the row left before its last layer
};

class DecodePlan {
 public:
  /// Whether this model's steps can be planned: on the CPU, all of it in one dtype that kernels/ knows.
  static bool supports(const Model& model);
  /// `model` outlives this.
  explicit DecodePlan(const Model& model);
  ~DecodePlan();
  DecodePlan(const DecodePlan&) = delete;
  DecodePlan& operator=(const DecodePlan&) = delete;

  /// Keys and values of owners go to the rows' caches. Throws where memory is short, before anything is written.
  void step(std::vector<DecodeRow>& rows);
  /// [rows, V] F32 of the last step; a cancelled row's are not set. The next step makes another tensor only where this
  /// one is still held.
  const at::Tensor& logits() const;

 private:
  class Steps;
  std::unique_ptr<Steps> m_steps;
};

}  // namespace strata
