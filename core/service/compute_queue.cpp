#include "core/service/compute_queue.h"

#include <ATen/Parallel.h>

#include <exception>

#include "core/model/model.h"

namespace strata {

struct ComputeQueue::Task {
  const Step& step;
  Result<void> result = {};
  bool shared = false, done = false;
  std::condition_variable finished = {};
};

ComputeQueue::ComputeQueue(int threads) : m_thread([this, threads] { work(threads); }) {}

ComputeQueue::~ComputeQueue() {
  {
    const std::lock_guard lock(m_mutex);
    m_ending = true;
  }
  m_changed.notify_all();
  m_thread.join();
}

Result<void> ComputeQueue::run(const Step& step, bool& shared) {
  Task task{step};
  std::unique_lock lock(m_mutex);
  if (m_ending) return fail(ErrorCode::cancelled, "The engine is ending.");
  m_tasks.push_back(&task);
  m_changed.notify_one();
  task.finished.wait(lock, [&] { return task.done; });
  shared = task.shared;
  return task.result;
}

void ComputeQueue::work(int threads) {
  at::set_num_threads(threads);
  std::unique_lock lock(m_mutex);
  const auto finish = [](Task& task) {
    task.done = true;
    task.finished.notify_one();
  };
  while (true) {
    m_changed.wait(lock, [this] { return m_ending || !m_tasks.empty(); });
    if (m_ending) break;
    Task& task = *m_tasks.front();
    m_tasks.pop_front();
    if (!m_tasks.empty()) {
      task.shared = true;
      for (Task* other : m_tasks) other->shared = true;
    }
    lock.unlock();
    Result<bool> more = false;
    try {
      more = task.step();
    } catch (const std::exception& exception) {
      more = tl::unexpected(errorFromException(exception));
    }
    lock.lock();
    if (more && *more) {
      m_tasks.push_back(&task);
      continue;
    }
    if (!more) task.result = tl::unexpected(more.error());
    finish(task);
  }
  for (Task* task : m_tasks) {
    task->result = fail(ErrorCode::cancelled, "The engine is ending.");
    finish(*task);
  }
}

}  // namespace strata
