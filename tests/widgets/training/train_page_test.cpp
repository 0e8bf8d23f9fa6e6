#include "widgets/training/train_page.h"

#include <QComboBox>
#include <QLabel>
#include <QLineEdit>
#include <QListView>
#include <QScrollArea>
#include <QScrollBar>
#include <QStackedWidget>
#include <QTreeView>
#include <QUndoStack>

#include "field_help.h"
#include "layout_check.h"
#include "page_fixture.h"
#include "widgets/plots/series_plot.h"
#include "widgets/training/borrowed_bars.h"
#include "widgets/training/routing_picture.h"
#include "widgets/training/run_wizard.h"
#include "widgets/training/step_list.h"

namespace strata::testing {
namespace {

class TrainPageTest : public ::testing::Test, public PageFixture {
 protected:
  void open(const std::string& scenario) {
    ASSERT_TRUE(start(scenario));
    page = std::make_unique<TrainPage>(session);
    frame = std::make_unique<Frame>(*page);
    frame->resize(1280, 800);
    frame->show();
    session.runs().refresh();
    session.models().refresh();
  }
  void openWizard(const std::string& scenario = "new") {
    open(scenario);
    ASSERT_TRUE(soon([&] { return preset().count() == 2 && label("predicted-total").contains("iB"); }));
  }
  /// One that has no checkpoint yet.
  void openNewRun() {
    child<QAbstractButton>(*page, "newRun").click();
    ASSERT_TRUE(soon([&] { return button("startRun").isEnabled(); }));
    button("startRun").click();
    ASSERT_TRUE(soon([&] { return label("runDetail").contains("step 0 of"); })) << label("runDetail").toStdString();
  }
  void openRuns() {
    open("runs");
    ASSERT_TRUE(soon([&] { return runs().model()->rowCount() == 3; }));
  }
  QComboBox& preset() const { return child<QComboBox>(*page, "preset"); }
  QTreeView& runs() const { return child<QTreeView>(*page, "trainingRuns"); }
  QString label(const char* name) const { return child<QLabel>(*page, name).text(); }
  Button& button(const char* name) const { return child<Button>(*page, name); }
  StepList& steps() const { return child<StepList>(*page, "steps"); }
  SeriesPlot& plot(const char* name) const { return child<SeriesPlot>(*page, name); }
  std::size_t pointsOf(const char* name) const {
    SeriesPlot& shown = plot(name);
    return shown.series().isEmpty() ? 0 : shown.data(shown.series().first())->size();
  }
  bool says(const QString& words) const {
    const auto labels = frame->findChildren<QLabel*>();
    return std::any_of(labels.begin(), labels.end(),
                       [&](const QLabel* one) { return one->isVisible() && one->text().contains(words); });
  }
  void type(const char* field, const QString& text) {
    QWidget& control = child<QWidget>(*page, field);
    auto* box = qobject_cast<QComboBox*>(&control);
    auto* line = box != nullptr ? box->lineEdit() : qobject_cast<QLineEdit*>(&control);
    ASSERT_NE(line, nullptr);
    line->setFocus();
    line->selectAll();
    text.isEmpty() ? line->del() : QTest::keyClicks(line, text);
    if (text.isEmpty()) Q_EMIT line->textEdited({});
  }

  std::unique_ptr<TrainPage> page;
  std::unique_ptr<Frame> frame;
};

TEST_F(TrainPageTest, WithoutRunsTheWizardStandsReadyWithTheSamplesPreset) {
  openWizard();
  EXPECT_TRUE(child<RunWizard>(*page, "runWizard").isVisible());
  EXPECT_EQ(preset().currentText(), "Sample, under a minute");
  ASSERT_TRUE(soon([&] { return label("runReady") == "Ready"; })) << label("runReady").toStdString();
  EXPECT_TRUE(label("runSummary").contains("base on train.txt")) << label("runSummary").toStdString();
  EXPECT_TRUE(button("startRun").isEnabled());
}

TEST_F(TrainPageTest, StartShowsTheRunAndItsFirstPoints) {
  openWizard();
  QTest::mouseClick(&button("startRun"), Qt::LeftButton);
  ASSERT_TRUE(soon([&] { return pointsOf("lossPlot") > 0; }));
  EXPECT_TRUE(plot("lossPlot").isVisible());
  EXPECT_EQ(label("runStatus"), "running");
  EXPECT_TRUE(button("stopRun").isVisible());
  EXPECT_EQ(runs().model()->rowCount(), 1);
}

TEST_F(TrainPageTest, WhatTheEngineRefusesStandsByStart) {
  openWizard("cannot start");
  QTest::mouseClick(&button("startRun"), Qt::LeftButton);
  EXPECT_TRUE(soon([&] { return label("startNote").contains("Every row of train.txt is dropped"); }));
  EXPECT_TRUE(child<RunWizard>(*page, "runWizard").isVisible()) << "what was typed stays";
}

TEST_F(TrainPageTest, AStepThatNeedsAPersonSaysSoAndTheCardLeadsThere) {
  openWizard();
  type("data", "");
  EXPECT_EQ(label("runReady"), "Not ready");
  EXPECT_TRUE(steps().step(0)->accessibleName().contains("needs you"));
  EXPECT_FALSE(button("startRun").isEnabled());
  steps().step(3)->click();
  QTest::mouseClick(&button("reason-1-go"), Qt::LeftButton);
  EXPECT_EQ(steps().current(), 0);
  EXPECT_TRUE(child<QWidget>(*page, "data").hasFocus());
}

TEST_F(TrainPageTest, AModelThatCannotBeReadIsSaidByTheCard) {
  openWizard();
  type("model", "/models/broken");
  ASSERT_TRUE(soon([&] { return label("runReady") == "Not ready"; }));
  EXPECT_TRUE(soon([&] { return says("/models/broken has no config.json"); }));
}

TEST_F(TrainPageTest, ChangesAreCountedFromThePresetAndUndoTakesThemBack) {
  openWizard();
  steps().step(2)->click();
  type("steps", "75");
  EXPECT_TRUE(steps().step(2)->accessibleName().contains("1 changed"))
      << steps().step(2)->accessibleName().toStdString();
  EXPECT_TRUE(label("changes").contains("Training steps: 75 steps, was 60 steps")) << label("changes").toStdString();
  page->undoStack()->undo();
  EXPECT_TRUE(steps().step(2)->accessibleName().contains("preset"));
  EXPECT_EQ(label("changes"), "Nothing differs from the preset.");
}

TEST_F(TrainPageTest, AnotherPresetFillsAllStepsAndCanBeUndone) {
  openWizard();
  steps().step(2)->click();
  type("steps", "75");
  preset().setCurrentIndex(1);
  Q_EMIT preset().activated(1);
  EXPECT_EQ(child<QLineEdit>(*page, "steps").text(), "500");
  EXPECT_EQ(child<QLineEdit>(*page, "lora").text(), "16");
  page->undoStack()->undo();
  EXPECT_EQ(preset().currentIndex(), 0);
  EXPECT_EQ(child<QLineEdit>(*page, "steps").text(), "75");
  EXPECT_EQ(child<QLineEdit>(*page, "lora").text(), "0");
}

TEST_F(TrainPageTest, ThePictureOfRoutingFollowsSamplerAndProbability) {
  openWizard();
  steps().step(1)->click();
  auto& picture = child<RoutingPicture>(*page, "routingPicture");
  ASSERT_TRUE(soon([&] { return picture.sentence().contains("borrows"); })) << picture.sentence().toStdString();
  const QString uniform = picture.sentence();
  type("sampler", "window:2");
  EXPECT_NE(picture.sentence(), uniform);
  type("p-cross", "0");
  EXPECT_TRUE(picture.sentence().contains("No layer ever borrows")) << picture.sentence().toStdString();
}

TEST_F(TrainPageTest, TellsWhatTheDataHoldAndWhatOfTheEvaluationDataIsAmongThem) {
  openWizard();
  ASSERT_TRUE(soon([&] { return label("dataRows").contains("52,000 tokens"); })) << label("dataRows").toStdString();
  EXPECT_TRUE(label("dataRows").contains("10 % of it are held out"));
  type("eval-data", "recall.json");
  EXPECT_TRUE(soon([&] { return label("dataLeak").contains("5 of the 100 records of recall.json"); }))
      << label("dataLeak").toStdString();
}

TEST_F(TrainPageTest, ASweepQueuesARunForEachProbability) {
  openWizard();
  steps().step(1)->click();
  child<QAbstractButton>(*page, "sweep").click();
  EXPECT_TRUE(label("runSummary").contains("4 run")) << label("runSummary").toStdString();
  EXPECT_TRUE(label("runDisk").startsWith("1.03 GiB for the checkpoints of 4 run")) << label("runDisk").toStdString();
  type("sweepValues", "0, 2");
  EXPECT_EQ(label("runReady"), "Not ready");
  type("sweepValues", "0, .5, 1");
  button("measureRun").click();
  EXPECT_TRUE(soon([&] { return label("runTime").startsWith("about 21 s for each run of 60 step"); }))
      << label("runTime").toStdString();
  ASSERT_TRUE(soon([&] { return button("startRun").isEnabled(); }));
  QTest::mouseClick(&button("startRun"), Qt::LeftButton);
  EXPECT_TRUE(soon([&] { return runs().model()->rowCount() == 3; }));
}

TEST_F(TrainPageTest, MeasuringTwoStepsTellsTimeAndMemory) {
  openWizard();
  EXPECT_EQ(label("runTime"), "Not measured");
  QTest::mouseClick(&button("measureRun"), Qt::LeftButton);
  ASSERT_TRUE(soon([&] { return label("runTime").contains("21 s"); })) << label("runTime").toStdString();
  EXPECT_EQ(label("measured-total"), "402 MiB");
  type("batch", "4");
  EXPECT_EQ(label("runTime"), "Not measured") << "it was another run that was measured";
}

TEST_F(TrainPageTest, MeasuringCanBeStopped) {
  openWizard("slow probe");
  QTest::mouseClick(&button("measureRun"), Qt::LeftButton);
  ASSERT_TRUE(soon([&] { return button("measureRun").text() == "Stop measuring"; }));
  EXPECT_TRUE(page->escape());
  EXPECT_TRUE(soon([&] { return button("measureRun").text() == "Measure two steps"; }));
  EXPECT_EQ(label("runTime"), "Not measured");
}

TEST_F(TrainPageTest, SaysWhenARunDoesNotFit) {
  openWizard("small");
  EXPECT_TRUE(label("runFits").startsWith("Does not fit: 256 MiB free (CPU). ")) << label("runFits").toStdString();
}

TEST_F(TrainPageTest, SaysWhoseMemoryIsShownWhereALauncherStartsSeveralRanks) {
  openWizard("ranks");
  EXPECT_EQ(label("runRanks"), "Memory of each of the 8 ranks that the launcher starts.");
  EXPECT_TRUE(label("runFits").startsWith("Fits, even if all ranks run on this machine: 12.0 GiB free (CPU)"))
      << label("runFits").toStdString();
}

TEST_F(TrainPageTest, SaysWhenALauncherDoesNotTellItsRanks) {
  openWizard("silent launcher");
  EXPECT_TRUE(label("runRanks").startsWith("The launcher does not say")) << label("runRanks").toStdString();
}

TEST_F(TrainPageTest, OffersToUnloadModelsThatLeaveTheRunNoRoom) {
  openWizard("small");
  EXPECT_FALSE(button("unloadModels").isVisible()) << "none is open";
  protocol::LoadModel::Params load;
  load.ref.model = "base";
  engine.call<protocol::LoadModel>(load, page.get(), [](const Result<protocol::LoadedModel>&) {});
  ASSERT_TRUE(soon([&] { return button("unloadModels").isVisible(); }));
  EXPECT_EQ(label("runFits"), "Does not fit beside the open models: 256 MiB free (CPU), and the models hold 1.00 GiB.");
  button("unloadModels").click();
  EXPECT_TRUE(soon([&] { return !button("unloadModels").isVisible(); }));
}

TEST_F(TrainPageTest, SuggestsTheProjectsQuestionsForTheEvaluation) {
  openWizard();
  steps().step(3)->click();
  auto* questions = qobject_cast<QComboBox*>(&child<QWidget>(*page, "eval-questions"));
  ASSERT_NE(questions, nullptr);
  ASSERT_TRUE(soon([&] { return questions->findText("recall.json", Qt::MatchContains) >= 0; }));
  EXPECT_LT(questions->findText("train.txt", Qt::MatchContains), 0) << "a text asks nothing";
}

TEST_F(TrainPageTest, WhatWasTypedIsThereAgainInTheNextWindow) {
  openWizard();
  steps().step(2)->click();
  type("steps", "75");
  ASSERT_TRUE(soon([&] { return settings.contains("train/drafts"); }));
  frame.reset();
  page = std::make_unique<TrainPage>(session);
  frame = std::make_unique<Frame>(*page);
  frame->show();
  EXPECT_TRUE(soon([&] { return child<QLineEdit>(*page, "steps").text() == "75"; }));
  EXPECT_TRUE(steps().step(2)->accessibleName().contains("1 changed"));
}

TEST_F(TrainPageTest, ListsTrainingRunsAloneAndShowsTheOneThatIsChosen) {
  openRuns();
  EXPECT_FALSE(child<RunWizard>(*page, "runWizard").isVisible());
  runs().setCurrentIndex(runs().model()->index(0, 0));
  ASSERT_TRUE(soon([&] { return pointsOf("lossPlot") >= 120; }));
  EXPECT_TRUE(label("runDetail").contains("step 120 of 200")) << label("runDetail").toStdString();
  EXPECT_TRUE(label("runDetail").contains("42 s left")) << label("runDetail").toStdString();
  EXPECT_EQ(plot("nllPlot").series().size(), 2);
  EXPECT_TRUE(soon([&] { return plot("memoryPlot").series().size() == 3; })) << "measured, reserved and predicted";
  EXPECT_EQ(plot("partsPlot").series().size(), 5);
}

TEST_F(TrainPageTest, AnswersStandBesideTheCurvesWithTheirVerdictsAndFollowTheNewest) {
  openRuns();
  page->open(Place::run("20261128-1"));
  auto& list = child<QListView>(*page, "answerList");
  ASSERT_TRUE(soon([&] { return list.model()->rowCount() == 8 && list.isVisible(); }));
  const auto spoken = [&](int row) { return list.model()->index(row, 0).data(Qt::AccessibleTextRole).toString(); };
  EXPECT_EQ(spoken(0).toStdString(),
            "What did Anna find under the big tree by the river?\nExpected: a red ball\n100 %, right: a red ball\n"
            "50 %, wrong: a green frog");
  EXPECT_TRUE(spoken(1).contains("50 %, partly, F1 57 %: an old clock and a hat")) << spoken(1).toStdString();
  EXPECT_TRUE(label("answersSummary").contains("Step 100 · 100 %: 8 of 8 right · 50 %: 2 of 8 right"))
      << label("answersSummary").toStdString();
  const auto isAtEnd = [&] { return list.verticalScrollBar()->value() == list.verticalScrollBar()->maximum(); };
  ASSERT_TRUE(soon(isAtEnd));
  list.verticalScrollBar()->setValue(0);
  ASSERT_TRUE(soon([&] { return spoken(0).contains("50 %, right: a red ball"); })) << "the rest of the evaluation";
  EXPECT_EQ(list.verticalScrollBar()->value(), 0) << "who reads is not disturbed";
  ASSERT_TRUE(button("newestAnswers").isVisible());
  button("newestAnswers").click();
  EXPECT_TRUE(isAtEnd());
  EXPECT_FALSE(button("newestAnswers").isVisible());
}

TEST_F(TrainPageTest, ARunThatAsksNothingHasNoAnswersPane) {
  openRuns();
  page->open(Place::run("20261126-3"));
  ASSERT_TRUE(soon([&] { return pointsOf("lossPlot") >= 100; }));
  EXPECT_FALSE(child<QWidget>(*page, "runAnswers").isVisible());
}

TEST_F(TrainPageTest, AnswersThatCannotBeReadSayWhy) {
  open("no answers");
  page->open(Place::run("20261128-1"));
  EXPECT_TRUE(soon([&] { return says("run.sqlite is damaged"); }));
  EXPECT_TRUE(soon([&] { return pointsOf("lossPlot") >= 100; })) << "the curves stand";
}

TEST_F(TrainPageTest, TellsWhatEachLayerBorrowed) {
  openRuns();
  page->open(Place::run("20261128-1"));
  auto& bars = child<BorrowedBars>(*page, "borrowedBars");
  ASSERT_TRUE(soon([&] { return bars.reads().has_value(); }));
  EXPECT_TRUE(bars.summary().contains("Layer 0: 0 % of its reads")) << bars.summary().toStdString();
}

TEST_F(TrainPageTest, ARunThatPausedSaysWhyAndCanBeResumed) {
  openRuns();
  page->open(Place::run("20261127-2"));
  ASSERT_TRUE(soon([&] { return label("runStatus") == "paused"; }));
  EXPECT_TRUE(label("runMessage").contains("The disk is full"));
  QTest::mouseClick(&button("resumeRun"), Qt::LeftButton);
  EXPECT_TRUE(soon([&] { return label("runStatus") == "running"; }));
}

TEST_F(TrainPageTest, ACheckpointIsOfferedForTheChatOnceThereIsOne) {
  openRuns();
  page->open(Place::run("20261128-1"));
  ASSERT_TRUE(soon([&] { return button("useRunAsB").isEnabled(); }));
  EXPECT_TRUE(button("useRunAsB").toolTip().contains("step 100"));
  openNewRun();
  EXPECT_FALSE(button("useRunAsB").isEnabled());
}

TEST_F(TrainPageTest, StopEndsTheRunAndOffersToResumeIt) {
  openRuns();
  page->open(Place::run("20261128-1"));
  ASSERT_TRUE(soon([&] { return button("stopRun").isVisible(); }));
  QTest::mouseClick(&button("stopRun"), Qt::LeftButton);
  EXPECT_TRUE(soon([&] { return label("runStatus") == "stopped"; }));
  EXPECT_TRUE(button("resumeRun").isVisible());
}

TEST_F(TrainPageTest, ADuplicateBeginsWithWhatTheRunWasTold) {
  openRuns();
  page->open(Place::run("20261126-3"));
  QTest::mouseClick(&button("duplicateRun"), Qt::LeftButton);
  ASSERT_TRUE(soon([&] { return child<RunWizard>(*page, "runWizard").isVisible(); }));
  EXPECT_EQ(child<QLineEdit>(*page, "lora").text(), "16");
  EXPECT_TRUE(says("From Train: base on train.txt")) << label("presetText").toStdString();
}

TEST_F(TrainPageTest, AnExtensionIsStartedFromItsRun) {
  openRuns();
  page->open(Place::run("20261126-3"));
  QTest::mouseClick(&button("extendRun"), Qt::LeftButton);
  ASSERT_TRUE(soon([&] { return button("startRun").isVisible() && button("startRun").isEnabled(); }));
  QTest::mouseClick(&button("startRun"), Qt::LeftButton);
  ASSERT_TRUE(soon([&] { return session.runs().find("new-run") != nullptr; }));
  EXPECT_EQ(session.runs().find("new-run")->parent, "20261126-3");
}

TEST_F(TrainPageTest, EveryControlHasAnObjectNameASpokenNameAndHelp) {
  openWizard();
  for (int step = 0; step < 5; ++step) {
    steps().step(step)->click();
    EXPECT_EQ(namelessControls(*page).join('\n').toStdString(), "");
    EXPECT_EQ(fieldsWithoutHelp(*page).join(", ").toStdString(), "");
  }
  page->open(Place::run("20261126-3"));
  EXPECT_EQ(namelessControls(*page).join('\n').toStdString(), "");
}

TEST_F(TrainPageTest, ScreenshotOfEveryStep) {
  openWizard();
  ASSERT_TRUE(soon([&] { return label("runReady") == "Ready"; }));
  for (int step = 0; step < 5; ++step) {
    steps().step(step)->click();
    shoot(*frame, QString("train_step_%1").arg(step + 1));
  }
  steps().step(1)->click();
  shootLargeAndGrey(*frame, "train_step_2");
}

TEST_F(TrainPageTest, ScreenshotOfARunInTheMiddle) {
  openRuns();
  page->open(Place::run("20261128-1"));
  ASSERT_TRUE(soon([&] { return pointsOf("lossPlot") >= 120 && pointsOf("nllPlot") > 0; }));
  shoot(*frame, "train_run");
  shootLargeAndGrey(*frame, "train_run");
  auto* bar = child<QScrollArea>(*page, "runPlots").verticalScrollBar();
  bar->setValue(bar->maximum());
  shoot(*frame, "train_run_more");
  page->open(Place::run("20261127-2"));
  ASSERT_TRUE(soon([&] { return pointsOf("lossPlot") >= 100; }));
  shoot(*frame, "train_run_paused");
}

}  // namespace
}  // namespace strata::testing
