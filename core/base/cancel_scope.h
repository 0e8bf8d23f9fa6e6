#pragma once
// The flag that cancels what a thread does, for loops too deep below to be handed it (a regular expression at work).
//
//   const CancelScope scope(request.cancelled);   // around the request
//   if (CancelScope::isCancelled()) break;        // far below; false where no scope stands

#include <atomic>

namespace strata {

class CancelScope {
 public:
  /// `cancelled` outlives the scope.
  explicit CancelScope(const std::atomic<bool>& cancelled) : m_outer(current()) { current() = &cancelled; }
  ~CancelScope() { current() = m_outer; }
  CancelScope(const CancelScope&) = delete;
  CancelScope& operator=(const CancelScope&) = delete;

  /// Of the innermost scope of this thread.
  static bool isCancelled() {
    const std::atomic<bool>* flag = current();
    return flag != nullptr && flag->load(std::memory_order_relaxed);
  }

 private:
  static const std::atomic<bool>*& current() {
    thread_local const std::atomic<bool>* flag = nullptr;
    return flag;
  }

  const std::atomic<bool>* m_outer;
};

}  // namespace strata
