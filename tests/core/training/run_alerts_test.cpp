#include "core/training/run_alerts.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace strata {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

/// What is said over these losses, one step a second.
std::vector<std::string> overLosses(RunAlerts& alerts, const std::vector<double>& losses, std::int64_t first = 1) {
  std::vector<std::string> said;
  for (const double loss : losses) {
    for (auto& sentence : alerts.takeStep(first, loss, 1)) said.push_back(std::move(sentence));
    ++first;
  }
  return said;
}

std::vector<double> repeated(double value, int times) {
  return std::vector<double>(static_cast<std::size_t>(times), value);
}

TEST(RunAlerts, AFallingNoisyLossIsNotWorthAWord) {
  RunAlerts alerts;
  std::vector<double> losses;
  for (int step = 0; step < 2000; ++step)
    losses.push_back(1.5 + 3 * std::exp(-step / 200.) + .5 * std::sin(step * 1.3));
  EXPECT_THAT(overLosses(alerts, losses), IsEmpty());
}

TEST(RunAlerts, AClimbingLossIsSaidOnceWithWhereItBegan) {
  RunAlerts alerts;
  EXPECT_THAT(overLosses(alerts, repeated(2, 100)), IsEmpty());
  const auto said = overLosses(alerts, repeated(6, 100), 101);
  ASSERT_EQ(said.size(), 1u);
  EXPECT_THAT(said[0], HasSubstr("The loss climbs"));
  EXPECT_THAT(said[0], HasSubstr("after 2.000 at step"));
}

TEST(RunAlerts, AfterARecoveryTheNextClimbIsSaidAgain) {
  RunAlerts alerts;
  overLosses(alerts, repeated(2, 100));
  EXPECT_EQ(overLosses(alerts, repeated(6, 50), 101).size(), 1u);
  EXPECT_THAT(overLosses(alerts, repeated(2, 100), 151), IsEmpty());
  EXPECT_EQ(overLosses(alerts, repeated(6, 50), 251).size(), 1u);
}

TEST(RunAlerts, AStepThatHangsIsSaid) {
  RunAlerts alerts;
  overLosses(alerts, repeated(2, 50));
  EXPECT_THAT(alerts.takeStep(51, 2, 40), ElementsAre(HasSubstr("Step 51 took 40 s, 40 times the usual")));
  EXPECT_THAT(alerts.takeStep(52, 2, 45), IsEmpty()) << "it was said";
  EXPECT_THAT(alerts.takeStep(53, 2, 1), IsEmpty());
  EXPECT_THAT(alerts.takeStep(54, 2, 40), ElementsAre(HasSubstr("Step 54")));
}

TEST(RunAlerts, ShortStepsThatVaryAreNotWorthAWord) {
  RunAlerts alerts;
  for (int step = 1; step <= 50; ++step) alerts.takeStep(step, 2, .001);
  EXPECT_THAT(alerts.takeStep(51, 2, 1), IsEmpty());
}

TEST(RunAlerts, AHeldOutLossThatRisesThreeTimesIsSaidForItsMap) {
  RunAlerts alerts;
  EXPECT_THAT(alerts.takeHeldOut(10, "full", 2), IsEmpty());
  EXPECT_THAT(alerts.takeHeldOut(20, "full", 2.1), IsEmpty());
  EXPECT_THAT(alerts.takeHeldOut(20, "stride:2", 3), IsEmpty());
  EXPECT_THAT(alerts.takeHeldOut(30, "full", 2.2), IsEmpty());
  EXPECT_THAT(alerts.takeHeldOut(40, "full", 2.3),
              ElementsAre(HasSubstr("under full has risen 3 times in a row, to 2.300 after 2.000 at step 10")));
  EXPECT_THAT(alerts.takeHeldOut(50, "full", 2.4), IsEmpty());
}

TEST(RunAlerts, MemoryIsSaidWhenItIsNearlyFullAndAgainAfterItWasNot) {
  RunAlerts alerts;
  EXPECT_THAT(alerts.takeMemory(50, 100), IsEmpty());
  EXPECT_THAT(alerts.takeMemory(4ll << 20, 100ll << 20), ElementsAre(HasSubstr("4 of 100 MiB are left")));
  EXPECT_THAT(alerts.takeMemory(3, 100), IsEmpty());
  EXPECT_THAT(alerts.takeMemory(20, 100), IsEmpty());
  EXPECT_EQ(alerts.takeMemory(3, 100).size(), 1u);
  EXPECT_THAT(alerts.takeMemory(0, 0), IsEmpty());
}

}  // namespace
}  // namespace strata
