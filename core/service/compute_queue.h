#pragma once
// What a device computes, on one thread: tasks take turns, a step of each, so that no long one starves the others.
//
//   ComputeQueue queue(threads);
//   bool shared = false;
//   STRATA_CHECK(queue.run([&]() -> Result<bool> { return generation.step(); }, shared));
// Thread-safe.

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "core/base/error.h"

namespace strata {

class ComputeQueue {
 public:
  /// One step; false once there is nothing more to do. What it throws becomes the task's error.
  using Step = std::function<Result<bool>()>;

  /// `threads`: what LibTorch computes with on this queue's thread.
  explicit ComputeQueue(int threads);
  /// Ends after the step that runs; tasks that are not finished end as cancelled.
  ~ComputeQueue();
  ComputeQueue(const ComputeQueue&) = delete;
  ComputeQueue& operator=(const ComputeQueue&) = delete;

  /// Runs a task to its end and waits for that. `shared`: whether another task had steps meanwhile.
  Result<void> run(const Step& step, bool& shared);

 private:
  struct Task;
  void work(int threads);

  std::mutex m_mutex;
  std::condition_variable m_changed;
  std::deque<Task*> m_tasks;  // waiting for their next step; they live in run()
  bool m_ending = false;
  std::thread m_thread;
};

}  // namespace strata
