#include "widgets/training/routing_picture.h"

#include <gtest/gtest.h>

#include <map>

#include "page_fixture.h"

namespace strata::testing {
namespace {

RoutingSampler sampler(const char* text) {
  return *RoutingSampler::parse(text);
}

/// Of `draws` routings the share that are this map.
double drawn(const SharingMap& wanted, const RoutingSampler& from, double pCross, int draws) {
  int found = 0;
  for (int step = 0; step < draws; ++step) {
    found += from.draw(wanted.layers(), pCross, 7, static_cast<std::uint32_t>(step), 0) == wanted;
  }
  return static_cast<double>(found) / draws;
}

TEST(NearReads, AreAllOfThemWhereTheWindowIsThatNarrow) {
  EXPECT_EQ(shareOfNearReads(sampler("window:3").probabilities(12, .5), 3), 1);
  EXPECT_FALSE(shareOfNearReads(sampler("uniform").probabilities(12, 0), 3));
  // Of 12 layers, layer l reads each earlier one with 1/l: 1 + 1 + 1 + 3/4 + … + 3/11 of 11.
  double near = 3;
  for (int layer = 4; layer < 12; ++layer) near += 3. / layer;
  EXPECT_NEAR(*shareOfNearReads(sampler("uniform").probabilities(12, .5), 3), near / 11, 1e-12);
}

TEST(ProbabilityOfAMap, IsHowOftenItIsDrawn) {
  for (const char* name : {"uniform", "window:2", "strategy", "strategy:.5", "rd-cla:2", "cla:2"}) {
    const RoutingSampler each = sampler(name);
    const double pCross = each.defaultPCross();
    for (const char* text : {"full", "stride:2", "0,0,0,3", "0,0,1,2"}) {
      const auto wanted = parseMap(text, 4, MapKind::training);
      ASSERT_TRUE(wanted);
      EXPECT_NEAR(probabilityOf(*wanted, each, pCross), drawn(*wanted, each, pCross, 20000), .015)
          << name << " " << text;
    }
  }
}

TEST(RoutingPicture, SaysWhatItShows) {
  theme();
  RoutingPicture picture;
  picture.show(sampler("uniform"), .5, 12, 1);
  EXPECT_TRUE(picture.accessibleDescription().contains("When a layer borrows")) << picture.sentence().toStdString();
  EXPECT_TRUE(picture.accessibleDescription().contains("stride:4 as a whole"));
  picture.show(sampler("cla:4"), 1, 12, 1);
  EXPECT_TRUE(picture.sentence().contains("drawn in 100 % of draws")) << picture.sentence().toStdString();
}

TEST(RoutingPicture, FitsItsWidthWhateverTheLayers) {
  theme();
  for (const int layers : {4, 12, 36, 126}) {
    RoutingPicture picture;
    picture.show(sampler("uniform"), .5, layers, 1);
    EXPECT_GT(picture.heightForWidth(480), 40);
    EXPECT_LT(picture.heightForWidth(480), 480) << layers;
    picture.resize(480, picture.heightForWidth(480));
    EXPECT_FALSE(picture.grab().isNull());
  }
}

}  // namespace
}  // namespace strata::testing
