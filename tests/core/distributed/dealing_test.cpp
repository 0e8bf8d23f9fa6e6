// Work that ranks share: every rank takes every result, in order.

#include "core/distributed/dealing.h"

#include <atomic>

#include "thread_ranks.h"

namespace strata::testing {
namespace {

using Taken = std::vector<std::pair<std::size_t, std::string>>;

Result<std::string> textOf(std::size_t item) {
  return std::string("item \xff\0", 7) + std::to_string(item);  // no UTF-8
}

Taken expectedOf(std::size_t count) {
  Taken all;
  for (std::size_t i = 0; i < count; ++i) all.emplace_back(i, textOf(i).value());
  return all;
}

TEST(Dealing, OneProcessTakesEachBeforeTheNextIsComputed) {
  Taken taken;
  const auto compute = [&](std::size_t item) {
    EXPECT_EQ(taken.size(), item);
    return textOf(item);
  };
  const auto take = [&](std::size_t item, std::string text) -> Result<void> {
    taken.emplace_back(item, std::move(text));
    return {};
  };
  EXPECT_TRUE(deal<std::string>(nullptr, 4, compute, take));
  EXPECT_EQ(taken, expectedOf(4));
}

TEST(Dealing, EveryRankTakesAllAndComputesItsOwn) {
  for (const std::size_t count : {0U, 1U, 3U, 7U}) {
    std::atomic<std::size_t> computed = 0;
    onRanks(3, [&](Communicator& ranks) {
      Taken taken;
      const auto compute = [&](std::size_t item) {
        ++computed;
        EXPECT_EQ(item % 3, static_cast<std::size_t>(ranks.rank()));
        return textOf(item);
      };
      const auto take = [&](std::size_t item, std::string text) -> Result<void> {
        taken.emplace_back(item, std::move(text));
        return {};
      };
      EXPECT_TRUE(deal<std::string>(&ranks, count, compute, take));
      EXPECT_EQ(taken, expectedOf(count));
    });
    EXPECT_EQ(computed, count);
  }
}

TEST(Dealing, AnErrorOfOneEndsItOnAll) {
  onRanks(2, [](Communicator& ranks) {
    std::size_t taken = 0;
    const auto compute = [](std::size_t item) -> Result<std::string> {
      if (item == 3) return fail(ErrorCode::cancelled, "The evaluation was cancelled.");
      return textOf(item);
    };
    const auto take = [&](std::size_t, const std::string&) -> Result<void> {
      ++taken;
      return {};
    };
    const Result<void> done = deal<std::string>(&ranks, 6, compute, take);
    ASSERT_FALSE(done);
    EXPECT_EQ(done.error().code, ErrorCode::cancelled);
    EXPECT_EQ(taken, 2U);
  });
}

}  // namespace
}  // namespace strata::testing
