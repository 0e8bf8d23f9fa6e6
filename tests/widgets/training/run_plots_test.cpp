// The curves of a run: which plot a metric goes to, and intervals around scores.

#include "widgets/training/run_plots.h"

#include "page_fixture.h"
#include "widgets/plots/series_plot.h"

namespace strata::testing {
namespace {

class RunPlotsTest : public ::testing::Test, public PageFixture {
 protected:
  void open() {
    ASSERT_TRUE(start("runs"));
    plots = std::make_unique<RunPlots>(session);
    plots->resize(1000, 900);
    plots->show("20261128-1", true);
    plots->QWidget::show();
  }
  SeriesPlot& scores() const { return child<SeriesPlot>(*plots, "scoresPlot"); }

  std::unique_ptr<RunPlots> plots;
};

TEST_F(RunPlotsTest, ScoresStandInTheirIntervals) {
  open();
  ASSERT_TRUE(soon([&] { return scores().series().size() == 2; }));
  EXPECT_TRUE(scores().isVisible());
  for (const QString& id : scores().series()) {
    ASSERT_TRUE(soon([&] {
      const SeriesData* data = scores().data(id);
      return data->bucketed() && data->columns().min.back() < data->columns().value.back() &&
             data->columns().max.back() > data->columns().value.back();
    })) << id.toStdString();
    const PlotColumns& columns = scores().data(id)->columns();
    ASSERT_GE(columns.step.size(), 4U);
    for (std::size_t i = 0; i < 4; ++i) {
      EXPECT_NEAR(columns.value[i] - columns.min[i], .09, 1e-9);
      EXPECT_NEAR(columns.max[i] - columns.value[i], .07, 1e-9);
    }
  }
  plots->ensureWidgetVisible(&scores());
  QTest::qWait(0);
  EXPECT_TRUE(scores().grab().save(QStringLiteral(STRATA_BINARY_DIR) + "/screenshots/run_scores.png"));
}

}  // namespace
}  // namespace strata::testing
