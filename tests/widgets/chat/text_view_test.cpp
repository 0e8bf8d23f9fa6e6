#include "widgets/chat/text_view.h"

#include <gtest/gtest.h>

#include "chat_fixture.h"
#include "widgets/chat/block_list.h"
#include "widgets/chat/blocks.h"
#include "widgets/chat/safe_text.h"

namespace strata {
namespace {

Piece pieceOf(const QString& text) {
  auto pieces = piecesOf(parseMarkdown(safeText(text)));
  return pieces.empty() ? Piece{} : pieces.front();
}

TEST(TextView, LoadsNothingWhateverItsTextSays) {
  testing::theme();
  TextView view;
  const int before = TextView::resourcesAsked();
  view.show(
      pieceOf("![](file:///etc/passwd) ![x](http://127.0.0.1/y.png) <img src=\"file:///etc/passwd\"> "
              "<link rel=stylesheet href=http://127.0.0.1/>"));
  view.resize(400, 200);
  view.QWidget::show();
  QTest::qWait(50);
  EXPECT_EQ(TextView::resourcesAsked(), before) << "nothing in the document even asks";
  EXPECT_FALSE(view.loadResource(QTextDocument::ImageResource, QUrl("file:///etc/passwd")).isValid());
  EXPECT_FALSE(view.loadResource(QTextDocument::StyleSheetResource, QUrl("http://127.0.0.1/")).isValid());
  EXPECT_TRUE(view.toPlainText().contains("file:///etc/passwd"));
}

TEST(TextView, FollowsNoLink) {
  testing::theme();
  TextView view;
  view.show(pieceOf("[click](file:///etc/passwd)"));
  view.setSource(QUrl("file:///etc/passwd"));
  EXPECT_EQ(view.toPlainText(), "click");
  EXPECT_FALSE(view.openLinks());
  EXPECT_FALSE(view.textInteractionFlags().testFlag(Qt::LinksAccessibleByMouse));
}

TEST(TextView, MarksTheRightCharacters) {
  testing::theme();
  TextView view;
  const QString text = "one **two** three";
  view.show(pieceOf(text));
  Mark mark{text.indexOf("three"), text.indexOf("three") + 5};
  mark.first = true;
  view.setMarks({mark});
  ASSERT_EQ(view.extraSelections().size(), 1);
  EXPECT_EQ(view.extraSelections().front().cursor.selectedText(), "three");
}

TEST(TextView, GrowsWithPlainTextAndKeepsPlaces) {
  testing::theme();
  TextView view;
  view.startPlain(100);
  view.appendPlain("first line\n");
  view.appendPlain("second");
  EXPECT_EQ(view.toPlainText(), "first line\nsecond");
  const int narrow = view.heightFor(40);
  EXPECT_GT(narrow, view.heightFor(400));
}

TEST(TextView, BreaksALineWithoutSpacesAnywhere) {
  testing::theme();
  TextView view;
  view.show(pieceOf(QString(400, 'x')));
  EXPECT_GT(view.heightFor(200), 4 * 13);
  EXPECT_LE(view.document()->idealWidth(), 201);
}

TEST(PiecesBlock, ContinuesAParagraphWithoutAGap) {
  testing::theme();
  QString text;
  for (int i = 0; text.size() < 9000; ++i) text += QString("word%1 ").arg(i);
  const auto pieces = piecesOf(parseMarkdown(text));
  ASSERT_GT(pieces.size(), 1U);
  PiecesBlock first({pieces[0]}, "answer", true), second({pieces[1]}, "answer"), both({pieces[0], pieces[1]}, "answer");
  EXPECT_EQ(first.heightFor(600) + second.heightFor(600), both.heightFor(600));
  EXPECT_EQ(first.heightFor(600), first.views().front()->heightFor(600)) << "nothing is left free below it";
}

class PlainBlock : public Block {
 public:
  explicit PlainBlock(int height) : m_height(height) {}
  int heightFor(int) override { return m_height; }
  int m_height;
};

std::vector<BlockList::Entry> entries(int count, int height, int guess) {
  std::vector<BlockList::Entry> made;
  for (int i = 0; i < count; ++i) {
    made.push_back({QString::number(i), guess, [height] { return new PlainBlock(height); }});
  }
  return made;
}

TEST(BlockList, MakesOnlyWhatIsNearTheView) {
  testing::theme();
  BlockList list;
  list.resize(300, 400);
  list.show();
  list.setBlocks(entries(5000, 50, 40));
  QTest::qWait(50);
  EXPECT_GT(list.alive(), 4);
  EXPECT_LT(list.alive(), 60);
}

TEST(BlockList, FollowsTheEndUntilScrolledUp) {
  testing::theme();
  BlockList list;
  list.resize(300, 400);
  list.show();
  list.setBlocks(entries(100, 50, 50));
  QTest::qWait(20);
  EXPECT_TRUE(list.followsEnd());
  EXPECT_EQ(list.viewTop(), list.verticalScrollBar()->maximum());
  list.verticalScrollBar()->setValue(1000);
  EXPECT_FALSE(list.followsEnd());
  auto more = entries(120, 50, 50);
  list.setBlocks(std::move(more));
  QTest::qWait(20);
  EXPECT_EQ(list.viewTop(), 1000) << "what is being read stays";
  QTest::keyClick(&list, Qt::Key_End);
  EXPECT_TRUE(list.followsEnd());
  EXPECT_EQ(list.viewTop(), list.verticalScrollBar()->maximum());
}

TEST(BlockList, LeavesTheEndBelowTheViewUntilScrolledToIt) {
  testing::theme();
  BlockList list;
  list.resize(300, 400);
  list.show();
  list.setBlocks(entries(100, 50, 50));
  list.setLeftBelow(30);
  QTest::qWait(20);
  const QScrollBar* bar = list.verticalScrollBar();
  EXPECT_TRUE(list.followsEnd());
  EXPECT_EQ(list.viewTop(), bar->maximum() - 30);
  QTest::keyClick(&list, Qt::Key_End);
  list.setBlocks(entries(120, 50, 50));
  QTest::qWait(20);
  EXPECT_TRUE(list.followsEnd());
  EXPECT_EQ(list.viewTop(), bar->maximum()) << "scrolled to the very end, it stays there";
  list.followEnd();
  EXPECT_EQ(list.viewTop(), bar->maximum() - 30);
  list.setLeftBelow(10);
  EXPECT_EQ(list.viewTop(), bar->maximum() - 10);
  list.verticalScrollBar()->setValue(bar->maximum() - 5);
  EXPECT_TRUE(list.followsEnd());
  list.setBlocks(entries(140, 50, 50));
  QTest::qWait(20);
  EXPECT_EQ(list.viewTop(), bar->maximum() - 5) << "between the two it is as the user left it";
  QTest::keyClick(&list, Qt::Key_End);
  list.setLeftBelow(0);
  list.setLeftBelow(30);
  EXPECT_EQ(list.viewTop(), bar->maximum()) << "after a room in which there was nothing to leave, too";
}

TEST(BlockList, KeepsThePlaceWhenGuessesAboveProveWrong) {
  testing::theme();
  BlockList list;
  list.resize(300, 400);
  list.show();
  list.setBlocks(entries(1000, 90, 30));
  QTest::qWait(20);
  list.verticalScrollBar()->setValue(list.verticalScrollBar()->maximum() / 2);
  QTest::qWait(50);
  Block* seen = nullptr;
  for (int i = 0; i < 1000 && seen == nullptr; ++i) {
    Block* block = list.widgetOf(QString::number(i));
    if (block != nullptr && block->y() >= 0) seen = block;
  }
  ASSERT_NE(seen, nullptr);
  const int y = seen->y();
  QTest::qWait(50);
  EXPECT_EQ(seen->y(), y);
}

TEST(BlockList, KeepsTheWidgetOfABlockThatStays) {
  testing::theme();
  BlockList list;
  list.resize(300, 400);
  list.show();
  list.setBlocks(entries(3, 50, 50));
  Block* second = list.widgetOf("1");
  ASSERT_NE(second, nullptr);
  list.setBlocks(entries(4, 50, 50));
  EXPECT_EQ(list.widgetOf("1"), second);
}

}  // namespace
}  // namespace strata
