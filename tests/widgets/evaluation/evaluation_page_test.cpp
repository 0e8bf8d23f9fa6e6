#include "widgets/evaluation/evaluation_page.h"

#include <gmock/gmock.h>

#include <QCheckBox>
#include <QComboBox>
#include <QLabel>
#include <QLineEdit>
#include <QPlainTextEdit>
#include <QScrollBar>
#include <QTableView>
#include <QTreeView>

#include "core/protocol/job_kinds.h"
#include "field_help.h"
#include "layout_check.h"
#include "loop_probe.h"
#include "pace.h"
#include "page_fixture.h"
#include "widgets/evaluation/evaluation_setup.h"
#include "widgets/evaluation/evaluation_words.h"
#include "widgets/evaluation/sample_detail.h"
#include "widgets/evaluation/sample_table.h"
#include "widgets/evaluation/samples_view.h"
#include "widgets/plots/interval_plot.h"

namespace strata::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class EvaluationPageTest : public ::testing::Test, public PageFixture {
 protected:
  void open(const std::string& scenario) {
    page = std::make_unique<EvaluationPage>(session);
    frame = std::make_unique<Frame>(*page);
    frame->resize(1280, 800);
    frame->show();
    ASSERT_TRUE(start(scenario));
    session.runs().refresh();
    session.models().refresh();
  }
  /// With the plan of the setup and, where there are evaluations, their comparison.
  void openDone(const std::string& scenario = "done") {
    open(scenario);
    ASSERT_TRUE(soon([&] { return page->comparison().pair() != nullptr && button("startEvaluation").isEnabled(); }));
  }
  void openEmpty(const std::string& scenario = "none") {
    open(scenario);
    ASSERT_TRUE(soon([&] {
      return button("startEvaluation").isEnabled() && label("evaluationPlan").contains("question");
    })) << label("evaluationPlan").toStdString()
        << label("evaluationProblem").toStdString();
  }
  void openSamples(const std::string& scenario = "done") {
    openDone(scenario);
    view("viewSamples");
    ASSERT_TRUE(soon([&] { return samples().model()->rowCount() > 0 && button("openInChat").isEnabled(); }));
  }
  void view(const char* name) { child<QAbstractButton>(*page, name).click(); }
  QWidget& whole() const { return *frame; }
  QString label(const char* name) const { return child<QLabel>(whole(), name).text(); }
  Button& button(const char* name) const { return child<Button>(whole(), name); }
  StatePane& state() const { return child<StatePane>(*page, "evaluateState"); }
  IntervalPlot& plot(const char* name) const { return child<IntervalPlot>(*page, name); }
  QTreeView& samples() const { return child<QTreeView>(*page, "samples"); }
  QTreeView& scores() const { return child<QTreeView>(*page, "scoreTable"); }
  QComboBox& box(const char* name) const { return child<QComboBox>(*page, name); }
  QString cell(const QAbstractItemView& view, int row, int column) const {
    return view.model()->index(row, column).data().toString();
  }
  bool says(const QString& words) const {
    const auto labels = frame->findChildren<QLabel*>();
    return std::any_of(labels.begin(), labels.end(),
                       [&](const QLabel* one) { return one->isVisible() && one->text().contains(words); });
  }
  void choose(const char* name, int row) {
    box(name).setCurrentIndex(row);
    Q_EMIT box(name).activated(row);
  }

  std::unique_ptr<EvaluationPage> page;
  std::unique_ptr<Frame> frame;  // ends before the page
};

TEST_F(EvaluationPageTest, SaysBeforeTheStartWhatItTakesAndWhatItCouldShow) {
  openEmpty();
  EXPECT_EQ(label("evaluationPlan").toStdString(),
            "2 models × 2 maps × 332 questions, about 8 min. Differences under 1.9 points may not show.");
  EXPECT_EQ(state().state(), StatePane::State::empty);
  EXPECT_TRUE(says("No evaluation yet."));
  child<QLineEdit>(whole(), "limit").setText("100");
  Q_EMIT child<QLineEdit>(whole(), "limit").textEdited("100");
  EXPECT_TRUE(soon([&] { return label("evaluationPlan").contains("100 question"); }));
}

TEST_F(EvaluationPageTest, MapsAreBoxesAndText) {
  openEmpty();
  auto& text = child<QLineEdit>(whole(), "evaluatedMaps");
  EXPECT_EQ(text.text(), "full; stride:2");
  ASSERT_TRUE(soon([&] { return frame->findChild<QCheckBox*>("share-3") != nullptr; }));
  EXPECT_TRUE(child<QCheckBox>(whole(), "share-12").isChecked());
  EXPECT_TRUE(child<QCheckBox>(whole(), "share-6").isChecked()) << "stride:2 keeps half";
  EXPECT_FALSE(child<QCheckBox>(whole(), "share-3").isChecked());
  child<QCheckBox>(whole(), "share-3").click();
  EXPECT_EQ(page->setup()->maps().size(), 3u);
  child<QCheckBox>(whole(), "share-6").click();
  EXPECT_EQ(page->setup()->maps().size(), 2u);
  EXPECT_FALSE(text.text().contains("stride:2"));
  session.setMap(Which::b, "stride:5");
  EXPECT_FALSE(text.text().contains("stride:5")) << "what was chosen stays";
}

TEST_F(EvaluationPageTest, StartEvaluatesBothModelsAndTheDifferenceComesWhileTheyRun) {
  openEmpty();
  QTest::mouseClick(&button("startEvaluation"), Qt::LeftButton);
  ASSERT_TRUE(soon([&] { return page->comparison().isChosen(); }));
  ASSERT_TRUE(soon([&] { return label("progressA").contains(" of "); }));
  EXPECT_TRUE(button("stopA").isVisible());
  // Before the end: some of the answers.
  ASSERT_TRUE(soon([&] { return page->comparison().pair() != nullptr; }));
  ASSERT_TRUE(soon([&] { return !page->comparison().isRunning() && page->comparison().pair()->n == 332; }));
  EXPECT_EQ(page->comparison().side(Which::a).map, "full");
  EXPECT_EQ(page->comparison().side(Which::b).map, "stride:2");
  EXPECT_EQ(page->comparison().results(Which::b)->model, "routed");
  EXPECT_TRUE(soon([&] { return label("conclusion").contains("332 question"); }));
  EXPECT_FALSE(button("stopA").isVisible());
}

TEST_F(EvaluationPageTest, WhileTheEvaluationOfBStartsItSaysSo) {
  open("only base");
  ASSERT_TRUE(soon([&] {
    return label("conclusion") == "Choose an evaluation for B to compare with." &&
           button("startEvaluation").isEnabled();
  }));
  button("startEvaluation").click();
  EXPECT_EQ(label("conclusion"), "The evaluation of B is starting.");
  EXPECT_TRUE(soon([&] { return !page->comparison().side(Which::b).run.empty(); }));
}

TEST_F(EvaluationPageTest, AFileOfTheProjectIsNamedFromThere) {
  openEmpty();
  auto& data = child<QComboBox>(whole(), "data");
  EXPECT_EQ(data.currentText(), "recall.json");
  EXPECT_GE(data.findData("broken.json"), 0);
  EXPECT_GE(data.findData("/projects/test/train.txt"), 0) << "its name is that of another data set";
  EXPECT_GE(data.findData("/data/train.txt"), 0);
}

TEST_F(EvaluationPageTest, OneModelOnBothSidesIsOneRunUnderBothMaps) {
  openEmpty("none, one model");
  EXPECT_THAT(label("evaluationPlan").toStdString(), StartsWith("2 maps × 332 questions"));
  button("startEvaluation").click();
  ASSERT_TRUE(soon([&] { return page->comparison().isChosen() && page->comparison().pair() != nullptr; }));
  EXPECT_EQ(page->comparison().side(Which::a).run, page->comparison().side(Which::b).run);
  EXPECT_EQ(page->comparison().side(Which::b).map, "stride:2");
}

TEST_F(EvaluationPageTest, ARefusedStartIsSaidWhereItWasPressed) {
  openEmpty();
  auto& data = child<QComboBox>(whole(), "data");
  data.lineEdit()->setText("/projects/test/broken.json");
  Q_EMIT data.lineEdit()->textEdited(data.lineEdit()->text());
  ASSERT_TRUE(soon([&] { return label("evaluationProblem").contains("broken.json holds no question"); }));
  button("startEvaluation").click();
  EXPECT_TRUE(soon([&] { return button("startEvaluation").isEnabled(); }));
  EXPECT_FALSE(page->comparison().isChosen());
}

TEST_F(EvaluationPageTest, TheConclusionIsPairedAndSaysWhetherADifferenceShows) {
  openDone();
  EXPECT_THAT(label("conclusion").toStdString(),
              StartsWith("F1 difference not certain (adjusted p = 0.23): B - A is -5.1"))
      << "its interval excludes zero, but p does not";
  EXPECT_THAT(label("conclusion").toStdString(), HasSubstr("of 332 questions"));
  EXPECT_THAT(label("evidence").toStdString(), HasSubstr("McNemar's p"));
  EXPECT_THAT(label("evidence").toStdString(), HasSubstr("Holm's method for 5 comparisons"));
  EXPECT_THAT(label("evidence").toStdString(), HasSubstr("may not show"));
  EXPECT_THAT(plot("differencePlot").summary().toStdString(), HasSubstr("routed, stride:2, 50 %"));
  EXPECT_THAT(plot("scoresPlot").summary().toStdString(), HasSubstr("full: A"));
  EXPECT_EQ(scores().model()->rowCount(), 6);
  EXPECT_EQ(cell(scores(), 0, 0), "A: base, full");
  EXPECT_EQ(cell(scores(), 4, 0), "B: routed, stride:2, 50 %");
  EXPECT_EQ(cell(scores(), 5, 0), "routed, owners 0, 6, 9") << "of a list of layers";
}

TEST_F(EvaluationPageTest, AnyTwoMapsOfTheProjectCanBeCompared) {
  openDone();
  choose("comparedMapB", 2);
  ASSERT_TRUE(soon([&] { return page->comparison().side(Which::b).map == "0,0,0,0,0,0,6,6,6,9,9,9"; }));
  EXPECT_EQ(state().state(), StatePane::State::working) << "it was chosen, and is not from before";
  ASSERT_TRUE(soon([&] { return page->comparison().pair() != nullptr; }));
  EXPECT_THAT(label("conclusion").toStdString(), StartsWith("B is worse in F1: B - A is -10.1"));
  scores().setCurrentIndex(scores().model()->index(1, 0));
  Q_EMIT scores().activated(scores().model()->index(1, 0));
  EXPECT_EQ(page->comparison().side(Which::b).run, page->comparison().side(Which::a).run);
  choose("comparedRunB", 0);
  EXPECT_TRUE(soon(
      [&] { return page->comparison().pair() != nullptr && page->comparison().results(Which::b)->model == "routed"; }));
}

TEST_F(EvaluationPageTest, RunsThatNameModelsByTheirFoldersAreFoundOnceTheModelsAreKnown) {
  open("done, folders");
  for (const Which which : {Which::a, Which::b}) {  // as the window's bar does
    session.card(session.side(which)->ref, page.get(), [](const Result<protocol::ModelCard>&) {});
  }
  ASSERT_TRUE(
      soon([&] { return page->comparison().pair() != nullptr && state().state() == StatePane::State::working; }));
  EXPECT_EQ(page->comparison().results(Which::a)->model, "/projects/test/models/base");
  EXPECT_EQ(page->comparison().results(Which::b)->model, "/projects/test/models/routed");
  EXPECT_EQ(page->comparison().side(Which::b).map, "stride:2");
}

TEST_F(EvaluationPageTest, OtherMapsOnTheSidesMakeTheFiguresStale) {
  openDone();
  EXPECT_EQ(state().state(), StatePane::State::working);
  session.setMap(Which::b, "stride:6");
  EXPECT_TRUE(soon([&] { return state().state() == StatePane::State::stale; }));
  EXPECT_TRUE(says("Results of base (full) and routed (stride:2), not of the current sides."));
}

TEST_F(EvaluationPageTest, AFailedRunSaysWhyAndGoesOn) {
  open("failed");
  ASSERT_TRUE(soon([&] { return button("resumeB").isVisible() && state().state() == StatePane::State::working; }));
  EXPECT_THAT(label("progressB").toStdString(), HasSubstr("out of memory"));
  button("resumeB").click();
  EXPECT_TRUE(soon([&] { return !button("resumeB").isVisible(); }))
      << label("progressB").toStdString() << label("evaluationProblem").toStdString();
}

TEST_F(EvaluationPageTest, ResultsThatCannotBeReadSayWhyAndAreReadAgain) {
  open("broken");
  ASSERT_TRUE(soon([&] { return state().state() == StatePane::State::failed; }));
  EXPECT_TRUE(says("answers.jsonl of 20261128-1 cannot be read"));
}

TEST_F(EvaluationPageTest, WithoutModelsItLeadsToThem) {
  open("none, no sides");
  ASSERT_TRUE(soon([&] { return says("no model on side A or B"); }));
  EXPECT_FALSE(button("startEvaluation").isEnabled());
}

TEST_F(EvaluationPageTest, SamplesAreFilteredByWhoIsRight) {
  openSamples();
  const auto& counts = page->samples()->samples()->counts();
  ASSERT_TRUE(counts.has_value());
  EXPECT_EQ(samples().model()->rowCount(), 332);
  auto& onlyA = child<QAbstractButton>(*page, "filter-only_a");
  EXPECT_EQ(onlyA.text(), QString("Only A right %1").arg(counts->onlyA));
  onlyA.click();
  ASSERT_TRUE(soon([&] { return samples().model()->rowCount() == counts->onlyA; }));
  ASSERT_TRUE(soon([&] { return label("verdictA") == "right"; }));
  EXPECT_NE(label("verdictB"), "right");
  child<QAbstractButton>(*page, "filter-unanswerable").click();
  ASSERT_TRUE(soon([&] { return samples().model()->rowCount() == counts->unanswerable; }));
  EXPECT_TRUE(soon([&] { return label("sampleExpected").contains("no answer"); }));
  child<QLineEdit>(*page, "searchSamples").setText("day 19,");
  EXPECT_TRUE(soon([&] { return samples().model()->rowCount() == 1; }));
  child<QLineEdit>(*page, "searchSamples").setText("nobody says this");
  EXPECT_TRUE(soon([&] { return says("No question is of this kind."); }));
}

TEST_F(EvaluationPageTest, QuestionsOfOneMapAloneAreListedAsTheyAreAnswered) {
  openEmpty();
  view("viewSamples");
  const SampleTable& table = *page->samples()->samples();
  int first = 0;
  QObject context;  // ends before what the connection uses
  QObject::connect(&table, &SampleTable::arrived, &context, [&] { first = first > 0 ? first : table.rowCount(); });
  protocol::StartJob::Params params;
  params.kind = kEvalKind;
  params.config = {
      {"model", "base"}, {"task", "squad"}, {"data", "recall.json"}, {"maps", std::vector<std::string>{"full"}}};
  engine.call<protocol::StartJob>(params, page.get(), [](const auto& answer) { EXPECT_TRUE(answer.has_value()); });
  ASSERT_TRUE(soon([&] { return page->comparison().isChosen() && !page->comparison().isRunning(); }));
  EXPECT_TRUE(page->comparison().side(Which::b).run.empty());
  EXPECT_TRUE(soon([&] { return samples().model()->rowCount() == 332; })) << samples().model()->rowCount();
  EXPECT_GT(first, 0);
  EXPECT_LT(first, 332) << "they were listed only at the end";
}

TEST_F(EvaluationPageTest, AnswersAreMarkedAgainstWhatIsExpected) {
  openSamples();
  EXPECT_TRUE(label("sampleExpected").contains("Anne Elliot or Anne"));
  EXPECT_EQ(child<QPlainTextEdit>(*page, "sampleContext").extraSelections().size(), 2);
  EXPECT_EQ(markedAnswer("It was the Anne & co", {"the Anne Elliot"}).toStdString(),
            "<span style=\"white-space:pre-wrap\">It was the <b><u>Anne</u></b> &amp; co</span>");
}

TEST_F(EvaluationPageTest, ANoteIsKeptWithTheQuestion) {
  openSamples();
  auto& note = child<QLineEdit>(*page, "sampleNote");
  note.setText("The passage is cut off.");
  QTest::keyClick(&note, Qt::Key_Return);
  EXPECT_TRUE(soon([&] { return cell(samples(), 0, SampleTable::kNote) == "The passage is cut off."; }));
}

TEST_F(EvaluationPageTest, AQuestionOpensInAChatWithBothSidesBack) {
  openSamples();
  session.setMap(Which::b, "stride:6");
  std::optional<SetQuestion> question;
  Place place;
  QObject::connect(&session, &Session::questionWanted, &session, [&](const SetQuestion& each) { question = each; });
  QObject::connect(&session, &Session::placeWanted, &session, [&](const Place& each) { place = each; });
  ASSERT_TRUE(soon([&] { return button("openInChat").isEnabled(); }));
  button("openInChat").click();
  ASSERT_TRUE(question.has_value());
  EXPECT_TRUE(question->text.startsWith("Context: It was late in the year"));
  EXPECT_EQ(question->expected, (std::vector<std::string>{"Anne Elliot", "Anne"}));
  EXPECT_EQ(question->stop, std::vector<std::string>{"\n"});
  EXPECT_EQ(session.side(Which::b)->map, "stride:2");
  EXPECT_EQ(session.side(Which::b)->ref.model, "routed");
  EXPECT_EQ(place, Place::pageOf("chat"));
}

TEST_F(EvaluationPageTest, AMissingCellOfTheMatrixIsMeasuredByOneClick) {
  openDone();
  view("viewMatrix");
  auto& matrix = child<QTableView>(*page, "matrix");
  ASSERT_TRUE(soon([&] { return matrix.model()->rowCount() == 3; }));
  EXPECT_THAT(cell(matrix, 0, 1).toStdString(), HasSubstr(" to "));
  EXPECT_EQ(cell(matrix, 2, 2), "Measure");
  QTest::mouseClick(matrix.viewport(), Qt::LeftButton, {}, matrix.visualRect(matrix.model()->index(2, 2)).center());
  ASSERT_TRUE(soon([&] { return cell(matrix, 2, 2).contains("measuring"); })) << cell(matrix, 2, 2).toStdString();
  const protocol::JobInfo& job = session.runs().at(0);
  EXPECT_EQ(job.model, "small");
}

TEST_F(EvaluationPageTest, ThePromptStandsAsTheModelReadsItAndItsTemplateIsEdited) {
  openEmpty();
  view("viewPrompt");
  EXPECT_THAT(child<QPlainTextEdit>(*page, "promptShown").toPlainText().toStdString(),
              StartsWith("Context: It was late"));
  auto& text = child<QPlainTextEdit>(*page, "promptTemplate");
  EXPECT_TRUE(text.toPlainText().contains("question"));
  text.setPlainText("{{ question }}");
  ASSERT_TRUE(
      soon([&] { return child<QPlainTextEdit>(*page, "promptShown").toPlainText().startsWith("By {{ question }}"); }));
  button("resetPrompt").click();
  EXPECT_TRUE(soon([&] { return text.toPlainText().contains("context"); })) << text.toPlainText().toStdString();
}

TEST_F(EvaluationPageTest, AReportIsOneClickAndIsShown) {
  openDone();
  Place place;
  QObject::connect(&session, &Session::placeWanted, &session, [&](const Place& each) { place = each; });
  button("writeReport").click();
  ASSERT_TRUE(soon([&] { return place.kind == PlaceKind::report; }));
  EXPECT_EQ(place.id.toStdString(), page->comparison().side(Which::a).run);
}

TEST_F(EvaluationPageTest, WhatWasTypedComesBackWithTheProject) {
  openEmpty();
  child<QLineEdit>(whole(), "limit").setText("64");
  Q_EMIT child<QLineEdit>(whole(), "limit").textEdited("64");
  child<QLineEdit>(whole(), "evaluatedMaps").setText("full; stride:3");
  ASSERT_TRUE(soon([&] {
    return settings.value("evaluate/drafts").toMap().value("/projects/test").toString().contains("stride:3");
  }));
  frame.reset();
  page = std::make_unique<EvaluationPage>(session);
  frame = std::make_unique<Frame>(*page);
  frame->show();
  ASSERT_TRUE(soon([&] { return child<QLineEdit>(whole(), "limit").text() == "64"; }));
  EXPECT_EQ(child<QLineEdit>(whole(), "evaluatedMaps").text(), "full; stride:3");
}

TEST_F(EvaluationPageTest, TenThousandQuestionsTakeNoTurnOfFiftyMilliseconds) {
  openDone("many");
  view("viewSamples");
  ASSERT_TRUE(soon([&] { return samples().model()->rowCount() == 10'000; }));
  view("viewResults");
  QTest::qWait(0);
  const LoopProbe probe;
  view("viewSamples");
  samples().verticalScrollBar()->setValue(samples().verticalScrollBar()->maximum());
  ASSERT_TRUE(soon([&] { return page->samples()->samples()->at(9'999) != nullptr; }));
  samples().setCurrentIndex(samples().model()->index(9'999, 0));
  ASSERT_TRUE(soon([&] { return label("sampleQuestion").contains("day 9999"); }));
  child<QAbstractButton>(*page, "filter-only_a").click();
  ASSERT_TRUE(soon([&] { return samples().model()->rowCount() < 10'000 && samples().model()->rowCount() > 0; }));
  std::printf("at most %lld ms a turn\n", static_cast<long long>(probe.worst()));
  EXPECT_LE(probe.worst(), mostMilliseconds());
}

TEST_F(EvaluationPageTest, EveryControlHasANameAndHelp) {
  openSamples();
  for (const char* each : {"viewResults", "viewSamples", "viewMatrix", "viewPrompt"}) {
    view(each);
    waitForLayout(*frame);
    EXPECT_EQ(namelessControls(*frame).join("\n").toStdString(), "");
    EXPECT_EQ(layoutProblems(*frame).join("\n").toStdString(), "") << each;
  }
}

TEST_F(EvaluationPageTest, ScreenshotsOfEachViewAndState) {
  openSamples();
  child<QAbstractButton>(*page, "filter-only_a").click();
  ASSERT_TRUE(soon([&] { return label("verdictA") == "right"; }));
  shoot(*frame, "evaluate_samples");
  shootLargeAndGrey(*frame, "evaluate_samples");
  view("viewMatrix");
  ASSERT_TRUE(soon([&] { return child<QTableView>(*page, "matrix").model()->rowCount() == 3; }));
  shoot(*frame, "evaluate_matrix");
  view("viewPrompt");
  shoot(*frame, "evaluate_prompt");
  view("viewResults");
  shoot(*frame, "evaluate_results");
  shootLargeAndGrey(*frame, "evaluate_results");
  session.setMap(Which::b, "stride:6");
  ASSERT_TRUE(soon([&] { return state().state() == StatePane::State::stale; }));
  shoot(*frame, "evaluate_stale");
}

TEST_F(EvaluationPageTest, ScreenshotOfTheEmptyPage) {
  openEmpty();
  shoot(*frame, "evaluate_empty");
}

TEST_F(EvaluationPageTest, ScreenshotOfAFailedRun) {
  open("failed");
  ASSERT_TRUE(soon([&] { return button("resumeB").isVisible() && page->comparison().pair() != nullptr; }));
  shoot(*frame, "evaluate_failed");
}

TEST_F(EvaluationPageTest, ScreenshotOfARunningEvaluation) {
  openEmpty("none, held");
  button("startEvaluation").click();
  ASSERT_TRUE(soon([&] { return button("stopA").isVisible(); }));
  shoot(*frame, "evaluate_running");
}

}  // namespace
}  // namespace strata::testing
