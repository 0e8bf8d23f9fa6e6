#include "core/service/http_workers.h"

#include <utility>

namespace strata {
namespace {

thread_local bool t_refusing = false;

}  // namespace

HttpWorkers::HttpWorkers(std::size_t threads, std::size_t mostWaiting, std::function<void(std::size_t)> makeRoom)
    : m_mostWaiting(mostWaiting), m_makeRoom(std::move(makeRoom)), m_free(threads) {
  for (std::size_t i = 0; i < threads; ++i) m_threads.emplace_back([this] { work(); });
}

bool HttpWorkers::isRefusing() {
  return t_refusing;
}

void HttpWorkers::enqueue(std::function<void()> connection) {
  bool full = false;
  {
    const std::lock_guard lock(m_mutex);
    full = m_waiting.size() >= m_mostWaiting + m_free;
    if (!full) m_waiting.push_back(std::move(connection));
  }
  if (full) {
    t_refusing = true;
    connection();
    t_refusing = false;
  } else {
    m_changed.notify_one();
  }
  relieve();
}

void HttpWorkers::relieve() {
  std::size_t missing = 0;
  {
    const std::lock_guard lock(m_mutex);
    if (m_waiting.size() > m_free) missing = m_waiting.size() - m_free;
  }
  if (missing > 0) m_makeRoom(missing);
}

void HttpWorkers::shutdown() {
  {
    const std::lock_guard lock(m_mutex);
    m_stops = true;
  }
  m_changed.notify_all();
  for (std::thread& thread : m_threads) thread.join();
}

void HttpWorkers::work() {
  std::unique_lock lock(m_mutex);
  while (true) {
    m_changed.wait(lock, [this] { return !m_waiting.empty() || m_stops; });
    if (m_waiting.empty()) return;  // the server stops, and every connection was served
    const std::function<void()> connection = std::move(m_waiting.front());
    m_waiting.pop_front();
    --m_free;
    lock.unlock();
    connection();
    lock.lock();
    ++m_free;
  }
}

}  // namespace strata
