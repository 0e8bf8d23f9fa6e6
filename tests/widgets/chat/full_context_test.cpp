// A context that does not hold the next prompt: counted before Send, and two ways out of it. The steps of the first
// start are ticked by answers.

#include <QLabel>
#include <QPushButton>

#include "chat_fixture.h"
#include "widgets/chat/first_start.h"
#include "widgets/chat/notice_bar.h"
#include "widgets/chat/prompt_count.h"

namespace strata::testing {
namespace {

class FullContext : public ChatFixture {
 protected:
  /// Two turns of four tokens a side in a context of sixteen: a third does not fit.
  bool fill() {
    file("context", "16");
    return begin() && ask("echo one") && ask("echo two");
  }
  bool type(const QString& draft) {
    page->setDraft(draft);
    return soon([&] { return !page->promptCount().text().isEmpty(); });
  }
  QPushButton* action(const char* name) const { return child<QPushButton>(name); }
};

TEST_F(FullContext, CountsTheTokensOfThePromptWhileItIsTyped) {
  file("context", "16");
  ASSERT_TRUE(begin());
  ASSERT_TRUE(type("one two three"));
  EXPECT_EQ(child<QLabel>("composerNote")->text(), "7 of 16 tokens");
  EXPECT_TRUE(requests("chat/generate").empty());
}

TEST_F(FullContext, IsOfferedANewChatBeforeTheQuestionIsSent) {
  ASSERT_TRUE(fill());
  const QString old = page->conversation().id();
  ASSERT_TRUE(type("echo one two three four five six"));
  page->sendDraft();
  EXPECT_EQ(requests("chat/generate").size(), 4U) << "it was not sent";
  EXPECT_EQ(page->composer()->draft(), "echo one two three four five six") << "and is still there";
  EXPECT_EQ(page->notice()->sentence(),
            "The prompt has 17 tokens and the context is 16. Start a new chat or drop the oldest turns.");
  EXPECT_EQ(action("chatNoticeAction")->text(), "New chat");
  EXPECT_EQ(action("chatNoticeOther")->text(), "Drop the oldest turns");
  action("chatNoticeAction")->click();
  ASSERT_TRUE(soon([&] { return !page->answering().busy(); }));
  EXPECT_NE(page->conversation().id(), old);
  ASSERT_EQ(page->conversation().turns().size(), 1U);
  EXPECT_EQ(answer(Which::b)->text, "one two three four five six");
  EXPECT_TRUE(page->composer()->draft().isEmpty());
}

TEST_F(FullContext, DropsAsManyOldTurnsAsItMustAndKeepsTheWholeChat) {
  ASSERT_TRUE(fill());
  const QString old = page->conversation().id();
  ASSERT_TRUE(type("echo one two three four five six"));
  page->sendDraft();
  action("chatNoticeOther")->click();
  ASSERT_TRUE(soon([&] { return !page->answering().busy(); }));
  EXPECT_NE(page->conversation().id(), old);
  ASSERT_EQ(page->conversation().turns().size(), 2U);
  EXPECT_EQ(page->conversation().turns()[0].question, "echo two");
  EXPECT_EQ(answer(Which::a)->text, "one two three four five six");
  page->open(Place::chat(old));
  ASSERT_TRUE(soon([&] { return page->conversation().id() == old; }));
  EXPECT_EQ(page->conversation().turns().size(), 2U);
  EXPECT_EQ(page->conversation().turns()[0].question, "echo one");
}

TEST_F(FullContext, ThatOnlyTheEngineNoticedIsOfferedTheSame) {
  ASSERT_TRUE(fill());
  page->setDraft("echo one two three four five six");
  page->sendDraft();  // faster than it is counted
  ASSERT_TRUE(soon([&] { return !page->notice()->isHidden(); }));
  EXPECT_FALSE(page->notice()->sentence().contains("--"));
  EXPECT_TRUE(answer(Which::a)->problem.contains("17 tokens"));
  action("chatNoticeOther")->click();
  ASSERT_TRUE(soon([&] { return !page->answering().busy() && answer(Which::a) && answer(Which::a)->answer; }));
  ASSERT_EQ(page->conversation().turns().size(), 2U);
  EXPECT_EQ(answer(Which::b)->text, "one two three four five six");
}

TEST_F(FullContext, OfAQuestionThatIsTooLongItselfIsNotOfferedWhatDoesNotHelp) {
  file("context", "8");
  ASSERT_TRUE(begin());
  ASSERT_TRUE(type("one two three four five"));
  page->sendDraft();
  EXPECT_EQ(page->notice()->sentence(),
            "The prompt has 9 tokens and the context is 8. The question alone is too long: shorten it.");
  EXPECT_FALSE(action("chatNoticeAction")->isVisible());
  EXPECT_TRUE(page->conversation().isEmpty());
}

class FirstStartInChat : public ChatFixture {
 protected:
  bool beginWithSteps() {
    settings.remove("first_start/closed");
    makePage();
    steps = &page->firstSteps();
    client->start(command());
    session->openProject({});
    return soon([&] { return client->ready() && session->project(); });
  }
  void press(const char* name) { steps->findChild<QPushButton*>(name)->click(); }
  bool answeredTurns(int asked) {
    return soon([&] {
      return requests("chat/generate").size() == static_cast<std::size_t>(asked) && !page->answering().busy();
    });
  }
  FirstStart* steps = nullptr;
};

TEST_F(FirstStartInChat, AnotherQuestionIsAskedInAChatOfItsOwn) {
  ASSERT_TRUE(beginWithSteps());
  press("step-ask");
  ASSERT_TRUE(answeredTurns(2));
  EXPECT_TRUE(steps->askedDone());
  page->setDraft("my own half of a thought");
  for (int i = 1; i <= 5; ++i) {
    const QString before = page->conversation().id();
    press("step-another");
    ASSERT_TRUE(answeredTurns(2 + 2 * i)) << i;
    EXPECT_NE(page->conversation().id(), before);
    EXPECT_EQ(page->conversation().turns().size(), 1U);
    EXPECT_EQ(requests("chat/generate").back()["turns"].size(), 1U);
  }
  EXPECT_EQ(page->composer()->draft(), "my own half of a thought") << "it was not lost";
}

TEST_F(FirstStartInChat, AStepIsNotTickedWhenNeitherSideAnswered) {
  file("context", "1");
  ASSERT_TRUE(beginWithSteps());
  press("step-ask");
  ASSERT_TRUE(answeredTurns(2));
  EXPECT_FALSE(steps->askedDone());
  press("step-halve");
  ASSERT_TRUE(answeredTurns(4));
  EXPECT_FALSE(steps->halvedDone());
  file("context", "1024");
  press("step-ask");
  ASSERT_TRUE(answeredTurns(6));
  EXPECT_TRUE(steps->askedDone());
  EXPECT_TRUE(steps->halvedDone()) << "its map is half already";
}

TEST_F(FirstStartInChat, HalvingIsTickedByTheAnswersWithHalfOfTheCache) {
  ASSERT_TRUE(beginWithSteps());
  press("step-ask");
  ASSERT_TRUE(answeredTurns(2));
  press("step-halve");
  EXPECT_FALSE(steps->halvedDone());
  ASSERT_TRUE(answeredTurns(4));
  EXPECT_TRUE(steps->halvedDone());
}

}  // namespace
}  // namespace strata::testing
