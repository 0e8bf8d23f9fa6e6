#include "core/routing/memory_limits.h"

#include <gtest/gtest.h>

namespace strata {
namespace {

constexpr std::int64_t kGiB = 1LL << 30;

/// Llama 3.1 8B: 32 layers, 8 KV heads of 128.
ModelShape llama8B() {
  ModelShape shape;
  shape.layers = 32;
  shape.width = 4096;
  shape.heads = 32;
  shape.kvHeads = 8;
  shape.headDim = 128;
  shape.ffn = 14336;
  shape.vocab = 128256;
  shape.parameters = 8'030'261'248;
  return shape;
}

SharingMap map(const char* text) {
  return parseMap(text, 32).value();
}

TEST(ServingLimits, PlanAnEightBillionModelOnACardOf24GiB) {
  const ServingLimits card{llama8B(), 2, 24 * kGiB};
  // Weights 14.96 GiB; the full cache takes 128 KiB a token: 4 GiB at 32k.
  EXPECT_TRUE(card.fits(map("full"), 32768, 2));
  EXPECT_FALSE(card.fits(map("full"), 32768, 3));
  EXPECT_EQ(card.mostChats(map("full"), 32768), 2);
  EXPECT_GE(card.mostChats(map("stride:2"), 32768), 4);
  EXPECT_GE(card.mostChats(map("stride:4"), 32768), 8);
  EXPECT_EQ(card.mostTokens(map("stride:4"), 1, 131072), 131072) << "the model's own limit";
}

TEST(ServingLimits, AreTheLastThatFit) {
  const ServingLimits card{llama8B(), 2, 24 * kGiB};
  for (const char* text : {"full", "stride:2", "stride:4"}) {
    const std::int64_t tokens = card.mostTokens(map(text), 3, 10'000'000);
    EXPECT_TRUE(card.fits(map(text), tokens, 3));
    EXPECT_FALSE(card.fits(map(text), tokens + 1, 3));
    const int chats = card.mostChats(map(text), 4096);
    EXPECT_TRUE(card.fits(map(text), 4096, chats));
    EXPECT_FALSE(card.fits(map(text), 4096, chats + 1));
  }
  const int owners = card.mostOwners(32768, 4);
  ASSERT_GT(owners, 8);
  ASSERT_LT(owners, 32);
  EXPECT_TRUE(card.fits(map(("even:" + std::to_string(owners)).c_str()), 32768, 4));
  EXPECT_FALSE(card.fits(map(("even:" + std::to_string(owners + 1)).c_str()), 32768, 4));
}

TEST(ServingLimits, AreZeroWhereNotEvenTheWeightsFit) {
  const ServingLimits card{llama8B(), 2, 8 * kGiB};
  EXPECT_EQ(card.mostTokens(map("stride:4"), 1, 131072), 0);
  EXPECT_EQ(card.mostChats(map("stride:4"), 1024), 0);
  EXPECT_EQ(card.mostOwners(1024, 1), 0);
}

TEST(ServingLimits, CountWhatTheEstimateCounts) {
  const ServingLimits limits{llama8B(), 2, kGiB};
  const MemoryEstimate full = estimateInference(llama8B(), map("full"), 8192, 3, 2, 2);
  EXPECT_EQ(limits.needed(map("full"), 8192, 3), full.total());
  const MemoryEstimate half = estimateInference(llama8B(), map("stride:2"), 8192, 3, 2, 2);
  EXPECT_EQ(limits.needed(map("stride:2"), 8192, 3), full.weights + half.kv + half.activations)
      << "all projections are kept";
}

}  // namespace
}  // namespace strata
