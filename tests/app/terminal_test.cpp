// What files hold is shown, never obeyed: escape sequences do not reach the terminal.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "program.h"

namespace strata::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(Terminal, ControlCharactersOfAFileAreNotPrinted) {
  const TemporaryFolder folder;
  const auto data = folder.path() / "a\x1b]0;title\x07.jsonl";
  writeText(data, "{\"text\": \"one\"}\n{\"text\": \"one\"}\n");
  const Answer checked = runProgram({"data", "check", data.string()});
  EXPECT_EQ(checked.code, 0);
  EXPECT_THAT(checked.out, HasSubstr("a\uFFFD]0;title\uFFFD.jsonl:2"));
  EXPECT_THAT(checked.out, Not(HasSubstr("\x1b")));

  const auto missing = folder.path() /
                       "none\xC2\x9B"
                       "31m";
  const Answer refused = runProgram({"data", "check", missing.string(), "--json"});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err, HasSubstr("none\uFFFD31m"));
  EXPECT_THAT(refused.out, HasSubstr("none\\u009b31m"));
  EXPECT_THAT(refused.json()["error"]["message"].get<std::string>(), HasSubstr(missing.string()));
}

}  // namespace
}  // namespace strata::testing
