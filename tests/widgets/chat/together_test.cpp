// Two panes that are read together: at the same place, with what is said of each token, and a way back.

#include <QToolTip>

#include "chat_fixture.h"
#include "widgets/chat/blocks.h"
#include "widgets/chat/difference_bar.h"
#include "widgets/chat/notice_bar.h"
#include "widgets/chat/text_view.h"

namespace strata::testing {
namespace {

class Together : public ChatFixture {
 protected:
  Transcript* transcript(Which which) const { return page->pane(which)->transcript(); }
  /// Where a question stands in a pane's view; nothing where it is not laid out.
  std::optional<int> heightOf(Which which, int question) const {
    auto* block = transcript(which)->findChild<QWidget*>(QString("question%1").arg(question));
    if (block == nullptr || !block->isVisible()) return std::nullopt;
    return block->mapTo(transcript(which)->viewport(), QPoint()).y();
  }
  /// Of the questions that both views show.
  void expectSameHeights(int questions) {
    int seen = 0;
    for (int question = 1; question <= questions; ++question) {
      const auto a = heightOf(Which::a, question), b = heightOf(Which::b, question);
      const int view = transcript(Which::a)->viewport()->height();
      if (!a || !b || *a < 0 || *a >= view) continue;
      ++seen;
      EXPECT_NEAR(*a, *b, 1) << "question " << question;
    }
    EXPECT_GT(seen, 0);
  }
  void answersOfLines(const char* question, int a, int b) {
    const auto lines = [](int count) {
      std::string text;
      for (int i = 0; i < count; ++i) text += "A line of this answer.\n\n";
      return text;
    };
    file((std::string(question) + ".base").c_str(), lines(a));
    file((std::string(question) + ".routed").c_str(), lines(b));
  }
};

TEST_F(Together, UnevenAnswersBeginAtTheSameHeight) {
  ASSERT_TRUE(begin());
  answersOfLines("uneven", 7, 1);
  answersOfLines("other", 2, 6);
  for (const char* question : {"uneven", "other", "uneven", "other"}) ASSERT_TRUE(ask(question));
  QTest::qWait(100);
  ASSERT_TRUE(transcript(Which::a)->followsEnd());
  expectSameHeights(4);
  QScrollBar* bar = transcript(Which::a)->verticalScrollBar();
  for (int place = bar->maximum(); place > 0; place -= 90) {
    bar->setValue(place);
    QTest::qWait(20);
    expectSameHeights(4);
    EXPECT_NEAR(transcript(Which::b)->viewTop(), transcript(Which::a)->viewTop(), 1);
  }
  // From the other pane, and in another room.
  transcript(Which::b)->verticalScrollBar()->setValue(130);
  QTest::qWait(20);
  expectSameHeights(4);
  page->resize(page->width() - 150, page->height() - 90);
  QTest::qWait(100);
  expectSameHeights(4);
}

TEST_F(Together, AnswersALittleLongerThanTheViewBeginAtTheSameHeight) {
  ASSERT_TRUE(begin());
  answersOfLines("high", 11, 13);
  ASSERT_TRUE(ask("high"));
  QTest::qWait(100);
  EXPECT_GT(transcript(Which::a)->verticalScrollBar()->maximum(), 0);
  ASSERT_TRUE(heightOf(Which::a, 1) && heightOf(Which::b, 1));
  EXPECT_EQ(*heightOf(Which::a, 1), *heightOf(Which::b, 1));
}

TEST_F(Together, AShortAnswerStaysInViewBesideAVeryLongOne) {
  ASSERT_TRUE(begin());
  answersOfLines("long", 80, 1);
  ASSERT_TRUE(ask("long"));
  QTest::qWait(100);
  EXPECT_TRUE(transcript(Which::a)->followsEnd());
  ASSERT_TRUE(heightOf(Which::b, 1));
  EXPECT_GE(*heightOf(Which::b, 1), 0);
  ASSERT_TRUE(ask("echo next"));
  QTest::qWait(100);
  expectSameHeights(2);
}

TEST_F(Together, TheFiguresDoNotPushAnAnswerOutOfALowView) {
  ASSERT_TRUE(begin());
  theme().setTextPercent(200);
  const auto whole = qScopeGuard([] { theme().setTextPercent(100); });
  answersOfLines("short", 1, 2);
  for (const char* question : {"short", "short"}) ASSERT_TRUE(ask(question));
  const auto inView = [&](Which which) {
    const auto blocks = transcript(which)->findChildren<PiecesBlock*>();
    return std::any_of(blocks.begin(), blocks.end(), [&](const PiecesBlock* block) {
      const QRect seen = transcript(which)->viewport()->rect();
      return block->property("turn") == 1 && seen.contains(block->geometry());
    });
  };
  page->resize(page->width(), 640);
  EXPECT_TRUE(soon([&] { return inView(Which::a) && inView(Which::b); }));
  const QScrollBar* bar = transcript(Which::a)->verticalScrollBar();
  EXPECT_LT(transcript(Which::a)->viewTop(), bar->maximum()) << "the view is too high for this test";
  EXPECT_EQ(transcript(Which::a)->viewTop(), transcript(Which::b)->viewTop());
  QTest::keyClick(transcript(Which::a), Qt::Key_End);
  EXPECT_EQ(transcript(Which::a)->viewTop(), bar->maximum());
  EXPECT_EQ(transcript(Which::b)->viewTop(), transcript(Which::b)->verticalScrollBar()->maximum());
  // So low that the turns of both panes, which are not of one height, have no room to be aligned.
  page->resize(page->width(), 470);
  ASSERT_TRUE(ask("short"));
  EXPECT_TRUE(soon([&] { return heightOf(Which::a, 3) == 0 && heightOf(Which::b, 3) == 0; }))
      << heightOf(Which::a, 3).value_or(-1) << " and " << heightOf(Which::b, 3).value_or(-1);
}

TEST_F(Together, APaneOfItsOwnNeedsNoRoomBelow) {
  ASSERT_TRUE(begin());
  answersOfLines("uneven", 7, 1);
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(ask("uneven"));
  QTest::qWait(100);
  const int aligned = transcript(Which::b)->verticalScrollBar()->maximum();
  child<QAbstractButton>("scrollTogether")->click();
  QTest::qWait(50);
  EXPECT_LT(transcript(Which::b)->verticalScrollBar()->maximum(), aligned);
}

TEST_F(Together, ATokenUnderThePointerTellsItsAlternatives) {
  ASSERT_TRUE(begin());
  session->setMap(Which::b, "retention:0.5");
  ASSERT_TRUE(ask("Where was the lantern?"));
  page->differences().setOn(true);
  ASSERT_TRUE(soon([&] { return page->differences().state() == Differences::State::shown; }));
  QTest::qWait(100);
  auto* view = transcript(Which::a)->findChild<TextView*>("answerText1");
  ASSERT_NE(view, nullptr);
  const QPoint place(30, view->height() / 2);
  QMouseEvent move(QEvent::MouseMove, place, view->viewport()->mapToGlobal(place), Qt::NoButton, Qt::NoButton,
                   Qt::NoModifier);
  QApplication::sendEvent(view->viewport(), &move);
  EXPECT_TRUE(QToolTip::text().contains("KL ")) << QToolTip::text().toStdString();
  EXPECT_TRUE(QToolTip::text().contains("81.0 %")) << QToolTip::text().toStdString();
  EXPECT_TRUE(child<DifferenceBar>("differenceBar")->readOut().contains("token"));
  QToolTip::hideText();
}

TEST_F(Together, DifferencesAreToBeSeenAtAnEarlierAnswerToo) {
  ASSERT_TRUE(begin());
  session->setMap(Which::b, "retention:0.5");
  ASSERT_TRUE(ask("Where was the lantern?"));
  ASSERT_TRUE(ask("And the candle?"));
  QTest::qWait(100);
  auto* compare = transcript(Which::b)->findChild<QPushButton*>("answerb1Compare");
  ASSERT_NE(compare, nullptr);
  EXPECT_TRUE(compare->isVisible());
  compare->click();
  const Differences& differences = page->differences();
  ASSERT_TRUE(soon([&] { return differences.state() == Differences::State::shown; }));
  EXPECT_EQ(differences.turn(), 0);
  EXPECT_EQ(differences.text(), Which::b);
  EXPECT_GT(differences.marks(0, Which::b).size(), 3U);
  EXPECT_TRUE(child<QAbstractButton>("differences")->isChecked());
  EXPECT_TRUE(child<QLabel>("differenceSummary")->text().startsWith("question 1:"));
  ASSERT_TRUE(ask("And then?"));
  ASSERT_TRUE(soon([&] { return differences.state() == Differences::State::shown && differences.turn() == 2; }));
}

TEST_F(Together, AnsweringAgainCanBeTakenBackUntilTheNextQuestion) {
  ASSERT_TRUE(begin());
  ASSERT_TRUE(ask("Where was the lantern?"));
  const QString before = answer(Which::b)->text;
  session->setMap(Which::b, "retention:0.5");
  child<QPushButton>("againBoth")->click();
  ASSERT_TRUE(soon([&] { return !page->answering().busy() && answer(Which::b)->text != before; }));
  QTest::qWait(800);
  ASSERT_TRUE(page->notice()->isVisible()) << "it stays while the answers are read";
  child<QPushButton>("chatNoticeAction")->click();
  EXPECT_EQ(answer(Which::b)->text, before);
  child<QPushButton>("againBoth")->click();
  ASSERT_TRUE(soon([&] { return !page->answering().busy(); }));
  EXPECT_TRUE(page->notice()->isVisible());
  ASSERT_TRUE(ask("And the candle?"));
  EXPECT_FALSE(page->notice()->isVisible());
}

TEST_F(Together, ATextIsSentAndStoredOnce) {
  ASSERT_TRUE(begin());
  ASSERT_TRUE(ask("echo kept once"));
  const QString id = page->conversation().id();
  const auto puts = requests("chats/put");
  int answers = 0;
  for (const Json& put : puts) {
    for (const Json& message : put["messages"]) {
      if (message["role"] == "user") continue;
      ++answers;
      EXPECT_EQ(message["text"], "kept once");
      EXPECT_EQ(message["answer"]["text"], "");
    }
  }
  EXPECT_EQ(answers, 2);
  page->startNew();
  page->open(Place::chat(id));
  ASSERT_TRUE(soon([&] { return page->conversation().lastTurn() == 0; }));
  EXPECT_EQ(answer(Which::a)->answer->text, "kept once");
}

}  // namespace
}  // namespace strata::testing
