#pragma once
// What the engine sends, written in order by a thread of its own, so that nobody who sends ever waits for the reader.
// Tokens of an answer are gathered and sent at most 60 times a second (a reader that is slower gets more at a time).
//
//   OutputQueue out(fd, [] { … });
//   out.tokens(request, "a", "Once", {9038});   // computing thread
//   out.answer(request, rpcResult(request, json));
// Thread-safe.

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "core/base/json.h"
#include "core/protocol/chat_messages.h"

namespace strata {

class OutputQueue {
 public:
  /// `onBroken`: called once, on the writing thread, when nobody reads any more. All that is sent later is dropped.
  OutputQueue(int fd, std::function<void()> onBroken);
  /// Writes what is left; waits for a reader that does not read.
  ~OutputQueue();
  OutputQueue(const OutputQueue&) = delete;
  OutputQueue& operator=(const OutputQueue&) = delete;

  /// The body of a frame.
  void post(std::string body);
  /// In place of one with the same key that is not written yet.
  void postLatest(const std::string& key, std::string body);
  /// Goes out as chat/tokens, the first at once.
  void tokens(const Json& request, const std::string& stream, const std::string& text, const std::vector<int>& ids,
              std::int64_t kvBytesUsed = 0);
  /// The answer of a request, behind the tokens that are left of it.
  void answer(const Json& request, std::string body);
  /// Waits until all is written, at most so long. False: something is left.
  bool drain(std::chrono::milliseconds most);

 private:
  using Clock = std::chrono::steady_clock;
  struct Frame {
    std::string key, body;
  };
  struct Gathered {
    protocol::Tokens tokens;
    Clock::time_point sent;  // when the last went out
  };
  void work();
  Clock::time_point gather(Clock::time_point now);
  bool write(const std::string& bytes) const;

  int m_fd;
  std::function<void()> m_onBroken;
  std::mutex m_mutex;
  std::condition_variable m_changed, m_drained;
  std::deque<Frame> m_frames;
  std::map<std::string, Gathered> m_gathered;  // by the request's id
  bool m_writing = false, m_broken = false, m_ending = false;
  std::thread m_thread;
};

}  // namespace strata
