#include "core/service/request_threads.h"

#include <system_error>

namespace strata {

RequestThreads::~RequestThreads() {
  {
    const std::lock_guard lock(m_mutex);
    m_ending = true;
    m_waiting.clear();
  }
  m_changed.notify_all();
  for (std::thread& thread : m_threads) thread.join();
}

void RequestThreads::start(std::function<void()> work) {
  const std::lock_guard lock(m_mutex);
  m_waiting.push_back(std::move(work));
  if (m_waiting.size() > m_idle && m_threads.size() < m_most) {
    try {
      m_threads.emplace_back([this] { serve(); });
    } catch (const std::system_error&) {  // no more threads to be had: those that are there do it
      if (!m_threads.empty()) return;
      m_waiting.pop_back();
      throw;
    }
  } else {
    m_changed.notify_one();
  }
}

void RequestThreads::serve() {
  std::unique_lock lock(m_mutex);
  while (true) {
    ++m_idle;
    m_changed.wait(lock, [this] { return m_ending || !m_waiting.empty(); });
    --m_idle;
    if (m_waiting.empty()) return;
    const std::function<void()> work = std::move(m_waiting.front());
    m_waiting.pop_front();
    lock.unlock();
    work();
    lock.lock();
  }
}

}  // namespace strata
