#pragma once
// What a device computes, on one thread: tasks take turns, a step of each, so that no long one starves the others.
// Answers of one model that are being decoded take their steps together (continuous batching, Yu et al., OSDI 2022):
// they join and leave at any token.
//
//   ComputeQueue queue(threads);
//   bool shared = false;
//   STRATA_CHECK(queue.run([&]() -> Result<bool> { return generation.step(); }, shared, [&] { return &generation; }));
// Thread-safe.

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "core/base/error.h"
#include "core/model/generate.h"

namespace strata {

class ComputeQueue {
 public:
  /// One step; false once there is nothing more to do. What it throws becomes the task's error.
  using Step = std::function<Result<bool>()>;
  /// The answer that a task makes, or nullptr while there is none; asked between its steps.
  using AnswerOf = std::function<Generation*()>;

  /// `threads`: what LibTorch computes with on this queue's thread.
  explicit ComputeQueue(int threads);
  /// Ends after the step that runs; tasks that are not finished end as cancelled.
  ~ComputeQueue();
  ComputeQueue(const ComputeQueue&) = delete;
  ComputeQueue& operator=(const ComputeQueue&) = delete;

  /// Runs a task to its end and waits for that. `shared`: whether another task had steps meanwhile.
  Result<void> run(const Step& step, bool& shared, const AnswerOf& answer = nullptr);

 private:
  struct Task;
  void work(int threads);
  std::vector<Task*> takeNext();

  std::mutex m_mutex;
  std::condition_variable m_changed;
  std::deque<Task*> m_tasks;  // waiting for their next step; they live in run()
  bool m_ending = false;
  std::thread m_thread;
};

}  // namespace strata
