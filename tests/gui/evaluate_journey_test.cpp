// Two models of the sample project under two maps, on a few of its questions: evaluated live, compared in pairs, the
// questions that one side alone has right, one of them in a chat, and a report in every format.

#include <QListView>
#include <QTextBrowser>
#include <QTreeView>

#include "hand.h"
#include "real_window.h"
#include "widgets/chat/composer.h"
#include "widgets/evaluation/evaluation_setup.h"
#include "widgets/evaluation/sample_table.h"
#include "widgets/evaluation/samples_view.h"
#include "widgets/plots/interval_plot.h"
#include "widgets/reports/report_files.h"
#include "widgets/style/button.h"

namespace strata {
namespace {

constexpr int kAsked = 24;

class EvaluateJourney : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(window.isReady()) << window.engine.log().toStdString();
    hand.takeWindow();
  }
  QAbstractButton* button(const char* name) const { return window.find<QAbstractButton>(name); }
  std::string label(const char* name) const { return window.find<QLabel>(name)->text().toStdString(); }
  Comparison& comparison() const { return window.evaluate->comparison(); }
  std::string problems() const {
    return label("evaluationPlan") + ' ' + label("evaluationProblem") + ' ' + label("progressA") + ' ' +
           label("progressB") + ' ' + (comparison().problem() ? comparison().problem()->message : std::string());
  }
  /// Side A: the base model, whole; side B: the routed one with half of its cache.
  void setSides() {
    protocol::Side a = *window.session.side(Which::a), b = a;
    a.ref.model = "base";
    a.map = "full";
    b.ref.model = "routed";
    b.map = "stride:2";
    window.session.setSide(Which::a, a);
    window.session.setSide(Which::b, b);
  }
  void evaluate() {
    hand.click(button("rail-evaluate"));
    ASSERT_TRUE(until([&] { return window.window.currentPage() == window.evaluate; }));
    ASSERT_TRUE(until([&] { return button("startEvaluation")->isEnabled(); })) << problems();
    hand.enter(window.find<QLineEdit>("limit"), QString::number(kAsked));
    ASSERT_TRUE(until([&] { return label("evaluationPlan").find("24 question") != std::string::npos; })) << problems();
    EXPECT_NE(label("evaluationPlan").find("2 models × 2 maps"), std::string::npos) << label("evaluationPlan");
    EXPECT_NE(label("evaluationPlan").find("may not show"), std::string::npos) << label("evaluationPlan");
    window.screenshot("journey_evaluate_1_setup");
    hand.click(button("startEvaluation"));
    ASSERT_TRUE(until([&] { return comparison().isChosen(); })) << problems();
    window.screenshot("journey_evaluate_2_running");
    ASSERT_TRUE(until(
        [&] { return !comparison().isRunning() && comparison().pair() != nullptr && comparison().pair()->n == kAsked; },
        4 * kPatience))
        << problems();
  }

  const OwnFolders folders;
  RealWindow window{folders};
  Hand hand{window.window};
};

TEST_F(EvaluateJourney, ComparesTwoModelsOpensADisagreementInTheChatAndReportsInEveryFormat) {
  setSides();
  evaluate();
  EXPECT_EQ(comparison().sideOf(Which::a)->ref.model, "base");
  EXPECT_EQ(comparison().sideOf(Which::b)->ref.model, "routed");
  EXPECT_EQ(comparison().side(Which::a).map, "full");
  EXPECT_EQ(comparison().side(Which::b).map, "stride:2");
  EXPECT_NE(label("conclusion").find("24 question"), std::string::npos) << label("conclusion");
  EXPECT_NE(label("evidence").find("McNemar"), std::string::npos) << label("evidence");
  EXPECT_EQ(window.find<QTreeView>("scoreTable")->model()->rowCount(), 4);
  window.screenshot("journey_evaluate_3_results");

  hand.click(button("viewSamples"));
  const auto& counts = window.evaluate->samples()->samples()->counts();
  ASSERT_TRUE(until([&] { return counts.has_value() && counts->all == kAsked; }));
  EXPECT_EQ(counts->onlyA + counts->onlyB + counts->bothRight + counts->bothWrong, kAsked);
  EXPECT_EQ(counts->onlyA, comparison().pair()->onlyA);
  EXPECT_EQ(counts->onlyB, comparison().pair()->onlyB);
  ASSERT_GT(counts->onlyA + counts->onlyB, 0) << "the sample's models disagree on some of its questions";
  const bool isA = counts->onlyA > 0;
  const std::int64_t flipped = isA ? counts->onlyA : counts->onlyB;
  hand.click(button(isA ? "filter-only_a" : "filter-only_b"));
  ASSERT_TRUE(until([&] { return window.find<QTreeView>("samples")->model()->rowCount() == flipped; }));
  ASSERT_TRUE(until([&] { return label(isA ? "verdictA" : "verdictB") == "right"; }));
  EXPECT_NE(label(isA ? "verdictB" : "verdictA"), "right");
  window.screenshot("journey_evaluate_4_samples");

  // Other sides meanwhile: the chat gets those of the comparison.
  protocol::Side other = *window.session.side(Which::b);
  other.map = "stride:3";
  window.session.setSide(Which::b, other);
  ASSERT_TRUE(until([&] { return button("openInChat")->isEnabled(); }));
  hand.click(button("openInChat"));
  ASSERT_TRUE(until([&] { return window.window.currentPage() == window.chat; }));
  EXPECT_EQ(window.session.side(Which::a)->ref.model, "base");
  EXPECT_EQ(window.session.side(Which::b)->map, "stride:2");
  ASSERT_TRUE(until([&] { return window.find<QPlainTextEdit>("chatDraft")->toPlainText().contains("Question:"); }));
  hand.click(window.chat->composer()->sendButton());
  ASSERT_TRUE(until([&] { return !window.chat->conversation().turns().empty(); }));
  ASSERT_TRUE(window.bothAnswered(0)) << window.engine.log().toStdString();
  const SideAnswer* right = window.answer(0, isA ? Which::a : Which::b);
  ASSERT_TRUE(right->answer->mark.has_value()) << "the expected answer came along";
  EXPECT_EQ(right->answer->mark->exact, 1) << "the chat asks as the evaluation did: " << right->answer->text;
  EXPECT_LT(window.answer(0, isA ? Which::b : Which::a)->answer->mark->exact, 1);
  window.screenshot("journey_evaluate_5_chat");

  hand.click(button("rail-evaluate"));
  hand.click(button("viewResults"));
  ASSERT_TRUE(until([&] { return button("writeReport")->isEnabled(); }));
  hand.click(button("writeReport"));
  ASSERT_TRUE(until([&] {
    return window.window.currentPage() == window.reports && window.reports->current() != nullptr;
  })) << problems();
  ASSERT_TRUE(until([&] { return window.find<QTextBrowser>("reportText")->toPlainText().size() > 200; }));
  EXPECT_FALSE(label("reportConclusion").empty());
  window.screenshot("journey_evaluate_6_report");
  const QString name = QString::fromStdString(window.reports->current()->name);
  const std::map<QString, QByteArray> beginnings = {
      {"html", "<!"}, {"pdf", "%PDF"}, {"csv", ""}, {"json", "{"}, {"md", "#"}};
  for (const auto& [format, beginning] : beginnings) {
    const auto& formats = window.reports->current()->formats;
    ASSERT_NE(std::find(formats.begin(), formats.end(), format.toStdString()), formats.end()) << format.toStdString();
    const QString path = folders.path("saved." + format);
    bool isSaved = false;
    saveReport(window.engine, name, format, path, &window.window, [&](const Result<void>& saved) {
      ASSERT_TRUE(saved) << saved.error().message;
      isSaved = true;
    });
    ASSERT_TRUE(until([&] { return isSaved; }));
    QFile file(path);
    ASSERT_TRUE(file.open(QIODevice::ReadOnly));
    const QByteArray bytes = file.readAll();
    EXPECT_GT(bytes.size(), 100) << format.toStdString();
    EXPECT_TRUE(bytes.startsWith(beginning)) << format.toStdString() << ": " << bytes.left(40).toStdString();
  }
}

}  // namespace
}  // namespace strata
