#include "widgets/mapeditor/map_document.h"

#include <gmock/gmock.h>

#include <QSignalSpy>
#include <random>

namespace strata {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TEST(MapDocument, BeginsFullAndClean) {
  MapDocument map(4);
  EXPECT_THAT(map.map().src(), ElementsAre(0, 1, 2, 3));
  EXPECT_EQ(map.text(), "full");
  EXPECT_FALSE(map.isDirty());
}

TEST(MapDocument, WhatIsDraggedReadsTheOwnerOfWhatItIsDroppedOn) {
  MapDocument map(5);
  ASSERT_TRUE(map.read(2, 1));
  ASSERT_TRUE(map.read(4, 2));
  EXPECT_THAT(map.map().src(), ElementsAre(0, 1, 1, 3, 1)) << "2 is a follower of 1";
  EXPECT_EQ(map.undoStack().undoText(), "layer 4 reads 1");
}

TEST(MapDocument, AnOwnerBringsItsFollowersAlong) {
  MapDocument map(5);
  ASSERT_TRUE(map.read({3, 4}, 2));
  ASSERT_TRUE(map.read(2, 0));
  EXPECT_THAT(map.map().src(), ElementsAre(0, 1, 0, 0, 0));
}

TEST(MapDocument, SeveralLayersAreOneStepNamedByTheirRange) {
  MapDocument map(8);
  ASSERT_TRUE(map.read({7, 5, 6}, 4));
  EXPECT_EQ(map.undoStack().undoText(), "layers 5-7 read 4");
  map.undoStack().undo();
  EXPECT_EQ(map.text(), "full");
  EXPECT_FALSE(map.isDirty()) << "as it was";
  map.undoStack().redo();
  EXPECT_THAT(map.map().src(), ElementsAre(0, 1, 2, 3, 4, 4, 4, 4));
  EXPECT_TRUE(map.isDirty());
}

TEST(MapDocument, WhatCannotBeReadIsRefusedAndChangesNothing) {
  MapDocument map(4);
  EXPECT_EQ(map.read(1, 2).error().message, "Layer 2 comes after 1; a layer reads only earlier ones.");
  EXPECT_THAT(map.read(1, 9).error().message, HasSubstr("no layer 9"));
  EXPECT_THAT(map.setOwner(0, false).error().message, HasSubstr("Layer 0"));
  EXPECT_THAT(map.setText("stride:0").error().message, HasSubstr("stride"));
  EXPECT_EQ(map.undoStack().count(), 0);
}

TEST(MapDocument, ANewOwnerTakesThoseBelowItInItsBracket) {
  MapDocument map(6);
  ASSERT_TRUE(map.setText("0,0,0,0,4,0"));
  ASSERT_TRUE(map.setOwner(2, true));
  EXPECT_THAT(map.map().src(), ElementsAre(0, 0, 2, 2, 4, 2));
  ASSERT_TRUE(map.setOwner(2, false));
  EXPECT_THAT(map.map().src(), ElementsAre(0, 0, 0, 0, 4, 0));
}

TEST(MapDocument, AnOwnerThatIsOneNoLongerReadsTheOwnerAboveWithItsFollowers) {
  MapDocument map(6);
  ASSERT_TRUE(map.setText("0,1,1,3,3,3"));
  ASSERT_TRUE(map.setOwner(3, false));
  EXPECT_THAT(map.map().src(), ElementsAre(0, 1, 1, 1, 1, 1));
}

TEST(MapDocument, ALayerThatReadsItselfKeepsItsOwn) {
  MapDocument map(3);
  ASSERT_TRUE(map.setText("0,0,0"));
  ASSERT_TRUE(map.read(2, 2));
  EXPECT_THAT(map.map().src(), ElementsAre(0, 0, 2));
}

TEST(MapDocument, TheGapBetweenTwoBracketsMovesLikeTheCutBetweenTwoClips) {
  MapDocument map(8);
  ASSERT_TRUE(map.setText("0,0,0,0,4,4,4,4"));
  ASSERT_TRUE(map.moveOwner(4, 2));
  EXPECT_THAT(map.map().src(), ElementsAre(0, 0, 2, 2, 2, 2, 2, 2));
  EXPECT_EQ(map.undoStack().undoText(), "owner moves from 4 to 2");
  ASSERT_TRUE(map.moveOwner(2, 6));
  EXPECT_THAT(map.map().src(), ElementsAre(0, 0, 0, 0, 0, 0, 6, 6));
}

TEST(MapDocument, AGapStopsBeforeTheNextOwnerAndTheNumberOfOwnersStays) {
  MapDocument map(9);
  ASSERT_TRUE(map.setText("0,0,0,3,3,3,6,3,0"));
  EXPECT_THAT(map.moveOwner(3, 6).error().message, HasSubstr("can move to the layers 1 to 5"));
  EXPECT_THAT(map.moveOwner(0, 1).error().message, HasSubstr("Layer 0"));
  EXPECT_THAT(map.moveOwner(4, 5).error().message, HasSubstr("Layer 4"));
  ASSERT_TRUE(map.moveOwner(3, 5));
  EXPECT_THAT(map.map().src(), ElementsAre(0, 0, 0, 0, 0, 5, 6, 5, 0)) << "those beyond the next owner go along";
}

TEST(MapDocument, AStoredMapIsOpenedWithItsNameAsOneStep) {
  MapDocument map(4);
  map.open(*parseMap("stride:2", 4), "half");
  EXPECT_EQ(map.name(), "half");
  EXPECT_FALSE(map.isDirty());
  map.undoStack().undo();
  EXPECT_EQ(map.name(), "");
  EXPECT_EQ(map.text(), "full");
  EXPECT_TRUE(map.isDirty());
}

TEST(MapDocument, EveryStepGoesBackAndForthWhateverTheOrder) {
  std::mt19937 random(7);
  MapDocument map(12);
  std::vector<std::vector<int>> states{map.map().src()};
  for (int i = 0; i < 300; ++i) {
    const int layer = static_cast<int>(random() % 12), source = static_cast<int>(random() % 12);
    const int before = map.undoStack().count();
    (void)(random() % 3 == 0 ? map.setOwner(layer, random() % 2 == 0) : map.read(layer, source));
    ASSERT_TRUE(SharingMap::create(map.map().src())) << map.text().toStdString();
    if (map.undoStack().count() > before) states.push_back(map.map().src());
  }
  ASSERT_GT(states.size(), 50u);
  for (auto state = states.rbegin() + 1; state != states.rend(); ++state) {
    map.undoStack().undo();
    ASSERT_EQ(map.map().src(), *state);
  }
  EXPECT_FALSE(map.isDirty());
}

TEST(MapDocument, AFileComesBackAsItWasSavedAndAnotherModelsIsRefused) {
  MapDocument map(4);
  ASSERT_TRUE(map.setText("0,0,2,2"));
  map.setName("half");
  const Json file = map.toJson();
  MapDocument other(4);
  ASSERT_TRUE(other.loadJson(file, "half.json"));
  EXPECT_EQ(other.map(), map.map());
  EXPECT_EQ(other.name(), "half");
  other.undoStack().undo();
  EXPECT_EQ(other.text(), "full");
  MapDocument larger(6);
  EXPECT_EQ(larger.loadJson(file, "half.json").error().message, "half.json is made for 4 layers; this model has 6.");
}

TEST(MapDocument, TellsOfChangesAndOfWhatIsNotSaved) {
  MapDocument map(4);
  QSignalSpy changed(&map, &MapDocument::changed), dirty(&map, &MapDocument::dirtyChanged);
  ASSERT_TRUE(map.setText("stride:2"));
  ASSERT_TRUE(map.setText("0,0,2,2")) << "the same map: no step";
  EXPECT_EQ(changed.count(), 1);
  map.setClean();
  ASSERT_EQ(dirty.count(), 2);
  EXPECT_FALSE(dirty.last().first().toBool());
}

}  // namespace
}  // namespace strata
