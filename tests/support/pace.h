#pragma once
// How fast this machine computes just now, so that a promise in milliseconds can be held against any machine, loaded or
// not.

#include <algorithm>
#include <array>
#include <cstdint>
#include <ctime>
#include <string>
#include <unordered_map>
#include <vector>

namespace strata::testing {

/// How many times longer a fixed piece of work (words are made, counted and sorted) takes now than on an idle core of
/// an AMD EPYC at 2.6 GHz, for which the window's promises in milliseconds are given; at least 1. Takes about 25 ms. A
/// core that another thread shares, and a clock that is slow, make every computation longer, this one as well.
inline double pace() {
  constexpr double kIdleMilliseconds = 6.0;
  std::array<double, 5> milliseconds{};
  for (double& time : milliseconds) {
    timespec begun{}, now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &begun);
    std::vector<std::string> words;
    std::unordered_map<std::string, int> counts;
    std::uint32_t random = 1;
    for (int i = 0; i < 20'000; ++i) {
      random = random * 1664525u + 1013904223u;
      words.push_back("word " + std::to_string(random % 5000));
      ++counts[words.back()];
    }
    std::sort(words.begin(), words.end());
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    time =
        static_cast<double>(now.tv_sec - begun.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec - begun.tv_nsec) * 1e-6;
  }
  std::sort(milliseconds.begin(), milliseconds.end());
  return std::max(1.0, milliseconds[2] / kIdleMilliseconds);
}

/// The most that one turn of the window's event loop may take, in milliseconds at the present pace.
inline std::int64_t mostMilliseconds() {
  return static_cast<std::int64_t>(50 * pace());
}

}  // namespace strata::testing
