#pragma once
// How long the GUI thread computes without a break.

#include <time.h>

#include <QObject>
#include <algorithm>

namespace strata::testing {

/// The longest turn of the event loop, in milliseconds that this thread computed: what other programs take from it on a
/// busy machine does not count.
class ComputedProbe : public QObject {
 public:
  ComputedProbe() : m_before(computed()) { startTimer(2, Qt::PreciseTimer); }
  qint64 worst() const { return m_worst; }
  void reset() {
    m_worst = 0;
    m_before = computed();
  }

 protected:
  void timerEvent(QTimerEvent*) override {
    const qint64 now = computed();
    m_worst = std::max(m_worst, now - m_before);
    m_before = now;
  }

 private:
  static qint64 computed() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
    return time.tv_sec * 1000 + time.tv_nsec / 1'000'000;
  }
  qint64 m_before, m_worst = 0;
};

}  // namespace strata::testing
