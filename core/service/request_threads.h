#pragma once
// Threads for requests that take their time: as many as run at once, up to a bound; idle ones are used again.
//
//   threads.start([&] { answer(request); });   // never waits; beyond the bound it runs later
// Thread-safe.

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace strata {

class RequestThreads {
 public:
  explicit RequestThreads(std::size_t most) : m_most(most) {}
  /// Waits for what runs; what has not begun is dropped.
  ~RequestThreads();
  RequestThreads(const RequestThreads&) = delete;
  RequestThreads& operator=(const RequestThreads&) = delete;

  /// `work` throws nothing.
  void start(std::function<void()> work);

 private:
  void serve();

  std::size_t m_most;
  std::mutex m_mutex;
  std::condition_variable m_changed;
  std::deque<std::function<void()>> m_waiting;
  std::size_t m_idle = 0;
  bool m_ending = false;
  std::vector<std::thread> m_threads;
};

}  // namespace strata
