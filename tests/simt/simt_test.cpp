// The emulation itself: it has to find the mistakes that it is there for.

#include "simt.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace strata::simt {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr int kThreads = 128;

/// Each block sums 0 … 127 in shared memory; `rounds` times, so that what one round reads the next overwrites.
std::vector<float> blockSums(Session&, int blocks, int rounds) {
  std::vector<float> sums(static_cast<std::size_t>(blocks), 0);
  launch({blocks, 1, 1}, kThreads, [&] {
    const auto values = shared<float>(kThreads);
    for (int round = 0; round < rounds; ++round) {
      barrier();
      values[static_cast<std::size_t>(threadIndex())] = static_cast<float>(threadIndex() + round);
      barrier();
      if (threadIndex() == 0) {
        for (int i = 0; i < kThreads; ++i)
          sums[static_cast<std::size_t>(blockIndexX())] += values[static_cast<std::size_t>(i)];
      }
    }
  });
  return sums;
}

TEST(Simt, RunsBarriersAsABlockWould) {
  Session session(1);
  EXPECT_THAT(blockSums(session, 3, 2), ElementsAre(16384, 16384, 16384));
  EXPECT_THAT(session.problems(), IsEmpty());
  EXPECT_EQ(session.barriersPassed, 12u);
}

TEST(Simt, GivesWrongSumsWithoutTheBarriers) {
  int wrong = 0;
  for (std::uint32_t seed = 0; seed < 8; ++seed) {
    Session session(seed);
    session.ignoreBarriers();
    for (const float sum : blockSums(session, 8, 1)) wrong += sum == 8128 ? 0 : 1;
  }
  EXPECT_GT(wrong, 56);
}

TEST(Simt, PoisonsSharedMemory) {
  Session session(1);
  float read = 0;
  launch({1, 1, 1}, 1, [&] { read = shared<float>(4)[2]; });
  EXPECT_TRUE(std::isnan(read));
}

TEST(Simt, GivesEachBlockItsOwnSharedMemory) {
  Session session(1);
  int stale = 0;
  launch({2, 1, 1}, 1, [&] {
    const auto values = shared<float>(1);
    if (!std::isnan(values[0])) ++stale;
    values[0] = 1;
  });
  EXPECT_EQ(stale, 0);
}

TEST(Simt, ReportsSharedMemoryOutOfBounds) {
  Session session(1);
  launch({1, 1, 1}, 1, [&] { shared<float>(4)[4] = 1; });
  EXPECT_THAT(session.problems(), ElementsAre(HasSubstr("element 4 of shared memory for 4")));
}

TEST(Simt, ReportsABarrierThatSomeThreadsMiss) {
  Session session(1);
  launch({1, 1, 1}, 64, [] {
    if (threadIndex() != 5) barrier();
  });
  EXPECT_THAT(session.problems(), ElementsAre(HasSubstr("a barrier that not all threads of the block reach")));
}

TEST(Simt, ReportsThreadsAtDifferentBarriers) {
  Session session(1);
  launch({1, 1, 1}, 64, [] {
    if (threadIndex() < 32) {
      barrier();
    } else {
      barrier();
    }
  });
  EXPECT_THAT(session.problems(), ElementsAre(HasSubstr("a barrier that not all threads of the block reach")));
}

TEST(Simt, ShufflesWithinAWarp) {
  Session session(3);
  std::vector<float> sums(64);
  launch({1, 1, 1}, 64, [&] {
    auto sum = static_cast<float>(threadIndex());
    for (int mask = 16; mask > 0; mask /= 2) sum += shuffleXor(sum, mask);
    sums[static_cast<std::size_t>(threadIndex())] = sum;
  });
  for (std::size_t i = 0; i < 64; ++i) EXPECT_EQ(sums[i], i < 32 ? 496 : 1520);
  EXPECT_THAT(session.problems(), IsEmpty());
}

TEST(Simt, GathersTheWordsOfAWarp) {
  Session session(3);
  int wrong = 0;
  launch({1, 1, 1}, 64, [&] {
    const auto thread = static_cast<std::uint32_t>(threadIndex());
    for (std::uint32_t round = 0; round < 2; ++round) {
      std::uint32_t mine[2] = {thread, round}, all[64];
      gatherWarp(mine, 2, all);
      mine[0] = mine[1] = 99;  // what others read was taken before
      for (std::uint32_t i = 0; i < 32; ++i) {
        wrong += all[2 * i] == thread / 32 * 32 + i && all[2 * i + 1] == round ? 0 : 1;
      }
    }
  });
  EXPECT_EQ(wrong, 0);
  EXPECT_THAT(session.problems(), IsEmpty());
}

TEST(Simt, LetsWarpsShuffleDifferentNumbersOfTimes) {
  Session session(3);
  launch({1, 1, 1}, 64, [&] {
    for (int i = 0; i < (threadIndex() < 32 ? 1 : 3); ++i) shuffleXor(1, 1);
    barrier();
  });
  EXPECT_THAT(session.problems(), IsEmpty());
}

TEST(Simt, ReportsAShuffleThatSomeThreadsMiss) {
  Session session(1);
  launch({1, 1, 1}, 32, [] {
    if (threadIndex() % 2 == 0) shuffleXor(1, 1);
  });
  EXPECT_THAT(session.problems(), Contains(HasSubstr("a shuffle that not all threads of the warp reach")));
}

TEST(Simt, ReportsAMisalignedWideLoad) {
  Session session(1);
  alignas(16) char bytes[32] = {};
  launch({1, 1, 1}, 1, [&] { checkAligned(bytes + 2, 16); });
  EXPECT_THAT(session.problems(), ElementsAre("a wide load from a misaligned address"));
}

}  // namespace
}  // namespace strata::simt
