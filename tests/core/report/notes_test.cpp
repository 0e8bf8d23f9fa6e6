// A person's own words in a report.

#include "core/report/notes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace strata {
namespace {

using ::testing::ElementsAre;

template <class Block>
std::vector<Block> all(const std::vector<DocBlock>& blocks) {
  std::vector<Block> found;
  for (const DocBlock& block : blocks) {
    if (const auto* each = std::get_if<Block>(&block)) found.push_back(*each);
  }
  return found;
}

TEST(Notes, ParagraphsHeadingsListsAndCodeAreBlocksOfTheirOwn) {
  const auto blocks = blocksOfNotes(
      "# What holds\n\nHalf of the cache\r\nis *enough* &lt; [the paper](https://x.test).\n\n"
      "- one\n- two\n  goes on\n    - within\n\n```\na  b\n\nc\n```\n\n3. three\n4. four\n");
  ASSERT_EQ(blocks.size(), 5u);
  EXPECT_EQ(std::get<DocHeading>(blocks[0]).text, "What holds");
  EXPECT_EQ(std::get<DocHeading>(blocks[0]).level, 3) << "below the report's own";
  EXPECT_EQ(std::get<DocParagraph>(blocks[1]).text, "Half of the cache is enough < the paper (https://x.test).");
  EXPECT_THAT(std::get<DocList>(blocks[2]).items, ElementsAre("one", "two goes on", "within"));
  EXPECT_EQ(std::get<DocList>(blocks[2]).kind, DocList::Kind::bullets);
  EXPECT_THAT(std::get<DocCode>(blocks[3]).lines, ElementsAre("a  b\n\nc"));
  EXPECT_THAT(std::get<DocList>(blocks[4]).items, ElementsAre("three", "four"));
  EXPECT_EQ(std::get<DocList>(blocks[4]).kind, DocList::Kind::numbers);
}

TEST(Notes, WhatStandsInAnItemIsItsText) {
  const auto blocks = blocksOfNotes(
      "- Run:\n  ```\n  strata report\n  ```\n  then read\n- a\n  > b\n\n- Scores:\n\n  | x | y |\n  |---|---|\n  | 1 "
      "| 2 |\n\n- c\n");
  ASSERT_EQ(blocks.size(), 1u);
  EXPECT_THAT(std::get<DocList>(blocks[0]).items,
              ElementsAre("Run: strata report then read", "a b", "Scores:", "x | y", "1 | 2", "c"));
  EXPECT_TRUE(blocksOfNotes("-\n").empty());
}

TEST(Notes, ATableHasItsColumnsItsCaptionAndRowsOfOneLength) {
  const auto blocks = blocksOfNotes(
      "The paper's F1:\n\n| model | 50 % |\n|---|---:|\n| a \\| b | .74 |\n| c |\n\n| x |\n|---|\n| 1 |\n");
  const auto tables = all<DocTable>(blocks);
  ASSERT_EQ(tables.size(), 2u);
  EXPECT_EQ(blocks.size(), 2u) << "the caption is not said twice";
  EXPECT_EQ(tables[0].caption, "The paper's F1");
  ASSERT_EQ(tables[0].columns.size(), 2u);
  EXPECT_FALSE(tables[0].columns[0].isNumber);
  EXPECT_TRUE(tables[0].columns[1].isNumber);
  EXPECT_THAT(tables[0].rows, ElementsAre(ElementsAre("a | b", ".74"), ElementsAre("c", "")));
  EXPECT_EQ(tables[1].caption, "Table 2 of the notes");
}

TEST(Notes, ATableThatIsTooWideForAPageIsShownAsLines) {
  std::string head = "| |", below = "|---|", row = "|0|";
  for (int i = 1; i < 13; ++i) {
    head += "h|";
    below += "---|";
    row += std::to_string(i) + "|";
  }
  const auto blocks = blocksOfNotes(head + "\n" + below + "\n" + row + "\n");
  ASSERT_EQ(all<DocCode>(blocks).size(), 1u);
  EXPECT_THAT(all<DocCode>(blocks)[0].lines, ElementsAre(" | h | h | h | h | h | h | h | h | h | h | h | h\n"
                                                         "0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8 | 9 | 10 | 11 | 12"));
}

TEST(Notes, WhatIsNoMarkdownStaysAsItWasTyped) {
  EXPECT_TRUE(blocksOfNotes("").empty());
  EXPECT_TRUE(blocksOfNotes(" \n\n").empty());
  const auto blocks = blocksOfNotes("<script>alert(1)</script> & 3 < 4");
  ASSERT_EQ(blocks.size(), 1u);
  EXPECT_EQ(std::get<DocParagraph>(blocks[0]).text, "<script>alert(1)</script> & 3 < 4");
}

}  // namespace
}  // namespace strata
