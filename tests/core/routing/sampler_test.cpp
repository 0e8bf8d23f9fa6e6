#include "core/routing/sampler.h"

#include <cmath>
#include <map>
#include <set>

#include "support.h"

namespace strata {
namespace {

RoutingSampler sampler(const std::string& text) {
  const auto parsed = RoutingSampler::parse(text);
  EXPECT_TRUE(parsed) << (parsed ? "" : parsed.error().message);
  return *parsed;
}

const char* const kAll[] = {
    "uniform", "window:2", "geometric:0.3", "geometric:0.99", "strategy", "strategy:1,0.5,0.25", "rd-cla:3", "cla:2"};

TEST(Sampler, PrintsWhatItParses) {
  for (const char* text : kAll) EXPECT_EQ(sampler(text).print(), text);
  EXPECT_EQ(sampler("strategy:1,.75,.5,.33,.25").print(), "strategy");
  EXPECT_EQ(sampler(" strategy:.5 ").print(), "strategy:0.5");
}

TEST(Sampler, RefusesWhatItDoesNotKnow) {
  for (const char* text : {"",
                           "uniform:1",
                           "Uniform",
                           "window",
                           "window:0",
                           "window:-1",
                           "window:2x",
                           "window:99999999999",
                           "geometric",
                           "geometric:0",
                           "geometric:1",
                           "geometric:nan",
                           "geometric:.5,",
                           "strategy:",
                           "strategy:0",
                           "strategy:1.5",
                           "strategy:.5,,1",
                           "rd-cla",
                           "rd-cla:0",
                           "cla:x",
                           "cla"}) {
    const auto parsed = RoutingSampler::parse(text);
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().context, "sampler");
    EXPECT_NE(parsed.error().message.find(text), std::string::npos) << parsed.error().message;
  }
  EXPECT_FALSE(RoutingSampler::parse("strategy:" + std::string(2 << 20, '1')));
}

TEST(Sampler, AnotherAttemptAtAGroupIsAnotherDraw) {
  for (const char* text : kAll) {
    const RoutingSampler drawn = sampler(text);
    const auto at = [&](std::uint32_t step, std::uint32_t attempt) {
      return drawn.draw(12, drawn.defaultPCross(), 7, step, 3, attempt).src();
    };
    int others = 0;
    for (std::uint32_t step = 0; step < 20; ++step) {
      EXPECT_EQ(at(step, 0), drawn.draw(12, drawn.defaultPCross(), 7, step, 3).src()) << "as it was without attempts";
      EXPECT_EQ(at(step, 2), at(step, 2));
      others += at(step, 0) != at(step, 1) && at(step, 1) != at(step, 2) ? 1 : 0;
    }
    EXPECT_EQ(others > 8, std::string(text) != "cla:2") << text << " " << others;
  }
}

TEST(Sampler, PCrossHasADefaultAndBounds) {
  EXPECT_EQ(sampler("uniform").defaultPCross(), 0.5);
  EXPECT_EQ(sampler("rd-cla:2").defaultPCross(), 0.5);
  EXPECT_EQ(sampler("strategy").defaultPCross(), 1);
  EXPECT_EQ(sampler("cla:2").defaultPCross(), 1);
  EXPECT_TRUE(sampler("uniform").checkPCross(0));
  EXPECT_TRUE(sampler("uniform").checkPCross(1));
  EXPECT_FALSE(sampler("uniform").checkPCross(1.0001));
  EXPECT_FALSE(sampler("uniform").checkPCross(-0.1));
  EXPECT_FALSE(sampler("uniform").checkPCross(std::nan("")));
  EXPECT_TRUE(sampler("cla:2").checkPCross(1));
  EXPECT_FALSE(sampler("cla:2").checkPCross(0.5));
}

TEST(Sampler, WithoutBorrowingEveryRoutingIsFull) {
  for (const char* text : {"uniform", "window:2", "geometric:0.3", "strategy", "rd-cla:3"}) {
    for (std::uint32_t step = 0; step < 200; ++step) {
      ASSERT_TRUE(sampler(text).draw(6, 0, 1, step, 0).isFull()) << text;
    }
  }
}

TEST(Sampler, WithCertaintyEveryLayerButTheFirstBorrows) {
  for (const char* text : {"uniform", "window:2", "geometric:0.3"}) {
    for (std::uint32_t step = 0; step < 200; ++step) {
      const SharingMap routing = sampler(text).draw(6, 1, 1, step, 0);
      ASSERT_EQ(routing.owners(), 1) << text;
    }
  }
}

TEST(Sampler, ClaAndRdClaFollowTheStride) {
  const SharingMap stride = *parseMap("stride:3", 8);
  EXPECT_EQ(sampler("cla:3").draw(8, 1, 5, 7, 1), stride);
  EXPECT_EQ(sampler("rd-cla:3").draw(8, 1, 5, 7, 1), stride);
  for (std::uint32_t step = 0; step < 100; ++step) {
    const SharingMap routing = sampler("rd-cla:3").draw(8, 0.5, 5, step, 0);
    for (int layer = 0; layer < 8; ++layer) {
      ASSERT_TRUE(routing[layer] == layer || routing[layer] == stride[layer]);
    }
  }
}

TEST(Sampler, WindowsReachNoFurtherThanTheySay) {
  for (std::uint32_t step = 0; step < 300; ++step) {
    const SharingMap routing = sampler("window:2").draw(9, 0.9, 3, step, 0);
    for (int layer = 0; layer < 9; ++layer) ASSERT_GE(routing[layer], layer - 2);
  }
}

TEST(Sampler, StrategiesAreInferenceMapsOfTheirRetentions) {
  const std::vector<double> retentions = {1, .75, .5, .33, .25};
  std::set<int> sizes;
  for (std::uint32_t step = 0; step < 500; ++step) {
    const SharingMap routing = sampler("strategy").draw(12, 1, 3, step, 0);
    ASSERT_TRUE(routing.isInference());
    sizes.insert(routing.owners());
    int owner = 0;
    for (int layer = 0; layer < 12; ++layer) {
      if (routing.owns(layer)) owner = layer;
      ASSERT_EQ(routing[layer], owner);
    }
  }
  std::set<int> expected;
  for (const double retention : retentions) expected.insert(ownersForRetention(retention, 12));
  EXPECT_EQ(sizes, expected);
}

TEST(Sampler, EverySubsetOfOwnersIsAlikeUnderAStrategy) {
  // Five layers, three owners: 0 and two of the four others, six subsets.
  constexpr int kDraws = 12000;
  std::map<std::vector<int>, int> counts;
  for (std::uint32_t step = 0; step < kDraws; ++step) ++counts[sampler("strategy:0.6").draw(5, 1, 11, step, 0).src()];
  ASSERT_EQ(counts.size(), 6u);
  for (const auto& [src, count] : counts) EXPECT_NEAR(count, kDraws / 6, 200);  // five standard deviations
}

// Pearson's statistic of each layer's sources against the definition: its mean is the degrees of freedom f, its
// variance 2f, so that f + 6 sqrt(2f) is passed by less than one draw in a million.
TEST(Sampler, FrequenciesAgreeWithProbabilities) {
  constexpr int kLayers = 7;
  constexpr int kDraws = 20000;
  for (const char* text : kAll) {
    for (const double pCross : {0.5, 0.9, 1.0}) {
      const RoutingSampler drawn = sampler(text);
      const auto probabilities = drawn.probabilities(kLayers, pCross);
      std::vector<std::vector<int>> counts(kLayers, std::vector<int>(kLayers, 0));
      for (std::uint32_t step = 0; step < kDraws; ++step) {
        const SharingMap routing = drawn.draw(kLayers, pCross, 42, step, step % 3);
        for (int layer = 0; layer < kLayers; ++layer) {
          ++counts[static_cast<std::size_t>(layer)][static_cast<std::size_t>(routing[layer])];
        }
      }
      for (std::size_t layer = 0; layer < kLayers; ++layer) {
        double total = 0;
        double statistic = 0;
        int possible = 0;
        for (std::size_t source = 0; source < kLayers; ++source) {
          const double expected = probabilities[layer][source] * kDraws;
          total += probabilities[layer][source];
          if (expected < 1e-9) {
            ASSERT_EQ(counts[layer][source], 0) << text << " layer " << layer << " source " << source;
            continue;
          }
          if (expected < 1) continue;  // too rare for the statistic
          statistic += std::pow(counts[layer][source] - expected, 2) / expected;
          ++possible;
        }
        ASSERT_NEAR(total, 1, 1e-12) << text << " layer " << layer;
        const double freedom = possible - 1;
        EXPECT_LE(statistic, freedom + 6 * std::sqrt(2 * freedom) + 1e-9)
            << text << " " << pCross << " layer " << layer;
      }
    }
  }
}

TEST(Sampler, ProbabilitiesOfAStrategyAreThoseOfCountingItsSubsets) {
  // Retention .5 of 4 layers: 0 and one of 1, 2, 3.
  const auto table = sampler("strategy:0.5").probabilities(4, 1);
  EXPECT_NEAR(table[3][3], 1.0 / 3, 1e-12);
  EXPECT_NEAR(table[3][2], 1.0 / 3, 1e-12);
  EXPECT_NEAR(table[3][1], 1.0 / 3, 1e-12);
  EXPECT_NEAR(table[3][0], 0, 1e-12);
  EXPECT_NEAR(table[1][0], 2.0 / 3, 1e-12);
}

TEST(Sampler, LayersBorrowIndependently) {
  constexpr int kDraws = 20000;
  int first = 0;
  int second = 0;
  int both = 0;
  for (std::uint32_t step = 0; step < kDraws; ++step) {
    const SharingMap routing = sampler("uniform").draw(6, 0.5, 9, step, 0);
    first += routing.owns(2) ? 1 : 0;
    second += routing.owns(5) ? 1 : 0;
    both += routing.owns(2) && routing.owns(5) ? 1 : 0;
  }
  const double product = static_cast<double>(first) / kDraws * second / kDraws;
  EXPECT_NEAR(static_cast<double>(both) / kDraws, product, 0.01);
}

TEST(Sampler, ARoutingDependsOnItsPositionAlone) {
  for (const char* text : {"uniform", "window:2", "geometric:0.3", "strategy", "rd-cla:3"}) {
    std::set<std::vector<int>> seeds;
    std::set<std::vector<int>> steps;
    std::set<std::vector<int>> groups;
    for (std::uint32_t i = 0; i < 30; ++i) {
      seeds.insert(sampler(text).draw(12, 0.7, i, 5, 1).src());
      steps.insert(sampler(text).draw(12, 0.7, 1, i, 1).src());
      groups.insert(sampler(text).draw(12, 0.7, 1, 5, i).src());
    }
    EXPECT_GT(seeds.size(), 5u) << text;
    EXPECT_GT(steps.size(), 5u) << text;
    EXPECT_GT(groups.size(), 5u) << text;
    EXPECT_EQ(sampler(text).draw(12, 0.7, 1, 5, 1), sampler(text).draw(12, 0.7, 1, 5, 1));
  }
}

TEST(Sampler, MoreBorrowingKeepsTheBorrowersThereWere) {
  // The coins do not depend on p_cross, so a warm-up only adds borrowers.
  for (std::uint32_t step = 0; step < 50; ++step) {
    const SharingMap some = sampler("uniform").draw(8, 0.3, 2, step, 0);
    const SharingMap more = sampler("uniform").draw(8, 0.8, 2, step, 0);
    for (int layer = 0; layer < 8; ++layer) {
      if (some.owns(layer)) continue;
      ASSERT_EQ(more[layer], some[layer]);
    }
  }
}

TEST(Sampler, ExtremeParametersDrawValidRoutings) {
  for (const char* text :
       {"geometric:1e-18", "geometric:0.9999999999999999", "window:2147483647", "strategy:1e-9", "rd-cla:2147483647"}) {
    for (const int layers : {1, 2, 33}) {
      for (std::uint32_t step = 0; step < 50; ++step) {
        const SharingMap routing = sampler(text).draw(layers, 1, ~0ull, ~0u - step, ~0u);
        ASSERT_TRUE(SharingMap::create(routing.src(), MapKind::training));
      }
      const auto table = sampler(text).probabilities(layers, 1);
      for (const auto& row : table) {
        double total = 0;
        for (const double probability : row) total += probability;
        ASSERT_NEAR(total, 1, 1e-9) << text;
      }
    }
  }
}

TEST(Sampler, WarmUpRisesLinearlyFromZero) {
  EXPECT_EQ(warmedPCross(0.5, 0, 0), 0.5);
  EXPECT_EQ(warmedPCross(0.5, 0, 10), 0);
  EXPECT_DOUBLE_EQ(warmedPCross(0.5, 5, 10), 0.25);
  EXPECT_EQ(warmedPCross(0.5, 10, 10), 0.5);
  EXPECT_EQ(warmedPCross(0.5, 4000000000u, 10), 0.5);
}

}  // namespace
}  // namespace strata
