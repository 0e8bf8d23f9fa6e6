// From the first start of the window to a routed run of one's own: the wizard, the live curves, stop, resume, extend, a
// sweep. Under Xvfb with a window manager mouse and keyboard are real.

#include <gmock/gmock.h>

#include <QListView>
#include <QTreeView>
#include <cstdlib>

#include "pace.h"
#include "train_steps.h"
#include "widgets/style/switch.h"
#include "widgets/training/run_fields.h"

namespace strata {
namespace {

class TrainJourney : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(window.isReady()) << window.engine.log().toStdString();
    clock.start();
    page.open();
  }
  const std::vector<protocol::JobInfo>& runs() { return window.session.runs().rows(); }
  std::string sideB() { return window.session.side(Which::b)->ref.model; }

  OwnFolders folders;
  RealWindow window{folders};
  TrainSteps page{window};
  QElapsedTimer clock;
};

TEST_F(TrainJourney, TwoClicksLeadToALiveLossCurveAndHalfTheCacheCostsLessInTheEnd) {
  window.screenshot("train_journey_0_ready");
  page.click("startRun");
  ASSERT_TRUE(until([&] { return page.points("lossPlot") > 0; })) << page.problems();
  const qint64 toFirstPoint = clock.elapsed();
  std::printf("first point of the loss after %lld ms and two clicks\n", static_cast<long long>(toFirstPoint));
  EXPECT_LT(static_cast<double>(toFirstPoint), 30'000 * testing::pace());
  ASSERT_TRUE(until([&] { return page.points("lossPlot") >= 12; }));
  window.screenshot("train_journey_1_running");
  ASSERT_TRUE(page.ends("done"));
  std::printf("done after %lld ms\n", static_cast<long long>(clock.elapsed()));
  auto* heldOut = window.find<SeriesPlot>("nllPlot");
  ASSERT_EQ(heldOut->series().size(), 2);
  ASSERT_TRUE(until([&] {
    const QStringList maps = heldOut->series();
    return std::all_of(maps.begin(), maps.end(),
                       [&](const QString& id) { return heldOut->data(id)->columns().step.back() == 40; });
  })) << "the weights that the run ends with are evaluated, and shown";
  window.screenshot("train_journey_2_done");
  for (const QString& id : heldOut->series()) {
    const std::vector<double>& nll = heldOut->data(id)->columns().value;
    ASSERT_GE(nll.size(), 2u);
    if (id.contains("retention")) {
      EXPECT_LT(nll.back(), nll.front());
    }
  }
  // The run is a model now: side B chats with it.
  ASSERT_TRUE(until([&] { return page.button("useRunAsB")->isEnabled(); }));
  page.click("useRunAsB");
  ASSERT_TRUE(until([&] { return window.session.side(Which::b) && sideB() == runs().front().id; }));
}

TEST_F(TrainJourney, ALauncherStartsARunOnSeveralRanks) {
  if (std::system("command -v mpirun >/dev/null") != 0) GTEST_SKIP() << "no mpirun";
  page.fill(WizardStep::budget, "steps", "12");
  page.fill(WizardStep::budget, "trainLauncher",
            "OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 mpirun --oversubscribe --bind-to none -np 2");
  ASSERT_TRUE(until([&] { return page.label("runRanks").starts_with("Memory of each of the 2 ranks"); }))
      << page.label("runRanks");
  window.screenshot("train_journey_launcher");
  page.start();
  ASSERT_TRUE(page.ends("done"));
  const std::string run = window.session.project()->folder + "/runs/" + runs().front().id;
  EXPECT_THAT(testing::readText(run + "/log"), ::testing::HasSubstr("2 ranks; each sends"));
}

TEST_F(TrainJourney, TheWizardLeadsToARoutedRunThatIsStoppedResumedAndExtended) {
  page.goTo(WizardStep::data);
  for (const WizardStep step : {WizardStep::method, WizardStep::budget, WizardStep::evaluation, WizardStep::review}) {
    page.click("stepNext");
    ASSERT_TRUE(until([&] { return page.button(step)->isChecked(); }));
    window.screenshot(QString("train_journey_wizard_%1").arg(static_cast<int>(step)));
  }
  page.fill(WizardStep::method, "p-cross", "0.6");
  page.fill(WizardStep::budget, "steps", "30");
  page.start();
  ASSERT_TRUE(until([&] { return page.points("lossPlot") >= 2; })) << page.problems();
  page.click("stopRun");
  ASSERT_TRUE(page.ends("stopped"));
  EXPECT_LT(page.points("lossPlot"), 30u);
  page.click("resumeRun");
  ASSERT_TRUE(page.ends("done"));
  EXPECT_TRUE(until([&] { return page.points("lossPlot") == 30; })) << page.points("lossPlot") << ": each step once";
  page.click("extendRun");
  ASSERT_TRUE(page.startable()) << page.problems();
  page.fill(WizardStep::budget, "steps", "4");
  page.start();
  ASSERT_TRUE(until([&] { return runs().size() == 2; })) << page.problems();
  ASSERT_TRUE(page.ends("done"));
  EXPECT_EQ(runs()[0].parent, runs()[1].id);
  EXPECT_EQ(runs()[0].pCross, 0.6) << "extended as it was set up";
}

TEST_F(TrainJourney, ARunIsChattedWithWhileItTrainsAndItsNewestCheckpointAnswers) {
  page.fill(WizardStep::budget, "steps", "2000");
  page.fill(WizardStep::review, "save-every", "10");
  page.fill(WizardStep::evaluation, "eval-every", "10");
  page.fill(WizardStep::evaluation, "eval-questions-text",
            QString::fromStdString(window.session.project()->folder) + "/recall.json");
  page.fill(WizardStep::evaluation, "eval-questions-limit", "6");
  page.start();
  ASSERT_TRUE(until([&] { return page.button("useRunAsB")->isEnabled(); }, 2 * kPatience)) << page.problems();
  auto* answers = window.find<QListView>("answerList");
  ASSERT_TRUE(until([&] { return answers->isVisible() && answers->model()->rowCount() == 6; }));
  window.screenshot("train_journey_3_answers");
  page.click("useRunAsB");
  ASSERT_TRUE(until([&] { return sideB() == runs().front().id + "@latest"; })) << sideB();
  page.click("rail-chat");
  ASSERT_TRUE(until([&] { return window.find("runStrip")->isVisible() && page.points("stripPlot") > 0; }));
  const auto stepThatAnswers = [&](int turn) {
    auto* draft = window.find<QPlainTextEdit>("chatDraft");
    const QString question = "What did Tom find under the tree?";
    page.hand.click(draft);
    EXPECT_TRUE(page.hand.hasFocus("chatDraft"));
    page.hand.press("ctrl+a");
    page.hand.type(question);
    EXPECT_TRUE(until([&] { return draft->toPlainText() == question; })) << draft->toPlainText().toStdString();
    page.hand.press("Return");
    EXPECT_TRUE(window.bothAnswered(turn)) << window.engine.log().toStdString();
    const std::string by = window.answer(turn, Which::b)->answer->madeBy.model;
    return std::stoll(by.substr(by.find('@') + 1));
  };
  const std::int64_t first = stepThatAnswers(0);
  window.screenshot("train_journey_4_chat");
  ASSERT_NE(window.session.trainingRun(window.session.side(Which::b)->ref), nullptr) << "it trains on";
  ASSERT_TRUE(until([&] { return runs().front().step >= first + 25; }, 2 * kPatience));
  EXPECT_GT(stepThatAnswers(1), first) << "a newer checkpoint answers the next question";
  window.theme.setChoice(Theme::Choice::dark);
  window.screenshot("train_journey_4_chat_dark");
  window.theme.setChoice(Theme::Choice::light);
  page.click("rail-train");
  ASSERT_TRUE(until([&] { return page.button("stopRun")->isVisible(); }));
  EXPECT_GT(page.points("lossPlot"), 10u) << "the curves go on there too";
  page.click("stopRun");
  EXPECT_TRUE(page.ends("stopped"));
}

TEST_F(TrainJourney, ASweepOfThreeProbabilitiesIsQueuedRunAndCompared) {
  page.goTo(WizardStep::method);
  page.switchOn("sweep");
  auto* values = window.find<QLineEdit>("sweepValues");
  ASSERT_TRUE(until([&] { return values->isVisible(); }));
  page.hand.enter(values, "0, 0.5, 1");
  window.screenshot("train_journey_5_sweep");
  page.fill(WizardStep::budget, "steps", "3");
  page.start();
  const auto done = [&] {
    return std::count_if(runs().begin(), runs().end(), [](const auto& run) { return run.state == "done"; });
  };
  ASSERT_TRUE(until([&] { return runs().size() == 3 && done() == 3; }, 4 * kPatience)) << page.problems();
  std::vector<double> probabilities;
  for (const protocol::JobInfo& run : runs()) {
    EXPECT_EQ(run.sweep, runs().front().sweep);
    probabilities.push_back(run.pCross.value_or(-1));
  }
  EXPECT_THAT(probabilities, ::testing::UnorderedElementsAre(0, 0.5, 1));

  // All three in one plot, and the settings in which they differ.
  auto* list = window.find<QTreeView>("trainingRuns");
  for (int row = 0; row < 3; ++row) {
    const QModelIndex box = list->model()->index(row, static_cast<int>(RunField::tick));
    page.hand.click(list->viewport(), list->visualRect(box).center());
    ASSERT_TRUE(until([&] { return box.data(Qt::CheckStateRole).toInt() == Qt::Checked; }));
  }
  EXPECT_TRUE(until([&] { return window.find<SeriesPlot>("lossPlot")->series().size() >= 3; }));
  page.click("compareRuns");
  ASSERT_TRUE(until([&] {
    const auto* table = window.find<QTreeView>("comparedSettings");
    return table != nullptr && table->isVisible();
  }));
  window.screenshot("train_journey_6_compared");
  const QAbstractItemModel* settings = window.find<QTreeView>("comparedSettings")->model();
  ASSERT_EQ(settings->rowCount(), 1) << page.label("comparisonState");
  QStringList row;
  for (int column = 0; column < settings->columnCount(); ++column) {
    row << settings->index(0, column).data().toString();
  }
  EXPECT_EQ(row.value(0), "Routing probability");
  EXPECT_THAT(QStringList(row.mid(1)), ::testing::UnorderedElementsAre("0", "0.5", "1"));
  page.hand.press("Escape");
  EXPECT_TRUE(until([&] { return window.find("runComparison") == nullptr; }));
}

}  // namespace
}  // namespace strata
