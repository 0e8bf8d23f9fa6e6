#include "core/model/threads.h"

#include <ATen/Parallel.h>
#include <c10/util/ParallelGuard.h>

#include <algorithm>
#include <exception>
#include <limits>
#include <mutex>
#include <optional>
#include <thread>

#if defined(__x86_64__)
#include <immintrin.h>
#endif

namespace strata {
namespace {

void pause() {
#if defined(__x86_64__)
  _mm_pause();
#endif
}

}  // namespace

kernels::Stream poolStream() {
  kernels::Stream stream;
  stream.parallelFor = [](std::int64_t tasks, std::int64_t grain, kernels::Stream::Body body, void* context) {
    parallelFor(tasks, grain, [&](std::int64_t begin, std::int64_t end) { body(context, begin, end); });
  };
  stream.threads = at::get_num_threads();
  return stream;
}

void Team::wait() {
  if (m_size == 1) return;
  const std::uint32_t round = m_round.load(std::memory_order_relaxed);
  if (m_arrived.fetch_add(1, std::memory_order_acq_rel) + 1 == m_size) {
    m_arrived.store(0, std::memory_order_relaxed);
    m_round.store(round + 1, std::memory_order_release);
    m_round.notify_all();
    return;
  }
  // Of some 40 cycles: longer than a step between two waits is uneven. With more threads than cores the others need
  // this one's.
  static const int cores = static_cast<int>(std::thread::hardware_concurrency());
  const int spins = m_size <= cores ? 2000 : 0;
  for (int i = 0; i < spins; ++i) {
    if (m_round.load(std::memory_order_acquire) != round) return;
    pause();
  }
  m_round.wait(round, std::memory_order_acquire);
}

void runTeam([[maybe_unused]] int most, c10::function_ref<void(Team&, int)> work) {
  at::internal::lazy_init_num_threads();
#ifdef _OPENMP
  if (most > 1 && !at::in_parallel_region() && at::get_num_threads() > 1) {
    std::optional<Team> team;
#pragma omp parallel
    {
#pragma omp single
      team.emplace(std::min(most, omp_get_num_threads()));  // all wait for it
      const c10::ParallelGuard guard(true);
      if (omp_get_thread_num() < team->size()) work(*team, omp_get_thread_num());
    }
    return;
  }
#endif
  const c10::ParallelGuard guard(true);
  Team alone(1);
  work(alone, 0);
}

void parallelFor(std::int64_t tasks, std::int64_t grain, c10::function_ref<void(std::int64_t, std::int64_t)> body) {
  if (tasks <= 0) return;
  if (tasks == 1 || tasks <= grain) {
    const c10::ParallelGuard guard(true);
    body(0, tasks);
    return;
  }
  std::mutex mutex;
  std::exception_ptr thrown;
  const std::int64_t most = (tasks + grain - 1) / std::max<std::int64_t>(1, grain);
  runTeam(static_cast<int>(std::min<std::int64_t>(most, std::numeric_limits<int>::max())), [&](Team& team, int member) {
    const std::int64_t parts = team.size(), size = (tasks + parts - 1) / parts, begin = member * size;
    if (begin >= tasks) return;
    try {
      body(begin, std::min(tasks, begin + size));
    } catch (...) {
      const std::lock_guard lock(mutex);
      thrown = std::current_exception();
    }
  });
  if (thrown) std::rethrow_exception(thrown);
}

}  // namespace strata
