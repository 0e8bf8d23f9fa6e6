#include "core/service/chat_streams.h"

namespace strata {

std::unique_ptr<ChatSession> ChatStreams::take(const std::string& name, const std::shared_ptr<const Model>& model) {
  const std::lock_guard lock(m_mutex);
  for (auto it = m_sessions.begin(); it != m_sessions.end(); ++it) {
    if (it->first != name) continue;
    std::unique_ptr<ChatSession> session = std::move(it->second);
    m_sessions.erase(it);
    return session->model() == model ? std::move(session) : nullptr;
  }
  return nullptr;
}

void ChatStreams::put(const std::string& name, std::unique_ptr<ChatSession> session) {
  if (name.empty()) return;
  const std::lock_guard lock(m_mutex);
  m_sessions.remove_if([&](const auto& kept) { return kept.first == name; });
  m_sessions.emplace_front(name, std::move(session));
  if (m_sessions.size() > kMostKept) m_sessions.pop_back();
}

void ChatStreams::drop(const std::string& prefix) {
  const std::lock_guard lock(m_mutex);
  m_sessions.remove_if([&](const auto& kept) { return kept.first.starts_with(prefix); });
}

void ChatStreams::dropModel(const Model& model) {
  const std::lock_guard lock(m_mutex);
  m_sessions.remove_if([&](const auto& kept) { return kept.second->model().get() == &model; });
}

}  // namespace strata
