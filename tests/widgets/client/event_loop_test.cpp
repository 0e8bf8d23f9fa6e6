// The GUI thread stays free however fast the engine sends.

#include <gtest/gtest.h>
#include <time.h>

#include <QTimer>
#include <algorithm>
#include <iostream>

#include "client_test.h"

namespace strata::testing {
namespace {

/// The worst gap between ticks of a 5 ms timer, and the most CPU time of this thread between two of them, which other
/// programs on a busy machine cannot stretch.
class EventLoopProbe : public QObject {
 public:
  EventLoopProbe() {
    m_tick.setTimerType(Qt::PreciseTimer);
    connect(&m_tick, &QTimer::timeout, this, [this] {
      worstGapMs = std::max(worstGapMs, static_cast<double>(m_gap.nsecsElapsed()) / 1e6);
      worstCpuMs = std::max(worstCpuMs, cpuMs() - m_cpu);
      m_gap.restart();
      m_cpu = cpuMs();
    });
    m_gap.start();
    m_cpu = cpuMs();
    m_tick.start(5);
  }
  double worstGapMs = 0, worstCpuMs = 0;

 private:
  static double cpuMs() {
    timespec now{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
    return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
  }
  QTimer m_tick;
  QElapsedTimer m_gap;
  double m_cpu = 0;
};

TEST(EventLoop, NoEventTakesFiftyMillisecondsAtTwoThousandTokensASecond) {
  double gap = 1e9, cpu = 1e9;
  for (int attempt = 0; attempt < 3 && (gap >= 50 || cpu >= 50); ++attempt) {  // the machine may be busy elsewhere
    EngineClient engine;
    engine.start(fakeEngine({"floods"}));
    ASSERT_TRUE(waitUntil([&] { return engine.ready(); }));
    std::size_t tokens = 0, points = 0, calls = 0;
    engine.on<protocol::Tokens>(nullptr, [&](const auto& message) { tokens += message.ids.size(), ++calls; });
    engine.on<protocol::JobPoints>(nullptr, [&](const auto& message) { points += message.points.size(), ++calls; });
    const EventLoopProbe probe;
    runFor(3'000);
    EXPECT_GT(tokens, 4'500U);
    EXPECT_GT(points, 2'250U);
    EXPECT_LT(calls, (tokens + points) / 2) << "what comes within one turn is one call";
    gap = probe.worstGapMs;
    cpu = probe.worstCpuMs;
    std::cout << tokens << " tokens and " << points << " points in 3 s by " << calls << " calls: worst gap " << gap
              << " ms, with at most " << cpu << " ms of CPU time\n";
  }
  EXPECT_LT(gap, 50);
  EXPECT_LT(cpu, 50);
}

}  // namespace
}  // namespace strata::testing
