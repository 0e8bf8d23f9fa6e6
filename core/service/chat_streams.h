#pragma once
// The caches of chats between their turns, by the names of their streams; the longest unused go first.
//
//   auto session = streams.take("a", model);   // nullptr: there is none of this model
//   …                                          // who took it owns it meanwhile
//   streams.put("a", std::move(session));
// Thread-safe.

#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "core/model/generate.h"

namespace strata {

class ChatStreams {
 public:
  static constexpr std::size_t kMostKept = 8;

  std::unique_ptr<ChatSession> take(const std::string& name, const std::shared_ptr<const Model>& model);
  /// Replaces what the name had; an empty name keeps nothing.
  void put(const std::string& name, std::unique_ptr<ChatSession> session);
  /// Frees the streams whose names begin with `prefix`.
  void drop(const std::string& prefix);
  void dropModel(const Model& model);

 private:
  std::mutex m_mutex;
  std::list<std::pair<std::string, std::unique_ptr<ChatSession>>> m_sessions;  // the last used first
};

}  // namespace strata
