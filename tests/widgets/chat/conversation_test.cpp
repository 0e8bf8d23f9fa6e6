// A chat is opened as a whole or not at all, an edit is taken back as a whole, and an empty side comes back empty.

#include "widgets/chat/conversation.h"

#include <QListView>
#include <QPushButton>

#include "chat_fixture.h"
#include "widgets/chat/notice_bar.h"

namespace strata::testing {
namespace {

class ConversationTest : public ChatFixture {
 protected:
  /// A stored chat of several pages; the page shows another one then.
  QString storeLongChat() {
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(ask(QString("echo %1 ").arg(i) + QString(150'000, QChar('x'))));
    const QString id = page->conversation().id();
    page->startNew();
    EXPECT_TRUE(ask("echo short"));
    return id;
  }
  Json stored(const QString& id) const {
    const auto chats = readJson(folder.path() / "chats.json");
    return chats ? chats->value(id.toStdString(), Json()) : Json();
  }
  bool editWhileItStreams() {
    if (!begin() || !ask("echo one") || !ask("echo two")) return false;
    page->editLast();
    page->setDraft("slow");
    page->sendDraft();
    return soon([&] {
      const SideAnswer *a = answer(Which::a), *b = answer(Which::b);
      return a && b && !a->text.isEmpty() && !b->text.isEmpty();
    });
  }
};

TEST_F(ConversationTest, ALaterPageThatFailsLeavesTheOpenChatWhole) {
  ASSERT_TRUE(begin());
  const QString longId = storeLongChat();
  const QString id = page->conversation().id();
  file("bad_page", "1");
  page->open(Place::chat(longId));
  ASSERT_TRUE(soon([&] { return !page->conversation().isOpening(); }));
  EXPECT_EQ(page->conversation().id(), id);
  ASSERT_EQ(page->conversation().turns().size(), 1U);
  EXPECT_EQ(page->conversation().turns()[0].question, "echo short");
  EXPECT_EQ(answer(Which::a)->text, "short");
  EXPECT_EQ(page->notice()->sentence(), "It is not there.");
  EXPECT_TRUE(soon([&] {
    const int row = page->list()->model()->rowOf(id);
    return row >= 0 && row == page->list()->view()->currentIndex().row();
  }));
  ASSERT_TRUE(ask("echo more"));
  ASSERT_TRUE(soon([&] { return stored(id)["messages"].size() == 6; })) << "it goes on under its own id";
  EXPECT_EQ(stored(longId)["messages"].size(), 9U);
}

TEST_F(ConversationTest, TheOpenChatGoesOnUntilTheOtherIsThere) {
  ASSERT_TRUE(begin());
  const QString longId = storeLongChat();
  const QString id = page->conversation().id();
  page->setDraft("slow");
  page->sendDraft();
  ASSERT_TRUE(soon([&] { return answer(Which::a) && !answer(Which::a)->text.isEmpty(); }));
  file("bad_page", "1");
  page->open(Place::chat(longId));
  ASSERT_TRUE(soon([&] { return !page->conversation().isOpening(); }));
  EXPECT_EQ(page->answering().state(Which::a), Answering::State::answering) << "its answer was not stopped";
  std::filesystem::remove(folder.path() / "bad_page");
  page->open(Place::chat(longId));
  ASSERT_TRUE(soon([&] { return page->conversation().id() == longId; }));
  EXPECT_EQ(page->conversation().turns().size(), 3U);
  EXPECT_FALSE(page->answering().busy());
  ASSERT_TRUE(soon([&] { return stored(id)["messages"].size() == 6; })) << "with the text so far";
}

TEST_F(ConversationTest, UndoOfAnEditWhileItsAnswerStreamsBringsTheOldAnswersBack) {
  ASSERT_TRUE(editWhileItStreams());
  child<QPushButton>("chatNoticeAction")->click();
  EXPECT_EQ(page->conversation().turns()[1].question, "echo two");
  EXPECT_FALSE(page->answering().busy());
  const QString id = page->conversation().id();
  const std::string turn = page->conversation().turns()[1].id.toStdString();
  ASSERT_TRUE(soon([&] { return stored(id)["messages"].contains(turn); }));
  ASSERT_TRUE(ask("echo three"));  // what is late of the stopped answer has come by now
  for (const Which which : kBothSides) {
    EXPECT_EQ(answer(which, 1)->text, "two");
    EXPECT_TRUE(answer(which, 1)->problem.isEmpty());
    EXPECT_EQ(answer(which, 2)->text, "three");
  }
  ASSERT_TRUE(soon([&] { return stored(id)["messages"].size() == 9; }));
  const Json chat = stored(id);
  for (const auto& [key, message] : chat["messages"].items()) {
    if (message["turn"] != 1) continue;
    EXPECT_THAT(message["text"].get<std::string>(), ::testing::HasSubstr("two")) << key;
  }
}

TEST_F(ConversationTest, AnAnswerThatRunsWhenItsQuestionIsEditedIsWholeAsFarAsItCame) {
  ASSERT_TRUE(begin());
  page->setDraft("slow");
  page->sendDraft();
  ASSERT_TRUE(soon([&] { return answer(Which::a) && !answer(Which::a)->text.isEmpty(); }));
  page->editLast();
  ASSERT_TRUE(ask("echo edited"));
  EXPECT_EQ(answer(Which::a)->text, "edited");
  child<QPushButton>("chatNoticeAction")->click();
  EXPECT_FALSE(answer(Which::a)->running) << "nothing runs any more";
  EXPECT_TRUE(answer(Which::a)->text.startsWith("word0"));
  EXPECT_FALSE(answer(Which::a)->problem.isEmpty()) << "and it says so";
}

TEST_F(ConversationTest, AnEmptySideComesBackEmptyWithItsChat) {
  file("sides",
       R"({"a": {"ref": {"model": "base", "adapter": "", "dtype": "", "device": "cpu", "context": 0}, "map": "full"},
                    "b": null})");
  ASSERT_TRUE(begin());
  ASSERT_TRUE(ask("echo alone"));
  const QString id = page->conversation().id();
  ASSERT_TRUE(soon([&] { return stored(id)["messages"].size() == 2; }));
  session->swapSides();
  EXPECT_FALSE(session->side(Which::a));
  ASSERT_TRUE(soon([&] { return !requests("project/set_sides").empty(); }));
  EXPECT_TRUE(requests("project/set_sides").back()["a"].is_null());
  page->startNew();
  page->open(Place::chat(id));
  ASSERT_TRUE(soon([&] { return page->conversation().id() == id; }));
  EXPECT_TRUE(session->side(Which::a));
  EXPECT_FALSE(session->side(Which::b));
}

}  // namespace
}  // namespace strata::testing
