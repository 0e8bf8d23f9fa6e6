#pragma once
// How long the event loop of a thread is held: the promise of the window is 50 ms.
//
//   LoopProbe probe;
//   … events …
//   EXPECT_LE(probe.worst(), mostMilliseconds());

#include <fcntl.h>
#include <unistd.h>

#include <QElapsedTimer>
#include <QObject>
#include <algorithm>
#include <cstdio>
#include <functional>

#include "pace.h"

namespace strata::testing {

/// The longest turn of this thread's event loop in milliseconds of wall-clock time, less what the thread stood ready to
/// run while others had the CPUs (/proc/thread-self/schedstat counts it). So a handler that computes counts, and one
/// that waits for a disk, a socket or a lock; a busy machine does not.
class LoopProbe : public QObject {
 public:
  LoopProbe() : m_statistics(open("/proc/thread-self/schedstat", O_RDONLY | O_CLOEXEC)) {
    reset();
    startTimer(kTickMs, Qt::PreciseTimer);
  }
  ~LoopProbe() override {
    if (m_statistics >= 0) close(m_statistics);
  }
  qint64 worst() const { return m_worst / kMillisecond; }
  void reset() {
    m_worst = 0;
    m_clock.start();
    m_before = times();
  }

 protected:
  void timerEvent(QTimerEvent*) override {
    const qint64 wall = m_clock.nsecsElapsed();
    const Times now = times();
    m_clock.start();
    const qint64 computed = now.computed - m_before.computed, ready = now.ready - m_before.ready;
    const qint64 blocked = std::max<qint64>(0, wall - computed - ready - kRestMs * kMillisecond);
    m_worst = std::max(m_worst, computed + blocked);
    m_before = now;
  }

 private:
  static constexpr qint64 kTickMs = 2;
  static constexpr qint64 kRestMs = kTickMs + 10;  // QTest::qWait sleeps 10 ms between two looks at the events
  static constexpr qint64 kMillisecond = 1'000'000;
  struct Times {
    qint64 computed = 0, ready = 0;  // nanoseconds on a CPU, and waiting for one
  };

  Times times() const {
    char text[96] = {};
    long long computed = 0, ready = 0;
    if (m_statistics < 0 || pread(m_statistics, text, sizeof text - 1, 0) <= 0) return {};
    std::sscanf(text, "%lld %lld", &computed, &ready);
    return {computed, ready};
  }

  int m_statistics;  // -1: the kernel does not count; then all is wall-clock time
  QElapsedTimer m_clock;
  Times m_before;
  qint64 m_worst = 0;
};

/// The longest turn of the event loop while something ran, and the most that it might take, both in milliseconds.
struct LongestTurn {
  qint64 worst = 0, most = 0;
};

/// Of up to four times that `act` runs. What another process on the same core adds is no promise broken: `act` can be
/// done again, and the least counts.
inline LongestTurn longestTurn(const std::function<void()>& act) {
  LongestTurn turn;
  for (int i = 0; i < 4 && (i == 0 || turn.worst > turn.most); ++i) {
    LoopProbe probe;
    act();
    turn.most = mostMilliseconds();
    turn.worst = i == 0 ? probe.worst() : std::min(turn.worst, probe.worst());
  }
  return turn;
}

}  // namespace strata::testing
