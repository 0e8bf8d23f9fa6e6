// The curves of a run: which plot a metric goes to, intervals around scores, and names and colours beside other runs.

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
  SeriesPlot& plot(const char* name) const { return child<SeriesPlot>(*plots, name); }
  SeriesPlot& scores() const { return plot("scoresPlot"); }
  bool soonSays(const char* name, const QString& words) {
    return soon([&] { return plot(name).summary().contains(words); });
  }
  int pixels(SeriesPlot& plot, const QColor& color) {
    const QImage image = plot.grab().toImage().convertToFormat(QImage::Format_RGB32);
    int found = 0;
    for (int y = 0; y < image.height(); ++y) {
      for (int x = 0; x < image.width(); ++x) found += image.pixel(x, y) == color.rgb();
    }
    return found;
  }

  std::unique_ptr<RunPlots> plots;
};

TEST_F(RunPlotsTest, ScoresStandInTheirIntervals) {
  open();
  ASSERT_TRUE(soon([&] { return scores().series().size() == 2; }));
  EXPECT_TRUE(scores().isVisible());
  EXPECT_EQ(scores().title(), "Answers (F1, %)");
  for (const QString& id : scores().series()) {
    ASSERT_TRUE(soon([&] {
      const SeriesData* data = scores().data(id);
      return data->bucketed() && data->columns().min.back() < data->columns().value.back() &&
             data->columns().max.back() > data->columns().value.back();
    })) << id.toStdString();
    const PlotColumns& columns = scores().data(id)->columns();
    ASSERT_GE(columns.step.size(), 4U);
    for (std::size_t i = 0; i < 4; ++i) {
      EXPECT_NEAR(columns.value[i] - columns.min[i], 9, 1e-9);
      EXPECT_NEAR(columns.max[i] - columns.value[i], 7, 1e-9);
    }
  }
  plots->ensureWidgetVisible(&scores());
  QTest::qWait(0);
  EXPECT_TRUE(scores().grab().save(QStringLiteral(STRATA_BINARY_DIR) + "/screenshots/run_scores.png"));
}

TEST_F(RunPlotsTest, MapsAreNamedByWhatTheyKeep) {
  open();
  EXPECT_TRUE(soonSays("nllPlot", "Newest: 100 %")) << plot("nllPlot").summary().toStdString();
  EXPECT_TRUE(soonSays("scoresPlot", ", 50 %")) << scores().summary().toStdString();
}

TEST_F(RunPlotsTest, BesideOtherRunsTheShownOneIsNamedInEveryPlot) {
  open();
  session.runs().refresh();
  ASSERT_TRUE(soon([&] { return session.runs().find("20261128-1") != nullptr; }));
  ASSERT_TRUE(soonSays("memoryPlot", "Newest: measured"));
  plots->setOverlays({{"20261127-2", "the other", 2, false}, {"20261126-3", "the third", 3, false}});
  const QString own = "Train: base on train.txt";
  for (const char* name : {"lossPlot", "memoryPlot", "speedPlot", "ratePlot", "normPlot"}) {
    EXPECT_TRUE(soonSays(name, "Newest: " + own)) << plot(name).summary().toStdString();
    EXPECT_TRUE(soonSays(name, ", the other")) << plot(name).summary().toStdString();
  }
  EXPECT_TRUE(soonSays("nllPlot", own + ", 50 %"));
  EXPECT_TRUE(soonSays("nllPlot", "the third, 100 %"));
  EXPECT_TRUE(soonSays("memoryPlot", "held after the step"));
  QTest::qWait(100);
  EXPECT_TRUE(plots->grab().save(QStringLiteral(STRATA_BINARY_DIR) + "/screenshots/run_beside_others.png"));
  plots->setOverlays({});
  EXPECT_TRUE(soonSays("memoryPlot", "Newest: measured"));
  EXPECT_FALSE(plot("lossPlot").summary().contains(own));
}

TEST_F(RunPlotsTest, AllMemoryOfARunHasItsColour) {
  open();
  plots->setPredictedMemory(320 << 20);
  ASSERT_TRUE(soon([&] { return plot("memoryPlot").series().size() == 3; })) << "measured, held and predicted";
  plots->ensureWidgetVisible(&plot("memoryPlot"));
  ASSERT_TRUE(soon([&] { return pixels(plot("memoryPlot"), colors().series[0]) > 0; }));
  for (const int other : {1, 2, 3}) {
    EXPECT_EQ(pixels(plot("memoryPlot"), colors().series[static_cast<std::size_t>(other)]), 0) << other;
  }
}

}  // namespace
}  // namespace strata::testing
