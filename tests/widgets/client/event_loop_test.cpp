// The GUI thread stays free however fast the engine sends.

#include <gtest/gtest.h>

#include <iostream>

#include "client_test.h"
#include "loop_probe.h"

namespace strata::testing {
namespace {

TEST(EventLoop, NoEventTakesFiftyMillisecondsAtTwoThousandTokensASecond) {
  const TemporaryFolder folder;
  EngineClient engine;
  engine.start(fakeEngine(folder.path()));
  ASSERT_TRUE(waitUntil([&] { return engine.ready(); }));
  std::size_t tokens = 0, points = 0, calls = 0;
  engine.on<protocol::Tokens>(nullptr, [&](const auto& message) { tokens += message.ids.size(), ++calls; });
  engine.on<protocol::JobPoints>(nullptr, [&](const auto& message) { points += message.series.size(), ++calls; });
  const LoopProbe probe;
  // Two answers of 2,000 tokens a second and 1,000 points a second, one message each, for 2.5 s.
  for (const char* stream : {"flood/a", "flood/b"})
    engine.call<protocol::Generate>(questionOf("flood", stream), nullptr, [](const auto&) {});
  runFor(3'000);
  EXPECT_GT(tokens, 9'000U);
  EXPECT_GT(points, 2'250U);
  EXPECT_LT(calls, (tokens + points) / 2) << "what comes within one turn is one call";
  std::cout << tokens << " tokens and " << points << " points in 3 s by " << calls << " calls: at most "
            << probe.worst() << " ms a turn\n";
  EXPECT_LE(probe.worst(), mostMilliseconds());
}

}  // namespace
}  // namespace strata::testing
