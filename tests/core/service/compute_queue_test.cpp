// Tasks of a device take turns.

#include "core/service/compute_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <new>
#include <string>

namespace strata::testing {
namespace {

TEST(ComputeQueue, TasksAlternateStepByStep) {
  constexpr int kSteps = 20;
  ComputeQueue queue(1);
  std::string order;  // written on the queue's thread alone
  std::atomic<bool> started{false};
  bool sharedA = false, sharedB = false;
  std::thread a([&] {
    int left = kSteps;
    EXPECT_TRUE(queue.run(
        [&]() -> Result<bool> {
          started = true;
          if (left == kSteps) std::this_thread::sleep_for(std::chrono::milliseconds(300));  // meanwhile B comes
          order += 'a';
          return --left > 0;
        },
        sharedA));
  });
  while (!started) std::this_thread::yield();
  int left = kSteps;
  EXPECT_TRUE(queue.run(
      [&]() -> Result<bool> {
        order += 'b';
        return --left > 0;
      },
      sharedB));
  a.join();
  EXPECT_TRUE(sharedA);
  EXPECT_TRUE(sharedB);
  std::string expected;
  for (int i = 0; i < kSteps; ++i) expected += i == 0 ? "a" : "ba";
  EXPECT_EQ(order.substr(0, expected.size()), expected);
}

TEST(ComputeQueue, ATaskAloneIsNotShared) {
  ComputeQueue queue(1);
  bool shared = true;
  EXPECT_TRUE(queue.run([]() -> Result<bool> { return false; }, shared));
  EXPECT_FALSE(shared);
}

TEST(ComputeQueue, AStepThatFailsOrThrowsEndsItsTaskOnly) {
  ComputeQueue queue(1);
  bool shared = false;
  const auto failed = queue.run([]() -> Result<bool> { return fail(ErrorCode::io, "No."); }, shared);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::io);
  const auto thrown = queue.run([]() -> Result<bool> { throw std::bad_alloc(); }, shared);
  ASSERT_FALSE(thrown);
  EXPECT_EQ(thrown.error().code, ErrorCode::outOfMemory);
  EXPECT_TRUE(queue.run([]() -> Result<bool> { return false; }, shared));
}

}  // namespace
}  // namespace strata::testing
