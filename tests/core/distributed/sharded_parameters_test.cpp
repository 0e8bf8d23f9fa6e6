// Gradients of several ranks in buckets, whatever the buckets' size and the order in which gradients come.

#include "core/distributed/sharded_parameters.h"

#include <ATen/ATen.h>
#include <torch/csrc/autograd/autograd.h>

#include "core/model/memory.h"
#include "thread_ranks.h"

namespace strata::testing {
namespace {

/// Four parameters of odd sizes; rank r's loss is the sum of (r + 1) · i · parameter i, so gradients are known.
std::vector<at::Tensor> parameters() {
  std::vector<at::Tensor> made;
  for (const std::int64_t size : {5, 33, 1, 70}) made.push_back(at::arange(size, at::kFloat).requires_grad_(true));
  return made;
}

at::Tensor lossOf(const std::vector<at::Tensor>& parameters, const std::vector<std::size_t>& used, int rank) {
  at::Tensor loss = at::zeros({}, at::kFloat);
  for (const std::size_t i : used) loss = loss + parameters[i].sum() * static_cast<double>((rank + 1) * (i + 1));
  return loss;
}

void backward(const at::Tensor& loss) {
  torch::autograd::backward({loss}, {});
}

TEST(ShardedParameters, KeepTheirValuesAndTheirPlaceInTheGraph) {
  onRanks(2, [](Communicator& ranks) {
    const auto own = parameters();
    const ShardedParameters sharded(own, ranks);
    for (const at::Tensor& each : own) {
      EXPECT_TRUE(at::equal(each, at::arange(each.numel(), at::kFloat)));
      EXPECT_TRUE(each.requires_grad() && each.is_leaf());
    }
  });
}

TEST(ShardedParameters, EveryElementIsInOnePieceOfOneRank) {
  for (const std::int64_t bucket : {1, 64, 1000}) {
    std::mutex mutex;
    std::vector<std::vector<int>> seen = {std::vector<int>(5), std::vector<int>(33), std::vector<int>(1),
                                          std::vector<int>(70)};
    onRanks(3, [&](Communicator& ranks) {
      const ShardedParameters sharded(parameters(), ranks, bucket);
      const std::lock_guard lock(mutex);
      for (const auto& piece : sharded.pieces()) {
        for (std::int64_t i = piece.begin; i < piece.end; ++i) {
          ++seen[piece.parameter][static_cast<std::size_t>(i)];
          EXPECT_EQ(piece.value[i - piece.begin].item<float>(), static_cast<float>(i));
        }
      }
    });
    for (const auto& parameter : seen) EXPECT_EQ(parameter, std::vector<int>(parameter.size(), 1));
  }
}

TEST(ShardedParameters, PiecesHoldTheGradientsOfAllRanks) {
  for (const std::int64_t bucket : {1, 64, 1000}) {
    onRanks(3, [&](Communicator& ranks) {
      const auto own = parameters();
      ShardedParameters sharded(own, ranks, bucket);
      for (int step = 0; step < 2; ++step) {
        sharded.begin();
        // Rank 0 never uses parameter 1 and none uses parameter 2.
        const std::vector<std::size_t> used =
            ranks.rank() == 0 ? std::vector<std::size_t>{0, 3} : std::vector<std::size_t>{0, 1, 3};
        sharded.arm({true, ranks.rank() != 0, false, true});
        backward(lossOf(own, used, ranks.rank()));
        sharded.finish(1);
        EXPECT_EQ(sharded.used(), (std::vector<bool>{true, ranks.rank() != 0, false, true}));
        const double expected[] = {6, 5 * 2, 0, 6 * 4};
        for (const auto& piece : sharded.pieces())
          EXPECT_TRUE(at::all(piece.gradient == expected[piece.parameter]).item<bool>()) << piece.parameter;
        for (const at::Tensor& each : own) EXPECT_FALSE(each.grad().defined());
      }
    });
  }
}

TEST(ShardedParameters, SumsOfSeveralMicroBatchesAddUp) {
  onRanks(2, [&](Communicator& ranks) {
    const auto own = parameters();
    ShardedParameters sharded(own, ranks, 64);
    sharded.begin();
    backward(lossOf(own, {0, 1, 3}, ranks.rank()));  // kept until the next one
    sharded.arm({true, true, false, true});
    backward(lossOf(own, {0, 1, 3}, ranks.rank()));
    sharded.reduce();
    sharded.arm({true, false, false, false});
    if (ranks.rank() == 0) backward(lossOf(own, {0}, 0));  // the other has one micro-batch less
    sharded.finish(2);
    const double expected[] = {7, 12, 0, 24};
    for (const auto& piece : sharded.pieces())
      EXPECT_TRUE(at::all(piece.gradient == expected[piece.parameter]).item<bool>()) << piece.parameter;
  });
}

TEST(ShardedParameters, WhatOneRankChangesAllHave) {
  onRanks(3, [&](Communicator& ranks) {
    const auto own = parameters();
    ShardedParameters sharded(own, ranks, 64);
    for (const auto& piece : sharded.pieces()) {
      const at::Tensor value = piece.value;
      value.add_(100);
    }
    sharded.gather();
    for (const at::Tensor& each : own) EXPECT_TRUE(at::equal(each, at::arange(each.numel(), at::kFloat) + 100));
  });
}

TEST(ShardedParameters, AGradientThatWasNotExpectedIsAnError) {
  onRanks(2, [&](Communicator& ranks) {
    const auto own = parameters();
    ShardedParameters sharded(own, ranks, 1);
    sharded.begin();
    sharded.arm({false, false, false, true});
    backward(lossOf(own, {3}, ranks.rank()));  // all are sent now
    EXPECT_ANY_THROW(backward(lossOf(own, {0}, ranks.rank())));
    sharded.finish(1);
  });
}

TEST(ShardedParameters, SendTwoRingsOfTheFlatMemory) {
  onRanks(4, [&](Communicator& ranks) {
    const auto own = parameters();
    ShardedParameters sharded(own, ranks, 64);
    sharded.begin();
    sharded.finish(1);
    sharded.gather();
    // 16 + 48 + 16 + 80 elements, rounded up to 64
    EXPECT_EQ(ranks.bytesSent(), 2 * 192 * 4 * 3 / 4);
    EXPECT_EQ(sharded.bytesPerStep(), ranks.bytesSent());
  });
}

}  // namespace
}  // namespace strata::testing
