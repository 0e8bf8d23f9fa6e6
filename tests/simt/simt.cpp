#include "simt.h"

#include <algorithm>
#include <boost/context/fiber.hpp>
#include <boost/context/fixedsize_stack.hpp>
#include <boost/context/pooled_fixedsize_stack.hpp>
#include <cstring>
#include <map>
#include <memory>

namespace strata::simt {
namespace {

namespace context = boost::context;

constexpr int kWarp = 32;
constexpr std::size_t kStackBytes = 64 * 1024;

enum class State { ready, atBarrier, atShuffle, done };

struct Thread {
  context::fiber fiber;              // the thread, while it waits
  context::fiber* caller = nullptr;  // the scheduler, while the thread runs
  State state = State::ready;
  std::uint32_t line = 0;  // of the barrier or shuffle
  float value = 0;         // given to the shuffle, then what it gives back
  int mask = 0;
  const std::uint32_t* given = nullptr;  // to gatherWarp(), with where the warp's words go
  std::uint32_t* gathered = nullptr;
  int count = 0;
};

struct Block {
  int index[3] = {};
  std::vector<Thread> threads;
  std::map<std::uint32_t, std::vector<std::uint64_t>> shared;  // by line of the declaration
  int running = 0;
  bool failed = false;
};

Session* activeSession = nullptr;
Block* activeBlock = nullptr;

Thread& self() {
  return activeBlock->threads[static_cast<std::size_t>(activeBlock->running)];
}

/// Back to the scheduler until it runs this thread again.
void wait(State state, std::uint32_t line) {
  Thread& thread = self();
  thread.state = state;
  thread.line = line;
  *thread.caller = std::move(*thread.caller).resume();
}

void fail(const std::string& problem) {
  activeSession->report(problem);
  activeBlock->failed = true;
}

/// Exchanges the values of each warp whose threads all wait at one shuffle.
void completeShuffles(Block& block) {
  for (std::size_t first = 0; first < block.threads.size(); first += kWarp) {
    const std::size_t last = std::min(first + kWarp, block.threads.size());
    const bool complete =
        std::all_of(block.threads.begin() + static_cast<std::ptrdiff_t>(first),
                    block.threads.begin() + static_cast<std::ptrdiff_t>(last), [&](const Thread& thread) {
                      return thread.state == State::atShuffle && thread.line == block.threads[first].line;
                    });
    if (!complete) continue;
    if (block.threads[first].gathered != nullptr) {
      const auto count = static_cast<std::size_t>(block.threads[first].count);
      for (std::size_t to = first; to < last; ++to) {
        for (std::size_t from = first; from < last; ++from) {
          std::copy_n(block.threads[from].given, count, block.threads[to].gathered + (from - first) * count);
        }
      }
      for (std::size_t i = first; i < last; ++i) {
        block.threads[i].gathered = nullptr;
        block.threads[i].state = State::ready;
      }
      continue;
    }
    std::vector<float> values;
    for (std::size_t i = first; i < last; ++i) values.push_back(block.threads[i].value);
    for (std::size_t i = first; i < last; ++i) {
      const std::size_t other = (i - first) ^ static_cast<std::size_t>(block.threads[i].mask);
      if (other >= values.size()) {
        fail("line " + std::to_string(block.threads[i].line) + ": a shuffle reads past its warp");
        return;
      }
      block.threads[i].value = values[other];
      block.threads[i].state = State::ready;
    }
  }
}

/// Nobody can run: all stand at one barrier, or the kernel is wrong.
void passBarrier(Block& block) {
  const std::uint32_t line = block.threads[0].line;
  for (const Thread& thread : block.threads) {
    if (thread.state == State::atShuffle) {
      fail("line " + std::to_string(thread.line) + ": a shuffle that not all threads of the warp reach");
      return;
    }
  }
  for (const Thread& thread : block.threads) {
    if (thread.state != State::atBarrier || thread.line != line) {
      const std::uint32_t at = thread.state == State::atBarrier ? thread.line : line;
      fail("line " + std::to_string(at) + ": a barrier that not all threads of the block reach");
      return;
    }
  }
  for (Thread& thread : block.threads) thread.state = State::ready;
  ++activeSession->barriersPassed;
}

void runBlock(Block& block, const std::function<void()>& kernel, context::pooled_fixedsize_stack& stacks) {
  context::fiber scheduler;
  for (Thread& thread : block.threads) {
    thread.caller = &scheduler;
    thread.fiber = context::fiber(std::allocator_arg, stacks, [&](context::fiber&& caller) {
      scheduler = std::move(caller);
      kernel();
      self().state = State::done;
      return std::move(scheduler);
    });
  }
  std::vector<int> ready;
  while (!block.failed) {
    ready.clear();
    for (std::size_t i = 0; i < block.threads.size(); ++i) {
      if (block.threads[i].state == State::ready) ready.push_back(static_cast<int>(i));
    }
    if (ready.empty()) {
      const bool done = std::all_of(block.threads.begin(), block.threads.end(),
                                    [](const Thread& thread) { return thread.state == State::done; });
      if (done) return;
      completeShuffles(block);
      const bool moved = std::any_of(block.threads.begin(), block.threads.end(),
                                     [](const Thread& thread) { return thread.state == State::ready; });
      if (!moved && !block.failed) passBarrier(block);
      continue;
    }
    for (std::size_t i = ready.size(); i > 1; --i) std::swap(ready[i - 1], ready[activeSession->nextRandom() % i]);
    for (const int index : ready) {
      block.running = index;
      Thread& thread = block.threads[static_cast<std::size_t>(index)];
      context::fiber back = std::move(thread.fiber).resume();
      if (thread.state != State::done) thread.fiber = std::move(back);
      if (block.failed) return;
    }
  }
}

}  // namespace

Session::Session(std::uint32_t seed) : m_state(seed * 2 + 1) {
  activeSession = this;
}
Session::~Session() {
  activeSession = nullptr;
}

void Session::report(const std::string& problem) {
  if (std::find(m_problems.begin(), m_problems.end(), problem) == m_problems.end()) m_problems.push_back(problem);
}

std::uint32_t Session::nextRandom() {
  m_state = m_state * 6364136223846793005ull + 1442695040888963407ull;
  return static_cast<std::uint32_t>(m_state >> 33);
}

void launch(const int (&grid)[3], int threads, const std::function<void()>& kernel) {
  context::pooled_fixedsize_stack stacks(kStackBytes);
  for (int z = 0; z < grid[2]; ++z) {
    for (int y = 0; y < grid[1]; ++y) {
      for (int x = 0; x < grid[0]; ++x) {
        Block block;
        block.index[0] = x;
        block.index[1] = y;
        block.index[2] = z;
        block.threads.resize(static_cast<std::size_t>(threads));
        activeBlock = &block;
        runBlock(block, kernel, stacks);
        block.threads.clear();  // unwinds the threads of an abandoned block
        activeBlock = nullptr;
      }
    }
  }
}

void launchOn(void* stream, const int (&grid)[3], int threads, std::function<void()> kernel) {
  if (stream == nullptr) {
    ++activeSession->launches;
    launch(grid, threads, kernel);
    return;
  }
  static_cast<Recording*>(stream)->launches.emplace_back(
      [x = grid[0], y = grid[1], z = grid[2], threads, kernel = std::move(kernel)] {
        launch({x, y, z}, threads, kernel);
      });
}

void replay(const Recording& recording, void* stream) {
  if (stream != nullptr) {
    activeSession->report("a recording that is launched into a recording");
    return;
  }
  ++activeSession->replays;
  for (const auto& launch : recording.launches) launch();
}

int threadIndex() {
  return activeBlock->running;
}
int blockIndexX() {
  return activeBlock->index[0];
}
int blockIndexY() {
  return activeBlock->index[1];
}
int blockIndexZ() {
  return activeBlock->index[2];
}

int blockThreads() {
  return static_cast<int>(activeBlock->threads.size());
}

void barrier(std::uint32_t line) {
  if (!activeSession->ignoresBarriers()) wait(State::atBarrier, line);
}

float shuffleXor(float value, int mask, std::uint32_t line) {
  Thread& thread = self();
  thread.value = value;
  thread.mask = mask;
  wait(State::atShuffle, line);
  return thread.value;
}

void gatherWarp(const std::uint32_t* mine, int count, std::uint32_t* all, std::uint32_t line) {
  Thread& thread = self();
  thread.given = mine;
  thread.gathered = all;
  thread.count = count;
  wait(State::atShuffle, line);
}

void checkAligned(const void* p, std::size_t alignment) {
  if (reinterpret_cast<std::uintptr_t>(p) % alignment != 0)
    activeSession->report("a wide load from a misaligned address");
}

void* sharedMemory(std::size_t bytes, std::uint32_t line) {
  auto& memory = activeBlock->shared[line];
  if (memory.empty()) {
    memory.resize((bytes + 7) / 8);
    std::memset(memory.data(), 0xff, memory.size() * 8);
  }
  return memory.data();
}

void reportOutOfBounds(std::size_t index, std::size_t count, std::uint32_t line) {
  activeSession->report("line " + std::to_string(line) + ": element " + std::to_string(index) +
                        " of shared memory for " + std::to_string(count));
}

}  // namespace strata::simt
