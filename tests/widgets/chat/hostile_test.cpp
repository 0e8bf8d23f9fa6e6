// Answers that mean harm, and answers that come very fast or are very long: rendered as text, nothing loaded, no event
// over 50 ms.

#include "chat_fixture.h"
#include "widgets/chat/text_view.h"

namespace strata::testing {
namespace {

class HostileAnswers : public ChatFixture {
 protected:
  /// All the text that side A's pane shows of answers just now.
  QString shown() const {
    QString text;
    for (TextView* view : page->pane(Which::a)->transcript()->findChildren<TextView*>()) {
      if (view->objectName().startsWith("answer")) text += view->toPlainText() + '\n';
    }
    return text;
  }
  void expectSmooth(const std::function<void()>& act) {
    const LongestTurn turn = longestTurn(act);
    RecordProperty("worst_event_ms", static_cast<int>(turn.worst));
    EXPECT_LE(turn.worst, turn.most);
  }
  /// Asks for the file's text as the answer: no event while it comes and after takes too long.
  void expectSmoothAnswer(const std::string& text) {
    file("hostile", text);
    QTest::qWait(200);
    const int before = TextView::resourcesAsked();
    expectSmooth([&] {
      EXPECT_TRUE(ask("hostile"));
      QTest::qWait(300);
    });
    EXPECT_EQ(TextView::resourcesAsked(), before);
    EXPECT_TRUE(answer(Which::a)->answer.has_value());
  }
  bool beginWithRoom() {
    if (!begin()) return false;
    // One side: the probe sees a turn of the loop, in which both sides' answers would arrive as two events.
    session->setSide(Which::b, std::nullopt);
    GenerateConfig sampling;
    sampling.maxTokens = 1'000'000;
    page->conversation().setSampling(sampling);
    return ask("echo warm");  // fonts and styles are loaded by the first
  }
};

TEST_F(HostileAnswers, HtmlStaysText) {
  ASSERT_TRUE(beginWithRoom());
  expectSmoothAnswer("<script>alert(1)</script> <img src=\"file:///etc/passwd\"> <b>bold</b>");
  EXPECT_TRUE(shown().contains("<script>alert(1)</script>"));
  EXPECT_TRUE(shown().contains("<b>bold</b>"));
}

TEST_F(HostileAnswers, NoFileAndNoAddressIsLoaded) {
  ASSERT_TRUE(beginWithRoom());
  expectSmoothAnswer("![](file:///etc/passwd) and ![](http://127.0.0.1:1/x.png) and [go](file:///etc/passwd)");
  EXPECT_TRUE(shown().contains("[image: file:///etc/passwd]"));
  EXPECT_FALSE(shown().contains("root:"));
}

TEST_F(HostileAnswers, ControlCharactersAreToBeSeen) {
  ASSERT_TRUE(beginWithRoom());
  expectSmoothAnswer(
      "a\x01"
      "b\x1b[2Jc\x7f \xe2\x80\xae"
      "desrever");
  EXPECT_TRUE(shown().contains(QString::fromUtf8("a␁b␛[2Jc␡")));
  EXPECT_FALSE(shown().contains(QChar(0x202E)));
}

TEST_F(HostileAnswers, AMegabyteWithoutASpaceFreezesNothing) {
  ASSERT_TRUE(beginWithRoom());
  expectSmoothAnswer(std::string(1 << 20, 'x'));
  EXPECT_EQ(answer(Which::a)->text.size(), 1 << 20);
  LoopProbe probe;
  Transcript* transcript = page->pane(Which::a)->transcript();
  for (int i = 0; i <= 20; ++i) {
    transcript->verticalScrollBar()->setValue(transcript->verticalScrollBar()->maximum() * i / 20);
    QTest::qWait(20);
  }
  page->resize(page->width() + 60, page->height());
  QTest::qWait(200);
  EXPECT_LE(probe.worst(), mostMilliseconds());
  EXPECT_LT(transcript->alive(), 40);
}

TEST_F(HostileAnswers, LongMarkdownIsLaidOutPieceByPiece) {
  ASSERT_TRUE(beginWithRoom());
  std::string text;
  for (int i = 0; i < 1500; ++i) {
    text +=
        "## Part " + std::to_string(i) + "\n\nSome *words* with `code` and **more**: a paragraph of it.\n\n- item\n";
  }
  expectSmoothAnswer(text);
}

TEST_F(HostileAnswers, NestingWithoutEndIsBounded) {
  ASSERT_TRUE(beginWithRoom());
  expectSmoothAnswer(std::string(60'000, '>') + std::string(60'000, '['));
}

TEST_F(HostileAnswers, TwoThousandTokensASecondLeaveTheWindowFree) {
  ASSERT_TRUE(begin());
  ASSERT_TRUE(ask("echo warm"));
  QTest::qWait(200);
  expectSmooth([&] { ASSERT_TRUE(ask("flood")); });
  EXPECT_GT(answer(Which::a)->text.size(), 10'000);
}

TEST_F(HostileAnswers, TwoHundredTurnsStaySmooth) {
  ASSERT_TRUE(begin());
  protocol::ChatInfo info;
  info.id = "long";
  info.title = "Two hundred turns";
  std::vector<protocol::ChatMessage> messages;
  for (int turn = 0; turn < 200; ++turn) {
    for (const char* role : {"user", "a", "b"}) {
      protocol::ChatMessage message;
      message.id = std::to_string(turn) + role;
      message.turn = turn;
      message.role = role;
      message.text = role == std::string("user") ? "What came next?" : "";
      if (message.text.empty()) {
        protocol::Answer answer;
        for (int word = 0; word < 150; ++word) {
          answer.text += "word" + std::to_string(word % 17) + (word % 40 == 39 ? "\n\n" : " ");
          answer.ids.push_back(word);
        }
        answer.madeBy.model = role == std::string("a") ? "base" : "routed";
        answer.madeBy.map = "full";
        answer.context = 1024;
        message.text = answer.text;
        message.answer = answer;
      }
      messages.push_back(message);
    }
  }
  bool stored = false;
  client->call<protocol::PutChat>({info, messages, -1}, page.get(),
                                  [&](const auto& done) { stored = done.has_value(); });
  ASSERT_TRUE(soon([&] { return stored; }));
  page->open(Place::chat("long"));
  ASSERT_TRUE(soon([&] { return page->conversation().lastTurn() == 199; }));
  QTest::qWait(200);
  Transcript* transcript = page->pane(Which::a)->transcript();
  const auto scroll = [&] {
    for (int i = 0; i < 40; ++i) {
      transcript->verticalScrollBar()->setValue(transcript->verticalScrollBar()->maximum() * (40 - i) / 40);
      QTest::qWait(10);
    }
  };
  expectSmooth(scroll);
  EXPECT_LT(transcript->alive(), 60);
  expectSmooth([&] { ASSERT_TRUE(ask("Where was the lantern?")); });
}

}  // namespace
}  // namespace strata::testing
