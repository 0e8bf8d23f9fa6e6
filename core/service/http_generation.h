#pragma once
// One request's answers while they are made (several prompts: one after another): computed on a thread of its own,
// taken piece by piece by the connection's thread, which meanwhile looks after its client. The destructor cancels and
// waits for the computation to end, at most one layer.

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "core/service/completion.h"

namespace strata {

class HttpGeneration {
 public:
  using Tokens = std::function<void(const std::string& text, const std::vector<int>& ids)>;
  using Work = std::function<Result<std::vector<Completion>>(const Tokens&, const std::atomic<bool>& cancelled)>;
  explicit HttpGeneration(Work work);
  ~HttpGeneration();
  HttpGeneration(const HttpGeneration&) = delete;
  HttpGeneration& operator=(const HttpGeneration&) = delete;

  /// Waits until there is text or the end, or the time is over; false for the latter.
  bool wait(std::chrono::milliseconds time);
  /// The text since the last call.
  std::string takeText();
  /// Nothing while it runs. All text was made by then.
  const std::optional<Result<std::vector<Completion>>>& result();
  void cancel() { m_cancelled = true; }

 private:
  std::mutex m_mutex;
  std::condition_variable m_changed;
  std::string m_text;
  bool m_done = false;
  std::optional<Result<std::vector<Completion>>> m_result, m_none;
  std::atomic<bool> m_cancelled = false;
  std::thread m_thread;
};

}  // namespace strata
