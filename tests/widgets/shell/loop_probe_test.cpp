#include "loop_probe.h"

#include <time.h>
#include <unistd.h>

#include <QTest>
#include <QTimer>
#include <atomic>
#include <thread>
#include <vector>

#include "shell_fixture.h"

namespace strata::testing {
namespace {

void computeFor(int milliseconds) {
  const auto computed = [] {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return time.tv_sec * 1000 + time.tv_nsec / 1'000'000;
  };
  for (const auto begun = computed(); computed() < begun + milliseconds;) {
  }
}

TEST(LoopProbe, CountsAHandlerThatWaitsAsMuchAsOneThatComputes) {
  LoopProbe probe;
  QTimer::singleShot(0, [] { usleep(120'000); });
  EXPECT_TRUE(eventually([&] { return probe.worst() >= 100; })) << probe.worst();
  probe.reset();
  QTimer::singleShot(0, [] { computeFor(120); });
  EXPECT_TRUE(eventually([&] { return probe.worst() >= 115; })) << probe.worst();
}

TEST(LoopProbe, DoesNotCountThatTheMachineIsBusy) {
  std::atomic<bool> ending{false};
  std::vector<std::thread> others;
  for (unsigned i = 0; i < 8 * std::thread::hardware_concurrency(); ++i) {
    others.emplace_back([&ending] {
      while (!ending) {
      }
    });
  }
  const LoopProbe probe;
  QTest::qWait(1000);
  EXPECT_LE(probe.worst(), 25);
  ending = true;
  for (std::thread& other : others) other.join();
}

}  // namespace
}  // namespace strata::testing
