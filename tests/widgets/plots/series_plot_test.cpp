#include "widgets/plots/series_plot.h"

#include <QAbstractItemModel>
#include <QAccessible>
#include <QClipboard>
#include <QMenu>
#include <QTableView>
#include <QTemporaryDir>
#include <QXmlStreamReader>

#include "plot_samples.h"
#include "widgets/plots/plot_link.h"
#include "widgets/plots/plot_theme.h"
#include "widgets/plots/plot_ticks.h"

namespace strata {
namespace {

using namespace testing;

/// A plot on the screen, with what it needs to be driven.
struct Shown {
  Theme& theme = plotTheme();  // before what follows it
  SeriesPlot plot{"Loss", "nats"};
  QWidget* canvas = plot.findChild<QWidget*>("plotCanvas");
  Shown() {
    plotTheme().setChoice(Theme::Choice::light);
    plot.resize(600, 300);
    plot.show();
    EXPECT_TRUE(QTest::qWaitForWindowExposed(&plot));
    plot.setFocus();
  }
  /// x pixel of a part of the axis.
  QPoint at(double part) const {
    const int left = plot.link().left(), right = canvas->width() - plot.link().right();
    return {left + static_cast<int>(part * (right - left)), canvas->height() / 2};
  }
  void wheel(QPoint position, int notches, Qt::KeyboardModifiers modifiers = {}) {
    QWheelEvent event(position, canvas->mapToGlobal(position), {}, {0, 120 * notches}, Qt::NoButton, modifiers,
                      Qt::NoScrollPhase, false);
    QApplication::sendEvent(canvas, &event);
  }
  void mouse(QEvent::Type type, QPoint position, Qt::MouseButtons buttons) {
    const auto button = type == QEvent::MouseMove ? Qt::NoButton : Qt::LeftButton;
    QMouseEvent event(type, position, canvas->mapToGlobal(position), button, buttons, Qt::NoModifier);
    QApplication::sendEvent(canvas, &event);
  }
  void key(Qt::Key key, Qt::KeyboardModifiers modifiers = {}) { QTest::keyClick(canvas, key, modifiers); }
  int pixels(const QColor& color) {
    const QImage image = canvas->grab().toImage().convertToFormat(QImage::Format_RGB32);
    int found = 0;
    for (int y = 0; y < image.height(); ++y) {
      for (int x = 0; x < image.width(); ++x) found += image.pixel(x, y) == color.rgb();
    }
    return found;
  }
};

PlotColumns line(std::size_t count, double slope = 1) {
  return curve(count, 1, [slope](double step) { return slope * step; });
}

TEST(SeriesPlot, AHundredAppendsInOneTurnAreOneRepaint) {
  Shown shown;
  shown.plot.setSeries("a", {.name = "training"}, line(10));
  ASSERT_TRUE(drawnSoon(shown.plot));
  QSignalSpy drawn(&shown.plot, &PlotFrame::drawn);
  for (int i = 11; i <= 110; ++i) shown.plot.append("a", {.step = {i * 1.0}, .value = {i * 1.0}});
  ASSERT_TRUE(drawn.wait(5000));
  QCoreApplication::processEvents();
  EXPECT_EQ(drawn.count(), 1);
  EXPECT_EQ(shown.plot.data("a")->size(), 110u);
}

TEST(SeriesPlot, RepaintsAtMostThirtyTimesASecondHoweverOftenPointsCome) {
  Shown shown;
  shown.plot.setSeries("a", {.name = "training"}, line(10));
  ASSERT_TRUE(drawnSoon(shown.plot));
  QSignalSpy drawn(&shown.plot, &PlotFrame::drawn);
  QElapsedTimer clock;
  clock.start();
  for (int step = 11; drawn.count() < 15; ++step) {
    shown.plot.append("a", {.step = {step * 1.0}, .value = {1}});
    QCoreApplication::processEvents();
  }
  EXPECT_GE(clock.elapsed(), 13 * 33);
}

TEST(SeriesPlot, AHiddenPlotDrawsOnceItIsShown) {
  plotTheme();
  SeriesPlot plot("Loss");
  QSignalSpy drawn(&plot, &PlotFrame::drawn);
  plot.setSeries("a", {.name = "training"}, line(10));
  QCoreApplication::processEvents();
  EXPECT_EQ(drawn.count(), 0);
  plot.show();
  EXPECT_TRUE(drawn.wait(5000));
}

TEST(SeriesPlot, TheWheelZoomsAtThePointerAndBackspaceGoesBack) {
  Shown shown;
  shown.plot.setSeries("a", {.name = "training"}, line(1000));
  ASSERT_TRUE(drawnSoon(shown.plot));
  PlotLink& link = shown.plot.link();
  shown.wheel(shown.at(0.25), 1);
  const PlotRange once = link.range();
  EXPECT_NEAR(once.width(), 800, 1);
  EXPECT_NEAR((250 - once.from) / once.width(), 0.25, 0.01);
  shown.wheel(shown.at(0.25), 2);
  EXPECT_NEAR(link.range().width(), 800 * 0.64, 1);
  ASSERT_TRUE(drawnSoon(shown.plot));
  EXPECT_LT(shown.plot.shownValues().to, 800) << "y fits what is in view";
  shown.wheel(shown.at(0.5), -1);
  EXPECT_NEAR(link.range().width(), 800 * 0.8, 1);
  shown.key(Qt::Key_Backspace);
  EXPECT_TRUE(link.isWhole()) << "notches that follow each other are one zoom";
}

TEST(SeriesPlot, TheWheelOverTheValuesZoomsThem) {
  Shown shown;
  shown.plot.setSeries("a", {.name = "training"}, line(1000));
  ASSERT_TRUE(drawnSoon(shown.plot));
  const double before = shown.plot.shownValues().width();
  shown.wheel({5, shown.canvas->height() / 2}, 1);
  EXPECT_TRUE(shown.plot.link().isWhole());
  ASSERT_TRUE(drawnSoon(shown.plot));
  EXPECT_NEAR(shown.plot.shownValues().width(), 0.8 * before, 1e-6 * before);
  shown.key(Qt::Key_Home);
  ASSERT_TRUE(drawnSoon(shown.plot));
  EXPECT_NEAR(shown.plot.shownValues().width(), before, 1e-6 * before);
}

TEST(SeriesPlot, ADragPansAndADoubleClickShowsEverything) {
  Shown shown;
  shown.plot.setSeries("a", {.name = "training"}, line(1000));
  ASSERT_TRUE(drawnSoon(shown.plot));
  PlotLink& link = shown.plot.link();
  link.setRange({400, 600});
  ASSERT_TRUE(drawnSoon(shown.plot));
  shown.mouse(QEvent::MouseButtonPress, shown.at(0.5), Qt::LeftButton);
  shown.mouse(QEvent::MouseMove, shown.at(0.4), Qt::LeftButton);
  shown.mouse(QEvent::MouseMove, shown.at(0.25), Qt::LeftButton);
  shown.mouse(QEvent::MouseButtonRelease, shown.at(0.25), Qt::NoButton);
  EXPECT_NEAR(link.range().from, 450, 1);
  EXPECT_TRUE(link.back());
  EXPECT_EQ(link.range(), (PlotRange{400, 600})) << "a drag is one step back";
  shown.mouse(QEvent::MouseButtonDblClick, shown.at(0.5), Qt::LeftButton);
  EXPECT_TRUE(link.isWhole());
}

TEST(SeriesPlot, KeysPanZoomAndMoveTheCrosshair) {
  Shown shown;
  shown.plot.setSeries("a", {.name = "training"}, line(1000));
  ASSERT_TRUE(drawnSoon(shown.plot));
  PlotLink& link = shown.plot.link();
  shown.key(Qt::Key_Plus);
  EXPECT_NEAR(link.range().width(), 800, 1e-6);
  shown.key(Qt::Key_Right);
  EXPECT_NEAR(link.range().from, 180, 1e-6);
  shown.key(Qt::Key_Left);
  EXPECT_NEAR(link.range().from, 100, 1e-6);
  shown.key(Qt::Key_Minus);
  EXPECT_TRUE(link.isWhole());
  shown.key(Qt::Key_Plus);
  shown.key(Qt::Key_Home);
  EXPECT_TRUE(link.isWhole());
  shown.key(Qt::Key_L);
  EXPECT_TRUE(shown.plot.logScale());
  shown.key(Qt::Key_L);
  EXPECT_FALSE(shown.plot.logScale());
  shown.key(Qt::Key_Right, Qt::ShiftModifier);
  ASSERT_TRUE(link.crosshair());
  const double first = *link.crosshair();
  EXPECT_EQ(first, 1);
  shown.key(Qt::Key_Right, Qt::ShiftModifier);
  EXPECT_GT(*link.crosshair(), first);
  EXPECT_EQ(shown.canvas->accessibleDescription(), shown.plot.readOut());
  shown.key(Qt::Key_Left, Qt::ShiftModifier);
  EXPECT_EQ(*link.crosshair(), first);
  const double low = shown.plot.shownValues().from;
  shown.key(Qt::Key_Up);
  ASSERT_TRUE(drawnSoon(shown.plot));
  EXPECT_GT(shown.plot.shownValues().from, low);
}

TEST(SeriesPlot, LinkedPlotsShareXAndCrosshair) {
  Shown first, second;
  PlotLink link;
  first.plot.setLink(&link);
  second.plot.setLink(&link);
  first.plot.setSeries("a", {.name = "training"}, line(1000));
  second.plot.setSeries("b", {.name = "speed"}, line(500, 2));
  ASSERT_TRUE(drawnSoon(second.plot));
  EXPECT_EQ(link.range(), (PlotRange{0, 1000}));
  first.wheel(first.at(0.5), 3);
  EXPECT_EQ(&second.plot.link(), &link);
  EXPECT_FALSE(second.plot.link().isWhole());
  first.mouse(QEvent::MouseMove, first.at(0.5), Qt::NoButton);
  ASSERT_TRUE(link.crosshair());
  const double x = std::min(500.0, std::round(*link.crosshair()));
  EXPECT_NEAR(x, 500, 1);
  EXPECT_EQ(second.plot.readOut(),
            QString("%1: speed %2").arg(formatX(PlotAxis::step, *link.crosshair()), formatFigure(2 * x)));
  EXPECT_GT(second.pixels(colors().raised), 200) << "the box of values";
  QEvent leave(QEvent::Leave);
  QApplication::sendEvent(first.canvas, &leave);
  EXPECT_FALSE(link.crosshair());
}

TEST(SeriesPlot, APlotWhoseLinkIsGoneGoesBackToItsOwn) {
  Shown shown;
  shown.plot.setSeries("a", {.name = "training"}, line(1000));
  {
    PlotLink link;
    shown.plot.setLink(&link);
    link.setRange({10, 20});
  }
  EXPECT_TRUE(shown.plot.link().isWhole());
  EXPECT_EQ(shown.plot.link().range(), (PlotRange{0, 1000}));
}

TEST(SeriesPlot, ALogAxisLeavesOutWhatHasNoLogarithm) {
  Shown shown;
  shown.plot.setSeries("a", {.name = "lr"}, curve(100, 1, [](double step) { return step < 50 ? -1 : step; }));
  shown.plot.setLogScale(true);
  ASSERT_TRUE(drawnSoon(shown.plot));
  EXPECT_GT(shown.plot.shownValues().from, 40);
  EXPECT_LT(shown.plot.shownValues().to, 120);
  EXPECT_GT(shown.pixels(seriesColor(0)), 10);
  shown.plot.setSeries("a", {.name = "lr"}, curve(100, 1, [](double) { return 0; }));
  ASSERT_TRUE(drawnSoon(shown.plot));
  EXPECT_GT(shown.plot.shownValues().from, 0);
}

TEST(SeriesPlot, OutliersCanBeIgnored) {
  Shown shown;
  shown.plot.setSeries("a", {.name = "a"}, curve(1000, 1, [](double step) { return step == 500 ? 1e6 : step / 1000; }));
  ASSERT_TRUE(drawnSoon(shown.plot));
  EXPECT_GT(shown.plot.shownValues().to, 1e6);
  shown.key(Qt::Key_O);
  ASSERT_TRUE(drawnSoon(shown.plot));
  EXPECT_LT(shown.plot.shownValues().to, 1.1);
}

TEST(SeriesPlot, RawDataStandsPalerBehindTheSmoothedLine) {
  Shown shown;
  shown.plot.setSeries("a", {.name = ""}, noisyLoss(12'000, 7, 0.5));
  ASSERT_TRUE(drawnSoon(shown.plot));
  EXPECT_EQ(shown.pixels(paler(seriesColor(0))), 0);
  QSignalSpy changed(&shown.plot, &SeriesPlot::optionsChanged);
  shown.plot.setSmoothing(0.9);
  EXPECT_EQ(changed.count(), 1);
  ASSERT_TRUE(drawnSoon(shown.plot));
  EXPECT_GT(shown.pixels(paler(seriesColor(0))), 500);
}

TEST(SeriesPlot, AnEnvelopeHasNoGapsWhereverItIsMoved) {
  Shown shown;
  std::mt19937 random(2);
  // Each column of pixels holds values from 0 to 1.
  shown.plot.setSeries("a", {.name = ""}, curve(200'000, 1, [&](double) { return (random() % 1000) / 999.0; }));
  for (const double from : {0.0, 313.7, 20'000.25}) {
    shown.plot.link().setRange({from, from + 150'000});
    ASSERT_TRUE(drawnSoon(shown.plot));
    const QImage image = shown.canvas->grab().toImage().convertToFormat(QImage::Format_RGB32);
    const int right = image.width() - shown.plot.link().right() - 2;
    int gaps = 0;
    for (int x = shown.plot.link().left() + 2; x < right; ++x) {
      gaps += image.pixel(x, image.height() / 2) != seriesColor(0).rgb();
    }
    EXPECT_EQ(gaps, 0) << from;
  }
}

TEST(SeriesPlot, OthersFadeBehindAHighlightedSeries) {
  Shown shown;
  shown.plot.setSeries("a", {.name = "", .slot = 0}, curve(20'000, 1, [](double) { return 1; }));
  shown.plot.setSeries("b", {.name = "", .slot = 2}, curve(20'000, 1, [](double) { return 2; }));
  shown.plot.setHighlighted("b");
  ASSERT_TRUE(drawnSoon(shown.plot));
  EXPECT_EQ(shown.pixels(seriesColor(0)), 0);
  EXPECT_GT(shown.pixels(paler(seriesColor(0))), 100);
  EXPECT_GT(shown.pixels(seriesColor(2)), 100);
  shown.plot.setHighlighted("");
  ASSERT_TRUE(drawnSoon(shown.plot));
  EXPECT_GT(shown.pixels(seriesColor(0)), 100);
}

TEST(SeriesPlot, AsksForFinerBucketsWhenAnotherStretchComesIntoView) {
  Shown shown;
  shown.plot.setSeries("a", {.name = "a"}, line(1000));
  ASSERT_TRUE(drawnSoon(shown.plot));
  QSignalSpy wanted(&shown.plot, &SeriesPlot::rangeWanted);
  shown.plot.link().setRange({400, 600});
  ASSERT_TRUE(wanted.wait(5000));
  EXPECT_EQ(wanted.last()[0].value<PlotAxis>(), PlotAxis::step);
  EXPECT_EQ(wanted.last()[1].toDouble(), 300);
  EXPECT_EQ(wanted.last()[2].toDouble(), 700);
  EXPECT_GT(wanted.last()[3].toInt(), 1000);
  shown.plot.refine("a", curve(401, 0.5, [](double step) { return step; }));
  EXPECT_EQ(shown.plot.data("a")->size(), 401u + 800u);
}

TEST(SeriesPlot, SaysWhatItShows) {
  Shown shown;
  shown.plot.setEmptyText("The curve begins with the first step.");
  EXPECT_EQ(shown.plot.summary(), "The curve begins with the first step.");
  shown.plot.setSeries("a", {.name = "training"}, line(1000, 0.002));
  shown.plot.setSeries("b", {.name = "validation"}, line(10, 0.1));
  shown.plot.setLogScale(true);
  ASSERT_TRUE(drawnSoon(shown.plot));
  const QString words = "Loss (nats) from step 0 to step 1,000. Newest: training 2.000, validation 1.000. Log scale.";
  EXPECT_EQ(shown.canvas->accessibleDescription(), words);
  EXPECT_EQ(shown.canvas->accessibleName(), "Loss (nats)");
  shown.plot.link().setAxis(PlotAxis::seconds);
  EXPECT_TRUE(shown.plot.summary().contains("from 0 ms to 6 min 10 s")) << shown.plot.summary().toStdString();
  shown.plot.setSeries("a", {.name = "training"}, {.step = {1}, .value = {1}});
  shown.plot.removeSeries("b");
  EXPECT_EQ(shown.plot.summary(), "Times were not stored for these curves.");
}

TEST(SeriesPlot, IsATableForThosePeopleWhoReadOne) {
  Shown shown;
  shown.plot.setSeries("a", {.name = "training"}, {.step = {1, 2, 3}, .value = {2.5, 2.25, 2}});
  shown.plot.setSeries("b", {.name = "validation"}, {.step = {2}, .value = {3}, .min = {2.5}, .max = {3.5}});
  shown.key(Qt::Key_T);
  ASSERT_TRUE(shown.plot.tableShown());
  auto* table = shown.plot.findChild<QTableView*>("plotTable");
  ASSERT_TRUE(table->isVisible());
  EXPECT_EQ(table->accessibleName(), "Loss (nats), as a table");
  const QAbstractItemModel& model = *table->model();
  ASSERT_EQ(model.rowCount(), 3);
  ASSERT_EQ(model.columnCount(), 3);
  EXPECT_EQ(model.headerData(1, Qt::Horizontal).toString(), "training");
  EXPECT_EQ(model.index(1, 0).data().toString(), "2");
  EXPECT_EQ(model.index(1, 1).data().toString(), "2.250");
  EXPECT_EQ(model.index(1, 2).data().toString(), "3.000 (2.500 to 3.500)");
  EXPECT_EQ(model.index(0, 2).data().toString(), "");
  QSignalSpy inserted(&model, &QAbstractItemModel::rowsInserted);
  shown.plot.append("a", {.step = {4}, .value = {1.5}});
  ASSERT_TRUE(drawnSoon(shown.plot));
  EXPECT_EQ(inserted.count(), 1);
  shown.plot.removeSeries("a");
  EXPECT_EQ(model.columnCount(), 2);
  QTest::keyClick(table, Qt::Key_T);
  EXPECT_FALSE(shown.plot.tableShown());
}

TEST(SeriesPlot, ExportsSvgPngCsvAndCopiesItsData) {
  Shown shown;
  QTemporaryDir folder;
  shown.plot.setSeries("a", {.name = "half, \"trained\""}, {.step = {1, 2}, .value = {2.5, 0.1}});
  shown.plot.setSeries("b", {.name = "full"}, {.step = {2, 3}, .value = {1, 2}, .min = {0, 1}, .max = {3, 4}});
  ASSERT_TRUE(drawnSoon(shown.plot));
  QSignalSpy exported(&shown.plot, &PlotFrame::exported);
  const auto bytes = [&](const QString& name) {
    exported.clear();
    shown.plot.exportTo(folder.filePath(name));
    if (exported.isEmpty()) exported.wait(5000);
    EXPECT_EQ(exported.value(0).value(1).toString(), "");
    QFile file(folder.filePath(name));
    EXPECT_TRUE(file.open(QIODevice::ReadOnly));
    return file.readAll();
  };
  EXPECT_EQ(bytes("a.csv"), "step,\"half, \"\"trained\"\"\",full,full min,full max\n1,2.5,,,\n2,0.1,1,0,3\n3,,2,1,4\n");
  const QByteArray svg = bytes("a.svg");
  QXmlStreamReader reader(svg);
  while (!reader.atEnd()) reader.readNext();
  EXPECT_FALSE(reader.hasError()) << reader.errorString().toStdString();
  EXPECT_TRUE(svg.contains("polyline") && svg.contains("Loss (nats)") && svg.contains(">full<"));
  const QImage png = QImage::fromData(bytes("a.png"));
  EXPECT_EQ(png.width(), 2 * shown.canvas->width());
  exported.clear();
  shown.plot.exportTo(folder.filePath("a.gif"));
  EXPECT_TRUE(exported.value(0).value(1).toString().contains(".svg, .png or .csv"));
  exported.clear();
  shown.plot.exportTo(folder.filePath("no/such/a.png"));
  EXPECT_TRUE(exported.value(0).value(1).toString().contains("could not be written"));
  exported.clear();
  shown.key(Qt::Key_C, Qt::ControlModifier);
  ASSERT_TRUE(exported.wait(5000));
  EXPECT_EQ(QApplication::clipboard()->text(),
            "step\thalf, \"trained\"\tfull\tfull min\tfull max\n1\t2.5\t\t\t\n2\t0.1\t1\t0\t3\n3\t\t2\t1\t4\n");
}

TEST(SeriesPlot, FollowsTheTheme) {
  Shown shown;
  shown.plot.setSeries("a", {.name = "training", .slot = 3}, curve(20'000, 1, [](double) { return 1; }));
  ASSERT_TRUE(drawnSoon(shown.plot));
  EXPECT_GT(shown.pixels(colorsOf(Scheme::light).surface), 50'000);
  plotTheme().setChoice(Theme::Choice::dark);
  EXPECT_TRUE(QTest::qWaitFor([&] { return shown.pixels(colorsOf(Scheme::light).surface) == 0; }, 10'000));
  EXPECT_GT(shown.pixels(colorsOf(Scheme::dark).surface), 50'000);
  EXPECT_GT(shown.pixels(colorsOf(Scheme::dark).series[3]), 100);
  plotTheme().setChoice(Theme::Choice::light);
}

TEST(SeriesPlot, NamesAtTheEndsOfLinesDoNotOverlap) {
  Shown shown;
  for (int i = 0; i < 4; ++i) {
    shown.plot.setSeries(QString::number(i), {.name = "x", .slot = 4}, curve(20'000, 1, [](double) { return 1; }));
  }
  ASSERT_TRUE(drawnSoon(shown.plot));
  // Four swatches, each in a row of pixels of its own right of the axes.
  const QImage image = shown.canvas->grab().toImage().convertToFormat(QImage::Format_RGB32);
  const int x = image.width() - shown.plot.link().right() + kGapInside + 6;
  int runs = 0;
  bool inside = false;
  for (int y = 0; y < image.height() * 3 / 4; ++y) {
    const bool ink = image.pixelColor(x, y).lightness() < 128;
    runs += ink && !inside;
    inside = ink;
  }
  EXPECT_EQ(runs, 4);
}

TEST(SeriesPlot, TheLegendTakesThreeLinesAtMost) {
  Shown shown;
  // Rows of swatches in the first column of the legend.
  const auto lines = [&] {
    const QImage image = shown.canvas->grab().toImage().convertToFormat(QImage::Format_RGB32);
    int found = 0;
    bool inside = false;
    for (int y = 0; y < image.height() / 3; ++y) {
      const bool ink = image.pixel(kGapInside + 6, y) != colors().surface.rgb();
      found += ink && !inside;
      inside = ink;
    }
    return found;
  };
  for (const auto& [count, expected] : {std::pair{4, 0}, {6, 2}, {9, 3}, {12, 3}}) {
    for (int i = 0; i < count; ++i) {
      const SeriesStyle style = {.name = QString("a run of the same long name, %1").arg(i), .slot = i % 5};
      shown.plot.setSeries(QString::number(i), style, line(10, i));
    }
    ASSERT_TRUE(drawnSoon(shown.plot));
    EXPECT_EQ(lines(), expected) << count;
  }
}

TEST(SeriesPlot, AnEmptyPlotHasNoMarkers) {
  Shown shown;
  shown.plot.setEmptyText("Not measured yet.");
  ASSERT_TRUE(drawnSoon(shown.plot));
  shown.plot.setMarkers({{MarkerKind::skipped, {.step = 0.5}, "skipped"}});
  ASSERT_TRUE(drawnSoon(shown.plot));
  EXPECT_EQ(shown.pixels(colors().warn), 0);
  shown.plot.setSeries("a", {.name = ""}, line(1));
  ASSERT_TRUE(drawnSoon(shown.plot));
  EXPECT_GT(shown.pixels(colors().warn), 5) << "its flag";
}

TEST(SeriesPlot, AMarkersNameHidesNoCurve) {
  Shown shown;
  shown.plot.setSeries("a", {.name = ""}, curve(20'000, 1, [](double) { return 1; }));
  shown.plot.setSeries("b", {.name = "", .slot = 2}, curve(20'000, 1, [](double) { return 0; }));
  ASSERT_TRUE(drawnSoon(shown.plot));
  const int without = shown.pixels(seriesColor(0));
  shown.plot.setMarkers({{MarkerKind::checkpoint, {.step = 5000}, "checkpoint"}});
  ASSERT_TRUE(drawnSoon(shown.plot));
  EXPECT_GE(shown.pixels(seriesColor(0)), without - 3) << "its line crosses the curve";
}

TEST(SeriesPlot, ValuesThatAreNotFiniteAreNoCurve) {
  Shown shown;
  shown.plot.setEmptyText("Nothing was evaluated yet.");
  shown.plot.setSeries("a", {.name = "full"}, curve(3, 1, [](double) { return std::nan(""); }));
  EXPECT_EQ(shown.plot.summary(), "None of the values is a finite number.");
  shown.plot.setSeries("b", {.name = "half"}, line(3));
  EXPECT_TRUE(shown.plot.summary().endsWith("Newest: half 3.000.")) << shown.plot.summary().toStdString();
}

TEST(SeriesPlot, TheMenuSaysWhatEachChoiceDoes) {
  Shown shown;
  QStringList texts;
  for (const QAction* action : shown.plot.menu()->actions()) {
    if (!action->isSeparator()) texts.append(action->text());
  }
  EXPECT_EQ(texts, (QStringList{"Log scale", "Ignore outliers (span 1st to 99th percentile in view)", "Smoothing",
                                "x axis", "Zoom back", "Show everything", "Show as table", "Copy data", "Export SVG…",
                                "Export PNG…", "Export CSV…"}));
}

}  // namespace
}  // namespace strata
