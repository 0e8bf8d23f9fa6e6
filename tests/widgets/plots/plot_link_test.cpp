#include "widgets/plots/plot_link.h"

#include "plot_samples.h"

namespace strata {
namespace {

/// A link of one plot that has x from 100 to 1,100.
struct Linked {
  PlotLink link;
  QObject plot;
  Linked() { link.claim(&plot, {PlotRange{1000, 2000}, 10, 20}); }
};

TEST(PlotLink, ShowsAllThatItsPlotsHave) {
  PlotLink link;
  QObject a, b;
  EXPECT_EQ(link.range(), (PlotRange{0, 1}));
  link.claim(&a, {PlotRange{1000, 2000}, 40, 10});
  link.claim(&b, {PlotRange{1500, 3000}, 30, 60});
  EXPECT_EQ(link.range(), (PlotRange{1000, 3000}));
  EXPECT_EQ(link.left(), 40);
  EXPECT_EQ(link.right(), 60);
  link.leave(&b);
  EXPECT_EQ(link.range(), (PlotRange{1000, 2000}));
  EXPECT_EQ(link.right(), 10);
}

TEST(PlotLink, CurvesThatBeginAfterTheFirstStepsAreShownFromZero) {
  PlotLink link;
  QObject plot;
  link.claim(&plot, {PlotRange{10, 2000}, 0, 0});
  EXPECT_EQ(link.range(), (PlotRange{0, 2000}));
  link.claim(&plot, {PlotRange{7, 7}, 0, 0});
  EXPECT_EQ(link.range(), (PlotRange{6.5, 7.5}));
}

TEST(PlotLink, ZoomsAroundThePointAndStaysInsideTheData) {
  Linked at;
  at.link.zoom(0.5, 1500);
  EXPECT_EQ(at.link.range(), (PlotRange{1250, 1750}));
  at.link.zoom(0.5, 1250);
  EXPECT_EQ(at.link.range(), (PlotRange{1250, 1500}));
  at.link.pan(-4);
  EXPECT_EQ(at.link.range(), (PlotRange{1000, 1250}));
  at.link.zoom(100, 1100);
  EXPECT_TRUE(at.link.isWhole());
  at.link.setRange({std::nan(""), 3});
  at.link.setRange({3, 3});
  EXPECT_TRUE(at.link.isWhole());
}

TEST(PlotLink, CannotBeZoomedUntilNumbersNoLongerDiffer) {
  Linked at;
  for (int i = 0; i < 1000; ++i) at.link.zoom(0.5, 1234.5);
  EXPECT_NEAR(at.link.range().width(), 1e-4, 1e-9);
}

TEST(PlotLink, GoesBackThroughTheZoomsOneByOne) {
  Linked at;
  EXPECT_FALSE(at.link.back());
  at.link.setRange({1100, 1500});
  at.link.setValues(&at.plot, PlotRange{1, 2});
  at.link.pan(0.1);
  at.link.pan(0.1, PlotLink::Step::continues);
  at.link.reset();
  EXPECT_FALSE(at.link.values(&at.plot));
  EXPECT_TRUE(at.link.back());
  EXPECT_EQ(at.link.range(), (PlotRange{1180, 1580}));
  EXPECT_TRUE(at.link.back());
  EXPECT_EQ(at.link.range(), (PlotRange{1100, 1500}));
  EXPECT_EQ(at.link.values(&at.plot), (PlotRange{1, 2}));
  EXPECT_TRUE(at.link.back());
  EXPECT_FALSE(at.link.values(&at.plot));
  EXPECT_TRUE(at.link.back());
  EXPECT_TRUE(at.link.isWhole());
  EXPECT_FALSE(at.link.back());
}

TEST(PlotLink, AnotherAxisShowsEverything) {
  Linked at;
  at.link.setRange({1100, 1500});
  at.link.setCrosshair(1200, &at.plot);
  QSignalSpy changed(&at.link, &PlotLink::axisChanged);
  at.link.setAxis(PlotAxis::seconds);
  at.link.setAxis(PlotAxis::seconds);
  EXPECT_EQ(changed.count(), 1);
  EXPECT_TRUE(at.link.isWhole());
  EXPECT_FALSE(at.link.crosshair());
  EXPECT_FALSE(at.link.back());
}

TEST(PlotLink, TellsOfGrowthOnlyWhileEverythingIsShown) {
  Linked at;
  QSignalSpy changed(&at.link, &PlotLink::rangeChanged);
  at.link.claim(&at.plot, {PlotRange{1000, 2100}, 10, 20});
  EXPECT_EQ(changed.count(), 1);
  at.link.setRange({1100, 1500});
  at.link.claim(&at.plot, {PlotRange{1000, 2200}, 10, 20});
  EXPECT_EQ(changed.count(), 2);
  EXPECT_EQ(at.link.range(), (PlotRange{1100, 1500}));
}

}  // namespace
}  // namespace strata
