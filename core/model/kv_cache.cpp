#include "core/model/kv_cache.h"

#include <ATen/ATen.h>

#include <array>

#include "core/model/kernel_calls.h"
#include "core/model/memory.h"

namespace strata {

KvCache::KvCache(const ModelConfig& config, const SharingMap& map, std::int64_t batch, std::int64_t capacity,
                 at::ScalarType dtype, c10::Device device)
    : m_kvHeads(config.kvHeads),
      m_headDim(config.headDim),
      m_batch(batch),
      m_capacity(capacity),
      m_options(at::TensorOptions(dtype).device(device)),
      m_keys(static_cast<std::size_t>(config.layers)),
      m_values(static_cast<std::size_t>(config.layers)) {
  setOwners(map);
}

at::Tensor KvCache::allocate(std::int64_t capacity) const {
  const MemoryScope scope(MemoryPart::kv);
  const std::array<std::int64_t, 4> shape{m_batch, m_kvHeads, capacity, m_headDim};
  // Our CPU kernels read written positions alone; LibTorch's attention multiplies masked ones by zero, which NaN
  // survives.
  return m_options.device().is_cpu() ? at::empty(shape, m_options) : at::zeros(shape, m_options);
}

void KvCache::grow(std::int64_t capacity, std::int64_t held) {
  for (std::size_t l = 0; l < m_keys.size(); ++l) {
    if (!m_keys[l].defined()) continue;
    const at::Tensor keys = allocate(capacity), values = allocate(capacity);
    keys.narrow(2, 0, held).copy_(m_keys[l].narrow(2, 0, held));
    values.narrow(2, 0, held).copy_(m_values[l].narrow(2, 0, held));
    m_keys[l] = keys;
    m_values[l] = values;
  }
  m_capacity = capacity;
}

void KvCache::setOwners(const SharingMap& map) {
  for (int l = 0; l < map.layers(); ++l) {
    const auto at = static_cast<std::size_t>(l);
    if (!map.owns(l)) {
      m_keys[at] = m_values[at] = at::Tensor();
    } else if (!m_keys[at].defined()) {
      m_keys[at] = allocate(m_capacity);
      m_values[at] = allocate(m_capacity);
    }
  }
}

std::int64_t KvCache::bytes() const {
  std::int64_t total = 0;
  for (const auto* tensors : {&m_keys, &m_values}) {
    for (const at::Tensor& tensor : *tensors) {
      if (tensor.defined()) total += static_cast<std::int64_t>(tensor.nbytes());
    }
  }
  return total;
}

void KvCache::append(int owner, const KeyValue& made, std::int64_t start) {
  const auto at = static_cast<std::size_t>(owner);
  const std::int64_t tokens = made.k.size(1);
  m_keys[at].narrow(2, start, tokens).copy_(made.k.transpose(1, 2));
  m_values[at].narrow(2, start, tokens).copy_(made.v.transpose(1, 2));
}

void KvCache::appendOne(int owner, const KeyValue& made, const std::vector<std::int64_t>& positions) {
  const auto at = static_cast<std::size_t>(owner);
  calls::appendOne(made.k, made.v, m_keys[at], m_values[at], positions);
}

KvCache KvCache::joined(std::vector<std::unique_ptr<KvCache>> parts) {
  const MemoryScope scope(MemoryPart::kv);
  KvCache whole = std::move(*parts.front());
  for (std::size_t i = 1; i < parts.size(); ++i) {
    TORCH_INTERNAL_ASSERT(parts[i]->m_capacity == whole.m_capacity);
    whole.m_batch += parts[i]->m_batch;
  }
  for (auto tensors : {&KvCache::m_keys, &KvCache::m_values}) {
    for (std::size_t l = 0; l < whole.m_keys.size(); ++l) {
      at::Tensor& own = (whole.*tensors)[l];
      if (!own.defined()) continue;
      std::vector<at::Tensor> rows{own};
      for (std::size_t i = 1; i < parts.size(); ++i) rows.push_back(std::exchange(((*parts[i]).*tensors)[l], {}));
      own = at::cat(rows);
    }
  }
  return whole;
}

void KvCache::keepRows(const std::vector<std::int64_t>& rows) {
  const MemoryScope scope(MemoryPart::kv);
  const at::Tensor index = at::tensor(rows, at::kLong).to(m_options.device());
  for (auto* tensors : {&m_keys, &m_values}) {
    for (at::Tensor& tensor : *tensors) {
      if (tensor.defined()) tensor = tensor.index_select(0, index);
    }
  }
  m_batch = static_cast<std::int64_t>(rows.size());
}

}  // namespace strata
