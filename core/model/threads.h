#pragma once
// The threads that this process computes with: those of LibTorch's own pool (OpenMP), as many as at::get_num_threads()
// says, so that its operators and our kernels never run beside each other. Built without OpenMP (sanitizers) the
// calling thread does everything.

#include <c10/util/FunctionRef.h>

#include <atomic>
#include <cstdint>

#include "kernels/stream.h"

namespace strata {

/// Calls body(begin, end) over disjoint parts of 0 … tasks-1 and returns when all are done; parts smaller than `grain`
/// are not split further. One thread where this is called inside of another parallel region. An exception of a body
/// comes out of this.
void parallelFor(std::int64_t tasks, std::int64_t grain, c10::function_ref<void(std::int64_t, std::int64_t)> body);

/// The same for kernels.
kernels::Stream poolStream();

/// Threads that work through the same steps together.
class Team {
 public:
  explicit Team(int size) : m_size(size) {}
  int size() const { return m_size; }
  /// Returns once every member has come here: what they wrote before is seen by all. A member that waits gives its
  /// core away after some microseconds.
  void wait();

 private:
  const int m_size;
  std::atomic<int> m_arrived{0};
  std::atomic<std::uint32_t> m_round{0};
};

/// Runs work(team, member) on every thread, at most `most`: member 0 … team.size()-1. It must not throw.
void runTeam(int most, c10::function_ref<void(Team&, int)> work);

}  // namespace strata
