// The question above both panes, what was seen of its answers, and how it was asked.

#include <QLabel>
#include <QLineEdit>
#include <QListView>
#include <QPushButton>
#include <QTextBrowser>

#include "chat_fixture.h"
#include "widgets/chat/answer_foot.h"
#include "widgets/chat/asked_text.h"
#include "widgets/chat/headline.h"
#include "widgets/chat/prompt_bar.h"
#include "widgets/chat/sampling_panel.h"
#include "widgets/style/button.h"
#include "widgets/style/labels.h"

namespace strata::testing {
namespace {

constexpr const char* kPassage =
    "Context: It was late when Anna came down to the kitchen. The lantern that she had carried all the way from the "
    "mill stood on the table. She lit it, and sat down to wait for her brother Tom.\nQuestion: Who waited for Tom?";

TEST(AskedText, FindsTheQuestionOfATestSet) {
  const AskedText asked = askedText(kPassage);
  EXPECT_EQ(asked.question, "Who waited for Tom?");
  EXPECT_TRUE(asked.passage.startsWith("It was late")) << asked.passage.toStdString();
  const AskedText first = askedText("Question: Who came?\nContext: Anna came.\nAnswer:");
  EXPECT_EQ(first.question, "Who came?");
  EXPECT_EQ(first.passage, "Context: Anna came.");
}

TEST(AskedText, TakesTheLastParagraphOfAnyOtherPrompt) {
  EXPECT_EQ(askedText("Who came?").question, "Who came?");
  EXPECT_TRUE(askedText("Who came?").passage.isEmpty());
  const AskedText asked = askedText("A long story.\n\nIt ends.\n\nWho came?\nAnd why?");
  EXPECT_EQ(asked.question, "Who came?\nAnd why?");
  EXPECT_EQ(asked.passage, "A long story.\n\nIt ends.");
  EXPECT_EQ(askedText("Question: ").question, "Question:");
}

TEST(AskedText, NamesAChatByItsQuestion) {
  EXPECT_EQ(titleOfPrompt(kPassage), "Who waited for Tom?");
  EXPECT_EQ(titleOfPrompt("I have read about caches for a week now and made many notes of it. What is a KV cache?"),
            "What is a KV cache?");
  EXPECT_EQ(titleOfPrompt(QString(200, 'x')).size(), 61);
}

TEST(StopTexts, AreWrittenWithEscapes) {
  const std::vector<std::string> stops = {"\n", "END, all", "\\", "\t "};
  EXPECT_EQ(stopsText(stops), "\\n, END\\, all, \\\\, \\t ");
  EXPECT_EQ(stopsOf(stopsText(stops)), stops);
  EXPECT_TRUE(stopsOf("").empty());
}

/// With this share of the cache; `f1` < 0: not marked.
SideAnswer answerWith(double share, double f1, std::vector<int> ids = {1, 2, 3}) {
  SideAnswer said;
  said.text = "Anna came late";
  said.answer.emplace();
  said.answer->text = "Anna came late";
  said.answer->ids = std::move(ids);
  said.answer->finish = "eos";
  said.answer->kvBytesFull = 1200;
  said.answer->kvBytes = static_cast<std::int64_t>(1200 * share);
  if (f1 >= 0) said.answer->mark = protocol::Mark{{"Anna"}, f1 >= 1 ? 1.0 : 0.0, f1};
  return said;
}

QString headline(const SideAnswer& a, const SideAnswer& b) {
  return headlineOf(&a, &b);
}

TEST(Headline, SaysWhatTheSmallerCacheStillDoes) {
  EXPECT_EQ(headline(answerWith(1, 1), answerWith(.5, 1)),
            "B holds half the cache and still gives the expected answer.");
  EXPECT_EQ(headline(answerWith(.25, 1), answerWith(1, 0)),
            "A holds a quarter of the cache and gives the expected answer, B does not.");
  EXPECT_EQ(headline(answerWith(1, 1), answerWith(.5, 0)),
            "B holds half the cache and misses the answer that A finds.");
  EXPECT_EQ(headline(answerWith(1, 1), answerWith(.6, .4)),
            "B holds 60 % of the cache and gives only part of the expected answer.");
  EXPECT_EQ(headline(answerWith(1, 0), answerWith(.5, 0)),
            "B holds half the cache; neither side gives the expected answer.");
}

TEST(Headline, ComparesSidesWithTheSameCache) {
  EXPECT_EQ(headline(answerWith(.5, 0), answerWith(.5, 1)),
            "Each side holds half the cache; B finds the answer that A misses.");
  EXPECT_EQ(headline(answerWith(1, 1), answerWith(1, 1)),
            "Each side holds the whole cache; both give the expected answer.");
}

TEST(Headline, TellsWhetherUnmarkedAnswersDiffer) {
  EXPECT_EQ(headline(answerWith(1, -1), answerWith(.5, -1)),
            "B holds half the cache and gives the same answer, word for word.");
  SideAnswer other = answerWith(1, -1, {1, 7, 3});
  other.text = "Anna went late";
  other.answer->text = "Anna went late";
  EXPECT_EQ(headline(answerWith(1, -1), other), "The answers differ from token 2 on.");
}

TEST(Headline, WaitsUntilBothAnswersAreWhole) {
  const SideAnswer whole = answerWith(1, 1);
  SideAnswer running = answerWith(.5, 1), stopped = answerWith(.5, 1);
  running.running = true;
  stopped.answer->finish = "cancel";
  EXPECT_EQ(headlineOf(&whole, nullptr), "");
  EXPECT_EQ(headline(whole, running), "");
  EXPECT_EQ(headline(whole, stopped), "");
}

class Prompt : public ChatFixture {
 protected:
  QString label(const char* name) const {
    const auto* one = child<QLabel>(name);
    return one != nullptr && one->isVisible() ? one->text() : QString();
  }
};

TEST_F(Prompt, ANewcomerReadsWhatIsComparedHere) {
  ASSERT_TRUE(begin());
  const QString intro = label("chatIntro");
  for (const char* word : {"base", "routed", "cache", "map"}) EXPECT_TRUE(intro.contains(word)) << word;
  ASSERT_TRUE(ask("echo hello"));
  EXPECT_EQ(label("chatIntro"), "");
}

TEST_F(Prompt, StandsOnceAboveBothPanesWithItsLastLine) {
  ASSERT_TRUE(begin());
  ASSERT_TRUE(ask(kPassage));
  EXPECT_EQ(label("promptQuestion"), "Who waited for Tom?");
  EXPECT_TRUE(label("promptPassageLine").startsWith("It was late"));
  int times = 0;
  for (const QLabel* one : page->findChildren<QLabel*>()) times += one->isVisible() && one->text().contains("Tom?");
  EXPECT_EQ(times, 1);
  child<QPushButton>("promptMore")->click();
  EXPECT_TRUE(child<QPlainTextEdit>("promptPassage")->isVisible());
  EXPECT_EQ(label("promptQuestion"), "Who waited for Tom?") << "still in view";
  const QString longOne = QString("word ").repeated(30'000) + "and the end?";
  ASSERT_TRUE(ask(longOne));
  EXPECT_TRUE(label("promptQuestion").endsWith("and the end?"));
}

TEST_F(Prompt, TakesALineInALowWindow) {
  ASSERT_TRUE(begin());
  session->setMap(Which::b, "stride:2");
  ASSERT_TRUE(ask(kPassage));
  page->resize(1208, 330);
  EXPECT_TRUE(soon([&] { return label("promptQuestionLine") == "Who waited for Tom?"; }));
  EXPECT_EQ(label("chatHeadlineLine"), "B holds half the cache; the answers differ from token 7 on.");
  EXPECT_EQ(label("promptPassageLine"), "");
  page->resize(1208, 660);
  EXPECT_TRUE(soon([&] { return label("promptQuestion") == "Who waited for Tom?"; }));
  EXPECT_EQ(label("promptQuestionLine"), "");
}

TEST_F(Prompt, ShowsTheQuestionOfTheTurnInView) {
  ASSERT_TRUE(begin());
  for (int i = 1; i <= 9; ++i) ASSERT_TRUE(ask(QString("Where was lantern %1?").arg(i)));
  EXPECT_EQ(label("promptQuestion"), "Where was lantern 9?");
  EXPECT_EQ(label("promptNumber"), "Question 9 of 9");
  Transcript* a = page->pane(Which::a)->transcript();
  ASSERT_TRUE(soon([&] { return a->verticalScrollBar()->maximum() > 100; }));
  a->verticalScrollBar()->setValue(0);
  EXPECT_TRUE(soon([&] { return label("promptQuestion") == "Where was lantern 1?"; }));
}

TEST_F(Prompt, TellsWhatWasExpectedAndWhatWasSeen) {
  ASSERT_TRUE(begin());
  file("Who came late?.base", "Anne");
  file("Who came late?.routed", "Anne");
  session->setMap(Which::b, "retention:0.5");
  page->setQuestion("Who came late?", {"\n"}, {"Anne", "Anne Smith"});
  page->sendDraft();
  ASSERT_TRUE(soon([&] { return answer(Which::a) && answer(Which::a)->answer && !page->answering().busy(); }));
  EXPECT_EQ(label("promptExpected"), "Expected answer: Anne or Anne Smith");
  EXPECT_EQ(label("chatHeadline"), "B holds half the cache and still gives the expected answer.");
  EXPECT_EQ(session->notices().at(0).text, label("chatHeadline"));
  for (const Label* word : page->pane(Which::b)->findChildren<Label*>()) {
    if (word->text() != "right") continue;
    EXPECT_EQ(word->palette().color(word->foregroundRole()), colors().good);
  }
}

TEST_F(Prompt, ChatsAreListedByTheirQuestions) {
  ASSERT_TRUE(begin());
  ASSERT_TRUE(ask(kPassage));
  ASSERT_TRUE(soon([&] { return page->list()->model()->rowCount() == 1; }));
  EXPECT_EQ(page->list()->model()->index(0).data().toString(), "Who waited for Tom?");
}

TEST_F(Prompt, AnAnswerThatComesTellsItsSpeedAndItsCache) {
  ASSERT_TRUE(begin());
  page->setDraft("slow");
  page->sendDraft();
  const auto status = [&] { return label("answera1Status"); };
  ASSERT_TRUE(soon([&] { return status().contains("tokens/s") && status().contains("KV used"); }))
      << status().toStdString();
  EXPECT_TRUE(status().startsWith("answering · ")) << status().toStdString();
  EXPECT_TRUE(child<QPushButton>("stopA")->isVisible());
  EXPECT_EQ(child<QPushButton>("stopBoth")->text(), "Stop both");
  child<QPushButton>("stopA")->click();
  ASSERT_TRUE(soon([&] { return page->answering().state(Which::a) == Answering::State::idle; }));
  EXPECT_EQ(page->answering().state(Which::b), Answering::State::answering);
  EXPECT_EQ(child<QPushButton>("stopBoth")->text(), "Stop");
  page->answering().stopAll();
  ASSERT_TRUE(soon([&] { return !page->answering().busy(); }));
}

TEST_F(Prompt, SeedsAreGreyAtTemperatureZero) {
  ASSERT_TRUE(begin());
  ASSERT_TRUE(ask("echo one"));
  EXPECT_FALSE(child<QPushButton>("chatSeed")->isEnabled());
  EXPECT_FALSE(child<QPushButton>("answera1NewSeed")->isEnabled());
  EXPECT_FALSE(child<QLineEdit>("seed")->isEnabled());
  EXPECT_EQ(label("composerSampling"), "temperature 0");
  child<QDoubleSpinBox>("temperature")->setValue(.8);
  EXPECT_TRUE(child<QPushButton>("chatSeed")->isEnabled());
  EXPECT_TRUE(child<QPushButton>("answera1NewSeed")->isEnabled());
  EXPECT_TRUE(child<QLineEdit>("seed")->isEnabled());
}

TEST_F(Prompt, StopTextsAreToBeSeenAndStayWithTheirQuestion) {
  ASSERT_TRUE(begin());
  page->setQuestion("echo Who came late?", {"\n"}, {"Anne"});
  EXPECT_EQ(label("composerSampling"), "temperature 0 · stops at \\n");
  EXPECT_EQ(child<QLineEdit>("stopTexts")->text(), "\\n");
  page->sendDraft();
  ASSERT_TRUE(soon([&] { return answer(Which::a) && answer(Which::a)->answer && !page->answering().busy(); }));
  EXPECT_TRUE(label("answera1MadeBy").contains("temperature 0 · stops at \\n"))
      << label("answera1MadeBy").toStdString();
  page->setDraft("echo something else");
  EXPECT_EQ(label("composerSampling"), "temperature 0");
  ASSERT_TRUE(ask("echo something else"));
  EXPECT_TRUE(requests("chat/generate").back()["sampling"]["stop"].empty());
  ASSERT_TRUE(ask("echo Who  came late?"));
  EXPECT_EQ(requests("chat/generate").back()["sampling"]["stop"], Json({"\n"})) << "typed by hand it is the same one";
  EXPECT_EQ(requests("chat/generate").back()["expected"], Json({"Anne"}));
  auto* stops = child<QLineEdit>("stopTexts");
  page->setDraft("echo a third");
  stops->setText("END");
  Q_EMIT stops->editingFinished();
  ASSERT_TRUE(ask("echo a third"));
  EXPECT_EQ(requests("chat/generate").back()["sampling"]["stop"], Json({"END"}));
}

TEST_F(Prompt, AModelWithoutATemplateSaysSoAndContinuesPlainText) {
  file("sides",
       R"({"a": {"ref": {"model": "bare", "adapter": "", "dtype": "", "device": "cpu", "context": 0}, "map": "full"},
           "b": {"ref": {"model": "base", "adapter": "", "dtype": "", "device": "cpu", "context": 0}, "map": "full"}})");
  ASSERT_TRUE(begin());
  ASSERT_TRUE(soon([&] { return label("noTemplateA").startsWith("bare has no chat template"); }));
  EXPECT_EQ(label("noTemplateB"), "");
  child<QPushButton>("continuePlainA")->click();
  ASSERT_TRUE(soon([&] { return label("noTemplateA").isEmpty(); }));
  const auto set = requests("project/set_template");
  ASSERT_EQ(set.size(), 1U);
  EXPECT_EQ(set[0]["ref"]["model"], "bare");
  EXPECT_TRUE(set[0]["text"].get<std::string>().find("message['content']") != std::string::npos);
}

TEST_F(Prompt, MarkdownIsSetWhileItStreams) {
  ASSERT_TRUE(begin());
  file("load", "0");
  Conversation& chat = page->conversation();
  ASSERT_TRUE(ask("echo a"));
  const int turn = chat.ask("by hand");
  chat.beginAnswer(turn, Which::a, *session->side(Which::a));
  const auto views = [&] {
    QStringList texts;
    for (QTextBrowser* view : page->pane(Which::a)->transcript()->findChildren<QTextBrowser*>()) {
      if (view->isVisible()) texts << view->toPlainText();
    }
    return texts;
  };
  chat.addText(turn, Which::a, "# Head\n\nSome **bo");
  EXPECT_TRUE(soon([&] { return views().join('|').contains("Some **bo"); })) << views().join('|').toStdString();
  chat.addText(turn, Which::a, "ld** words\n\n```cpp\nint x;\n");
  EXPECT_TRUE(soon([&] { return views().join('|').contains("Some bold words"); })) << views().join('|').toStdString();
  EXPECT_TRUE(views().join('|').contains("int x;"));
  EXPECT_FALSE(views().join('|').contains("```"));
  const QStringList coming = views();
  chat.addText(turn, Which::a, "```\n");
  Result<protocol::Answer> whole = protocol::Answer{};
  whole->text = chat.answer(turn, Which::a)->text.toStdString();
  whole->finish = "eos";
  chat.finishAnswer(turn, Which::a, whole);
  EXPECT_TRUE(soon([&] { return views() == coming; })) << views().join('|').toStdString();
}

TEST_F(Prompt, AnyTurnIsAnsweredAgain) {
  ASSERT_TRUE(begin());
  ASSERT_TRUE(ask("Where was the lantern?"));
  ASSERT_TRUE(ask("echo two"));
  session->setMap(Which::b, "stride:2");
  const QString before = answer(Which::b, 0)->text;
  auto* again = child<QPushButton>("answerb1Repeat");
  ASSERT_TRUE(again && again->isVisible());
  again->click();
  ASSERT_TRUE(soon([&] { return !page->answering().busy() && requests("chat/generate").size() == 5; }));
  EXPECT_EQ(requests("chat/generate").back()["turns"].size(), 1U);
  EXPECT_NE(answer(Which::b, 0)->text, before);
  EXPECT_EQ(answer(Which::b, 1)->text, "two") << "what follows stays";
  child<QPushButton>("chatNoticeAction")->click();
  EXPECT_EQ(answer(Which::b, 0)->text, before);
}

}  // namespace
}  // namespace strata::testing
