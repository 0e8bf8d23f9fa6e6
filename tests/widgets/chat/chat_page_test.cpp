#include "widgets/chat/chat_page.h"

#include <QAbstractButton>
#include <QLabel>
#include <QLineEdit>
#include <QListView>
#include <QPushButton>

#include "chat_fixture.h"
#include "widgets/chat/difference_bar.h"
#include "widgets/chat/notice_bar.h"
#include "widgets/mapeditor/map_choices.h"
#include "widgets/style/segmented_buttons.h"
#include "widgets/style/state_pane.h"

namespace strata::testing {
namespace {

QString labelText(QWidget* root, const char* name) {
  const auto* label = root->findChild<QLabel*>(name);
  return label != nullptr ? label->text() : QString();
}

class ChatPageTest : public ChatFixture {};

TEST_F(ChatPageTest, AsksBothSidesTheSameWithTheSameSeed) {
  ASSERT_TRUE(begin());
  ASSERT_TRUE(ask("Where was the lantern?"));
  const auto asked = requests("chat/generate");
  ASSERT_EQ(asked.size(), 2U);
  EXPECT_EQ(asked[0]["turns"], asked[1]["turns"]);
  EXPECT_EQ(asked[0]["sampling"]["seed"], asked[1]["sampling"]["seed"]);
  EXPECT_NE(asked[0]["stream"], asked[1]["stream"]);
  ASSERT_TRUE(answer(Which::a) && answer(Which::a)->answer);
  ASSERT_TRUE(answer(Which::b) && answer(Which::b)->answer);
}

TEST_F(ChatPageTest, SendsWithEnterAndBreaksLinesWithShiftEnter) {
  ASSERT_TRUE(begin());
  DraftEdit* edit = page->composer()->edit();
  edit->setFocus();
  QTest::keyClicks(edit, "echo one");
  QTest::keyClick(edit, Qt::Key_Return, Qt::ShiftModifier);
  QTest::keyClicks(edit, "two");
  EXPECT_EQ(page->composer()->draft(), "echo one\ntwo");
  QTest::keyClick(edit, Qt::Key_Return);
  ASSERT_TRUE(soon([&] { return !page->answering().busy() && !page->conversation().isEmpty(); }));
  EXPECT_EQ(answer(Which::a)->text, "one\ntwo");
  EXPECT_TRUE(page->composer()->draft().isEmpty());
}

TEST_F(ChatPageTest, AQuestionWaitsForTheEngineAndSaysSo) {
  file("delay", "0.5");
  makePage();
  page->setDraft("echo early");
  page->sendDraft();
  QTest::qWait(50);
  EXPECT_EQ(labelText(page->pane(Which::a), "answera1Status"), "waits for the engine");
  client->start(command());
  session->openProject({});
  ASSERT_TRUE(soon([&] { return answer(Which::a) && answer(Which::a)->answer && answer(Which::b)->answer; }));
  EXPECT_EQ(answer(Which::b)->text, "early");
}

TEST_F(ChatPageTest, ShowsWhatTheEngineReportedAndNotWhatThePickerSays) {
  ASSERT_TRUE(begin());
  ASSERT_TRUE(ask("echo hello"));
  page->setRetention(Which::b, .5);
  QTest::qWait(50);
  EXPECT_EQ(QString::fromStdString(session->side(Which::b)->map), "stride:2");
  EXPECT_TRUE(
      labelText(page->pane(Which::a), "answera1MadeBy").startsWith("made by base 62617365 · full · temperature 0"));
  EXPECT_TRUE(labelText(page->pane(Which::b), "answerb1MadeBy").startsWith("made with routed 726f7574 · full"));
  page->askAgain();
  ASSERT_TRUE(soon([&] { return !page->answering().busy() && requests("chat/generate").size() == 3; }));
  EXPECT_TRUE(labelText(page->pane(Which::b), "answerb1MadeBy").startsWith("made by routed"));
}

TEST_F(ChatPageTest, StaysTrueUnderRandomSwitchingOfBothPanes) {
  ASSERT_TRUE(begin());
  ASSERT_TRUE(ask("Where was the lantern?"));
  const std::vector<double> retentions = {1, .75, .5, .33, .25};
  std::srand(7);
  for (int i = 0; i < 30; ++i) {
    const Which which = std::rand() % 2 == 0 ? Which::a : Which::b;
    page->setRetention(which, retentions[static_cast<std::size_t>(std::rand()) % retentions.size()]);
    if (std::rand() % 3 == 0) page->answerAgain({which}, false);
    QTest::qWait(std::rand() % 20);
  }
  ASSERT_TRUE(soon([&] { return !page->answering().busy(); }));
  for (const Which which : kBothSides) {
    const auto asked = requests("chat/generate");
    const std::string stream = page->conversation().info().id + (which == Which::a ? "/a" : "/b");
    Json last;
    for (const Json& one : asked) {
      if (one["stream"] == stream) last = one;
    }
    ASSERT_TRUE(answer(which)->answer);
    EXPECT_EQ(answer(which)->answer->madeBy.map, last["side"]["map"].get<std::string>());
  }
}

TEST_F(ChatPageTest, RetentionButtonsSayWhatTheModelCanDo) {
  file("sides",
       R"({"a": {"ref": {"model": "tiny", "adapter": "", "dtype": "", "device": "cpu", "context": 0}, "map": "full"},
                    "b": null})");
  ASSERT_TRUE(begin());
  auto* buttons = child<MapChoices>("retentionA")->buttons();
  ASSERT_TRUE(soon([&] { return buttons->count() > 0; }));
  QStringList names;
  for (int i = 0; i < buttons->count(); ++i) names << buttons->button(i)->text();
  EXPECT_EQ(names, QStringList({"100", "80", "60", "40", "20 %"}));
  EXPECT_EQ(buttons->current(), 0);
  buttons->button(2)->click();
  EXPECT_EQ(session->side(Which::a)->map, "stride:2");
  EXPECT_EQ(buttons->current(), 2);
}

TEST_F(ChatPageTest, AnEmptySideSaysWhatBelongsThere) {
  file("sides",
       R"({"a": {"ref": {"model": "base", "adapter": "", "dtype": "", "device": "cpu", "context": 0}, "map": "full"},
                    "b": null})");
  ASSERT_TRUE(begin());
  EXPECT_EQ(page->pane(Which::b)->states()->state(), StatePane::State::empty);
  ASSERT_TRUE(ask("echo alone"));
  EXPECT_EQ(answer(Which::a)->text, "alone");
  EXPECT_EQ(answer(Which::b), nullptr);
}

TEST_F(ChatPageTest, AModelThatCannotChatSaysWhy) {
  file("sides",
       R"({"a": {"ref": {"model": "mute", "adapter": "", "dtype": "", "device": "cpu", "context": 0}, "map": "full"},
                    "b": {"ref": {"model": "base", "adapter": "", "dtype": "", "device": "cpu", "context": 0}, "map": "full"}})");
  ASSERT_TRUE(begin());
  ASSERT_TRUE(soon([&] { return page->pane(Which::a)->states()->state() == StatePane::State::failed; }));
}

TEST_F(ChatPageTest, EscapeStopsTheFocusedPaneAlone) {
  ASSERT_TRUE(begin());
  page->setDraft("slow");
  page->sendDraft();
  ASSERT_TRUE(soon([&] {
    return answer(Which::a) && answer(Which::b) && !answer(Which::a)->text.isEmpty() &&
           !answer(Which::b)->text.isEmpty();
  }));
  page->activateWindow();
  page->pane(Which::b)->transcript()->setFocus();
  EXPECT_TRUE(page->escape());
  ASSERT_TRUE(soon([&] { return page->answering().state(Which::b) == Answering::State::idle; }));
  EXPECT_EQ(page->answering().state(Which::a), Answering::State::answering);
  EXPECT_EQ(answer(Which::b)->answer->finish, "cancel");
  EXPECT_FALSE(answer(Which::b)->text.isEmpty());
  page->composer()->edit()->setFocus();
  EXPECT_TRUE(page->escape());
  ASSERT_TRUE(soon([&] { return !page->answering().busy(); }));
  EXPECT_FALSE(page->escape());
}

TEST_F(ChatPageTest, TimesThemOneAfterTheOther) {
  ASSERT_TRUE(begin());
  page->setDraft("slow");
  page->sendDraft();
  ASSERT_TRUE(soon([&] {
    return answer(Which::a) && answer(Which::b) && !answer(Which::a)->text.isEmpty() &&
           !answer(Which::b)->text.isEmpty();
  }));
  page->answering().stopAll();
  ASSERT_TRUE(soon([&] { return !page->answering().busy(); }));
  EXPECT_TRUE(answer(Which::b)->answer->shared);
  GenerateConfig sampling;
  sampling.maxTokens = 3;
  page->conversation().setSampling(sampling);
  page->timeThem();
  ASSERT_TRUE(soon([&] { return requests("chat/generate").size() == 4 && !page->answering().busy(); }));
  EXPECT_FALSE(answer(Which::a)->answer->shared);
  EXPECT_FALSE(answer(Which::b)->answer->shared);
}

TEST_F(ChatPageTest, EditingAQuestionDropsWhatFollowsAndCanBeTakenBack) {
  ASSERT_TRUE(begin());
  ASSERT_TRUE(ask("echo one"));
  ASSERT_TRUE(ask("echo two"));
  page->composer()->edit()->setFocus();
  QTest::keyClick(page->composer()->edit(), Qt::Key_Up);
  EXPECT_EQ(page->composer()->draft(), "echo two");
  EXPECT_EQ(page->composer()->editedTurn(), 1);
  ASSERT_TRUE(ask("echo three"));
  EXPECT_EQ(page->conversation().lastTurn(), 1);
  EXPECT_EQ(answer(Which::a)->text, "three");
  const auto puts = requests("chats/put");
  const auto dropped =
      std::count_if(puts.begin(), puts.end(), [](const Json& put) { return put["drop_from_turn"] == 1; });
  EXPECT_EQ(dropped, 1);
  ASSERT_FALSE(page->notice()->isHidden());
  child<QPushButton>("chatNoticeAction")->click();
  EXPECT_EQ(page->conversation().turns()[1].question, "echo two");
  EXPECT_EQ(answer(Which::a, 1)->text, "two");
}

TEST_F(ChatPageTest, AnsweringAgainCanBeUndone) {
  ASSERT_TRUE(begin());
  ASSERT_TRUE(ask("Where was the lantern?"));
  const QString before = answer(Which::b)->text;
  page->setRetention(Which::b, .5);
  page->answerAgain({Which::b}, true);
  ASSERT_TRUE(soon([&] { return !page->answering().busy() && requests("chat/generate").size() == 3; }));
  EXPECT_NE(answer(Which::b)->text, before);
  child<QPushButton>("chatNoticeAction")->click();
  EXPECT_EQ(answer(Which::b)->text, before);
}

TEST_F(ChatPageTest, ABranchIsANewChatUpToThere) {
  ASSERT_TRUE(begin());
  ASSERT_TRUE(ask("echo one"));
  ASSERT_TRUE(ask("echo two"));
  const QString first = page->conversation().id();
  page->branchFrom(0);
  EXPECT_NE(page->conversation().id(), first);
  EXPECT_EQ(page->conversation().lastTurn(), 0);
  ASSERT_TRUE(soon([&] { return page->list()->model()->rowCount() == 2; }));
}

TEST_F(ChatPageTest, AnswersReadTheirOwnSidesConversation) {
  ASSERT_TRUE(begin());
  session->setMap(Which::b, "stride:2");
  ASSERT_TRUE(ask("Where was the lantern?"));
  ASSERT_TRUE(ask("And then?"));
  const auto asked = requests("chat/generate");
  ASSERT_EQ(asked.size(), 4U);
  for (std::size_t i = 2; i < 4; ++i) {
    const Which which = asked[i]["stream"].get<std::string>().ends_with("/a") ? Which::a : Which::b;
    EXPECT_EQ(asked[i]["turns"][1]["content"], page->conversation().answer(0, which)->answer->text);
  }
}

TEST_F(ChatPageTest, ADraftSurvivesTheWindow) {
  makePage();
  page->setDraft("half a thought");
  EXPECT_TRUE(soon([&] {
    const QSettings written(settings.fileName(), QSettings::IniFormat);
    return written.value("chat/draft").toString() == "half a thought";
  }));
  page.reset();
  makePage();
  EXPECT_EQ(page->composer()->draft(), "half a thought");
}

TEST_F(ChatPageTest, TheTextSoFarStaysWhenTheEngineDies) {
  ASSERT_TRUE(begin());
  page->setDraft("die");
  page->sendDraft();
  ASSERT_TRUE(soon([&] { return answer(Which::a) && !answer(Which::a)->running && !answer(Which::b)->running; }));
  EXPECT_FALSE(answer(Which::a)->problem.isEmpty());
  EXPECT_TRUE(labelText(page->pane(Which::a), "answera1Problem").contains("stopped"));
  ASSERT_TRUE(soon([&] { return client->ready(); }));
  QPushButton* again = nullptr;
  ASSERT_TRUE(soon(
      [&] { return (again = page->pane(Which::a)->findChild<QPushButton*>("answera1Again")) && again->isVisible(); }));
  ASSERT_TRUE(ask("echo alive"));
  EXPECT_EQ(answer(Which::b)->text, "alive");
  EXPECT_TRUE(soon([&] {
    const auto stored = readJson(folder.path() / "chats.json");
    return stored && (*stored)[page->conversation().info().id]["messages"].size() == 6;
  })) << "no message is lost";
}

TEST_F(ChatPageTest, AFailedAnswerSaysWhyAndKeepsTheQuestion) {
  ASSERT_TRUE(begin());
  ASSERT_TRUE(ask("fail"));
  EXPECT_TRUE(labelText(page->pane(Which::a), "answera1Problem").contains("start a new chat"));
  EXPECT_EQ(page->conversation().turns()[0].question, "fail");
}

TEST_F(ChatPageTest, ComesBackToTheChatItWasIn) {
  ASSERT_TRUE(begin());
  ASSERT_TRUE(ask("echo kept"));
  ASSERT_TRUE(soon([&] { return page->list()->model()->rowCount() == 1; }));
  const QString id = page->conversation().id();
  page.reset();
  makePage();
  ASSERT_TRUE(soon([&] { return !page->conversation().isEmpty(); }));
  EXPECT_EQ(page->conversation().id(), id);
  EXPECT_EQ(answer(Which::b)->text, "kept");
}

TEST_F(ChatPageTest, FindsRenamesTrashesAndRestoresChats) {
  ASSERT_TRUE(begin());
  ASSERT_TRUE(ask("echo apples"));
  page->startNew();
  ASSERT_TRUE(ask("echo pears"));
  ChatList* list = page->list();
  ASSERT_TRUE(soon([&] { return list->model()->rowCount() == 2; }));
  list->search()->setText("apples");
  ASSERT_TRUE(soon([&] { return list->model()->rowCount() == 1; }));
  const QString id = QString::fromStdString(list->model()->at(0)->id);
  list->model()->setData(list->model()->index(0), "Fruit", Qt::EditRole);
  ASSERT_TRUE(
      soon([&] { return !requests("chats/put").empty() && requests("chats/put").back()["chat"]["title"] == "Fruit"; }));
  list->view()->setCurrentIndex(list->model()->index(0));
  QTest::keyClick(list->view(), Qt::Key_Delete);
  ASSERT_TRUE(soon([&] { return list->model()->rowCount() == 0; }));
  ASSERT_FALSE(page->notice()->isHidden());
  child<QPushButton>("chatNoticeAction")->click();
  ASSERT_TRUE(soon([&] { return page->conversation().id() == id; }));
}

TEST_F(ChatPageTest, ExportsIntoAFile) {
  ASSERT_TRUE(begin());
  ASSERT_TRUE(ask("echo export"));
  const auto path = folder.path() / "chat.md";
  page->list()->exportTo(page->conversation().id(), "md", QString::fromStdString(path.string()));
  ASSERT_TRUE(soon([&] { return std::filesystem::exists(path); }));
  EXPECT_EQ(readText(path), "# echo export\n");
}

TEST_F(ChatPageTest, MarksWhereTheAnswersPartWithoutBeingAsked) {
  ASSERT_TRUE(begin());
  session->setMap(Which::b, "stride:2");
  ASSERT_TRUE(ask("Where was the lantern?"));
  EXPECT_TRUE(requests("chat/compare").empty());
  const auto marks = page->differences().marks(0, Which::b);
  ASSERT_EQ(marks.size(), 1U);
  EXPECT_TRUE(marks[0].first);
  EXPECT_EQ(answer(Which::b)->text.mid(marks[0].begin, marks[0].end - marks[0].begin), "a");
  const auto first = firstDifference(answer(Which::b), answer(Which::a));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->token, 6);
}

TEST_F(ChatPageTest, ReadsDifferencesOutTokenByToken) {
  ASSERT_TRUE(begin());
  session->setMap(Which::b, "stride:2");
  ASSERT_TRUE(ask("Where was the lantern?"));
  child<QAbstractButton>("differences")->click();
  ASSERT_TRUE(soon([&] { return page->differences().state() == Differences::State::shown; }));
  auto* bar = child<DifferenceBar>("differenceBar");
  EXPECT_TRUE(bar->readOut().contains("token 7 of")) << bar->readOut().toStdString();
  bar->setFocus();
  QTest::keyClick(bar, Qt::Key_Right);
  EXPECT_TRUE(bar->readOut().contains("token 8 of"));
  EXPECT_TRUE(bar->readOut().contains("81.0 %"));
  QTest::keyClick(bar, Qt::Key_Home);
  EXPECT_TRUE(bar->readOut().contains("token 7 of"));
  const auto asked = requests("chat/compare");
  ASSERT_EQ(asked.size(), 1U);
  page->differences().setText(Which::b);
  ASSERT_TRUE(soon([&] { return page->differences().state() == Differences::State::shown; }));
  EXPECT_GT(page->differences().marks(0, Which::b).size(), 3U);
  EXPECT_EQ(page->differences().marks(0, Which::a).size(), 1U);
}

TEST_F(ChatPageTest, AComparisonCanBeStopped) {
  ASSERT_TRUE(begin());
  page->setDraft("slow");
  page->sendDraft();
  ASSERT_TRUE(soon([&] { return answer(Which::a) && answer(Which::b) && answer(Which::b)->text.size() > 100; }));
  page->answering().stopAll();
  ASSERT_TRUE(soon([&] { return !page->answering().busy(); }));
  page->differences().setOn(true);
  ASSERT_TRUE(soon([&] { return page->differences().stage().total > 0; }));
  EXPECT_TRUE(page->escape());
  EXPECT_EQ(page->differences().state(), Differences::State::failed);
}

TEST_F(ChatPageTest, ScrollsTogetherUnlessToldNotTo) {
  ASSERT_TRUE(begin());
  for (int i = 0; i < 8; ++i) ASSERT_TRUE(ask("Where was the lantern?"));
  Transcript* a = page->pane(Which::a)->transcript();
  Transcript* b = page->pane(Which::b)->transcript();
  QTest::qWait(50);
  ASSERT_GT(a->verticalScrollBar()->maximum(), 200);
  a->verticalScrollBar()->setValue(100);
  EXPECT_NEAR(b->viewTop(), 100, 30);
  EXPECT_FALSE(b->followsEnd());
  child<QAbstractButton>("scrollTogether")->click();
  a->verticalScrollBar()->setValue(0);
  EXPECT_GT(b->viewTop(), 50);
}

TEST_F(ChatPageTest, SettingsAndSystemPromptReachTheEngine) {
  ASSERT_TRUE(begin());
  child<QPushButton>("chatSettings")->click();
  child<QDoubleSpinBox>("temperature")->setValue(.8);
  auto* seed = child<QLineEdit>("seed");
  seed->setText("42");
  Q_EMIT seed->editingFinished();
  child<QPlainTextEdit>("systemPrompt")->setPlainText("Be brief.");
  QTest::qWait(600);
  ASSERT_TRUE(ask("echo settings"));
  const Json asked = requests("chat/generate").back();
  EXPECT_EQ(asked["sampling"]["temperature"], .8);
  EXPECT_EQ(asked["sampling"]["seed"], 42);
  EXPECT_EQ(asked["turns"][0]["role"], "system");
}

TEST_F(ChatPageTest, EveryControlHasANameForScreenReadersAndForTests) {
  ASSERT_TRUE(begin());
  ASSERT_TRUE(ask("Where was the lantern?"));
  child<QPushButton>("chatSettings")->click();
  QStringList nameless;
  for (QWidget* widget : page->findChildren<QWidget*>()) {
    if (widget->focusPolicy() == Qt::NoFocus || widget->focusProxy() != nullptr || !widget->isVisible()) continue;
    if (qobject_cast<QLineEdit*>(widget) && widget->parentWidget()->inherits("QAbstractSpinBox")) continue;
    if (widget->inherits("QScrollBar") || widget->objectName().startsWith("qt_")) continue;
    QAccessibleInterface* access = QAccessible::queryAccessibleInterface(widget);
    const QString name = access != nullptr ? access->text(QAccessible::Name) : QString();
    if (name.isEmpty() || widget->objectName().isEmpty()) {
      nameless << QString("%1 \"%2\" named \"%3\"").arg(widget->metaObject()->className(), widget->objectName(), name);
    }
  }
  EXPECT_TRUE(nameless.isEmpty()) << nameless.join('\n').toStdString();
}

TEST_F(ChatPageTest, CanBeUsedWithTheKeyboardAlone) {
  ASSERT_TRUE(begin());
  page->activateWindow();
  child<QDoubleSpinBox>("temperature")->setValue(.5);  // a seed matters
  page->composer()->edit()->setFocus();
  QTest::keyClicks(page->composer()->edit(), "echo keys");
  QTest::keyClick(page->composer()->edit(), Qt::Key_Return);
  ASSERT_TRUE(soon([&] { return !page->answering().busy() && page->list()->model()->rowCount() == 1; }));
  QStringList reached;
  for (int i = 0; i < 60; ++i) {
    QTest::keyClick(page->window()->focusWidget(), Qt::Key_Tab);
    if (page->window()->focusWidget() != nullptr) reached << page->window()->focusWidget()->objectName();
  }
  for (const char* name :
       {"send", "chatSettings", "chatSeed", "chatSearch", "newChat", "chats", "againBoth", "timeThem", "differences",
        "scrollTogether", "answera1Repeat", "answerb1Repeat", "answera1Copy"}) {
    EXPECT_TRUE(reached.contains(name)) << name << " among " << reached.join(", ").toStdString();
  }
  EXPECT_GE(page->panes().size(), 4);
  EXPECT_GE(page->actions().size(), 15);
  EXPECT_FALSE(page->keys().isEmpty());
}

}  // namespace
}  // namespace strata::testing
