// The whole window, with its pages, jobs and status, while an engine tells as much as it may: 2,000 tokens a second on
// each side, 1,000 metric points of a job, and the memory.

#include <time.h>

#include "real_window.h"

namespace strata {
namespace {

/// The longest turn of the event loop, in milliseconds that this thread computed: what other programs take from it on a
/// busy machine does not count.
class ComputedProbe : public QObject {
 public:
  ComputedProbe() : m_before(computed()) { startTimer(2, Qt::PreciseTimer); }
  qint64 worst() const { return m_worst; }

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

TEST(Flood, NoTurnOfTheWholeWindowTakesFiftyMilliseconds) {
  const OwnFolders folders;
  RealWindow window(
      folders,
      {"python3", {QStringLiteral(STRATA_SOURCE_DIR "/tests/widgets/chat/fake_chat_engine.py"), folders.path("")}});
  ASSERT_TRUE(window.isReady());
  const auto ask = [&](const QString& question) {
    window.chat->setDraft(question);
    window.chat->sendDraft();
    return until([&] { return !window.chat->conversation().turns().empty() && !window.chat->answering().busy(); });
  };
  ASSERT_TRUE(ask("echo warm"));
  ASSERT_TRUE(ask("flood"));  // lays the strip out
  int points = 0;
  window.engine.on<protocol::JobPoints>(&window.window,
                                        [&](const auto& news) { points += static_cast<int>(news.points.size()); });
  QElapsedTimer clock;
  clock.start();
  const ComputedProbe probe;
  ASSERT_TRUE(ask("flood"));
  const double seconds = static_cast<double>(clock.elapsed()) / 1000;
  EXPECT_TRUE(window.find("job-stop")->isVisible()) << "the strip shows the job";
  const auto characters = window.answer(2, Which::a)->text.size() + window.answer(2, Which::b)->text.size();
  std::printf("%d points and %lld characters in %.1f s: at most %lld ms a turn\n", points,
              static_cast<long long>(characters), seconds, static_cast<long long>(probe.worst()));
  EXPECT_GT(points, 800 * seconds);
  EXPECT_LE(probe.worst(), 50);
}

}  // namespace
}  // namespace strata
