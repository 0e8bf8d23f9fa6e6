// The whole window, with its pages, jobs and status, while an engine tells as much as it may: 2,000 tokens a second on
// each side, 1,000 metric points of a job, and the memory.

#include "fake_engine.h"
#include "loop_probe.h"
#include "real_window.h"

namespace strata {
namespace {

TEST(Flood, NoTurnOfTheWholeWindowTakesFiftyMilliseconds) {
  const OwnFolders folders;
  RealWindow window(folders, testing::fakeEngine(folders.path("engine").toStdString()));
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
                                        [&](const auto& news) { points += static_cast<int>(news.series.size()); });
  QElapsedTimer clock;
  clock.start();
  const testing::LoopProbe probe;
  ASSERT_TRUE(ask("flood"));
  const double seconds = static_cast<double>(clock.elapsed()) / 1000;
  EXPECT_TRUE(window.find("job-stop")->isVisible()) << "the strip shows the job";
  const auto characters = window.answer(2, Which::a)->text.size() + window.answer(2, Which::b)->text.size();
  std::printf("%d points and %lld characters in %.1f s: at most %lld ms a turn\n", points,
              static_cast<long long>(characters), seconds, static_cast<long long>(probe.worst()));
  EXPECT_GT(points, 800 * seconds);
  EXPECT_LE(probe.worst(), testing::mostMilliseconds());
}

}  // namespace
}  // namespace strata
