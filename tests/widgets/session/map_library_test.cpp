#include "widgets/session/map_library.h"

#include <gtest/gtest.h>

#include <QTest>

#include "fake_engine.h"
#include "support.h"

namespace strata {
namespace {

protocol::KnownMap known(const std::string& map, int owners, const std::string& model, std::optional<double> f1 = {},
                         int layers = 12) {
  protocol::KnownMap known;
  known.name = known.map = map;
  known.layers = layers;
  known.owners = owners;
  known.model = model;
  known.source = f1 ? "measured" : "stored";
  known.run = f1 ? "eval-" + std::to_string(*f1) : std::string();
  if (f1) known.scores = {{"em", *f1, 100}, {"f1", *f1, 100}, {"nll", 4, 900}};
  return known;
}

class Maps : public ::testing::Test {
 protected:
  /// As the engine lists them.
  void list(const std::vector<protocol::KnownMap>& maps) {
    Json json = Json::array();
    for (const protocol::KnownMap& map : maps) json.push_back(configToJson(map));
    testing::writeText(folder.path() / "maps.json", dumpLine(json));
    engine.start(testing::fakeEngine(folder.path()));
    library.refresh();
    ASSERT_TRUE(QTest::qWaitFor([&] { return library.rowCount() == static_cast<int>(maps.size()); }, 10'000));
  }
  static protocol::ModelCard card(int layers = 12) {
    protocol::ModelCard card;
    card.path = "/models/routed";
    card.layers = layers;
    return card;
  }
  testing::TemporaryFolder folder;
  EngineClient engine;
  MapLibrary library{engine};
};

TEST_F(Maps, AShareIsAnEvenMapWhereNothingIsKnown) {
  const MapLibrary::Choice half = library.best(card(), .5);
  EXPECT_EQ(half.map, "stride:2");
  EXPECT_EQ(half.from, MapLibrary::From::even);
  EXPECT_TRUE(half.explanation().endsWith("Evenly spread, not measured.")) << half.explanation().toStdString();
  EXPECT_EQ(library.best(card(), 1).map, "full");
}

TEST_F(Maps, TheLabelTellsWhatTheModelCanDo) {
  QStringList percents;
  for (const MapLibrary::Choice& choice : library.choices(card(5))) percents << choice.percent();
  EXPECT_EQ(percents, (QStringList{"100 %", "80 %", "60 %", "40 %", "20 %"}));
  EXPECT_EQ(library.choices(card(1)).size(), 1u) << "nothing to choose from";
}

TEST_F(Maps, TheBestMeasuredGoesBeforeAStoredOneAndThatBeforeAnEvenOne) {
  list({known("0,0,0,0,0,0,6,6,6,9,9,9", 3, "/models/routed"), known("stride:4", 3, "/models/routed", 0.),
        known("0,0,0,0,0,0,0,7,7,9,9,9", 3, "/models/routed", .87), known("0,0,2,2,4,4,6,6,8,8,10,10", 6, "")});
  const MapLibrary::Choice quarter = library.best(card(), .25);
  EXPECT_EQ(quarter.map, "0,0,0,0,0,0,0,7,7,9,9,9");
  EXPECT_EQ(quarter.from, MapLibrary::From::measured);
  EXPECT_EQ(quarter.explanation(),
            "Layers 0, 7 and 9 of 12 keep their own keys and values. Best measured: F1 87 % of 100 questions.");
  EXPECT_EQ(library.best(card(), .5).from, MapLibrary::From::stored);
  EXPECT_EQ(library.best(card(), .75).from, MapLibrary::From::even);
}

TEST_F(Maps, WhatWasMeasuredOfAnotherModelDoesNotCount) {
  list({known("0,0,0,0,0,0,6,6,6,9,9,9", 3, "/models/base", .9), known("0,0,0,3,0", 2, "/models/routed", .9, 5)});
  EXPECT_EQ(library.best(card(), .25).from, MapLibrary::From::even);
  EXPECT_FALSE(library.scoreOf(card(), *parseMap("0,0,0,0,0,0,6,6,6,9,9,9", 12)));
}

TEST_F(Maps, AScoreBelongsToTheMapHoweverItIsWritten) {
  list({known("retention:.5", 6, "/models/routed", .8)});
  const auto score = library.scoreOf(card(), *parseMap("stride:2", 12));
  ASSERT_TRUE(score);
  EXPECT_EQ(scoreText(*score), "F1 80 % of 100 questions");
}

TEST_F(Maps, TheModelsOwnMapIsOneOfTheChoicesWhereItIsNoShare) {
  protocol::ModelCard own = card();
  own.defaultMap = "0,0,0,0,0,0,6,6,6,9,9,9";
  const auto choices = library.choicesWithOwn(own);
  ASSERT_EQ(choices.size(), 6u);
  EXPECT_EQ(choices.back().from, MapLibrary::From::own);
  EXPECT_EQ(choices.back().percent(), "25 %");
  EXPECT_TRUE(choices.back().explanation().endsWith("The model's own map, not measured."));
  own.defaultMap = "stride:2";
  EXPECT_EQ(library.choicesWithOwn(own).size(), 5u) << "it is the half";
  own.defaultMap = "full";
  EXPECT_EQ(library.choicesWithOwn(own).size(), 5u);
}

}  // namespace
}  // namespace strata
