#include "core/model/prefetch.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <map>

#include "core/base/json.h"
#include "support.h"

namespace strata {
namespace {

using testing::TemporaryFolder;

TEST(Prefetch, TheDistanceWithTheFastestUsualPassIsTaken) {
  int round = 0;
  const std::size_t chosen = fastestPrefetch(5, [&](std::size_t distance) {
    if (distance == 0) return round++ == 0 ? 9.0 : 1.0;  // fastest but for one slow stretch
    return distance == 512 ? 2.0 : 3.0;
  });
  EXPECT_EQ(chosen, 0u);
}

TEST(Prefetch, WithoutADifferenceItStaysAsItWas) {
  EXPECT_EQ(fastestPrefetch(3, [](std::size_t) { return 1.0; }), prefetchDistances().front());
}

TEST(Prefetch, EachDistanceIsTriedInEveryRound) {
  std::map<std::size_t, int> tried;
  fastestPrefetch(4, [&](std::size_t distance) {
    ++tried[distance];
    return 1.0;
  });
  for (const std::size_t distance : prefetchDistances()) EXPECT_EQ(tried[distance], 4);
}

TEST(Prefetch, AProcessorIsMeasuredOnce) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "cache" / "prefetch.json";
  const std::size_t measured = prefetchOf("One", file);
  const Result<Json> kept = readJson(file);
  ASSERT_TRUE(kept) << kept.error().message;
  EXPECT_EQ(kept->at("One"), measured);
  for (const std::size_t distance : prefetchDistances()) {  // whatever stands there is believed
    std::ofstream(file) << Json({{"One", distance}, {"Two", 0}}).dump();
    EXPECT_EQ(prefetchOf("One", file), distance);
  }
  prefetchOf("Three", file);
  EXPECT_EQ(readJson(file)->size(), 3u);
}

TEST(Prefetch, AFileThatSaysNothingUsefulIsWrittenAnew) {
  const TemporaryFolder folder;
  const auto file = folder.path() / "prefetch.json";
  for (const char* text : {"not JSON", "[1]", R"({"One": -4096})", R"({"One": 123456789012})", R"({"One": "far"})"}) {
    std::ofstream(file) << text;
    const std::size_t measured = prefetchOf("One", file);
    const Result<Json> kept = readJson(file);
    ASSERT_TRUE(kept) << text;
    EXPECT_EQ(kept->at("One"), measured) << text;
  }
}

TEST(Prefetch, WithoutAFolderForItNothingIsKept) {
  const std::size_t measured = prefetchOf("One", {});
  const auto& all = prefetchDistances();
  EXPECT_NE(std::find(all.begin(), all.end(), measured), all.end());
}

}  // namespace
}  // namespace strata
