// Tasks of a device take turns.

#include "core/service/compute_queue.h"

#include <gtest/gtest.h>

#include <atomic>
#include <new>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "support.h"

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

TEST(ComputeQueue, AnswersOfOneModelDecodeTogetherAndSayWhatTheySayAlone) {
  const auto model = Model::open({.path = sourceFolder() / "resources/models/stories260K"}).value();
  const int layers = model->config().layers;
  const std::vector<SharingMap> maps = {SharingMap::full(layers), parseMap("0,0,2,2,2", layers).value(),
                                        parseMap("0,0,0,0,0", layers).value()};
  GenerateConfig config;
  config.maxTokens = 60;
  config.ignoreEos = true;
  const std::vector<TokenId> prompt{1, 403, 407};
  std::vector<std::vector<TokenId>> alone, together(maps.size());
  for (const SharingMap& map : maps) alone.push_back(generate(model, map, {prompt}, config).value().answers[0].ids);
  ComputeQueue queue(2);
  std::atomic<int> begun{0};
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < maps.size(); ++i) {
    threads.emplace_back([&, i] {
      InferenceSession session(model, maps[i], {.capacity = 80});
      Generation generation(*model, session, 80, {prompt}, config, {});
      bool shared = false, first = true;
      const auto step = [&]() -> Result<bool> {
        if (std::exchange(first, false)) {
          ++begun;
        } else if (begun < static_cast<int>(maps.size())) {
          return true;  // until all are here
        }
        return generation.step();
      };
      EXPECT_TRUE(queue.run(step, shared, [&] { return &generation; }));
      EXPECT_TRUE(shared);
      together[i] = generation.take().answers[0].ids;
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(together, alone);
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
