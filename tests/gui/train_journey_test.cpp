// From the first start of the window to a routed run of one's own: the wizard, the live curves, stop, resume, extend.

#include <QComboBox>
#include <QLineEdit>
#include <QListView>
#include <QTreeView>

#include "pace.h"
#include "real_window.h"
#include "widgets/plots/series_plot.h"

namespace strata {
namespace {

class TrainJourney : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(window.isReady()) << window.engine.log().toStdString();
    clock.start();
    click("rail-train");
    ASSERT_TRUE(until([&] { return button("startRun")->isVisible() && button("startRun")->isEnabled(); }))
        << label("runSummary").toStdString() << label("startNote").toStdString();
  }
  QAbstractButton* button(const char* name) const { return window.find<QAbstractButton>(name); }
  void click(const char* name) {
    ++clicks;
    QTest::mouseClick(button(name), Qt::LeftButton);
  }
  QString label(const char* name) const {
    const auto* found = window.find<QLabel>(name);
    return found == nullptr ? QString("no such label") : found->text();
  }
  std::size_t points(const char* plot) const {
    const auto* found = window.find<SeriesPlot>(plot);
    return found->series().isEmpty() ? 0 : found->data(found->series().first())->size();
  }
  void setSteps(const QString& steps) { set("steps", steps); }
  void set(const char* field, const QString& text) {
    auto* line = window.find<QLineEdit>(field);
    ASSERT_NE(line, nullptr) << field;
    line->setText(text);
    Q_EMIT line->textEdited(text);
    Q_EMIT line->editingFinished();
  }
  bool ends(const QString& state) {
    return until([&] { return label("runStatus") == state; }, 4 * kPatience);
  }

  OwnFolders folders;
  RealWindow window{folders};
  QElapsedTimer clock;
  int clicks = 0;
};

TEST_F(TrainJourney, TwoClicksLeadToALiveLossCurveAndHalfTheCacheCostsLessInTheEnd) {
  window.screenshot("train_journey_0_ready");
  click("startRun");
  ASSERT_TRUE(until([&] { return points("lossPlot") > 0; })) << label("runProblem").toStdString();
  const qint64 toFirstPoint = clock.elapsed();
  std::printf("first point of the loss after %lld ms and %d clicks\n", static_cast<long long>(toFirstPoint), clicks);
  EXPECT_LE(clicks, 5);
  EXPECT_LT(static_cast<double>(toFirstPoint), 30'000 * testing::pace());
  ASSERT_TRUE(until([&] { return points("lossPlot") >= 12; }));
  window.screenshot("train_journey_1_running");
  ASSERT_TRUE(ends("done")) << label("runMessage").toStdString();
  std::printf("done after %lld ms\n", static_cast<long long>(clock.elapsed()));
  window.screenshot("train_journey_2_done");
  auto* heldOut = window.find<SeriesPlot>("nllPlot");
  ASSERT_EQ(heldOut->series().size(), 2);
  for (const QString& id : heldOut->series()) {
    const std::vector<double>& nll = heldOut->data(id)->columns().value;
    ASSERT_GE(nll.size(), 2u);
    if (id.contains("retention")) {
      EXPECT_LT(nll.back(), nll.front());
    }
  }
  // The run is a model now: side B chats with it.
  ASSERT_TRUE(until([&] { return button("useRunAsB")->isEnabled(); }));
  click("useRunAsB");
  ASSERT_TRUE(until([&] {
    const auto& side = window.session.side(Which::b);
    return side && side->ref.model == window.session.runs().rows().front().id;
  }));
}

TEST_F(TrainJourney, ARunIsStoppedResumedAndExtended) {
  setSteps("30");
  click("startRun");
  ASSERT_TRUE(until([&] { return points("lossPlot") >= 2; })) << label("runProblem").toStdString();
  click("stopRun");
  ASSERT_TRUE(ends("stopped"));
  const std::size_t before = points("lossPlot");
  EXPECT_LT(before, 30u);
  click("resumeRun");
  ASSERT_TRUE(ends("done")) << label("runMessage").toStdString() << label("runProblem").toStdString();
  EXPECT_TRUE(until([&] { return points("lossPlot") == 30; })) << points("lossPlot") << ": each step once";
  click("extendRun");
  ASSERT_TRUE(until([&] { return button("startRun")->isVisible() && button("startRun")->isEnabled(); }));
  setSteps("4");
  ASSERT_TRUE(until([&] { return button("startRun")->isEnabled(); }));
  click("startRun");
  ASSERT_TRUE(until([&] { return window.session.runs().rows().size() == 2; })) << label("startNote").toStdString();
  ASSERT_TRUE(ends("done")) << label("runMessage").toStdString();
  EXPECT_EQ(window.session.runs().rows()[0].parent, window.session.runs().rows()[1].id);
}

TEST_F(TrainJourney, ARunIsChattedWithWhileItTrainsAndItsNewestCheckpointAnswers) {
  setSteps("2000");
  set("save-every", "10");
  set("eval-every", "10");
  auto* questions = qobject_cast<QComboBox*>(window.find("eval-questions"));
  ASSERT_NE(questions, nullptr);
  const QString path = QString::fromStdString(window.session.project()->folder) + "/recall.json";
  questions->lineEdit()->setText(path);
  Q_EMIT questions->lineEdit()->textEdited(path);
  Q_EMIT questions->lineEdit()->editingFinished();
  set("eval-questions-limit", "6");
  ASSERT_TRUE(until([&] { return button("startRun")->isEnabled(); })) << label("startNote").toStdString();
  click("startRun");
  ASSERT_TRUE(until([&] { return button("useRunAsB")->isEnabled(); }, 2 * kPatience))
      << label("runProblem").toStdString();
  auto* answers = window.find<QListView>("answerList");
  ASSERT_TRUE(until([&] { return answers->isVisible() && answers->model()->rowCount() == 6; }));
  window.screenshot("train_journey_3_answers");
  click("useRunAsB");
  const auto side = [&] { return window.session.side(Which::b)->ref.model; };
  ASSERT_TRUE(until([&] { return side() == window.session.runs().rows().front().id + "@latest"; })) << side();
  window.window.showPage("chat");
  ASSERT_TRUE(window.find("runStrip")->isVisible());
  ASSERT_TRUE(until([&] { return points("stripPlot") > 0; }));
  const auto stepThatAnswers = [&](int turn) {
    window.chat->setDraft("What did Tom find under the tree?");
    window.chat->sendDraft();
    EXPECT_TRUE(window.bothAnswered(turn)) << window.engine.log().toStdString();
    const std::string by = window.answer(turn, Which::b)->answer->madeBy.model;
    return std::stoll(by.substr(by.find('@') + 1));
  };
  const std::int64_t first = stepThatAnswers(0);
  window.screenshot("train_journey_4_chat");
  const protocol::JobInfo* job = window.session.trainingRun(window.session.side(Which::b)->ref);
  ASSERT_NE(job, nullptr) << "it trains on";
  ASSERT_TRUE(until([&] { return window.session.runs().rows().front().step >= first + 25; }, 2 * kPatience));
  EXPECT_GT(stepThatAnswers(1), first) << "a newer checkpoint answers the next question";
  window.theme.setChoice(Theme::Choice::dark);
  window.screenshot("train_journey_4_chat_dark");
  window.theme.setChoice(Theme::Choice::light);
  window.window.showPage("train");
  EXPECT_GT(points("lossPlot"), 10u) << "the curves go on there too";
  click("stopRun");
  EXPECT_TRUE(ends("stopped"));
}

}  // namespace
}  // namespace strata
