#pragma once
// Messages on their way from the reading thread to the GUI thread. Those of a kind that only add to or replace one
// another (tokens, metric points, memory, progress) wait there as one, however fast the engine sends. Thread-safe.

#include <cstddef>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include "core/protocol/rpc.h"

namespace strata {

class Inbox {
 public:
  /// `bytes`: the size that it came with.
  void add(RpcMessage message, std::size_t bytes);
  /// In order; nothing where it is empty. `bytes`: the size of what was taken.
  std::optional<RpcMessage> take(std::size_t* bytes = nullptr);
  bool empty() const;
  /// Of what waits: a reader that is far ahead pauses.
  std::size_t bytes() const;

 private:
  struct Waiting {
    RpcMessage message;
    std::size_t bytes = 0;
    std::string key;  // of those that can be joined
  };
  mutable std::mutex m_mutex;
  std::deque<Waiting> m_waiting;
  std::size_t m_taken = 0;                              // messages taken so far: m_waiting[0] is number m_taken
  std::unordered_map<std::string, std::size_t> m_last;  // number of the newest with a key
  std::size_t m_bytes = 0;
};

}  // namespace strata
