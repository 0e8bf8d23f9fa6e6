#pragma once
// The threads that serve connections, one each, and the connections that wait for one. Both are bounded: where every
// thread is taken the owner is asked to hang up on idle clients, and a connection that finds the queue full is refused.

#include <httplib.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace strata {

class HttpWorkers : public httplib::TaskQueue {
 public:
  /// `makeRoom(n)`: n connections wait without a thread. Called from any thread, without a lock.
  HttpWorkers(std::size_t threads, std::size_t mostWaiting, std::function<void(std::size_t)> makeRoom);

  /// Takes a connection; where too many wait, runs it at once with isRefusing() true.
  void enqueue(std::function<void()> connection) override;
  void shutdown() override;
  /// Asks for room again; a connection just became idle.
  void relieve();
  /// Whether this thread serves a connection only to refuse it.
  static bool isRefusing();

 private:
  void work();

  const std::size_t m_mostWaiting;
  const std::function<void(std::size_t)> m_makeRoom;
  std::mutex m_mutex;
  std::condition_variable m_changed;
  std::deque<std::function<void()>> m_waiting;
  std::size_t m_free = 0;  // threads without a connection
  bool m_stops = false;
  std::vector<std::thread> m_threads;
};

}  // namespace strata
