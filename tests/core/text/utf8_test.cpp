#include "core/text/utf8.h"

#include <gtest/gtest.h>

namespace strata {
namespace {

using Kind = Utf8Char::Kind;

TEST(Utf8, EveryCodePointReadsBackAsWritten) {
  for (char32_t codePoint = 0; codePoint <= 0x10FFFF; ++codePoint) {
    if (codePoint >= 0xD800 && codePoint <= 0xDFFF) continue;
    std::string bytes;
    appendUtf8(bytes, codePoint);
    const Utf8Char read = readUtf8(bytes);
    ASSERT_EQ(read.kind, Kind::valid) << static_cast<std::uint32_t>(codePoint);
    ASSERT_EQ(read.codePoint, codePoint);
    ASSERT_EQ(read.length, bytes.size());
    for (std::size_t cut = 1; cut < bytes.size(); ++cut) {
      ASSERT_EQ(readUtf8(std::string_view(bytes).substr(0, cut)).kind, Kind::incomplete);
    }
  }
}

TEST(Utf8, RefusesOverlongFormsSurrogatesAndWhatLiesAboveUnicode) {
  for (const char* bytes : {"\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF",
                            "\xF4\x90\x80\x80", "\xF5\x80\x80\x80", "\x80", "\xFF", "\xE2\x41", "\xE2\x82\x41"}) {
    const Utf8Char read = readUtf8(bytes);
    EXPECT_EQ(read.kind, Kind::invalid) << bytes;
    EXPECT_EQ(read.length, 1u);
  }
}

TEST(Utf8, FindsTheFirstBrokenByte) {
  EXPECT_EQ(findInvalidUtf8("plain and é日𝄞"), std::nullopt);
  EXPECT_EQ(findInvalidUtf8("ab\xFFz"), 2u);
  EXPECT_EQ(findInvalidUtf8("ab\xE2\x82"), 2u);
}

}  // namespace
}  // namespace strata
