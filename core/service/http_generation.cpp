#include "core/service/http_generation.h"

#include <exception>
#include <utility>

#include "core/base/cancel_scope.h"

namespace strata {

HttpGeneration::HttpGeneration(Work work) {
  m_thread = std::thread([this, work = std::move(work)] {
    const CancelScope scope(m_cancelled);
    Result<std::vector<Completion>> result = fail(ErrorCode::internal, "The answer was not made.");
    try {
      result = work(
          [this](const std::string& text, const std::vector<int>&) {
            if (text.empty()) return;
            const std::lock_guard lock(m_mutex);
            m_text += text;
            m_changed.notify_all();
          },
          m_cancelled);
    } catch (const std::exception& exception) {
      result = fail(ErrorCode::internal, std::string("The answer could not be made: ") + exception.what());
    }
    const std::lock_guard lock(m_mutex);
    m_result = std::move(result);
    m_done = true;
    m_changed.notify_all();
  });
}

HttpGeneration::~HttpGeneration() {
  cancel();
  m_thread.join();
}

bool HttpGeneration::wait(std::chrono::milliseconds time) {
  std::unique_lock lock(m_mutex);
  return m_changed.wait_for(lock, time, [this] { return !m_text.empty() || m_done; });
}

std::string HttpGeneration::takeText() {
  const std::lock_guard lock(m_mutex);
  return std::exchange(m_text, {});
}

const std::optional<Result<std::vector<Completion>>>& HttpGeneration::result() {
  const std::lock_guard lock(m_mutex);
  return m_done ? m_result : m_none;
}

}  // namespace strata
