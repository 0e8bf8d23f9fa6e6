#include "widgets/plots/pareto_plot.h"

#include <QTableView>
#include <QTemporaryDir>

#include "plot_samples.h"

namespace strata {
namespace {

using namespace testing;

using Front = std::vector<std::size_t>;

TEST(ParetoFront, HoldsWhatNoOtherPointBeatsInBoth) {
  EXPECT_EQ(paretoFront({}, true), Front{});
  EXPECT_EQ(paretoFront({{3, 2.0}, {1, 4.0}, {2, 4.5}, {2, 3.0}}, true), (Front{1, 3, 0}));
  EXPECT_EQ(paretoFront({{3, 2.0}, {1, 4.0}, {2, 4.5}, {2, 3.0}}, false), (Front{1, 2}));
  EXPECT_EQ(paretoFront({{1, 4.0}, {1, 4.0}, {2, 4.0}}, true), Front{0}) << "more for the same is no gain";
}

struct ShownPareto {
  Theme& theme = plotTheme();  // before what follows it
  ParetoPlot plot{"NLL", "nats"};
  QWidget* canvas = plot.findChild<QWidget*>("plotCanvas");
  ShownPareto() {
    plotTheme().setChoice(Theme::Choice::light);
    plot.setAxis("KV per token", "KiB");
    plot.resize(300, 240);
    plot.show();
    EXPECT_TRUE(QTest::qWaitForWindowExposed(&plot));
    plot.setFocus();
  }
  void showMaps() {
    plot.setSeries(
        {{"base", 0, {{3, 3.62, 3.55, 3.69, "full"}, {1.5, 4.26, 4.18, 4.34, "stride:2"}}},
         {"routed", 1, {{3, 3.71, {}, {}, "full"}, {1.5, 3.8, {}, {}, "stride:2"}, {1.5, 3.95, {}, {}, "prefix:6"}}}},
        true);
    EXPECT_TRUE(drawnSoon(plot));
  }
};

TEST(ParetoPlot, SaysEveryPointWithItsModelSizeAndInterval) {
  ShownPareto shown;
  shown.plot.setEmptyText("No map was measured yet.");
  EXPECT_EQ(shown.plot.summary(), "No map was measured yet.");
  shown.showMaps();
  const QString words = shown.canvas->accessibleDescription();
  EXPECT_TRUE(words.startsWith("stride:2 of base: NLL (nats) 4.260 (4.180 to 4.340), KV per token 1.500 KiB; "))
      << words.toStdString();
  EXPECT_TRUE(words.endsWith("full of routed: NLL (nats) 3.710, KV per token 3.000 KiB.")) << words.toStdString();
}

TEST(ParetoPlot, AClickChoosesThePointThatItHits) {
  ShownPareto shown;
  shown.showMaps();
  QSignalSpy chosen(&shown.plot, &ParetoPlot::pointChosen);
  QTest::mouseClick(shown.canvas, Qt::LeftButton, {}, shown.plot.positionOf({1, 2}).toPoint());
  ASSERT_EQ(chosen.count(), 1);
  EXPECT_EQ(chosen[0][0].value<std::size_t>(), 1u);
  EXPECT_EQ(chosen[0][1].value<std::size_t>(), 2u);
  QTest::mouseClick(shown.canvas, Qt::LeftButton, {}, {shown.canvas->width() / 2 - 40, 30});
  EXPECT_EQ(chosen.count(), 1) << "nothing is near";
  EXPECT_EQ(shown.plot.current(), (ParetoPlot::At{1, 2}));
}

TEST(ParetoPlot, KeysGoFromPointToPointBySize) {
  ShownPareto shown;
  shown.showMaps();
  QSignalSpy chosen(&shown.plot, &ParetoPlot::pointChosen);
  QTest::keyClick(shown.canvas, Qt::Key_Return);
  EXPECT_EQ(chosen.count(), 0) << "there is no current one";
  for (int i = 0; i < 9; ++i) QTest::keyClick(shown.canvas, Qt::Key_Right);
  EXPECT_EQ(shown.plot.current(), (ParetoPlot::At{1, 0}));
  for (int i = 0; i < 9; ++i) QTest::keyClick(shown.canvas, Qt::Key_Left);
  EXPECT_EQ(shown.plot.current(), (ParetoPlot::At{0, 1}));
  QTest::keyClick(shown.canvas, Qt::Key_Return);
  ASSERT_EQ(chosen.count(), 1);
  EXPECT_EQ(chosen[0][1].value<std::size_t>(), 1u);
}

TEST(ParetoPlot, KeepsTheCurrentPointOnlyWhileThereIsOne) {
  ShownPareto shown;
  shown.showMaps();
  shown.plot.setCurrent(ParetoPlot::At{1, 2});
  shown.plot.setSeries({{"base", 0, {{3, 3.62, {}, {}, "full"}}}}, true);
  EXPECT_EQ(shown.plot.current(), std::nullopt);
}

TEST(ParetoPlot, IsATableAndIsExported) {
  ShownPareto shown;
  shown.showMaps();
  shown.plot.setTableShown(true);
  const auto* table = shown.plot.findChild<QTableView*>();
  ASSERT_EQ(table->model()->rowCount(), 5);
  EXPECT_EQ(table->model()->index(0, 0).data(), "stride:2");
  EXPECT_EQ(table->model()->index(0, 3).data(), "4.260 (4.180 to 4.340)");
  const QTemporaryDir folder;
  QSignalSpy exported(&shown.plot, &PlotFrame::exported);
  shown.plot.exportTo(folder.filePath("maps.csv"));
  ASSERT_TRUE(exported.wait());
  QFile file(folder.filePath("maps.csv"));
  ASSERT_TRUE(file.open(QIODevice::ReadOnly));
  EXPECT_EQ(file.readLine(), "Map,Model,KV per token (KiB),NLL (nats),NLL (nats) low,NLL (nats) high\n");
  EXPECT_EQ(file.readLine(), "stride:2,base,1.5,4.26,4.18,4.34\n");
}

TEST(ParetoPlot, PicturesToBeLookedAt) {
  ShownPareto shown;
  shown.showMaps();
  shown.plot.setCurrent(ParetoPlot::At{1, 1});
  QDir().mkpath(STRATA_BINARY_DIR "/screenshots");
  for (const auto& [choice, name] : {std::pair{Theme::Choice::light, "light"},
                                     {Theme::Choice::dark, "dark"},
                                     {Theme::Choice::contrast, "contrast"}}) {
    plotTheme().setChoice(choice);
    ASSERT_TRUE(drawnSoon(shown.plot));
    EXPECT_TRUE(shown.plot.grab().save(QString(STRATA_BINARY_DIR "/screenshots/plots_pareto_%1.png").arg(name)));
  }
}

}  // namespace
}  // namespace strata
