#include "core/base/terminal_text.h"

#include <gtest/gtest.h>

#include "core/base/json.h"

namespace strata {
namespace {

TEST(TerminalText, NoControlCharacterReachesTheTerminal) {
  EXPECT_EQ(terminalText("a\x1b]0;title\x07z"), "a\uFFFD]0;title\uFFFDz");
  EXPECT_EQ(terminalText("back\bspace\x7f\rline\v\f"), "back\uFFFDspace\uFFFD\uFFFDline\uFFFD\uFFFD");
  EXPECT_EQ(terminalText(std::string_view("nul\0", 4)), "nul\uFFFD");
  EXPECT_EQ(terminalText("\xC2\x9B"
                         "31m"),
            "\uFFFD31m")
      << "the one-character form of ESC [";
  EXPECT_EQ(terminalText("\x9b"
                         "31m"),
            "\uFFFD31m")
      << "a byte that 8-bit terminals obey";
}

TEST(TerminalText, LeavesTextAsItIs) {
  const std::string text = "lines\n\ttabs, é, 漢字, 🙂, a\u0301, \u200D\n";
  EXPECT_EQ(terminalText(text), text);
  EXPECT_EQ(terminalText("Windows\r\nlines\r\n"), "Windows\nlines\n");
}

TEST(TerminalText, BytesThatAreNotUtf8AreReplacedOneByOne) {
  EXPECT_EQ(terminalText("\xC3"), "\uFFFD");
  EXPECT_EQ(terminalText("\xC0\x9B"), "\uFFFD\uFFFD") << "an overlong escape character";
  EXPECT_EQ(terminalText("\xED\xA0\x80"), "\uFFFD\uFFFD\uFFFD");
  EXPECT_EQ(terminalText("\xF4\x90\x80\x80"), "\uFFFD\uFFFD\uFFFD\uFFFD");
}

TEST(TerminalText, JsonKeepsItsTextInEscapes) {
  const std::string hostile = "a\x1b\x7f\u0085\u009bé\u00A0";
  const std::string line = terminalJson(dumpLine(Json(hostile)));
  EXPECT_EQ(line, "\"a\\u001b\\u007f\\u0085\\u009bé\u00A0\"");
  EXPECT_EQ(parseJson(line, "line")->get<std::string>(), hostile);
}

}  // namespace
}  // namespace strata
