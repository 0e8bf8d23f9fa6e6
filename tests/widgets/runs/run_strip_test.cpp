#include "widgets/runs/run_strip.h"

#include <QLabel>

#include "page_fixture.h"
#include "widgets/plots/series_plot.h"

namespace strata::testing {
namespace {

class RunStripTest : public ::testing::Test, public PageFixture {
 protected:
  void open(const std::string& scenario = "trains") {
    ASSERT_TRUE(start(scenario));
    session.runs().refresh();
    ASSERT_TRUE(soon([&] { return session.runs().find("trains") != nullptr; }));
    strip = std::make_unique<RunStrip>(session);
    strip->resize(900, 200);
    strip->show("trains");
  }
  QString detail() const { return child<QLabel>(*strip, "stripDetail").text(); }

  std::unique_ptr<RunStrip> strip;
};

TEST_F(RunStripTest, TellsHowFarTheRunIsWithItsLossScoresAndMemory) {
  open();
  ASSERT_TRUE(soon([&] { return strip->plot().series().size() == 3; }));
  EXPECT_EQ(child<QLabel>(*strip, "stripName").text(), "LoRA of base, p 0.5");
  EXPECT_TRUE(strip->plot().series().contains("nll/retention:0.5"));
  ASSERT_TRUE(soon([&] { return strip->plot().data("loss")->columns().step.back() == 100; })) << "it is followed";
  EXPECT_TRUE(soon([&] { return detail().contains("100 %: F1 75 %"); })) << detail().toStdString();
  EXPECT_TRUE(detail().startsWith("step 40 of 200 · about 42 s left · loss 2.145")) << detail().toStdString();
  EXPECT_TRUE(detail().contains("memory 300 MiB")) << detail().toStdString();
}

TEST_F(RunStripTest, FoldsToItsLine) {
  open();
  ASSERT_TRUE(strip->plot().isVisible());
  child<QAbstractButton>(*strip, "stripFold").click();
  EXPECT_FALSE(strip->plot().isVisible());
  EXPECT_EQ(child<QAbstractButton>(*strip, "stripFold").accessibleName(), "Show the curves");
  EXPECT_EQ(namelessControls(*strip).join('\n').toStdString(), "");
}

TEST_F(RunStripTest, StaysOnceTheRunHasEnded) {
  open("ends");
  EXPECT_TRUE(soon([&] { return detail().startsWith("done · step 200 of 200"); })) << detail().toStdString();
  EXPECT_TRUE(strip->isVisible());
  EXPECT_TRUE(soon([&] { return strip->plot().data("loss")->columns().step.back() == 200; }))
      << "it is read to its end";
  strip->show("");
  EXPECT_FALSE(strip->isVisible());
}

TEST_F(RunStripTest, ARunThatTrainsIsFollowedByASideAndOneByItsStepIsNot) {
  open();
  protocol::ModelRef ref;
  ref.model = "trains";
  session.useModel(Which::b, ref);
  ASSERT_TRUE(soon([&] { return session.side(Which::b).has_value(); }));
  EXPECT_EQ(session.side(Which::b)->ref.model, "trains@latest");
  ASSERT_NE(session.trainingRun(session.side(Which::b)->ref), nullptr);
  ref.model = "trains@40";
  session.useModel(Which::b, ref);
  EXPECT_TRUE(soon([&] { return session.side(Which::b)->ref.model == "trains@40"; }));
}

}  // namespace
}  // namespace strata::testing
