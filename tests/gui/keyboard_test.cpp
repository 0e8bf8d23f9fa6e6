// The first minute by the keyboard alone: no pointer, no call, and under Xvfb the keys come from the X server.

#include <QLineEdit>
#include <QListWidget>

#include "hand.h"
#include "real_window.h"

namespace strata {
namespace {

class Keyboard : public ::testing::Test {
 protected:
  Keyboard() { hand.takeWindow(); }
  void press(const QString& keys) { hand.press(keys); }
  QWidget* focus() const { return hand.focus(); }

  const OwnFolders folders;
  RealWindow window{folders};
  Hand hand{window.window};
};

TEST_F(Keyboard, LeadsThroughTheFirstMinute) {
  ASSERT_TRUE(window.isReady()) << window.engine.log().toStdString();
  ASSERT_TRUE(until([&] { return !window.find<QPlainTextEdit>("chatDraft")->toPlainText().isEmpty(); }));
  EXPECT_TRUE(hand.hasFocus("send")) << "the question is typed in: Enter asks";
  press("Return");
  ASSERT_TRUE(until([&] { return !window.chat->conversation().turns().empty(); }));
  ASSERT_TRUE(window.bothAnswered(0));
  const protocol::Answer full = *window.answer(0, Which::b)->answer;

  ASSERT_TRUE(hand.tabTo(window.find("step-halve")));
  press("space");
  ASSERT_TRUE(until([&] {
    const SideAnswer *a = window.answer(0, Which::a), *b = window.answer(0, Which::b);
    return a != nullptr && b != nullptr && a->answer && b->answer && b->answer->kvBytes < b->answer->kvBytesFull &&
           !window.chat->answering().busy();
  }));
  EXPECT_GT(full.kvBytes, window.answer(0, Which::b)->answer->kvBytes);

  press("ctrl+d");
  ASSERT_TRUE(until([&] { return window.chat->differences().state() == Differences::State::shown; }));
  auto* summary = window.find<QLabel>("differenceSummary");
  EXPECT_TRUE(until([&] { return summary->isVisible() && summary->text().contains("KL"); }));

  press("ctrl+2");
  EXPECT_TRUE(until([&] { return window.window.currentPage() == window.data; }));
  const QWidget* before = focus();
  press("F6");
  EXPECT_TRUE(until([&] { return focus() != nullptr && focus() != before; })) << "F6 goes to another pane";

  press("ctrl+k");
  auto* text = window.find<QLineEdit>("find-text");
  ASSERT_TRUE(until([&] { return (text = window.find<QLineEdit>("find-text")) != nullptr && text->isVisible(); }));
  ASSERT_TRUE(hand.hasFocus("find-text"));
  hand.type("routed");
  const auto* found = window.find<QListWidget>("find-list");
  ASSERT_TRUE(until([&] { return text->text() == "routed" && found->count() > 0; }));
  EXPECT_TRUE(found->item(0)->text().contains("routed")) << found->item(0)->text().toStdString();
  press("Escape");
  EXPECT_TRUE(until([&] {
    const auto* open = window.find<QLineEdit>("find-text");
    return open == nullptr || !open->isVisible();
  }));
  EXPECT_EQ(window.window.currentPage(), window.data);
}

TEST_F(Keyboard, RestsWithF6WhereTheFocusIsSeen) {
  ASSERT_TRUE(window.isReady()) << window.engine.log().toStdString();
  for (const char* page : {"chat", "data", "models", "settings"}) {
    window.window.showPage(page);
    QTest::qWait(300);  // until the page has its content
    for (int i = 0; i < 10; ++i) {
      press("F6");
      QWidget* stop = focus();
      ASSERT_NE(stop, nullptr);
      const QImage with = window.window.grab().toImage();
      stop->clearFocus();
      EXPECT_NE(window.window.grab().toImage(), with) << page << ": " << stop->objectName().toStdString();
      stop->setFocus(Qt::ShortcutFocusReason);
    }
  }
}

}  // namespace
}  // namespace strata
