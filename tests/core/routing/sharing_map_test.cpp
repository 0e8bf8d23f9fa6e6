#include "core/routing/sharing_map.h"

#include <functional>

#include "support.h"

namespace strata {
namespace {

using Src = std::vector<int>;

std::string refusal(std::vector<int> src, MapKind kind = MapKind::inference) {
  const auto map = SharingMap::create(std::move(src), kind);
  return map ? "accepted" : map.error().message;
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(SharingMap, FullOwnsEverywhere) {
  const SharingMap map = SharingMap::full(4);
  EXPECT_EQ(map.src(), (Src{0, 1, 2, 3}));
  EXPECT_TRUE(map.isFull());
  EXPECT_TRUE(map.isInference());
  EXPECT_EQ(map.owners(), 4);
  EXPECT_EQ(map.retention(), 1);
}

TEST(SharingMap, TellsOwnersAndReaders) {
  const auto map = SharingMap::create({0, 0, 2, 2, 2});
  ASSERT_TRUE(map);
  EXPECT_EQ(map->owners(), 2);
  EXPECT_EQ(map->lastOwner(), 2);
  EXPECT_DOUBLE_EQ(map->retention(), 0.4);
  EXPECT_TRUE(map->owns(2));
  EXPECT_FALSE(map->owns(3));
  EXPECT_TRUE(map->isRead(0));
  EXPECT_FALSE(map->isRead(1));
  EXPECT_EQ((*map)[4], 2);
}

TEST(SharingMap, ARoutingMayReadAFollowerAndTellsSo) {
  const auto routing = SharingMap::create({0, 0, 1, 3}, MapKind::training);
  ASSERT_TRUE(routing);
  EXPECT_FALSE(routing->isInference());
  EXPECT_TRUE(routing->isRead(1));
  EXPECT_FALSE(routing->isRead(2));
}

TEST(SharingMap, RejectsASourceThatIsItselfAFollower) {
  const std::string message = refusal({0, 0, 1, 3});
  EXPECT_TRUE(contains(message, "layer 2 reads layer 1, which is itself a follower of layer 0")) << message;
}

TEST(SharingMap, RejectsALaterSourceInBothKinds) {
  for (const MapKind kind : {MapKind::inference, MapKind::training}) {
    const std::string message = refusal({0, 1, 3, 3}, kind);
    EXPECT_TRUE(contains(message, "layer 2 reads layer 3, which comes after it")) << message;
    EXPECT_TRUE(contains(refusal({1, 1}, kind), "layer 0 reads layer 1; layer 0 always owns"));
    EXPECT_TRUE(contains(refusal({0, -1}, kind), "layer 1 reads layer -1, which does not exist"));
    EXPECT_TRUE(contains(refusal({}, kind), "no layers"));
  }
}

TEST(SharingMap, OwnersOfARetentionRoundHalvesUp) {
  EXPECT_EQ(ownersForRetention(0.5, 7), 4);
  EXPECT_EQ(ownersForRetention(0.25, 10), 3);
  EXPECT_EQ(ownersForRetention(0.29, 50), 15);  // 14.5 in decimals, a little less in binary
  EXPECT_EQ(ownersForRetention(0.33, 12), 4);
  EXPECT_EQ(ownersForRetention(0.001, 12), 1);
  EXPECT_EQ(ownersForRetention(1, 12), 12);
}

TEST(SharingMap, JsonComesBackAndCarriesExtras) {
  const SharingMap map = *SharingMap::create({0, 0, 2});
  const Json file = mapToJson(map, {{"method", "greedy"}, {"layers", 99}});
  EXPECT_EQ(dumpLine(file), R"({"format":"strata-map","version":1,"layers":3,"src":[0,0,2],"retention":)" +
                                Json(2.0 / 3.0).dump() + R"(,"method":"greedy"})");
  EXPECT_EQ(*mapFromJson(file, "map.json"), map);
}

std::string fileRefusal(const std::string& text, MapKind kind = MapKind::inference) {
  const auto json = parseJson(text, "map.json");
  if (!json) return json.error().message;
  const auto map = mapFromJson(*json, "map.json", kind);
  return map ? "accepted" : map.error().message;
}

TEST(SharingMap, MapFilesAreCheckedMemberByMember) {
  const std::string head = R"({"format": "strata-map", "version": 1, )";
  EXPECT_EQ(fileRefusal(head + R"("layers": 3, "src": [0, 0, 2], "note": "x"})"), "accepted");
  EXPECT_TRUE(contains(fileRefusal("[]"), "not a map file"));
  EXPECT_TRUE(contains(fileRefusal("{}"), "not a map file"));
  EXPECT_TRUE(contains(fileRefusal(R"({"format": 3})"), "not a map file"));
  EXPECT_TRUE(contains(fileRefusal(R"({"format": "strata-map", "layers": 1, "src": [0]})"), "version"));
  EXPECT_TRUE(contains(fileRefusal(R"({"format": "strata-map", "version": 2, "layers": 1, "src": [0]})"), "version 2"));
  EXPECT_TRUE(contains(fileRefusal(head + R"("layers": 3})"), "no list under \"src\""));
  EXPECT_TRUE(contains(fileRefusal(head + R"("src": [0]})"), "\"layers\""));
  EXPECT_TRUE(contains(fileRefusal(head + R"("layers": 4, "src": [0, 0, 2]})"), "says 4 layers but its \"src\" has 3"));
  EXPECT_TRUE(contains(fileRefusal(head + R"("layers": -1, "src": []})"), "says -1 layers"));
  EXPECT_TRUE(contains(fileRefusal(head + R"("layers": 2, "src": [0, 0.5]})"), "layer 1 a source"));
  EXPECT_TRUE(contains(fileRefusal(head + R"("layers": 2, "src": [0, true]})"), "layer 1 a source"));
  EXPECT_TRUE(contains(fileRefusal(head + R"("layers": 2, "src": [0, 4294967296]})"), "layer 1 a source"));
  EXPECT_TRUE(contains(fileRefusal(head + R"("layers": 2, "src": [0, 18446744073709551615]})"), "layer 1 a source"));
  EXPECT_TRUE(contains(fileRefusal(head + R"("layers": 2, "src": [0, 1], "src": [0, 0]})"), "\"src\" twice"));
  const std::string chained = head + R"("layers": 3, "src": [0, 0, 1]})";
  EXPECT_TRUE(contains(fileRefusal(chained), "layer 2 reads layer 1"));
  EXPECT_EQ(fileRefusal(chained, MapKind::training), "accepted");
}

TEST(SharingMap, LayersOfDifferentGeometryCannotShare) {
  const SharingMap map = *SharingMap::create({0, 0, 2, 2});
  std::vector<KvGeometry> layers(4, {2, 64, "theta 10000"});
  EXPECT_TRUE(checkGeometry(map, layers));
  layers[2].headDim = layers[3].headDim = 128;
  EXPECT_TRUE(checkGeometry(map, layers));
  layers[3].rope = "theta 500000";
  const auto checked = checkGeometry(map, layers);
  ASSERT_FALSE(checked);
  EXPECT_TRUE(contains(checked.error().message, "layer 3 cannot read layer 2")) << checked.error().message;
  EXPECT_TRUE(contains(checked.error().message, "theta 500000")) << checked.error().message;
  EXPECT_TRUE(contains(checked.error().message, "theta 10000")) << checked.error().message;
  EXPECT_TRUE(checkGeometry(SharingMap::full(4), layers));
  EXPECT_FALSE(checkGeometry(SharingMap::full(5), layers));
}

}  // namespace
}  // namespace strata
