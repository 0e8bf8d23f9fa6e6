#include "core/service/chat_streams.h"

namespace strata {

std::unique_ptr<ChatCache> ChatStreams::make(const std::shared_ptr<const Model>& model, const SharingMap& map) {
  auto record = std::make_shared<CacheRecord>();
  const std::lock_guard lock(m_mutex);
  std::erase_if(m_records, [](const auto& one) { return one.expired(); });
  m_records.push_back(record);
  return std::make_unique<ChatCache>(ChatCache{ChatSession(model, map), std::move(record)});
}

std::unique_ptr<ChatCache> ChatStreams::take(const std::string& name, const std::shared_ptr<const Model>& model) {
  const std::lock_guard lock(m_mutex);
  for (auto it = m_caches.begin(); it != m_caches.end(); ++it) {
    if (it->first != name) continue;
    std::unique_ptr<ChatCache> cache = std::move(it->second);
    m_caches.erase(it);
    return cache->session.model() == model ? std::move(cache) : nullptr;
  }
  return nullptr;
}

void ChatStreams::put(const std::string& name, std::unique_ptr<ChatCache> cache) {
  if (name.empty()) return;
  const std::lock_guard lock(m_mutex);
  m_caches.remove_if([&](const auto& kept) { return kept.first == name; });
  m_caches.emplace_front(name, std::move(cache));
  if (m_caches.size() > kMostKept) m_caches.pop_back();
}

void ChatStreams::drop(const std::string& prefix) {
  const std::lock_guard lock(m_mutex);
  m_caches.remove_if([&](const auto& kept) { return kept.first.starts_with(prefix); });
}

void ChatStreams::dropModel(const Model& model) {
  const std::lock_guard lock(m_mutex);
  m_caches.remove_if([&](const auto& kept) { return kept.second->session.model().get() == &model; });
}

void ChatStreams::note(const ChatCache& cache, const protocol::ModelRef& ref) {
  const CacheUse use = cache.session.use();
  protocol::CacheMemory memory;
  memory.map = printMap(cache.session.map());
  memory.tokens = use.tokens;
  memory.context = use.capacity;
  memory.reserved = use.bytes;
  memory.used = use.capacity > 0 ? use.bytes / use.capacity * use.tokens : 0;
  const std::lock_guard lock(m_mutex);
  *cache.record = {ref, std::move(memory)};
}

std::vector<CacheRecord> ChatStreams::records() const {
  const std::lock_guard lock(m_mutex);
  std::vector<CacheRecord> records;
  for (const auto& one : m_records) {
    if (const auto record = one.lock(); record && record->memory.reserved > 0) records.push_back(*record);
  }
  return records;
}

}  // namespace strata
