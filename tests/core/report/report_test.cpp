#include "core/report/report.h"

#include <gmock/gmock.h>

#include <chrono>
#include <regex>

#include "core/project/run_notes.h"
#include "core/report/chart.h"
#include "core/report/document.h"
#include "core/report/evaluation_tables.h"
#include "core/report/numbers.h"
#include "evaluation_fixture.h"

namespace strata {
namespace {

using testing::EvaluatedProject;
using testing::GivenAnswer;
using ::testing::HasSubstr;
using ::testing::Not;

const std::vector<int> kFull = {0, 1, 2, 3}, kHalf = {0, 0, 2, 2};

class ReportOf : public ::testing::Test {
 protected:
  ReportOf() {
    base = project.evaluate({{"full", kFull, EvaluatedProject::questions(100, 0.8)},
                             {"retention:.5", kHalf, EvaluatedProject::questions(100, 0.3, 1)}});
    routed = project.evaluate({{"full", kFull, EvaluatedProject::questions(100, 0.75, 2)},
                               {"retention:.5", kHalf, EvaluatedProject::questions(100, 0.7, 3)}},
                              "routed");
  }
  Report report(const ReportOptions& options = {}) const {
    Result<Report> built = buildReport(project.path(), {base, routed}, options);
    EXPECT_TRUE(built) << built.error().message;
    return built ? std::move(*built) : Report();
  }
  EvaluatedProject project;
  std::string base, routed;
};

TEST_F(ReportOf, TheFirstFullMapIsTheBaselineOfAllOthers) {
  const Report built = report();
  ASSERT_EQ(built.evaluations.size(), 1u);
  const ReportEvaluation& evaluation = built.evaluations.front();
  ASSERT_EQ(evaluation.rows.size(), 4u);
  EXPECT_EQ(evaluation.rows[evaluation.baseline].name, "base @ full");
  EXPECT_FALSE(evaluation.rows[0].paired);
  for (std::size_t row = 1; row < 4; ++row) EXPECT_TRUE(evaluation.rows[row].paired) << row;
  EXPECT_EQ(evaluation.rows[3].paired->clusters, 20);
  EXPECT_EQ(evaluation.metric, "f1");
  EXPECT_EQ(evaluation.rows[0].scores.front().metric, "f1");
  EXPECT_TRUE(evaluation.rows[0].scores.front().interval);
  EXPECT_EQ(built.conclusion.size(), 4u);
  EXPECT_EQ(built.title, "base and routed on questions.json");
}

TEST_F(ReportOf, ItsNumbersAreThoseOfAComparison) {
  const Report built = report();
  const EvaluationRun a = *readEvaluation(project.path(), base), b = *readEvaluation(project.path(), routed);
  const EvaluatedAnswers scoresA = *readScores(a, *findMap(a, "full")),
                         scoresB = *readScores(b, *findMap(b, "stride:2"));
  const PairedResult result = *comparePair(scoresA, scoresB, "f1");
  const PairedResult& shown = *built.evaluations[0].rows[3].paired;
  EXPECT_EQ(shown.difference, result.difference);
  EXPECT_EQ(shown.interval.low, result.interval.low);
  EXPECT_EQ(shown.interval.high, result.interval.high);
  EXPECT_EQ(shown.mcnemar->p, result.mcnemar->p);
  EXPECT_DOUBLE_EQ(built.evaluations[0].rows[3].scores.front().value, result.meanB);
}

TEST_F(ReportOf, TheSameRunsGiveTheSameBytesInEveryForm) {
  for (const ReportFormat format :
       {ReportFormat::html, ReportFormat::pdf, ReportFormat::csv, ReportFormat::json, ReportFormat::markdown}) {
    const auto once = printReport(report(), format), again = printReport(report(), format);
    ASSERT_TRUE(once) << once.error().message;
    EXPECT_GT(once->size(), 500u) << toString(format);
    EXPECT_TRUE(*once == *again) << toString(format);
  }
}

TEST_F(ReportOf, ThePageNeedsNothingElse) {
  const std::string html = reportHtml(report());
  EXPECT_THAT(html, Not(HasSubstr("http://")));
  EXPECT_THAT(html, Not(HasSubstr("https://")));
  EXPECT_THAT(html, Not(HasSubstr("<script")));
  EXPECT_THAT(html, Not(HasSubstr("url(")));
  EXPECT_THAT(html, HasSubstr("prefers-color-scheme: dark"));
  EXPECT_THAT(html, HasSubstr("@media print"));
  EXPECT_THAT(html, HasSubstr("scope=\"col\""));
  EXPECT_THAT(html, HasSubstr("scope=\"row\""));
  EXPECT_THAT(html, HasSubstr("<desc id="));
  EXPECT_LT(html.find("Conclusion"), html.find("<table>"));
  EXPECT_THAT(html, Not(HasSubstr("{{body")));
  EXPECT_THAT(html, HasSubstr("strata eval /models/base"));
}

TEST(Report, WhatAnAnswerSaysStaysText) {
  const EvaluatedProject project;
  const std::string nasty = "<script>alert(1)</script> | `x` \x01 =1+1";
  const auto answers = [&](double em) {
    return std::vector<GivenAnswer>{{"q1", em, em, em > 0.5 ? "=SUM(A1)" : nasty, "", nasty, "-3"},
                                    {"q2", 1, 1, "@cmd"},
                                    {"q3", em, em, "-5", "", "+1?", "=2"},
                                    {"q4", em, em, "@nobody", "", "Who?", "x"}};
  };
  const std::string run =
      project.evaluate({{"full", kFull, answers(1)}, {"retention:.5", kHalf, answers(0)}}, "<b>\"m\"&</b>");
  const auto report = buildReport(project.path(), {run});
  ASSERT_TRUE(report) << report.error().message;
  const std::string html = reportHtml(*report);
  EXPECT_THAT(html, Not(HasSubstr("<script")));
  EXPECT_THAT(html, HasSubstr("&lt;script&gt;alert(1)"));
  EXPECT_THAT(html, Not(HasSubstr("\x01")));
  const std::string markdown = reportMarkdown(*report);
  EXPECT_THAT(markdown, Not(HasSubstr("<script")));
  EXPECT_THAT(markdown, HasSubstr("\\| \\`x\\`"));
  EXPECT_THAT(markdown, HasSubstr("\xE2\x81\xA0"
                                  "nobody"));
  const std::string csv = reportCsv(*report);
  EXPECT_THAT(csv, HasSubstr(",'=SUM(A1)"));
  EXPECT_THAT(csv, HasSubstr(",-3,"));  // a number
  EXPECT_THAT(csv, HasSubstr(",-5"));
  EXPECT_THAT(csv, HasSubstr("'+1?,'=2"));
  EXPECT_FALSE(std::regex_search(csv, std::regex("(^|,)\"?[=+@]")));
  EXPECT_TRUE(reportPdf(*report));
}

TEST(Report, AMapIsNamedByItsFileOrItsOwnersUnlessAnotherIsNamedSo) {
  const EvaluatedProject project;
  const auto some = [](double share) { return EvaluatedProject::questions(20, share); };
  const std::string run = project.evaluate({{"full", kFull, some(0.5)},
                                            {"file:maps/half.json", kHalf, some(0.5)},
                                            {"0,0,2,0", {0, 0, 2, 0}, some(0.4)},
                                            {"file:a/one.json", {0, 0, 0, 3}, some(0.3)},
                                            {"file:b/one.json", {0, 0, 0, 0}, some(0.2)}});
  const Report report = *buildReport(project.path(), {run});
  std::vector<std::string> labels;
  for (const ReportRow& row : report.evaluations[0].rows) labels.push_back(row.label);
  EXPECT_THAT(labels, ::testing::ElementsAre("full", "half", "owners 0, 2", "file:a/one.json", "file:b/one.json"));
  EXPECT_EQ(report.evaluations[0].rows[1].name, "base @ half");
  EXPECT_EQ(report.evaluations[0].rows[1].map, "file:maps/half.json");
}

TEST(Report, ARunThatIsEvaluatedIsCalledAsPeopleCallIt) {
  const EvaluatedProject project;
  const auto train = [&] {
    return Run::create(*Project::open(project.path()), "train", {{"model", "/models/base"}})->info();
  };
  const RunInfo first = train(), second = train();
  ASSERT_TRUE(RunNotes::open(project.path())->store(second.id, {.name = "the better one"}));
  const auto modelOf = [&](const std::string& model) {
    const std::string run = project.evaluate({{"full", kFull, EvaluatedProject::questions(20, 0.5)}}, model);
    return buildReport(project.path(), {run})->runs[0].model;
  };
  EXPECT_EQ(modelOf(first.id), first.name);
  EXPECT_EQ(modelOf(second.id), "the better one");
  EXPECT_EQ(modelOf(second.id + "@40"), "the better one, step 40");
  EXPECT_EQ(modelOf("elsewhere"), "elsewhere");
}

TEST(Report, TheCurveOfAModelJoinsTheBestMapOfEachSize) {
  const EvaluatedProject project;
  const std::string run = project.evaluate({{"full", kFull, EvaluatedProject::questions(20, 0.9)},
                                            {"retention:.5", kHalf, EvaluatedProject::questions(20, 0.3)},
                                            {"0,0,2,0", {0, 0, 2, 0}, EvaluatedProject::questions(20, 0.8)},
                                            {"even:1", {0, 0, 0, 0}, EvaluatedProject::questions(20, 0.1)}});
  const Report report = *buildReport(project.path(), {run});
  const Chart chart = paretoChart(report.evaluations[0], report);
  std::vector<std::string> joined;
  for (const ChartPoint& point : chart.series.front().points) {
    if (point.joined) joined.push_back(point.label);
  }
  EXPECT_THAT(joined, ::testing::ElementsAre("even:1", "owners 0, 2", "full"));
}

TEST(Report, ItsConclusionBeginsWithWhatEachModelKeeps) {
  const EvaluatedProject project;
  const auto answers = [](int right) {
    std::vector<GivenAnswer> all(20);
    for (int i = 0; i < 20; ++i) {
      const double score = i < right ? 1 : 0;
      all[static_cast<std::size_t>(i)] = {.id = "q" + std::to_string(i), .f1 = score, .em = score};
    }
    return all;
  };
  const std::string base = project.evaluate({{"full", kFull, answers(16)}, {"retention:.5", kHalf, answers(4)}});
  // Two maps of half the cache, and of a model whose full map is measured in another run.
  const std::string routed = project.evaluate({{"retention:.5", kHalf, answers(12)},
                                               {"0,1,1,1", {0, 1, 1, 1}, answers(18)},
                                               {"even:1", {0, 0, 0, 0}, answers(8)}},
                                              "routed");
  const std::string whole = project.evaluate({{"full", kFull, answers(20)}}, "routed");
  const std::string silent =
      project.evaluate({{"full", kFull, answers(0)}, {"retention:.5", kHalf, answers(0)}}, "silent");
  const auto report = buildReport(project.path(), {base, routed, whole, silent});
  ASSERT_TRUE(report) << report.error().message;
  // That of base, whose half is compared with the baseline in the next sentence, and of one that never answers, are
  // left out.
  EXPECT_EQ(report->conclusion.front(),
            "routed keeps 90 % of its F1 with 50 % of the KV cache and 40 % with 25 %, under the map of each size that "
            "scores best here.");
  EXPECT_THAT(report->conclusion[1], HasSubstr("base @ retention:.5 with 50 % of the KV cache scores 20.0 % F1"));
}

TEST(Report, RunsOfOtherDataAreEvaluationsOfTheirOwn) {
  const EvaluatedProject project;
  const std::string one = project.evaluate({{"full", kFull, EvaluatedProject::questions(20, 0.5)}});
  const std::string other = project.evaluate({{"full", kFull, EvaluatedProject::questions(20, 0.5)}}, "routed", "d2");
  const auto report = buildReport(project.path(), {one, other});
  ASSERT_TRUE(report) << report.error().message;
  ASSERT_EQ(report->evaluations.size(), 2u);
  EXPECT_FALSE(report->evaluations[1].rows[0].paired);
  EXPECT_EQ(report->conclusion.size(), 2u);
}

/// 24 questions of one article, of which those from `first` to before `last` are right.
std::vector<GivenAnswer> rightOnes(int first, int last) {
  std::vector<GivenAnswer> answers;
  for (int i = 0; i < 24; ++i) {
    const double right = i >= first && i < last ? 1 : 0;
    answers.push_back({"q" + std::to_string(i), right, right, "this", "article"});
  }
  return answers;
}

class ReportOfOneArticle : public ::testing::Test {
 protected:
  ReportOfOneArticle() {
    const std::string base =
        project.evaluate({{"full", kFull, rightOnes(0, 18)}, {"retention:.5", kHalf, rightOnes(0, 1)}});
    const std::string routed =
        project.evaluate({{"full", kFull, rightOnes(0, 22)}, {"retention:.5", kHalf, rightOnes(1, 22)}}, "routed");
    Result<Report> built = buildReport(project.path(), {base, routed});
    EXPECT_TRUE(built) << built.error().message;
    if (built) report = std::move(*built);
  }
  EvaluatedProject project;
  Report report;
};

TEST_F(ReportOfOneArticle, ADifferenceIsClearOnlyIfBothItsIntervalAndItsAdjustedPSaySo) {
  ASSERT_EQ(report.conclusion.size(), 4u);
  EXPECT_THAT(report.conclusion[1], HasSubstr(", a clear difference in 24 questions."));
  EXPECT_GT(report.evaluations[0].rows[2].paired->interval.low, 0);
  EXPECT_THAT(report.conclusion[2],
              HasSubstr(", not certain in 24 questions after 3 comparisons (McNemar's p = 0.250)."));
  EXPECT_THAT(report.conclusion[3], HasSubstr(", not enough to tell in 24 questions."));
}

TEST_F(ReportOfOneArticle, TheDetectionLimitIsTheLargestOfItsComparisons) {
  std::vector<double> limits;
  for (const ReportRow& row : report.evaluations[0].rows) {
    if (row.paired) limits.push_back(row.paired->detectable);
  }
  ASSERT_EQ(limits.size(), 3u);
  const double largest = *std::max_element(limits.begin(), limits.end());
  EXPECT_LT(*std::min_element(limits.begin(), limits.end()), largest - 0.01);
  const std::string markdown = reportMarkdown(report);
  EXPECT_THAT(markdown, HasSubstr("a difference below " + printNumber(100 * largest, 1)));
  EXPECT_THAT(markdown, HasSubstr("may not show. This is the largest detection limit of the 3 comparisons."));
  EXPECT_THAT(markdown, HasSubstr("The questions come from one article, so each interval is the wider of two"));
}

TEST_F(ReportOfOneArticle, TheHeadCountsEvaluations) {
  EXPECT_THAT(documentOf(report, {}).subtitle, HasSubstr(", 2 evaluations"));
  report.runs.front().kind = "train";
  EXPECT_THAT(documentOf(report, {}).subtitle, HasSubstr(", 2 runs"));
}

TEST(Report, TellsTheirPromptsAndRunsThatAskedInAnotherWay) {
  const EvaluatedProject project;
  const std::vector<testing::GivenMap> maps = {{"full", kFull, EvaluatedProject::questions(20, 0.5)}};
  const auto same = buildReport(project.path(), {project.evaluate(maps), project.evaluate(maps, "routed")});
  EXPECT_THAT(reportMarkdown(*same), HasSubstr("```\nQ: {{ question }}\nA:\n```"));
  EXPECT_THAT(reportMarkdown(*same), Not(HasSubstr("in another way")));
  const auto other = buildReport(project.path(), {project.evaluate(maps), project.evaluate(maps, "chatty")});
  EXPECT_THAT(reportMarkdown(*other), HasSubstr("asked in another way than the baseline"));
}

TEST(Report, WhatIsWrongIsOneSentence) {
  const EvaluatedProject project;
  EXPECT_THAT(buildReport(project.path(), {}).error().message, HasSubstr("name at least one"));
  EXPECT_THAT(buildReport(project.path(), {"none"}).error().message, HasSubstr("has no run none"));
  EXPECT_THAT(parseReportFormats("html,doc").error().message, HasSubstr("\"doc\" is no form"));
  EXPECT_EQ(parseReportFormats("md,html,md")->size(), 2u);
}

TEST(Report, ATrainingRunHasCurvesAndItsMemoryBesideThePrediction) {
  const EvaluatedProject project;
  strata::Run run =
      *strata::Run::create(*Project::open(project.path()), "train", {{"model", "/models/base"}, {"seed", 7}});
  RunDatabase database = *RunDatabase::open(run.folder());
  for (int step = 1; step <= 500; ++step) {
    ASSERT_TRUE(database.addMetric({step, "loss", 5.0 / step, step * 100, step * 0.1}));
    ASSERT_TRUE(database.addMetric({step, "memory", step == 77 ? 3e6 : 2e6, step * 100, step * 0.1}));
    if (step % 100 != 0) continue;
    ASSERT_TRUE(database.addMetric({step, "nll/stride:2", 4.0 / step, step * 100, step * 0.1}));
  }
  ASSERT_TRUE(database.flush());
  ReportOptions options;
  options.predictedMemory = [](const RunInfo&) { return 2.9e6; };
  const auto report = buildReport(project.path(), {run.info().id}, options);
  ASSERT_TRUE(report) << report.error().message;
  ASSERT_EQ(report->curves.size(), 2u);
  EXPECT_LE(report->curves[0].step.size(), 300u);
  EXPECT_EQ(report->curves[0].step.back(), 500);
  ASSERT_EQ(report->memory.size(), 1u);
  EXPECT_EQ(report->memory[0].measured, 3e6);
  EXPECT_EQ(report->memory[0].predicted, 2.9e6);
  EXPECT_THAT(reportHtml(*report), HasSubstr("Held-out loss under each map"));
  EXPECT_TRUE(reportPdf(*report));
}

/// Of a PDF, by Poppler: what lies outside of the pages is not in it.
std::string textOfPdf(const std::string& pdf) {
  const testing::TemporaryFolder folder;
  testing::writeText(folder.path() / "a.pdf", pdf);
  const std::string command = "pdftotext -x 0 -y 0 -W 596 -H 800 '" + (folder.path() / "a.pdf").string() + "' '" +
                              (folder.path() / "a.txt").string() + "'";
  EXPECT_EQ(std::system(command.c_str()), 0);
  return testing::readText(folder.path() / "a.txt");
}

TEST(Report, NotesThatAreHigherThanAPageAreWholeInThePdf) {
  if (std::system("command -v pdftotext >/dev/null") != 0) GTEST_SKIP() << "no pdftotext here";
  const EvaluatedProject project;
  const std::string run = project.evaluate({{"full", kFull, EvaluatedProject::questions(20, 0.5)}});
  std::string notes = "- one item\n\n1. first\n\n```\n", paragraph;
  for (int line = 0; line < 120; ++line) notes += "line" + std::to_string(line) + "\n";
  for (int word = 0; word < 2000; ++word) paragraph += "word" + std::to_string(word) + " ";
  const auto report = buildReport(project.path(), {run}, {.title = "", .notes = notes + "```\n\n" + paragraph});
  ASSERT_TRUE(report) << report.error().message;
  const std::string text = textOfPdf(*printReport(*report, ReportFormat::pdf));
  for (const char* part : {"one item", "1.", "line0\n", "line119\n", "word0 ", "word1999"})
    EXPECT_THAT(text, HasSubstr(part));
}

TEST(Report, TenThousandQuestionsUnderEightMapsAreShownInPart) {
  const EvaluatedProject project;
  constexpr int kQuestions = testing::kSanitized ? 300 : 10'000;
  std::vector<testing::GivenMap> maps;
  for (int map = 0; map < 8; ++map) {
    std::vector<int> src = {0, 1, 2, 3, 4, 5, 6, 7};
    for (int layer = 8 - map; layer < 8; ++layer) src[static_cast<std::size_t>(layer)] = 0;
    maps.push_back({"map " + std::to_string(map), src, EvaluatedProject::questions(kQuestions, 0.8 - 0.05 * map, map)});
  }
  const std::string run = project.evaluate(maps);
  const auto started = std::chrono::steady_clock::now();
  const auto report = buildReport(project.path(), {run});
  ASSERT_TRUE(report) << report.error().message;
  const std::string html = reportHtml(*report);
  const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - started).count();
  RecordProperty("seconds", std::to_string(seconds));
  EXPECT_LT(html.size(), 5'000'000u);
  EXPECT_THAT(html, HasSubstr("more are in the CSV and JSON files"));
  const std::string csv = reportCsv(*report);
  EXPECT_EQ(static_cast<std::size_t>(std::count(csv.begin(), csv.end(), '\n')),
            1 + 16 + report->evaluations[0].flips.size());
}

TEST(ModelCard, CarriesTheScoresOfTheExportedMapAsTheHubReadsThem) {
  const EvaluatedProject project;
  const std::string run = project.evaluate({{"full", kFull, EvaluatedProject::questions(50, 0.8)},
                                            {"retention:.5", kHalf, EvaluatedProject::questions(50, 0.6, 1)}});
  const Json report = reportJson(*buildReport(project.path(), {run}));
  const auto card = modelCard(report, *parseMap("stride:2", 4), "my: model");
  ASSERT_TRUE(card) << card.error().message;
  EXPECT_TRUE(card->starts_with("---\n"));
  EXPECT_THAT(*card, HasSubstr("model-index:\n- name: \"my: model\"\n"));
  EXPECT_THAT(*card, HasSubstr("type: \"f1\""));
  EXPECT_THAT(*card, HasSubstr("2 of 4 layers"));
  EXPECT_THAT(*card, HasSubstr("retention:.5"));
  EXPECT_THAT(*card, Not(HasSubstr("map full")));
  EXPECT_THAT(*card, Not(HasSubstr("{{")));
  EXPECT_THAT(modelCard(Json::object(), SharingMap::full(4), "m").error().message, HasSubstr("no report"));
}

TEST(ServingNotes, SayWhatAServerLogsWithAndWithoutTheMap) {
  // 1 GiB / (128 bytes · 4 layers), and of 2 owners.
  const std::string notes = servingNotes({"half", *parseMap("stride:2", 4), 128, {0, 0, 0, 0}, false});
  EXPECT_THAT(notes, HasSubstr("`vllm serve half`"));
  EXPECT_THAT(notes, HasSubstr("Strata: 2 of 4 layers keep keys and values"));
  EXPECT_THAT(notes, HasSubstr("`KV cache size: 4,194,304 tokens` (262,144 blocks of 16)"));
  EXPECT_THAT(notes, HasSubstr("About 2,097,152 tokens (131,072 blocks)"));
  EXPECT_THAT(notes, Not(HasSubstr("crosses")));
  EXPECT_THAT(notes, Not(HasSubstr("trust_remote_code")));
  EXPECT_THAT(notes, Not(HasSubstr("{{")));
}

TEST(ServingNotes, NameTheLayersThatReadAcrossAWindow) {
  const std::string notes = servingNotes({"mixed", *parseMap("0,0,2,2", 4), 128, {8, 0, 0, 8}, true});
  EXPECT_THAT(notes, HasSubstr("(layer 1 reads layer 0, layer 3 reads layer 2)"));
  EXPECT_THAT(notes, HasSubstr("trust_remote_code=True"));
  const std::vector<ServingUse> uses = servingUses({"mixed", *parseMap("0,0,2,2", 4), 128, {8, 0, 0, 8}, true}, "/m");
  EXPECT_EQ(uses[0].problem, "");
  EXPECT_THAT(uses[1].problem, HasSubstr("vLLM refuses"));
  EXPECT_THAT(uses[2].problem, HasSubstr("saves less"));
}

TEST(ServingUses, QuoteAFolderForTheShellAndForPython) {
  const ExportedModel model{"a \"b\"", *parseMap("stride:2", 4), 128, {0, 0, 0, 0}, false};
  const std::vector<ServingUse> uses = servingUses(model, "/tmp/a \"b\"");
  EXPECT_EQ(uses[0].command, "strata serve '/tmp/a \"b\"'");
  EXPECT_EQ(uses[2].command, R"(model = strata_hf.load("/tmp/a \"b\""))");
}

TEST(Charts, AllThatIsDrawnLiesWithinTheDrawing) {
  Chart chart;
  chart.xLabel = "Step";
  chart.yLabel = "Loss";
  for (int series = 0; series < 6; ++series) {
    ChartSeries one;
    one.name = "a run with a rather long name " + std::to_string(series);
    one.isLine = true;
    for (int i = 0; i < 20; ++i)
      one.points.push_back({i * 1000.0, std::sin(i + series) - 3, Interval{-4.5, -1.0}, "map " + std::to_string(i)});
    chart.series.push_back(std::move(one));
  }
  for (const double width : {340.0, 720.0}) {
    const Drawing drawing = drawChart(chart, width);
    EXPECT_GT(drawing.height, 200);
    for (const Shape& shape : drawing.shapes) {
      for (const DrawPoint& point : shape.points) {
        EXPECT_GE(point.x, 0);
        EXPECT_LE(point.x, width);
        EXPECT_GE(point.y, 0);
        EXPECT_LE(point.y, drawing.height);
      }
    }
  }
}

TEST(Charts, OneValueAndNoneAreNoProblem) {
  Chart chart;
  EXPECT_EQ(drawChart(chart, 720).shapes.size(), 0u);
  chart.series.push_back({"one", {{3, 5, {}, {}}}, true, true});
  EXPECT_GT(drawChart(chart, 720).shapes.size(), 0u);
  for (const double far : {1e16, 1e300, 1.7e308}) {
    chart.series[0].points = {{-far, far, {}, {}}, {far, far + 2, {}, {}}, {far - 2, -far, {}, {}}};
    EXPECT_LT(drawChart(chart, 720).shapes.size(), 60u);
    chart.series[0].points = {{far, far, {}, {}}, {far + 2, far + 2, {}, {}}};
    EXPECT_LT(drawChart(chart, 720).shapes.size(), 60u);
  }
  chart.kind = ChartKind::matrix;
  EXPECT_EQ(drawChart(chart, 720).shapes.size(), 0u);
}

}  // namespace
}  // namespace strata
