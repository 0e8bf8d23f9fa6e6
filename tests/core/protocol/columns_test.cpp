#include "core/protocol/columns.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

namespace strata::protocol {
namespace {

TEST(Columns, BringEveryNumberBackAsItWas) {
  const std::vector<double> numbers = {0, -0.0, 1.5, 1e-310, std::numeric_limits<double>::infinity(), std::nan("")};
  for (std::size_t count = 0; count <= numbers.size(); ++count) {
    const std::vector<double> some(numbers.begin(), numbers.begin() + static_cast<std::ptrdiff_t>(count));
    const auto back = decodeColumn(encodeColumn(some));
    ASSERT_TRUE(back);
    ASSERT_EQ(back->size(), count);
    for (std::size_t i = 0; i < count; ++i) {
      EXPECT_TRUE(std::isnan(some[i]) ? std::isnan((*back)[i]) : (*back)[i] == some[i]) << some[i];
      EXPECT_EQ(std::signbit((*back)[i]), std::signbit(some[i]));
    }
  }
}

TEST(Columns, AreLittleEndianFloat64InBase64) {
  EXPECT_EQ(encodeColumn({1}), "AAAAAAAA8D8=");
}

TEST(Columns, OfAnythingElseAreRefused) {
  for (const char* text : {"AAAA", "AAAAAAAA8D8", "AAAAAAAA8D8 ", "%%%%", "AAAAAAAA8D8=AAAA", "===="}) {
    EXPECT_FALSE(decodeColumn(text)) << text;
  }
}

}  // namespace
}  // namespace strata::protocol
