// What SciPy finds; see make_statistics.py. And simulations: how often an interval holds the truth.

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/base/philox.h"
#include "core/metrics/bootstrap.h"
#include "core/metrics/significance.h"
#include "support.h"

namespace strata {
namespace {

using Numbers = std::vector<double>;

const nlohmann::json& peer() {
  static const nlohmann::json file =
      nlohmann::json::parse(testing::readText(testing::sourceFolder() / "tests/core/metrics/statistics.json"));
  return file;
}

void expectInterval(const Interval& interval, const nlohmann::json& expected, double error) {
  // The ends of 10,000 resamples scatter by about 0.03 standard errors.
  EXPECT_NEAR(interval.low, expected[0].get<double>(), 0.12 * error);
  EXPECT_NEAR(interval.high, expected[1].get<double>(), 0.12 * error);
}

TEST(Statistics, McNemarsExactTestIsThatOfSciPy) {
  for (const auto& one : peer()["mcnemar"]) {
    const double p = one["p"];
    EXPECT_NEAR(mcnemarP(one["only_a"], one["only_b"]), p, 1e-9 * p + 1e-300) << one;
    EXPECT_EQ(mcnemarP(one["only_a"], one["only_b"]), mcnemarP(one["only_b"], one["only_a"]));
  }
}

TEST(Statistics, HolmsCorrectionIsThatOfClosedTesting) {
  for (const auto& one : peer()["holm"]) {
    const Numbers expected = one["adjusted"], adjusted = holmAdjusted(one["p"].get<Numbers>());
    ASSERT_EQ(adjusted.size(), expected.size());
    for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(adjusted[i], expected[i], 1e-12) << one;
  }
  EXPECT_TRUE(holmAdjusted({}).empty());
}

TEST(Statistics, TheDetectableDifferenceIsThatOfTheNormal) {
  for (const auto& one : peer()["power"])
    EXPECT_NEAR(detectableDifference(one["error"]), one["detectable"].get<double>(), 1e-12);
  EXPECT_NEAR(worstDifferenceError(200), 0.05, 1e-12);
}

TEST(Statistics, BootstrapIntervalsAreThoseOfSciPy) {
  for (const auto& one : peer()["samples"]) {
    const ScoreColumn a{one["a"].get<Numbers>()}, b{one["b"].get<Numbers>()};
    const Resampled alone = resampleMeans({a, b}, {});
    EXPECT_EQ(alone.clusters, a.values.size());
    expectInterval(alone.interval(0), one["interval_a"], one["paired_error"]);
    expectInterval(alone.differenceInterval(0, 1), one["paired"], one["paired_error"]);
    EXPECT_NEAR(alone.differenceError(0, 1), one["paired_error"].get<double>(), 0.03 * alone.differenceError(0, 1));

    const auto clusters = one["clusters"].get<std::vector<std::uint32_t>>();
    const Resampled clustered = resampleMeans({a, b}, clusters);
    EXPECT_LT(clustered.clusters, a.values.size());
    EXPECT_DOUBLE_EQ(clustered.means[1] - clustered.means[0], alone.means[1] - alone.means[0]);
    expectInterval(clustered.differenceInterval(0, 1), one["clustered"], one["clustered_error"]);

    const Numbers tokens = one["weights"];
    const Resampled weighted = resampleMeans({{a.values, tokens}, {b.values, tokens}}, {});
    expectInterval(weighted.differenceInterval(0, 1), one["weighted"], one["weighted_error"]);
  }
}

TEST(Statistics, TheDrawsDoNotDependOnTheColumnsBesides) {
  const Numbers a = {0, 1, 1, 0, 0.5, 1, 0.25}, b = {1, 1, 0, 0, 0.5, 0, 0.75}, c = {0, 0, 0, 0, 1, 1, 1};
  const Resampled two = resampleMeans({{a}, {c}}, {}), three = resampleMeans({{a}, {b}, {c}}, {});
  EXPECT_EQ(two.drawn[0], three.drawn[0]);
  EXPECT_EQ(two.drawn[1], three.drawn[2]);
  EXPECT_NE(two.drawn[0], resampleMeans({{a}, {c}}, {}, 1).drawn[0]);
}

TEST(Statistics, NothingToResampleGivesNoInterval) {
  const Resampled none = resampleMeans({{{}}, {{}}}, {});
  EXPECT_EQ(none.clusters, 0u);
  EXPECT_EQ(none.differenceInterval(0, 1).high, 0);
  EXPECT_EQ(none.differenceError(0, 1), 0);
  const Resampled one = resampleMeans({{{0.5}}, {{0.75}}}, {});
  EXPECT_EQ(one.differenceInterval(0, 1).low, 0.25);
}

/// Draws of one simulation, in order.
class Draws {
 public:
  explicit Draws(std::uint32_t experiment) : m_at{.seed = 11, .step = experiment} {}
  double uniform() {
    ++m_at.layer;
    return randomUniform(m_at);
  }
  double normal() {
    ++m_at.layer;
    return randomNormals(m_at)[0];
  }

 private:
  DrawPosition m_at;
};

/// The share of experiments whose 95 % interval of the difference holds the truth, which is -0.05. Each article moves
/// the differences of its questions together.
double coverage(int experiments, int articles, int questionsEach, double articleMoves) {
  constexpr double kTruth = -0.05;
  int held = 0;
  for (int experiment = 0; experiment < experiments; ++experiment) {
    Draws draws(static_cast<std::uint32_t>(experiment));
    ScoreColumn a, b;
    std::vector<std::uint32_t> clusters;
    for (int article = 0; article < articles; ++article) {
      const double moved = articleMoves * draws.normal();
      for (int question = 0; question < questionsEach; ++question) {
        a.values.push_back(draws.uniform());
        b.values.push_back(a.values.back() + kTruth + moved + 0.4 * (draws.uniform() - 0.5));
        clusters.push_back(static_cast<std::uint32_t>(article));
      }
    }
    constexpr int kResamples = 1000;
    const Interval interval = resampleMeans({a, b}, clusters, 0, kResamples).differenceInterval(0, 1);
    held += interval.low <= kTruth && kTruth <= interval.high ? 1 : 0;
  }
  return static_cast<double>(held) / experiments;
}

TEST(StatisticsSlow, AnIntervalHoldsTheTruthAsOftenAsItSays) {
  constexpr int kExperiments = 3000;
  const double alone = coverage(kExperiments, 200, 1, 0), clustered = coverage(kExperiments, 100, 5, 0.2);
  RecordProperty("alone", std::to_string(alone));
  RecordProperty("clustered", std::to_string(clustered));
  EXPECT_GT(alone, 0.93);
  EXPECT_LT(alone, 0.97);
  EXPECT_GT(clustered, 0.93);
  EXPECT_LT(clustered, 0.97);
}

TEST(StatisticsSlow, QuestionsOfOneArticleTakenForIndependentPromiseTooMuch) {
  // The same simulation without its clusters: the interval is far too narrow, which is why they are drawn whole.
  constexpr int kExperiments = 500;
  int held = 0;
  for (int experiment = 0; experiment < kExperiments; ++experiment) {
    Draws draws(static_cast<std::uint32_t>(experiment));
    ScoreColumn a, b;
    for (int article = 0; article < 60; ++article) {
      const double moved = 0.2 * draws.normal();
      for (int question = 0; question < 5; ++question) {
        a.values.push_back(draws.uniform());
        b.values.push_back(a.values.back() + moved + 0.1 * draws.normal());
      }
    }
    const Interval interval = resampleMeans({a, b}, {}, 0, 500).differenceInterval(0, 1);
    held += interval.low <= 0 && 0 <= interval.high ? 1 : 0;
  }
  EXPECT_LT(held, 0.85 * kExperiments);
}

}  // namespace
}  // namespace strata
