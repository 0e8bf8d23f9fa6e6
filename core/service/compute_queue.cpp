#include "core/service/compute_queue.h"

#include <ATen/Parallel.h>

#include <exception>

#include "core/model/model.h"

namespace strata {

struct ComputeQueue::Task {
  const Step& step;
  const AnswerOf& answer;
  Result<void> result = {};
  bool shared = false, done = false;
  std::condition_variable finished = {};

  /// The answer, where its next step decodes.
  Generation* decoding() const {
    Generation* const generation = answer ? answer() : nullptr;
    return generation != nullptr && generation->isDecoding() ? generation : nullptr;
  }
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

Result<void> ComputeQueue::run(const Step& step, bool& shared, const AnswerOf& answer) {
  Task task{step, answer};
  std::unique_lock lock(m_mutex);
  if (m_ending) return fail(ErrorCode::cancelled, "The engine is ending.");
  m_tasks.push_back(&task);
  m_changed.notify_one();
  task.finished.wait(lock, [&] { return task.done; });
  shared = task.shared;
  return task.result;
}

/// The task whose turn it is, and those that can decode with it.
std::vector<ComputeQueue::Task*> ComputeQueue::takeNext() {
  if (m_tasks.size() > 1) {
    for (Task* task : m_tasks) task->shared = true;
  }
  std::vector<Task*> turn{m_tasks.front()};
  m_tasks.pop_front();
  const Generation* const first = turn.front()->decoding();
  if (first == nullptr) return turn;
  std::erase_if(m_tasks, [&](Task* task) {
    const Generation* const other = task->decoding();
    if (other == nullptr || &other->model() != &first->model()) return false;
    turn.push_back(task);
    return true;
  });
  return turn;
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
    const std::vector<Task*> turn = takeNext();
    lock.unlock();
    std::vector<Result<bool>> more;
    if (turn.size() > 1) {
      std::vector<Generation*> generations;
      for (const Task* task : turn) generations.push_back(task->decoding());
      Generation::decodeTogether(generations);
    }
    for (const Task* task : turn) {
      try {
        more.push_back(task->step());
      } catch (const std::exception& exception) {
        more.push_back(tl::unexpected(errorFromException(exception)));
      }
    }
    lock.lock();
    for (std::size_t i = 0; i < turn.size(); ++i) {
      if (more[i] && *more[i]) {
        m_tasks.push_back(turn[i]);
        continue;
      }
      if (!more[i]) turn[i]->result = tl::unexpected(more[i].error());
      finish(*turn[i]);
    }
  }
  for (Task* task : m_tasks) {
    task->result = fail(ErrorCode::cancelled, "The engine is ending.");
    finish(*task);
  }
}

}  // namespace strata
