// Content-Length frames: whole, in pieces, behind greetings, and broken.

#include "core/protocol/framing.h"

#include <gmock/gmock.h>

#include "core/protocol/rpc.h"

namespace strata::testing {
namespace {

using ::testing::HasSubstr;

std::vector<std::string> bodiesOf(FrameReader& reader) {
  std::vector<std::string> bodies;
  while (true) {
    const auto body = reader.next();
    EXPECT_TRUE(body) << body.error().message;
    if (!body || !*body) return bodies;
    bodies.push_back(**body);
  }
}

std::string errorOf(const std::string& bytes) {
  FrameReader reader;
  reader.feed(bytes);
  while (true) {
    const auto body = reader.next();
    if (!body) return body.error().message;
    if (!*body) return "";
  }
}

TEST(Framing, AFrameSaysHowManyBytesFollow) {
  EXPECT_EQ(frameOf("{}"), "Content-Length: 2\r\n\r\n{}");
  EXPECT_EQ(frameOf("\"é\""), "Content-Length: 4\r\n\r\n\"é\"");
}

TEST(Framing, ReadsByteByByteWhatWasWrittenAtOnce) {
  const std::vector<std::string> bodies = {"{}", "", "{\"a\": \"\r\n\r\nContent-Length: 9\"}", std::string(3000, 'x')};
  std::string bytes;
  for (const std::string& body : bodies) bytes += frameOf(body);
  FrameReader whole, pieces;
  whole.feed(bytes);
  EXPECT_EQ(bodiesOf(whole), bodies);
  std::vector<std::string> read;
  for (const char byte : bytes) {
    pieces.feed({&byte, 1});
    for (std::string& body : bodiesOf(pieces)) read.push_back(std::move(body));
  }
  EXPECT_EQ(read, bodies);
  EXPECT_FALSE(pieces.holdsPart());
}

TEST(Framing, HoldsPartOfAFrameUntilTheRestComes) {
  FrameReader reader;
  const std::string bytes = frameOf("{\"half\": true}");
  reader.feed(bytes.substr(0, bytes.size() - 3));
  EXPECT_TRUE(bodiesOf(reader).empty());
  EXPECT_TRUE(reader.holdsPart());
  reader.feed(bytes.substr(bytes.size() - 3));
  EXPECT_EQ(bodiesOf(reader), std::vector<std::string>{"{\"half\": true}"});
}

TEST(Framing, SkipsGreetingsBeforeTheFirstHeaderOnly) {
  FrameReader reader;
  reader.feed("Welcome to gpu-box\nLast login: today\r\n\n" + frameOf("1") + frameOf("2"));
  EXPECT_EQ(bodiesOf(reader), (std::vector<std::string>{"1", "2"}));
  EXPECT_EQ(reader.banner(), "Welcome to gpu-box\nLast login: today\r\n\n");
  EXPECT_THAT(errorOf(frameOf("1") + "Welcome\r\n\r\n"), HasSubstr("no Content-Length"));
}

TEST(Framing, GivesUpOnAProgramThatIsNoEngine) {
  EXPECT_EQ(errorOf(std::string(kMostBannerBytes - 1, 'y')), "");
  EXPECT_THAT(errorOf(std::string(kMostBannerBytes + 1, 'y')), HasSubstr("64 KiB"));
  std::string lines;
  while (lines.size() <= kMostBannerBytes) lines += "usage: something else\n";
  EXPECT_THAT(errorOf(lines), HasSubstr("not an engine"));
}

TEST(Framing, TakesOtherHeadersAndAnyCase) {
  FrameReader reader;
  reader.feed(frameOf("1") + "Content-Type: application/vscode-jsonrpc; charset=utf-8\r\ncontent-length:2\r\n\r\n22" +
              "CONTENT-LENGTH:   3  \n\n333");
  EXPECT_EQ(bodiesOf(reader), (std::vector<std::string>{"1", "22", "333"}));
}

TEST(Framing, RefusesLengthsThatAreNone) {
  for (const char* length : {"", "-1", "1.5", "0x10", "12 12", "99999999999999999999", "16777217"}) {
    EXPECT_THAT(errorOf(std::string("Content-Length: ") + length + "\r\n\r\n{}"), HasSubstr("whole number")) << length;
  }
  EXPECT_EQ(errorOf("Content-Length: 16777216\r\n\r\n{}"), "") << "the largest one waits for its bytes";
}

TEST(Framing, RefusesHeadersWithoutAnEnd) {
  EXPECT_THAT(errorOf(frameOf("1") + "X: " + std::string(5000, 'x')), HasSubstr("longer than"));
  std::string many = frameOf("1");
  for (int i = 0; i < 1000; ++i) many += "X: y\r\n";
  EXPECT_THAT(errorOf(many), HasSubstr("longer than"));
}

TEST(Framing, StaysBrokenOnceBroken) {
  FrameReader reader;
  reader.feed("Content-Length: x\r\n\r\n");
  const auto first = reader.next();
  ASSERT_FALSE(first);
  reader.feed(frameOf("{}"));
  const auto second = reader.next();
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().message, first.error().message);
}

TEST(FrameReader, PassesOverAFrameThatIsTooLargeWhereItIsAskedTo) {
  const std::size_t bytes = kMostFrameBytes + 1;
  const std::string large = R"({"id":7,"text":")" + std::string(bytes - 18, 'x') + "\"}";
  ASSERT_EQ(large.size(), bytes);
  const std::string stream = frameOf("{\"a\":1}") + frameOf(large) + frameOf("{\"b\":2}");
  for (const std::size_t piece : {stream.size(), std::size_t{65536}, std::size_t{1000003}}) {
    FrameReader reader(FrameReader::Oversize::skip);
    std::vector<std::string> bodies;
    std::vector<FrameReader::Skipped> skipped;
    for (std::size_t at = 0; at < stream.size(); at += piece) {
      reader.feed(std::string_view(stream).substr(at, piece));
      for (bool more = true; more;) {
        const auto body = reader.next();
        ASSERT_TRUE(body);
        if (*body) bodies.push_back(**body);
        auto passed = reader.takeSkipped();
        more = *body || passed;
        if (passed) skipped.push_back(*passed);
      }
    }
    EXPECT_EQ(bodies, (std::vector<std::string>{"{\"a\":1}", "{\"b\":2}"}));
    ASSERT_EQ(skipped.size(), 1U);
    EXPECT_EQ(skipped[0].bytes, bytes);
    EXPECT_EQ(idAtStart(skipped[0].start), Json(7));
    EXPECT_FALSE(reader.holdsPart());
  }
}

TEST(FrameReader, FindsTheIdOfAMessageWhoseStartIsAtHand) {
  EXPECT_EQ(idAtStart(R"({"jsonrpc":"2.0","id":12,"method":"chats/put","params":{"te)"), Json(12));
  EXPECT_EQ(idAtStart(R"({"params":{"id":1},"id":"a","x":")"), Json("a"));
  EXPECT_EQ(idAtStart(R"({"params":{"id":1,"text":"xxxx)"), Json(nullptr));
  EXPECT_EQ(idAtStart("[1,2"), Json(nullptr));
  EXPECT_EQ(idAtStart(""), Json(nullptr));
}

}  // namespace
}  // namespace strata::testing
