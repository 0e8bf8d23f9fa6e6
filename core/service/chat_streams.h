#pragma once
// The caches of chats between their turns, by the names of their streams; the longest unused go first.
//
//   auto cache = streams.take("a", model);   // nullptr: there is none of this model
//   if (!cache) cache = streams.make(model, map);
//   …                                        // who took it owns it meanwhile
//   streams.put("a", std::move(cache));
// Thread-safe.

#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "core/model/generate.h"
#include "core/protocol/model_messages.h"

namespace strata {

/// What a cache holds, for other threads than the one that answers with it.
struct CacheRecord {
  protocol::ModelRef ref;
  protocol::CacheMemory memory;
};

struct ChatCache {
  ChatSession session;
  std::shared_ptr<CacheRecord> record;  // written by ChatStreams alone
};

class ChatStreams {
 public:
  static constexpr std::size_t kMostKept = 8;

  std::unique_ptr<ChatCache> make(const std::shared_ptr<const Model>& model, const SharingMap& map);
  std::unique_ptr<ChatCache> take(const std::string& name, const std::shared_ptr<const Model>& model);
  /// Replaces what the name had; an empty name keeps nothing.
  void put(const std::string& name, std::unique_ptr<ChatCache> cache);
  /// Frees the streams whose names begin with `prefix`.
  void drop(const std::string& prefix);
  void dropModel(const Model& model);

  /// Records what the cache holds now, and for which model; called by whoever took it.
  void note(const ChatCache& cache, const protocol::ModelRef& ref);
  /// Of every cache that has room allocated, kept or taken.
  std::vector<CacheRecord> records() const;

 private:
  mutable std::mutex m_mutex;
  std::list<std::pair<std::string, std::unique_ptr<ChatCache>>> m_caches;  // the last used first
  std::vector<std::weak_ptr<CacheRecord>> m_records;                       // of those that live
};

}  // namespace strata
