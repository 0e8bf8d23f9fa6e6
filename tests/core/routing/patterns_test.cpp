#include <functional>

#include "core/base/files.h"
#include "core/routing/sharing_map.h"
#include "support.h"

namespace strata {
namespace {

using Src = std::vector<int>;

Src parsed(const std::string& text, int layers) {
  const auto map = parseMap(text, layers);
  EXPECT_TRUE(map) << text << ": " << (map ? "" : map.error().message);
  return map ? map->src() : Src{};
}

std::string refusal(std::string_view text, int layers, MapKind kind = MapKind::inference) {
  const auto map = parseMap(text, layers, kind);
  return map ? "accepted: " + printMap(*map) : map.error().message;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

Src ownersOf(const std::string& text, int layers) {
  Src owners;
  const auto map = parseMap(text, layers);
  EXPECT_TRUE(map) << text;
  for (int layer = 0; map && layer < layers; ++layer) {
    if (map->owns(layer)) owners.push_back(layer);
  }
  return owners;
}

TEST(Patterns, FollowersReadTheNearestOwnerBelow) {
  EXPECT_EQ(parsed("full", 3), (Src{0, 1, 2}));
  EXPECT_EQ(parsed("stride:2", 5), (Src{0, 0, 2, 2, 4}));
  EXPECT_EQ(parsed("stride:9", 3), (Src{0, 0, 0}));
  EXPECT_EQ(parsed("stride:2147483647", 3), (Src{0, 0, 0}));
  EXPECT_EQ(parsed("prefix:2", 5), (Src{0, 1, 1, 1, 1}));
  EXPECT_EQ(parsed("0,0,2,2", 4), (Src{0, 0, 2, 2}));
  EXPECT_EQ(parsed(" 0, 0 ,2,0 ", 4), (Src{0, 0, 2, 0}));
  EXPECT_EQ(parsed("0", 1), (Src{0}));
}

TEST(Patterns, EvenPutsOwnersAtTheCeilings) {
  EXPECT_EQ(ownersOf("even:3", 7), (Src{0, 3, 5}));     // ceil(7/3) = 3, ceil(14/3) = 5
  EXPECT_EQ(ownersOf("even:4", 6), (Src{0, 2, 3, 5}));  // 0, 1.5, 3, 4.5
  EXPECT_EQ(ownersOf("even:5", 32), (Src{0, 7, 13, 20, 26}));
  EXPECT_EQ(ownersOf("even:1", 4), (Src{0}));
  EXPECT_EQ(parsed("even:4", 4), (Src{0, 1, 2, 3}));
}

TEST(Patterns, EvenEqualsStrideWhereItDivides) {
  for (int stride = 1; stride <= 6; ++stride) {
    for (int owners = 1; owners <= 6; ++owners) {
      EXPECT_EQ(parsed("even:" + std::to_string(owners), stride * owners),
                parsed("stride:" + std::to_string(stride), stride * owners));
    }
  }
}

TEST(Patterns, EvenHasAsManyOwnersAsItSays) {
  for (int layers = 1; layers <= 40; ++layers) {
    for (int owners = 1; owners <= layers; ++owners) {
      EXPECT_EQ(parseMap("even:" + std::to_string(owners), layers)->owners(), owners) << layers;
    }
  }
}

TEST(Patterns, RetentionIsEvenWithHalvesRoundedUp) {
  EXPECT_EQ(parsed("retention:0.5", 7), parsed("even:4", 7));
  EXPECT_EQ(parsed("retention:.5", 6), parsed("even:3", 6));
  EXPECT_EQ(parsed("retention:0.01", 6), parsed("even:1", 6));
  EXPECT_EQ(parsed("retention:1", 6), parsed("full", 6));
  EXPECT_EQ(parsed("retention:0.33", 12), parsed("even:4", 12));
}

TEST(Patterns, SandwichOwnsBothEndsAndAPeriodBetween) {
  // l owns if l < 2, l >= 10 - 1, or (l - 1) mod 3 = 0.
  EXPECT_EQ(ownersOf("sandwich:2,1,3", 10), (Src{0, 1, 4, 7, 9}));
  EXPECT_EQ(ownersOf("sandwich:1,1,2", 6), (Src{0, 2, 4, 5}));
  EXPECT_EQ(ownersOf("sandwich:6,6,9", 6), (Src{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(ownersOf("sandwich:0,0,3", 7), (Src{0, 2, 5}));  // layer 0 owns whatever the formula says
}

TEST(Patterns, NumbersAreStrict) {
  for (const char* text : {"stride:2x",      "stride:",
                           "stride:-1",      "stride:0",
                           "stride:+2",      "stride:2147483648",
                           "stride:1.5",     "stride:99999999999999999999999",
                           "even:0",         "even:7",
                           "even:0x2",       "prefix:0",
                           "prefix:7",       "retention:0",
                           "retention:1.01", "retention:-0.5",
                           "retention:nan",  "retention:inf",
                           "retention:0.5x", "retention:1e999",
                           "retention:",     "sandwich:1,1",
                           "sandwich:1,1,0", "sandwich:1,1,2,3",
                           "sandwich:7,1,2", "sandwich:1,x,2"}) {
    EXPECT_FALSE(contains(refusal(text, 6), "accepted")) << text;
    EXPECT_TRUE(contains(refusal(text, 6), text)) << refusal(text, 6);
  }
  EXPECT_TRUE(contains(refusal("even:7", 6), "1 … 6"));
}

TEST(Patterns, WordsThatAreNoPatternAreRefusedWithThoseThatAre) {
  for (const char* text : {"", "Full", "half", "full:1", "stride", "stride 2", ":", "strides:2", "-1,0", "full,full"}) {
    EXPECT_TRUE(contains(refusal(text, 6), "not a pattern; give full, even:m")) << text;
  }
}

TEST(Patterns, ListsNameTheOffendingLayer) {
  EXPECT_TRUE(contains(refusal("0,0,x", 3), "gives layer 2 the source \"x\""));
  EXPECT_TRUE(contains(refusal("0,,0", 3), "gives layer 1 the source \"\""));
  EXPECT_TRUE(contains(refusal("0,0,0,", 3), "gives layer 3 the source"));
  EXPECT_TRUE(contains(refusal("0,0", 3), "made for 2 layers; this model has 3"));
  EXPECT_TRUE(contains(refusal("0,0,1", 3), "layer 2 reads layer 1, which is itself a follower"));
  EXPECT_EQ(refusal("0,0,1", 3, MapKind::training), "accepted: 0,0,1");
  EXPECT_TRUE(contains(refusal("0,2,2", 3, MapKind::training), "layer 1 reads layer 2"));
}

TEST(Patterns, LongTextsAndModelsWithoutLayersAreRefused) {
  EXPECT_TRUE(contains(refusal(std::string((1 << 20) + 1, '0'), 3), "longer than 1 MB"));
  EXPECT_FALSE(contains(refusal(std::string(1 << 20, ','), 3), "accepted"));
  EXPECT_FALSE(contains(refusal("full", 0), "accepted"));
  EXPECT_FALSE(contains(refusal("full", -1), "accepted"));
  EXPECT_LT(refusal(std::string(100000, 'x'), 3).size(), 400u);
}

TEST(Patterns, ReadMapFiles) {
  const testing::TemporaryFolder folder;
  const auto path = folder.path() / "a,b.json";
  testing::writeText(path, dumpLine(mapToJson(*parseMap("stride:2", 4))));
  const std::string pattern = "file:" + path.string();
  EXPECT_EQ(parsed(pattern, 4), (Src{0, 0, 2, 2}));
  EXPECT_TRUE(contains(refusal(pattern, 5), "made for 4 layers; this model has 5"));
  EXPECT_TRUE(contains(refusal("file:" + folder.path().string(), 4), "is a folder"));
  EXPECT_EQ(parseMap("file:" + (folder.path() / "absent").string(), 4).error().code, ErrorCode::notFound);
  EXPECT_TRUE(contains(refusal("file:", 4), "names no file"));
  EXPECT_FALSE(contains(refusal(std::string_view("file:a\0b", 8), 4), "accepted"));
  const auto maps = parseMaps(pattern, 4);
  ASSERT_TRUE(maps);
  EXPECT_EQ(maps->size(), 1u);
  testing::writeText(folder.path() / "plain.json", dumpLine(mapToJson(*parseMap("stride:2", 4))));
  EXPECT_EQ(parseMaps("full,file:" + (folder.path() / "plain.json").string(), 4)->size(), 2u);
}

TEST(Patterns, OwnersArePrintedAsRanges) {
  EXPECT_EQ(printOwners(*parseMap("0,0,2,3,4,2,6", 7)), "0, 2-4, 6");
  EXPECT_EQ(printOwners(*parseMap("even:1", 3)), "0");
  EXPECT_EQ(printLayers({}), "");
}

TEST(Patterns, PrintTheFirstPatternThatFits) {
  EXPECT_EQ(printMap(*parseMap("retention:1", 6)), "full");
  EXPECT_EQ(printMap(*parseMap("even:3", 6)), "stride:2");
  EXPECT_EQ(printMap(*parseMap("stride:2", 5)), "stride:2");
  EXPECT_EQ(printMap(*parseMap("even:3", 7)), "even:3");
  EXPECT_EQ(printMap(*parseMap("0,0,0,0", 4)), "even:1");
  EXPECT_EQ(printMap(*parseMap("0,1,1,1,1", 5)), "prefix:2");
  EXPECT_EQ(printMap(*parseMap("0,0,2,0", 4)), "0,0,2,0");
}

/// Calls visit with every src of `layers` layers in which src[l] <= l.
void everyRouting(int layers, const std::function<void(const Src&)>& visit) {
  Src src(static_cast<std::size_t>(layers), 0);
  while (true) {
    visit(src);
    int layer = layers - 1;
    while (layer >= 0 && src[static_cast<std::size_t>(layer)] == layer) src[static_cast<std::size_t>(layer--)] = 0;
    if (layer < 0) return;
    ++src[static_cast<std::size_t>(layer)];
  }
}

TEST(Patterns, EveryMapUpToSevenLayersComesBackFromItsPrint) {
  int maps = 0;
  int routings = 0;
  for (int layers = 1; layers <= 7; ++layers) {
    everyRouting(layers, [&](const Src& src) {
      const auto routing = SharingMap::create(src, MapKind::training);
      ASSERT_TRUE(routing);
      EXPECT_EQ(*parseMap(printMap(*routing), layers, MapKind::training), *routing) << printMap(*routing);
      ++routings;
      const auto map = SharingMap::create(src);
      ASSERT_EQ(map.has_value(), routing->isInference());
      if (!map) return;
      EXPECT_EQ(*parseMap(printMap(*map), layers), *map) << printMap(*map);
      EXPECT_EQ(*mapFromJson(mapToJson(*map), "map"), *map);
      ++maps;
    });
  }
  EXPECT_EQ(routings, 1 + 2 + 6 + 24 + 120 + 720 + 5040);
  EXPECT_EQ(maps, 1 + 2 + 5 + 15 + 52 + 203 + 877);  // Bell numbers: a map is a partition of the layers
}

std::vector<std::string> namesOf(const std::string& text, int layers) {
  const auto maps = parseMaps(text, layers);
  EXPECT_TRUE(maps) << (maps ? "" : maps.error().message);
  std::vector<std::string> names;
  for (std::size_t i = 0; maps && i < maps->size(); ++i) {
    names.push_back((*maps)[i].name);
    EXPECT_EQ((*maps)[i].map, *parseMap((*maps)[i].name, layers));
  }
  return names;
}

using Names = std::vector<std::string>;

TEST(Patterns, SeveralMapsAreSplitWhereNoCommaCanBeTheirOwn) {
  EXPECT_EQ(namesOf("full,stride:2,stride:4", 4), (Names{"full", "stride:2", "stride:4"}));
  EXPECT_EQ(namesOf("0,0,2,2", 4), (Names{"0,0,2,2"}));
  EXPECT_EQ(namesOf("full;0,0,2,2", 4), (Names{"full", "0,0,2,2"}));
  EXPECT_EQ(namesOf("sandwich:1,1,2", 4), (Names{"sandwich:1,1,2"}));
  EXPECT_EQ(namesOf("sandwich:1,1,2; full , even:2 ;retention:.5", 4),
            (Names{"sandwich:1,1,2", "full", "even:2", "retention:.5"}));
  EXPECT_EQ(namesOf("0", 1), (Names{"0"}));
}

TEST(Patterns, SeveralMapsAreRefusedWhereOneIs) {
  for (const char* text : {"", ";", "full;", ";full", "full,", "full,,full", "full,stride:x", "full,0,0,2,2",
                           "full,sandwich:1,1,2", "full;half"}) {
    EXPECT_FALSE(parseMaps(text, 4)) << text;
  }
  EXPECT_TRUE(contains(parseMaps("full;;full", 4).error().message, "Map 2 of the list"));
}

}  // namespace
}  // namespace strata
