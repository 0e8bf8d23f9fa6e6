#include "app/strata/bandwidth.h"

#include <sys/mman.h>

#include <algorithm>
#include <barrier>
#include <chrono>
#include <cstdint>
#include <thread>
#include <vector>

namespace strata {
namespace {

constexpr std::size_t kBytes = std::size_t{512} << 20;
constexpr int kPasses = 5;

/// Four independent sums over four streams, so that the loop waits for memory and never for an addition.
std::uint64_t sumWords(const std::uint64_t* words, std::size_t count) {
  std::uint64_t a = 0, b = 0, c = 0, d = 0;
  const std::size_t quarter = count / 4;
  for (std::size_t i = 0; i < quarter; ++i) {
    a += words[i];
    b += words[quarter + i];
    c += words[2 * quarter + i];
    d += words[3 * quarter + i];
  }
  return a + b + c + d;
}

}  // namespace

double readBandwidth(int threads) {
  void* memory = mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (memory == MAP_FAILED) return 0;
  madvise(memory, kBytes, MADV_HUGEPAGE);
  auto* words = static_cast<std::uint64_t*>(memory);
  const std::size_t share = kBytes / sizeof(std::uint64_t) / static_cast<std::size_t>(threads);
  using Clock = std::chrono::steady_clock;
  std::vector<Clock::time_point> times;
  std::vector<std::uint64_t> sums(static_cast<std::size_t>(threads));
  std::barrier meet(threads, [&]() noexcept { times.push_back(Clock::now()); });
  times.reserve(kPasses + 2);
  std::vector<std::thread> workers;
  workers.reserve(static_cast<std::size_t>(threads));
  for (int t = 0; t < threads; ++t) {
    workers.emplace_back([&, t] {
      std::uint64_t* own = words + static_cast<std::size_t>(t) * share;
      for (std::size_t i = 0; i < share; ++i) own[i] = i;
      meet.arrive_and_wait();
      for (int pass = 0; pass < kPasses; ++pass) {
        sums[static_cast<std::size_t>(t)] += sumWords(own, share);
        meet.arrive_and_wait();
      }
    });
  }
  for (std::thread& worker : workers) worker.join();
  volatile std::uint64_t keep = 0;  // the sums are used, so the reads stay
  for (const std::uint64_t sum : sums) keep = keep + sum;
  munmap(memory, kBytes);
  std::vector<double> rates;
  for (std::size_t i = 1; i < times.size(); ++i) {
    const double seconds = std::chrono::duration<double>(times[i] - times[i - 1]).count();
    rates.push_back(static_cast<double>(kBytes) / seconds / 1e9);
  }
  std::sort(rates.begin(), rates.end());
  return rates[rates.size() / 2];
}

}  // namespace strata
