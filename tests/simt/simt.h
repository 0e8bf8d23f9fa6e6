#pragma once
// A GPU's blocks on the CPU: each thread is a fiber, run in an order shuffled by a seed, and goes on alone until it
// meets a barrier or a shuffle. So a kernel that misses a barrier reads shared memory that nobody has written yet (NaN)
// or that somebody has overwritten. What the hardware leaves undefined is reported instead: barriers and shuffles that
// not all threads reach, shared memory out of bounds, misaligned wide loads.
//
//   simt::Session session(seed);          // while it lives, launch() runs under it
//   simt::launch({2, 1, 1}, 64, [] { … simt::barrier(); … });
//   EXPECT_THAT(session.problems(), IsEmpty());
//
// One host thread at a time.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace strata::simt {

class Session {
 public:
  explicit Session(std::uint32_t seed);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// From now on the barriers do nothing: a kernel whose barriers matter has to come out wrong.
  void ignoreBarriers() { m_ignoresBarriers = true; }
  bool ignoresBarriers() const { return m_ignoresBarriers; }

  /// One sentence for each kind of mistake met, in the order met.
  const std::vector<std::string>& problems() const { return m_problems; }
  void report(const std::string& problem);

  std::uint32_t nextRandom();
  std::size_t barriersPassed = 0;
  std::size_t launches = 0, replays = 0;  // kernels that were started one by one, and recordings

 private:
  bool m_ignoresBarriers = false;
  std::vector<std::string> m_problems;
  std::uint64_t m_state;
};

/// Runs the kernel for every thread of every block; a block that has a mistake is abandoned. Needs a Session.
void launch(const int (&grid)[3], int threads, const std::function<void()>& kernel);

/// What a stream takes in while its work is recorded.
struct Recording {
  std::vector<std::function<void()>> launches;
};
/// launch(), or into the recording that `stream` is; null is the stream that runs at once.
void launchOn(void* stream, const int (&grid)[3], int threads, std::function<void()> kernel);
void replay(const Recording& recording, void* stream);

// ---- called by kernels ----
int threadIndex();
int blockIndexX();
int blockIndexY();
int blockIndexZ();
int blockThreads();
void barrier(std::uint32_t line = __builtin_LINE());
/// Of the warp's 32 threads, all of which must come to the same call.
float shuffleXor(float value, int mask, std::uint32_t line = __builtin_LINE());
/// The words of all threads of the warp, one thread's after another's, into all [32 · count]; the same rule.
void gatherWarp(const std::uint32_t* mine, int count, std::uint32_t* all, std::uint32_t line = __builtin_LINE());
void checkAligned(const void* p, std::size_t alignment);

/// The block's own memory of a declaration, bytes 0xff (NaN) at first.
void* sharedMemory(std::size_t bytes, std::uint32_t line);
void reportOutOfBounds(std::size_t index, std::size_t count, std::uint32_t line);

template <class T>
class Shared {
 public:
  Shared(T* data, std::size_t count, std::uint32_t line) : m_data(data), m_count(count), m_line(line) {}
  T& operator[](std::size_t index) const {
    if (index < m_count) return m_data[index];
    reportOutOfBounds(index, m_count, m_line);
    return m_data[m_count];  // one element more is allocated, for stray accesses
  }

 private:
  T* m_data;
  std::size_t m_count;
  std::uint32_t m_line;
};

template <class T>
Shared<T> shared(std::size_t count, std::uint32_t line = __builtin_LINE()) {
  return {static_cast<T*>(sharedMemory((count + 1) * sizeof(T), line)), count, line};
}

}  // namespace strata::simt
