#include "widgets/plots/interval_plot.h"

#include <QTableView>
#include <QTemporaryDir>

#include "plot_samples.h"

namespace strata {
namespace {

using namespace testing;

struct ShownIntervals {
  Theme& theme = plotTheme();  // before what follows it
  IntervalPlot plot{"F1", "%"};
  QWidget* canvas = plot.findChild<QWidget*>("plotCanvas");
  ShownIntervals() {
    plotTheme().setChoice(Theme::Choice::light);
    plot.resize(640, 280);
    plot.show();
    EXPECT_TRUE(QTest::qWaitForWindowExposed(&plot));
    plot.setFocus();
  }
  void showScores() {
    plot.setScores(
        {{"full", Interval{88.2, 86, 90.1}, Interval{87.9, 85.7, 89.9}}, {"half", Interval{41.3, 38, 44.7}, {}}});
    EXPECT_TRUE(drawnSoon(plot));
  }
  int pixels(const QColor& color) {
    const QImage image = canvas->grab().toImage().convertToFormat(QImage::Format_RGB32);
    int found = 0;
    for (int y = 0; y < image.height(); ++y) {
      for (int x = 0; x < image.width(); ++x) found += image.pixel(x, y) == color.rgb();
    }
    return found;
  }
};

TEST(IntervalPlot, SaysEveryValueAndInterval) {
  ShownIntervals shown;
  shown.plot.setEmptyText("No scores yet.");
  EXPECT_EQ(shown.plot.summary(), "No scores yet.");
  shown.showScores();
  EXPECT_EQ(shown.canvas->accessibleDescription(),
            "F1 (%). full: A 88.2 (86.0 to 90.1), B 87.9 (85.7 to 89.9); half: A 41.3 (38.0 to 44.7), B not measured.");
  EXPECT_GT(shown.pixels(colors().sideA()), 60);
  EXPECT_GT(shown.pixels(colors().sideB()), 20);
}

TEST(IntervalPlot, DifferencesHaveASignAndALineAtZero) {
  ShownIntervals shown;
  shown.plot.setDifferences({{"full", Interval{0.4, -0.3, 1.1}}, {"half", Interval{-3, -5, -1}}, {"third", {}}},
                            "B - A");
  ASSERT_TRUE(drawnSoon(shown.plot));
  EXPECT_EQ(shown.plot.summary(),
            "F1 (%), B - A. full: +0.4 (-0.3 to +1.1); half: -3.0 (-5.0 to -1.0); third: not measured.");
  EXPECT_EQ(shown.pixels(colors().sideA()), 0);
  EXPECT_GT(shown.pixels(colors().text), 60);
}

TEST(IntervalPlot, KeysAndClicksChooseARow) {
  ShownIntervals shown;
  shown.showScores();
  QSignalSpy changed(&shown.plot, &IntervalPlot::currentRowChanged);
  QTest::keyClick(shown.canvas, Qt::Key_Down);
  QTest::keyClick(shown.canvas, Qt::Key_Down);
  QTest::keyClick(shown.canvas, Qt::Key_Down);
  EXPECT_EQ(shown.plot.currentRow(), 1);
  QTest::keyClick(shown.canvas, Qt::Key_Up);
  QTest::keyClick(shown.canvas, Qt::Key_Up);
  EXPECT_EQ(shown.plot.currentRow(), 0);
  EXPECT_EQ(changed.count(), 3);
  QTest::mouseClick(shown.canvas, Qt::LeftButton, {}, {200, shown.canvas->height() * 2 / 3});
  EXPECT_EQ(shown.plot.currentRow(), 1);
  ASSERT_TRUE(drawnSoon(shown.plot));
  EXPECT_GT(shown.pixels(colors().raised), 10'000);
}

TEST(IntervalPlot, IsATableAndIsExported) {
  ShownIntervals shown;
  shown.showScores();
  QTest::keyClick(shown.canvas, Qt::Key_T);
  auto* table = shown.plot.findChild<QTableView*>("plotTable");
  ASSERT_TRUE(table->isVisible());
  ASSERT_EQ(table->model()->rowCount(), 2);
  EXPECT_EQ(table->model()->headerData(2, Qt::Horizontal).toString(), "B");
  EXPECT_EQ(table->model()->index(1, 1).data().toString(), "41.3 (38.0 to 44.7)");
  EXPECT_EQ(table->model()->index(1, 2).data().toString(), "not measured");
  QTemporaryDir folder;
  QSignalSpy exported(&shown.plot, &PlotFrame::exported);
  shown.plot.exportTo(folder.filePath("f1.csv"));
  ASSERT_TRUE(exported.wait(5000));
  QFile file(folder.filePath("f1.csv"));
  ASSERT_TRUE(file.open(QIODevice::ReadOnly));
  EXPECT_EQ(file.readAll(),
            "row,A,A low,A high,B,B low,B high\nfull,88.2,86,90.1,87.9,85.7,89.9\nhalf,41.3,38,44.7,,,\n");
  shown.plot.exportTo(folder.filePath("f1.svg"));
  EXPECT_TRUE(QFile::exists(folder.filePath("f1.svg")));
}

TEST(IntervalPlot, FollowsTheTheme) {
  ShownIntervals shown;
  shown.showScores();
  plotTheme().setChoice(Theme::Choice::dark);
  EXPECT_TRUE(QTest::qWaitFor([&] { return shown.pixels(colorsOf(Scheme::light).surface) == 0; }, 10'000));
  EXPECT_GT(shown.pixels(colorsOf(Scheme::dark).sideA()), 60);
  plotTheme().setChoice(Theme::Choice::light);
}

}  // namespace
}  // namespace strata
