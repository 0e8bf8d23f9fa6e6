// Sums and copies among ranks, and errors that all of them have.

#include "core/distributed/communicator.h"

#include <ATen/ATen.h>

#include "thread_ranks.h"

namespace strata::testing {
namespace {

TEST(Communicator, EachRankGetsTheSumOfItsChunk) {
  for (const int count : {1, 2, 3, 5}) {
    onRanks(count, [&](Communicator& ranks) {
      const at::Tensor whole = at::arange(count * 4, at::kFloat).mul_(ranks.rank() + 1);
      ranks.wait(ranks.reduceScatter(whole));
      const std::int64_t first = std::int64_t{4} * ranks.rank();
      const at::Tensor expected =
          at::arange(first, first + 4, at::kFloat).mul_(static_cast<double>(count * (count + 1)) / 2);
      EXPECT_TRUE(at::equal(whole.narrow(0, first, 4), expected)) << count << " ranks, rank " << ranks.rank();
    });
  }
}

TEST(Communicator, EveryRankGetsAllChunks) {
  for (const int count : {1, 2, 3, 5}) {
    onRanks(count, [&](Communicator& ranks) {
      const at::Tensor whole = at::zeros({count * 3}, at::kFloat);
      whole.narrow(0, 3 * ranks.rank(), 3).fill_(ranks.rank() + 1);
      ranks.wait(ranks.allGather(whole));
      for (int rank = 0; rank < count; ++rank)
        EXPECT_TRUE(at::equal(whole.narrow(0, 3 * rank, 3), at::full({3}, rank + 1.0, at::kFloat)));
    });
  }
}

TEST(Communicator, ARingSendsAllButOneChunk) {
  onRanks(4, [&](Communicator& ranks) {
    const at::Tensor whole = at::zeros({16}, at::kFloat);
    ranks.wait(ranks.reduceScatter(whole));
    EXPECT_EQ(ranks.bytesSent(), 3 * 4 * 4);
    ranks.wait(ranks.allGather(whole));
    EXPECT_EQ(ranks.bytesSent(), 2 * 3 * 4 * 4);
  });
}

TEST(Communicator, ValuesAreSummedAndToldToAll) {
  onRanks(3, [&](Communicator& ranks) {
    std::vector<double> sums = {1.0, static_cast<double>(ranks.rank())};
    ranks.sum(sums);
    EXPECT_EQ(sums, (std::vector<double>{3, 3}));
    std::vector<std::int64_t> numbers;
    std::string text;
    if (ranks.rank() == 2) {
      numbers = {7, 8, 9};
      text = "to all";
    }
    ranks.broadcast(numbers, 2);
    ranks.broadcast(text, 2);
    EXPECT_EQ(numbers, (std::vector<std::int64_t>{7, 8, 9}));
    EXPECT_EQ(text, "to all");
  });
}

TEST(Communicator, AnErrorOfOneRankIsThatOfAllAndNamesIt) {
  onRanks(3, [&](Communicator& ranks) {
    EXPECT_TRUE(agree(&ranks, {}));
    const Result<void> own =
        ranks.rank() == 1 ? fail(ErrorCode::outOfMemory, "There is no memory left.", "here") : Result<void>();
    const Result<void> all = agree(&ranks, own);
    ASSERT_FALSE(all);
    EXPECT_EQ(all.error().code, ErrorCode::outOfMemory);
    EXPECT_EQ(all.error().message.rfind("Rank 1 of 3 on ", 0), 0U) << all.error().message;
    EXPECT_NE(all.error().message.find("There is no memory left."), std::string::npos);
    EXPECT_EQ(all.error().context, "here");
  });
}

TEST(Communicator, ARankTakesItsOwnGpuOfThoseThatAreListed) {
  EXPECT_EQ(visibleDevice("", 2), "2");
  EXPECT_EQ(visibleDevice("4,5,6,7", 2), "6");
  EXPECT_EQ(visibleDevice("GPU-1a,GPU-2b", 1), "GPU-2b");
  EXPECT_EQ(visibleDevice("5", 2), "5") << "the launcher has chosen";
  EXPECT_EQ(visibleDevice("0,1", 2), "0,1") << "too few";
}

TEST(Communicator, SharesAreConsecutiveAndCoverAll) {
  for (const std::int64_t count : {0, 1, 7, 8}) {
    std::int64_t next = 0;
    for (int rank = 0; rank < 3; ++rank) {
      const Share share = shareOf(count, rank, 3);
      EXPECT_EQ(share.first, next);
      EXPECT_LE(share.last - share.first, count / 3 + 1);
      next = share.last;
    }
    EXPECT_EQ(next, count);
  }
}

}  // namespace
}  // namespace strata::testing
