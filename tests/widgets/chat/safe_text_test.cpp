#include "widgets/chat/safe_text.h"

#include <gtest/gtest.h>

#include "widgets/chat/markdown.h"

namespace strata {
namespace {

QString shownOf(const std::vector<TextBlock>& blocks) {
  QString text;
  for (const TextBlock& block : blocks) {
    for (const Span& span : block.spans) text += span.text;
    text += '|';
  }
  return text;
}

TEST(SafeText, ShowsControlCharactersAsPictures) {
  EXPECT_EQ(safeText(QString("a\x01z\x1b[31m\x7f")), QString::fromUtf8("a␁z␛[31m␡"));
}

TEST(SafeText, KeepsLineEndsAndTabs) {
  EXPECT_EQ(safeText(QString("a\n\tb")), QString("a\n\tb"));
  EXPECT_EQ(safeText(QString("a\r\nb")), QString("a \nb"));
}

TEST(SafeText, PilesNoMarksOverTheLinesAround) {
  const QString letter = "e" + QString(16, QChar(0x301));
  EXPECT_EQ(safeText(letter), letter);
  const QString piled = safeText(letter + QString(1000, QChar(0x301)) + "n");
  EXPECT_EQ(piled.size(), letter.size() + 1001);
  EXPECT_EQ(piled.count(QChar(0xFFFD)), 1000);
  EXPECT_EQ(piled.back(), QChar('n'));
}

TEST(SafeText, TakesTheForceOutOfCharactersThatReorder) {
  const QString bad = QString("ab") + QChar(0x202E) + "cd" + QChar(0x2066) + QChar(0x2069);
  const QString safe = safeText(bad);
  for (const QChar unit : safe) EXPECT_FALSE(unit.unicode() >= 0x202A && unit.unicode() <= 0x202E);
  EXPECT_EQ(safe.size(), bad.size());
  EXPECT_FALSE(safe.contains(QChar(0x2066)));
}

TEST(SafeText, LetsNoFrameMarkOfTheDocumentPass) {
  const QString bad = QString(QChar(0xFDD0)) + QChar(0xFDD1) + QChar(0xFFFC);
  EXPECT_EQ(safeText(bad), QString(3, QChar(0xFFFD)));
}

TEST(SafeText, ShowsInvisibleTagsAndLoneSurrogates) {
  const char32_t tag = 0xE0041;
  EXPECT_EQ(safeText(QString::fromUcs4(&tag, 1)), QString(2, QChar(0xFFFD)));
  EXPECT_EQ(safeText(QString(QChar(0xD83D))), QString(QChar(0xFFFD)));
  const QString smile = QString::fromUtf8("😀");
  EXPECT_EQ(safeText(smile), smile);
}

TEST(SafeText, CutsNoCharacterInTwo) {
  const QString text = QString::fromUtf8("a😀b");
  EXPECT_EQ(cutBefore(text, 2), 1);
  EXPECT_EQ(cutBefore(text, 3), 3);
  EXPECT_EQ(cutBefore(text, 99), text.size());
}

TEST(Markdown, LeavesHtmlAsText) {
  const auto blocks = parseMarkdown("<script>alert(1)</script> <b>x</b>");
  EXPECT_TRUE(shownOf(blocks).contains("<script>alert(1)</script>"));
  EXPECT_TRUE(shownOf(blocks).contains("<b>x</b>"));
}

TEST(Markdown, ShowsImagesAsTheirTextOrAddress) {
  EXPECT_EQ(shownOf(parseMarkdown("![a cat](http://127.0.0.1/x.png)")), "[image: a cat]|");
  EXPECT_EQ(shownOf(parseMarkdown("![](file:///etc/passwd)")), "[image: file:///etc/passwd]|");
}

TEST(Markdown, DecodesNoEntityIntoSomethingThatReorders) {
  EXPECT_EQ(shownOf(parseMarkdown("a&#x202E;b &amp; c")), QString::fromUtf8("a\uFFFDb & c|"));
}

TEST(Markdown, KnowsWhereInTheAnswerEachSpanStands) {
  const QString text = QString::fromUtf8("Ünï **bold** 😀 `code` end\n\n- item");
  for (const TextBlock& block : parseMarkdown(text)) {
    for (const Span& span : block.spans) {
      if (span.source >= 0) {
        EXPECT_EQ(text.mid(span.source, span.text.size()), span.text);
      }
    }
  }
}

TEST(Markdown, MarksHeadingsListsAndCode) {
  const auto blocks = parseMarkdown("# Title\n\n1. one\n2. two\n\n```cpp\nint a;\n```\n");
  ASSERT_EQ(blocks.size(), 4U);
  EXPECT_EQ(blocks[0].kind, TextBlock::Kind::heading);
  EXPECT_EQ(blocks[1].marker, "1.");
  EXPECT_EQ(blocks[2].marker, "2.");
  EXPECT_EQ(blocks[3].kind, TextBlock::Kind::code);
  EXPECT_EQ(blocks[3].language, "cpp");
}

TEST(Markdown, CutsLongTextIntoPiecesOfABoundedSize) {
  const QString text(1'000'000, 'x');
  const auto pieces = piecesOf(plainBlocks(text));
  qsizetype sum = 0;
  for (const Piece& piece : pieces) {
    EXPECT_LE(piece.size(), kPieceSize + 1);
    for (const TextBlock& block : piece.blocks) sum += block.size();
  }
  EXPECT_EQ(sum, text.size());
}

QString words(qsizetype size) {
  QString text;
  for (int i = 0; text.size() < size; ++i) text += QString("word%1 ").arg(i);
  return text.trimmed();
}

TEST(Markdown, LeavesAParagraphOfOrdinaryWordsWhole) {
  const auto pieces = piecesOf(parseMarkdown(words(3 * kPieceSize)));
  ASSERT_EQ(pieces.size(), 1U);
  EXPECT_EQ(pieces[0].blocks.size(), 1U);
}

TEST(Markdown, CutsAVeryLongParagraphBehindWords) {
  for (const QString& text : {words(20'000), "**" + words(9'000) + "** and " + words(9'000)}) {
    const auto pieces = piecesOf(parseMarkdown(text));
    ASSERT_GT(pieces.size(), 2U);
    for (std::size_t i = 0; i + 1 < pieces.size(); ++i) {
      EXPECT_TRUE(pieces[i].blocks.back().text().back().isSpace());
      EXPECT_TRUE(pieces[i + 1].blocks.front().continues);
    }
  }
}

TEST(Markdown, CutsPlainTextAndCodeWhereTheyBreakAnyway) {
  const auto blocks = plainBlocks(words(9'000));
  ASSERT_GT(blocks.size(), 1U);
  for (std::size_t i = 0; i + 1 < blocks.size(); ++i) EXPECT_TRUE(blocks[i].text().back().isSpace());
  const QString plain = words(5'000);
  for (const Slice& slice : slicesOf(plain)) {
    const qsizetype end = slice.begin + slice.size;
    EXPECT_TRUE(end == plain.size() || plain[end - 1].isSpace());
  }
  QString code = "```\n";
  for (int i = 0; i < 400; ++i) code += QString("line %1;\n").arg(i);
  const auto pieces = piecesOf(parseMarkdown(code + "```\n"));
  ASSERT_GT(pieces.size(), 2U);
  for (std::size_t i = 0; i + 1 < pieces.size(); ++i) EXPECT_EQ(pieces[i].blocks.back().text().back(), u'\n');
}

TEST(Markdown, KeepsPlacesInALongParagraphThatIsCut) {
  const QString text = "**b** " + QString(10'000, 'y') + " end";
  for (const Piece& piece : piecesOf(parseMarkdown(text))) {
    for (const TextBlock& block : piece.blocks) {
      for (const Span& span : block.spans) {
        if (span.source >= 0) {
          EXPECT_EQ(text.mid(span.source, span.text.size()), span.text);
        }
      }
    }
  }
}

TEST(Markdown, ReadsNastyNestingWithoutHarm) {
  for (const QString& nasty : {QString(100'000, '['), QString("*a_").repeated(30'000), QString(50'000, '>'),
                               QString(100'000, '`'), QString("- ").repeated(20'000), QString("![").repeated(40'000)}) {
    EXPECT_FALSE(piecesOf(parseMarkdown(nasty)).empty()) << nasty.left(8).toStdString();
  }
}

}  // namespace
}  // namespace strata
