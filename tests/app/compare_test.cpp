// strata compare, strata report and the model card, on evaluations of the sample models' project.

#include <gmock/gmock.h>

#include "program.h"

namespace strata::testing {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::Not;

/// A project with one evaluation of the tiny model under two maps.
class Compare : public ::testing::Test {
 protected:
  static void SetUpTestSuite() {
    s_folder = new TemporaryFolder;
    const fs::path source = sourceFolder();
    const auto answer = answerOf({"eval", (source / "resources/models/sample-routed").string(), "--task", "squad",
                                  "--data", (source / "projects/tiny-stories/recall.json").string(), "--maps",
                                  "full;retention:.5", "--limit", "24", "--project", project().string()});
    s_run = new std::string(answer["run"]);
    s_results = new nlohmann::json(answer["results"]);
  }
  static void TearDownTestSuite() {
    delete s_folder;
    delete s_run;
    delete s_results;
  }
  static fs::path project() { return s_folder->path() / "project"; }
  static std::vector<std::string> compared(const std::string& a, const std::string& b,
                                           std::vector<std::string> more = {}) {
    more.insert(more.begin(), {"compare", a, b, "--project", project().string()});
    return more;
  }

  static TemporaryFolder* s_folder;
  static std::string* s_run;
  static nlohmann::json* s_results;
};

TemporaryFolder* Compare::s_folder = nullptr;
std::string* Compare::s_run = nullptr;
nlohmann::json* Compare::s_results = nullptr;

TEST_F(Compare, MeansAreThoseThatTheEvaluationReports) {
  for (const char* metric : {"f1", "em", "nll"}) {
    const auto answer = answerOf(compared(*s_run + "@full", *s_run + "@stride:2", {"--metric", metric}));
    expectKeys(answer, {"metric", "n", "mean_a", "mean_b", "difference", "interval", "mcnemar"});
    EXPECT_EQ(answer["n"], 24);
    EXPECT_NEAR(answer["mean_a"].get<double>(), (*s_results)[0][metric].get<double>(), 1e-9) << metric;
    EXPECT_NEAR(answer["mean_b"].get<double>(), (*s_results)[1][metric].get<double>(), 1e-9) << metric;
    EXPECT_LE(answer["interval"][0], answer["difference"]);
    EXPECT_GE(answer["interval"][1], answer["difference"]);
  }
}

TEST_F(Compare, MapsAreChosenByOptionsTooAndTheAnswerIsTheSameEachTime) {
  const auto byName = runProgram(compared(*s_run + "@full", *s_run + "@retention:.5", {"--json"}));
  const auto byOption = runProgram(compared(*s_run, *s_run, {"--map-a", "full", "--map-b", "retention:.5", "--json"}));
  EXPECT_EQ(byName.out, byOption.out);
  EXPECT_EQ(byName.json()["metric"], "f1");
  EXPECT_GE(byName.json()["mcnemar"]["p"], 0);
}

TEST_F(Compare, WhatCannotBeComparedEndsInASentence) {
  const auto refused = [](const std::vector<std::string>& arguments, const char* says) {
    const Answer answer = runProgram(arguments);
    EXPECT_NE(answer.code, 0);
    EXPECT_THAT(answer.err, HasSubstr(says));
  };
  refused(compared(*s_run, *s_run), "choose one of: full; retention:.5");
  refused(compared(*s_run + "@full", "none"), "has no run none");
  refused(compared(*s_run + "@full", *s_run + "@stride:3"), "did not measure");
  refused(compared(*s_run + "@full", *s_run + "@retention:.5", {"--metric", "bleu"}), "choose one of");
}

TEST_F(Compare, AReportIsWrittenIntoTheProject) {
  const auto answer = answerOf({"report", "--project", project().string(), "--runs", *s_run});
  ASSERT_EQ(answer["files"].size(), 5u);
  for (const auto& file : answer["files"]) {
    const fs::path path = file["path"].get<std::string>();
    EXPECT_EQ(path.parent_path().filename(), "reports");
    EXPECT_GT(readText(path).size(), 500u) << path;
  }
  const auto report = nlohmann::json::parse(readText(answer["files"][3]["path"].get<std::string>()));
  EXPECT_EQ(report["evaluations"][0]["rows"][0]["scores"]["f1"]["value"], (*s_results)[0]["f1"]);
  const auto paired = report["evaluations"][0]["rows"][1]["paired"];
  const auto compare = answerOf(compared(*s_run + "@full", *s_run + "@retention:.5"));
  EXPECT_EQ(paired["difference"], compare["difference"]);
  EXPECT_EQ(paired["interval"], compare["interval"]);
  EXPECT_THAT(runProgram({"report", "--project", project().string(), "--runs", *s_run, "--format", "doc"}).err,
              HasSubstr("no form"));
}

TEST_F(Compare, NotesStandBelowTheConclusionOfEveryForm) {
  const fs::path out = s_folder->path() / "noted", notes = s_folder->path() / "notes.md";
  writeText(notes, "What I make of it.\n\nFrom the paper:\n\n| model | F1 |\n|---|--:|\n| theirs | .74 |\n");
  const auto answer = answerOf({"report", "--project", project().string(), "--runs", *s_run, "--format", "html,json,md",
                                "--out", out.string(), "--notes", notes.string()});
  const auto text = [&](std::size_t file) { return readText(answer["files"][file]["path"].get<std::string>()); };
  for (const std::size_t file : {0u, 2u}) {
    const std::string page = text(file);
    ASSERT_THAT(page, HasSubstr("What I make of it."));
    EXPECT_LT(page.find("Conclusion"), page.find("What I make of it.")) << page;
    EXPECT_LT(page.find("From the paper"), page.find("Scores with their 95 % intervals")) << page;
  }
  EXPECT_THAT(text(0), HasSubstr("<td class=\"n\">.74</td>"));
  EXPECT_THAT(nlohmann::json::parse(text(1))["notes"].get<std::string>(), HasSubstr("What I make of it."));
  writeText(notes, "caf\xE9");
  const Answer refused =
      runProgram({"report", "--project", project().string(), "--runs", *s_run, "--notes", notes.string()});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err, HasSubstr("notes.md:1: the text is not UTF-8; convert the file."));
}

TEST_F(Compare, AnExportCarriesTheReportAsItsModelCard) {
  const fs::path out = s_folder->path() / "out", exported = s_folder->path() / "exported";
  const auto answer = answerOf(
      {"report", "--project", project().string(), "--runs", *s_run, "--format", "json", "--out", out.string()});
  const std::string report = answer["files"][0]["path"];
  answerOf({"export", (sourceFolder() / "resources/models/sample-routed").string(), "--map", "retention:.5", "--card",
            report, exported.string()});
  const std::string card = readText(exported / "README.md");
  EXPECT_TRUE(card.starts_with("---\n"));
  EXPECT_THAT(card, HasSubstr("model-index:"));
  EXPECT_THAT(card, HasSubstr("6 of 12 layers"));
  EXPECT_THAT(card, Not(HasSubstr("{{")));
  const Answer refused = runProgram({"export", (sourceFolder() / "resources/models/sample-routed").string(), "--card",
                                     (exported / "config.json").string(), (s_folder->path() / "other").string()});
  EXPECT_EQ(refused.code, 1);
  EXPECT_THAT(refused.err, HasSubstr("no report"));
}

}  // namespace
}  // namespace strata::testing
