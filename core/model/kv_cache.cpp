#include "core/model/kv_cache.h"

#include <ATen/ATen.h>

#include <array>

#include "core/model/memory.h"

namespace strata {

KvCache::KvCache(const ModelConfig& config, const SharingMap& map, std::int64_t batch, std::int64_t capacity,
                 at::ScalarType dtype, c10::Device device, KvFormat format)
    : m_kvHeads(config.kvHeads),
      m_headDim(config.headDim),
      m_batch(batch),
      m_capacity(capacity),
      m_options(at::TensorOptions(dtype).device(device)),
      m_format(format),
      m_owners(static_cast<std::size_t>(config.layers)) {
  setOwners(map);
}

calls::CachedKeyValue KvCache::allocate(std::int64_t capacity) const {
  const MemoryScope scope(MemoryPart::kv);
  const std::array<std::int64_t, 4> shape{m_batch, m_kvHeads, capacity, m_headDim};
  calls::CachedKeyValue made;
  made.format = m_format;
  if (m_format != KvFormat::plain) {
    for (at::Tensor* codes : {&made.k, &made.v}) *codes = at::empty(shape, m_options.dtype(at::kByte));
    const at::IntArrayRef positions(shape.data(), 3);
    for (at::Tensor* scales : {&made.kScales, &made.vScales}) {
      *scales = at::empty(positions, m_options.dtype(at::kBFloat16));
    }
    return made;
  }
  // Our CPU kernels read written positions alone; LibTorch's attention multiplies masked ones by zero, which NaN
  // survives.
  for (at::Tensor* tensor : {&made.k, &made.v}) {
    *tensor = m_options.device().is_cpu() ? at::empty(shape, m_options) : at::zeros(shape, m_options);
  }
  return made;
}

void KvCache::grow(std::int64_t capacity, std::int64_t held) {
  for (calls::CachedKeyValue& owner : m_owners) {
    if (!owner.defined()) continue;
    const calls::CachedKeyValue larger = allocate(capacity);
    for (const auto tensor : calls::CachedKeyValue::kTensors) {
      if ((owner.*tensor).defined()) (larger.*tensor).narrow(2, 0, held).copy_((owner.*tensor).narrow(2, 0, held));
    }
    owner = larger;
  }
  m_capacity = capacity;
}

void KvCache::setOwners(const SharingMap& map) {
  for (int l = 0; l < map.layers(); ++l) {
    calls::CachedKeyValue& owner = m_owners[static_cast<std::size_t>(l)];
    if (!map.owns(l)) {
      owner = {};
    } else if (!owner.defined()) {
      owner = allocate(m_capacity);
    }
  }
}

std::int64_t KvCache::bytes() const {
  std::int64_t total = 0;
  for (const calls::CachedKeyValue& owner : m_owners) {
    for (const auto tensor : calls::CachedKeyValue::kTensors) {
      if ((owner.*tensor).defined()) total += static_cast<std::int64_t>((owner.*tensor).nbytes());
    }
  }
  return total;
}

void KvCache::append(int owner, const KeyValue& made, std::int64_t start) {
  calls::append(made.k, made.v, m_owners[static_cast<std::size_t>(owner)],
                std::vector<std::int64_t>(static_cast<std::size_t>(m_batch), start));
}

void KvCache::appendOne(int owner, const KeyValue& made, const std::vector<std::int64_t>& positions) {
  calls::append(made.k, made.v, m_owners[static_cast<std::size_t>(owner)], positions);
}

KvCache KvCache::joined(std::vector<std::unique_ptr<KvCache>> parts) {
  const MemoryScope scope(MemoryPart::kv);
  KvCache whole = std::move(*parts.front());
  for (std::size_t i = 1; i < parts.size(); ++i) {
    TORCH_INTERNAL_ASSERT(parts[i]->m_capacity == whole.m_capacity && parts[i]->m_format == whole.m_format);
    whole.m_batch += parts[i]->m_batch;
  }
  for (const auto tensor : calls::CachedKeyValue::kTensors) {
    for (std::size_t l = 0; l < whole.m_owners.size(); ++l) {
      at::Tensor& own = whole.m_owners[l].*tensor;
      if (!own.defined()) continue;
      std::vector<at::Tensor> rows{own};
      for (std::size_t i = 1; i < parts.size(); ++i) {
        rows.push_back(std::exchange(parts[i]->m_owners[l].*tensor, {}));
      }
      own = at::cat(rows);
    }
  }
  return whole;
}

void KvCache::keepRows(const std::vector<std::int64_t>& rows) {
  const MemoryScope scope(MemoryPart::kv);
  const at::Tensor index = at::tensor(rows, at::kLong).to(m_options.device());
  for (calls::CachedKeyValue& owner : m_owners) {
    for (const auto tensor : calls::CachedKeyValue::kTensors) {
      if ((owner.*tensor).defined()) owner.*tensor = (owner.*tensor).index_select(0, index);
    }
  }
  m_batch = static_cast<std::int64_t>(rows.size());
}

}  // namespace strata
