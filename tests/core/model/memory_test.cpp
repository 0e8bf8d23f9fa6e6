// The CPU allocator: what is freed serves again, and never piles up.

#include "core/model/memory.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include <vector>

namespace strata {
namespace {

const bool kInstalled = (installAllocator(), true);  // before the first tensor
constexpr std::int64_t kMiB = 1 << 20;

at::Tensor block(std::int64_t mebibytes) {
  return at::empty({mebibytes * kMiB}, at::kByte);
}

class Allocator : public ::testing::Test {
 protected:
  Allocator() { trimMemory(); }
  ~Allocator() override { trimMemory(); }
  std::int64_t m_before = memoryUsage().reserved;
  std::int64_t reserved() const { return (memoryUsage().reserved - m_before) / kMiB; }
};

TEST_F(Allocator, BlocksOfGrowingSizesDoNotPileUp) {
  std::int64_t most = 0;
  for (std::int64_t size = 2; size <= 200; size += 2) {  // 10 GB in all
    block(size);
    most = std::max(most, reserved());
  }
  EXPECT_LE(most, 200 + 100 + 64) << "1.5 x what was in use, and 64 MiB";
  EXPECT_GT(reserved(), 0) << "the newest are kept";
}

TEST_F(Allocator, ShrinkingAndGrowingTensorsBesideALargeOneStayWithinTheBound) {
  const at::Tensor large = block(300);
  for (int round = 0; round < 3; ++round) {
    for (std::int64_t size = 2; size <= 100; ++size) block(round % 2 == 0 ? size : 101 - size);
    EXPECT_LE(reserved(), 400 + 200 + 64);
  }
}

TEST_F(Allocator, APassLikeTheOneBeforeMapsNothingNew) {
  const auto pass = [] {
    std::vector<const void*> places;
    std::vector<at::Tensor> held;
    for (const std::int64_t size : {8, 3, 17, 40, 5, 8, 8, 30}) {
      held.push_back(block(size));
      places.push_back(held.back().data_ptr());
      if (held.size() % 3 == 0) held.erase(held.begin());
    }
    return places;
  };
  pass();
  const std::int64_t after = reserved();
  for (int i = 0; i < 20; ++i) {
    pass();
    EXPECT_EQ(reserved(), after);
  }
}

TEST_F(Allocator, WhatALargePassLeftIsGivenBackOnceSmallOnesFollow) {
  { const std::vector<at::Tensor> pass = {block(200), block(200), block(100)}; }
  EXPECT_GE(reserved(), 500);
  for (int i = 0; i < 3 * 4096; ++i) block(2);
  EXPECT_LE(reserved(), 2 + 1 + 64);
}

TEST_F(Allocator, WeightsAndCachesGoAtOnce) {
  for (const MemoryPart part : {MemoryPart::weights, MemoryPart::kv, MemoryPart::optimizer}) {
    const MemoryScope scope(part);
    block(50);
    EXPECT_EQ(reserved(), 0) << toString(part);
  }
}

}  // namespace
}  // namespace strata
