#pragma once
// Keys and values of a session. Only owners allocate, all of them tensors of the same sizes, so the bytes are owners x
// one number; followers read their owner's, its scales included.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <vector>

#include "core/checkpoint/model_config.h"
#include "core/model/decoder.h"
#include "core/model/kernel_calls.h"
#include "core/routing/kv_format.h"
#include "core/routing/sharing_map.h"

namespace strata {

class KvCache {
 public:
  KvCache(const ModelConfig& config, const SharingMap& map, std::int64_t batch, std::int64_t capacity,
          at::ScalarType dtype, c10::Device device, KvFormat format = KvFormat::plain);

  const calls::CachedKeyValue& read(int owner) const { return m_owners[static_cast<std::size_t>(owner)]; }
  const at::Tensor& keys(int owner) const { return read(owner).k; }
  const at::Tensor& values(int owner) const { return read(owner).v; }
  std::int64_t capacity() const { return m_capacity; }
  std::int64_t batch() const { return m_batch; }
  /// Bytes of the tensors allocated.
  std::int64_t bytes() const;

  /// Writes positions start … start+T-1 of every sequence (right-padded rows write padding, which decoding overwrites).
  void append(int owner, const KeyValue& made, std::int64_t start);
  /// Writes one position per sequence.
  void appendOne(int owner, const KeyValue& made, const std::vector<std::int64_t>& positions);
  /// All sequences of several caches of one map, capacity and format.
  static KvCache joined(std::vector<std::unique_ptr<KvCache>> parts);
  /// Keeps only these sequences, in this order; one that is named several times is copied.
  void keepRows(const std::vector<std::int64_t>& rows);
  /// Room for `capacity` positions; of each sequence the first `held` are kept. Throws where memory is short, and then
  /// still holds them.
  void grow(std::int64_t capacity, std::int64_t held);
  /// Owners of `map` that are not here get tensors; others are freed.
  void setOwners(const SharingMap& map);

 private:
  calls::CachedKeyValue allocate(std::int64_t capacity) const;

  int m_kvHeads, m_headDim;
  std::int64_t m_batch, m_capacity;
  at::TensorOptions m_options;
  KvFormat m_format;
  std::vector<calls::CachedKeyValue> m_owners;  // [L], undefined for followers
};

}  // namespace strata
