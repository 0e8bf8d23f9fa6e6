#include "core/project/run_queue.h"

#include "support.h"

namespace strata {
namespace {

using testing::TemporaryFolder;

TEST(RunQueue, KeepsItsOrderAndWhetherItIsPaused) {
  const TemporaryFolder folder;
  const RunQueue::Contents contents{.ids = {"b", "a", "c"}, .paused = true};
  {
    const RunQueue queue = RunQueue::open(folder.path()).value();
    EXPECT_EQ(queue.load().value(), RunQueue::Contents());
    ASSERT_TRUE(queue.store({.ids = {"z"}, .paused = false}));
    ASSERT_TRUE(queue.store(contents));
  }
  EXPECT_EQ(RunQueue::open(folder.path())->load().value(), contents);
}

}  // namespace
}  // namespace strata
