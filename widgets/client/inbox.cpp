#include "widgets/client/inbox.h"

#include <utility>

#include "core/protocol/messages.h"

namespace strata {
namespace {

constexpr std::size_t kMostJoinedBytes = 64u << 10;  // what one call may have to draw

enum class Join { none, tokens, points, replace };

Join joinOf(const std::string& method) {
  if (method == protocol::Tokens::kName) return Join::tokens;
  if (method == protocol::JobPoints::kName) return Join::points;
  if (method == protocol::Memory::kName || method == protocol::Progress::kName) return Join::replace;
  return Join::none;
}

/// What two notifications must have in common.
std::string keyOf(const RpcMessage& message, Join join) {
  if (join == Join::none || message.kind != RpcMessage::Kind::notification || !message.params.is_object()) return {};
  std::string key = message.method;
  for (const char* name : {"request", "stream", "device", "id"}) {
    const auto found = message.params.find(name);
    if (found != message.params.end()) key += '\n' + dumpLine(*found);
  }
  return key;
}

template <class Has>
bool bothHave(Json& earlier, const Json& later, const char* name, Has has) {
  const auto a = earlier.find(name);
  const auto b = later.find(name);
  return a != earlier.end() && b != later.end() && has(*a) && has(*b);
}

void appendList(Json& earlier, Json& later, const char* name) {
  for (Json& element : later[name]) earlier[name].push_back(std::move(element));
}

/// False where they do not have the shape that their kind promises: then both are delivered as they came.
bool joined(Json& earlier, Json& later, Join join) {
  const auto isText = [](const Json& json) { return json.is_string(); };
  const auto isList = [](const Json& json) { return json.is_array(); };
  switch (join) {
    case Join::tokens:
      if (!bothHave(earlier, later, "text", isText) || !bothHave(earlier, later, "ids", isList)) return false;
      earlier["text"].get_ref<std::string&>() += later["text"].get_ref<const std::string&>();
      appendList(earlier, later, "ids");
      if (const auto used = later.find("kv_bytes_used"); used != later.end()) earlier["kv_bytes_used"] = *used;
      return true;
    case Join::points:
      if (!bothHave(earlier, later, "series", isList)) return false;
      appendList(earlier, later, "series");
      return true;
    case Join::replace:
      earlier = std::move(later);
      return true;
    case Join::none:
      break;
  }
  return false;
}

}  // namespace

void Inbox::add(RpcMessage message, std::size_t bytes) {
  const Join join = joinOf(message.method);
  std::string key = keyOf(message, join);
  const std::lock_guard lock(m_mutex);
  if (!key.empty()) {
    const auto last = m_last.find(key);
    if (last != m_last.end()) {
      Waiting& earlier = m_waiting[last->second - m_taken];
      const bool grows = join != Join::replace;
      if ((!grows || earlier.bytes + bytes <= kMostJoinedBytes) &&
          joined(earlier.message.params, message.params, join)) {
        m_bytes += bytes - (grows ? 0 : earlier.bytes);
        earlier.bytes = bytes + (grows ? earlier.bytes : 0);
        return;
      }
    }
    m_last[key] = m_taken + m_waiting.size();
  }
  m_bytes += bytes;
  m_waiting.push_back({std::move(message), bytes, std::move(key)});
}

std::optional<RpcMessage> Inbox::take(std::size_t* bytes) {
  const std::lock_guard lock(m_mutex);
  if (m_waiting.empty()) return std::nullopt;
  Waiting first = std::move(m_waiting.front());
  m_waiting.pop_front();
  if (!first.key.empty()) {
    const auto last = m_last.find(first.key);
    if (last != m_last.end() && last->second == m_taken) m_last.erase(last);
  }
  ++m_taken;
  m_bytes -= first.bytes;
  if (bytes != nullptr) *bytes = first.bytes;
  return std::move(first.message);
}

bool Inbox::empty() const {
  const std::lock_guard lock(m_mutex);
  return m_waiting.empty();
}

std::size_t Inbox::bytes() const {
  const std::lock_guard lock(m_mutex);
  return m_bytes;
}

}  // namespace strata
