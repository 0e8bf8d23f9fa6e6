// Pictures of the plots with curves as training writes them, in every scheme; to be looked at.

#include <QGridLayout>

#include "plot_samples.h"
#include "widgets/plots/interval_plot.h"
#include "widgets/plots/plot_link.h"
#include "widgets/plots/series_plot.h"

namespace strata {
namespace {

using namespace testing;

const std::vector<std::pair<Theme::Choice, QString>>& choices() {
  static const std::vector<std::pair<Theme::Choice, QString>> kChoices = {
      {Theme::Choice::light, "light"}, {Theme::Choice::dark, "dark"}, {Theme::Choice::contrast, "contrast"}};
  return kChoices;
}

PlotPlace at(double step) {
  return {step, step * 8192, step * 0.37};
}

void fillLoss(SeriesPlot& loss) {
  loss.setSeries("loss", {.name = "training", .slot = 0, .live = true}, noisyLoss(6000, 1));
  loss.setSmoothing(0.9);
  std::vector<PlotMarker> markers;
  for (int step = 1000; step <= 6000; step += 1000) {
    markers.push_back({MarkerKind::checkpoint, at(step), QString("checkpoint %1").arg(step)});
  }
  markers.push_back({MarkerKind::skipped, at(3420), "skipped step"});
  loss.setMarkers(markers);
  loss.setBands({{at(0), at(300), "warm-up"}});
}

void fillValidation(SeriesPlot& validation) {
  const std::vector<std::pair<QString, double>> maps = {
      {"full cache", 2.12}, {"half: stride:2", 2.19}, {"third: stride:3", 2.31}, {"quarter: stride:4", 2.34}};
  for (std::size_t i = 0; i < maps.size(); ++i) {
    const double floor = maps[i].second;
    PlotColumns columns = curve(24, 250, [&](double step) {
      return floor + (1.2 + 0.5 * static_cast<double>(i)) * std::exp(-step / 900) +
             0.015 * std::sin(step / 170 + floor * 9);
    });
    if (i == 0 || i == 3) {
      for (const double value : columns.value) {
        columns.min.push_back(value - 0.08);
        columns.max.push_back(value + 0.08);
      }
    }
    validation.setSeries(maps[i].first, {.name = maps[i].first, .slot = static_cast<int>(i), .interval = true},
                         columns);
  }
}

void fillRuns(SeriesPlot& runs) {
  for (int run = 0; run < 9; ++run) {
    std::mt19937 random(static_cast<unsigned>(run) + 5);
    std::normal_distribution<double> jitter(0, 0.03);
    runs.setSeries(QString::number(run), {.name = QString("run %1").arg(run + 1), .slot = run},
                   curve(600, 10, [&](double step) {
                     return 2.1 + 0.12 * run + 2.5 * std::exp(-step / (500 + 90 * run)) + jitter(random);
                   }));
  }
  runs.setSmoothing(0.6);
}

void fillSpeed(SeriesPlot& speed) {
  std::mt19937 random(9);
  std::normal_distribution<double> jitter(0, 90);
  const auto values = [&](double base) {
    return curve(3000, 2, [&, base](double step) {
      return base * (1 - 0.3 * std::exp(-step / 60)) + jitter(random) -
             (static_cast<int>(step) % 1000 < 4 && step < 6000 ? base * 0.5 : 0);
    });
  };
  speed.setSeries("a", {.name = "A", .slot = 0}, values(5100));
  speed.setSeries("b", {.name = "B", .slot = 1, .dashed = true}, values(4300));
  speed.setIgnoreOutliers(true);
  speed.setSmoothing(0.9);
}

/// Each has drawn what it was given just now.
bool allDrawnSoon(const std::vector<SeriesPlot*>& plots) {
  std::vector<std::unique_ptr<QSignalSpy>> spies;
  for (SeriesPlot* plot : plots) {
    plot->setEmptyText("No steps yet.");
    spies.push_back(std::make_unique<QSignalSpy>(plot, &PlotFrame::drawn));
  }
  return QTest::qWaitFor(
      [&] { return std::all_of(spies.begin(), spies.end(), [](const auto& spy) { return spy->count() > 0; }); });
}

TEST(PlotGallery, ShowsATrainingRunInEveryScheme) {
  plotTheme().setChoice(Theme::Choice::light);
  QWidget page;
  PlotLink link;
  auto* grid = new QGridLayout(&page);
  grid->setContentsMargins(kGapGroups, kGapGroups, kGapGroups, kGapGroups);
  grid->setSpacing(kGapSections);
  std::vector<SeriesPlot*> plots;
  for (const auto& [title, unit] : std::vector<std::pair<QString, QString>>{
           {"Loss", "nats"}, {"Validation loss", "nats"}, {"Loss of all runs", "nats"}, {"Speed", "tokens/s"}}) {
    plots.push_back(new SeriesPlot(title, unit));
    plots.back()->setLink(&link);
    const int place = static_cast<int>(plots.size()) - 1;
    grid->addWidget(plots.back(), place / 2, place % 2);
  }
  fillLoss(*plots[0]);
  fillValidation(*plots[1]);
  fillRuns(*plots[2]);
  fillSpeed(*plots[3]);
  page.resize(1280, 800);
  page.setAutoFillBackground(true);
  page.show();
  ASSERT_TRUE(QTest::qWaitForWindowExposed(&page));
  for (const auto& [choice, name] : choices()) {
    plotTheme().setChoice(choice);
    QPalette ground = page.palette();
    ground.setColor(QPalette::Window, colors().surface);
    page.setPalette(ground);
    for (const bool read : {false, true}) {
      plots[2]->setHighlighted(read ? "3" : "");
      link.setCrosshair(read ? std::optional<double>(2004) : std::nullopt, plots[0]);
      ASSERT_TRUE(allDrawnSoon(plots));
      EXPECT_TRUE(page.grab().save(screenshotPath(QString("plots_%1_%2").arg(read ? "crosshair" : "run", name))));
    }
  }
  plotTheme().setChoice(Theme::Choice::light);
}

TEST(PlotGallery, ShowsLongSeriesLogAxesTablesAndEmptyPlots) {
  plotTheme().setChoice(Theme::Choice::dark);
  plotTheme().setTextPercent(150);
  QWidget page;
  auto* grid = new QGridLayout(&page);
  grid->setContentsMargins(kGapGroups, kGapGroups, kGapGroups, kGapGroups);
  grid->setSpacing(kGapSections);
  std::vector<SeriesPlot*> plots;
  for (const auto& [title, unit] : std::vector<std::pair<QString, QString>>{
           {"Loss", "nats"}, {"Learning rate", ""}, {"Gradient norm", ""}, {"Validation loss", "nats"}}) {
    plots.push_back(new SeriesPlot(title, unit));
    const int place = static_cast<int>(plots.size()) - 1;
    grid->addWidget(plots.back(), place / 2, place % 2);
  }
  plots[0]->setSeries("a", {.name = "training", .slot = 0}, noisyLoss(1'000'000, 3));
  plots[0]->link().setAxis(PlotAxis::tokens);
  plots[1]->setSeries("a", {.name = "learning rate", .slot = 2}, curve(4000, 1, [](double step) {
                        return step < 200 ? 3e-4 * step / 200 : 3e-4 * (0.02 + 0.98 * std::exp(-step / 700));
                      }));
  plots[1]->setLogScale(true);
  plots[1]->link().setAxis(PlotAxis::seconds);
  fillValidation(*plots[3]);
  page.resize(1280, 800);
  page.setAutoFillBackground(true);
  QPalette ground = page.palette();
  ground.setColor(QPalette::Window, colors().surface);
  page.setPalette(ground);
  page.show();
  ASSERT_TRUE(QTest::qWaitForWindowExposed(&page));
  plots[3]->setTableShown(true);
  ASSERT_TRUE(allDrawnSoon(plots));
  QTest::keyClick(plots[0], Qt::Key_Tab);
  plots[1]->setFocus(Qt::TabFocusReason);
  ASSERT_TRUE(allDrawnSoon(plots));
  EXPECT_TRUE(page.grab().save(screenshotPath("plots_more_dark_150")));
  plotTheme().setTextPercent(100);
  plotTheme().setChoice(Theme::Choice::light);
}

TEST(PlotGallery, ShowsScoresAndPairedDifferencesInEveryScheme) {
  plotTheme().setChoice(Theme::Choice::light);
  QWidget page;
  auto* column = new QVBoxLayout(&page);
  column->setContentsMargins(kGapGroups, kGapGroups, kGapGroups, kGapGroups);
  column->setSpacing(kGapSections);
  auto* scores = new IntervalPlot("F1", "%");
  auto* differences = new IntervalPlot("Paired difference of F1", "points");
  scores->setScores({{"full cache", Interval{88.2, 86.0, 90.1}, Interval{87.9, 85.7, 89.9}},
                     {"half: stride:2", Interval{41.3, 38.0, 44.7}, Interval{86.8, 84.4, 88.9}},
                     {"third: stride:3", Interval{22.0, 19.4, 24.9}, Interval{79.5, 76.6, 82.2}},
                     {"quarter: stride:4", Interval{9.7, 7.9, 11.8}, {}}});
  differences->setDifferences({{"full cache", Interval{-0.3, -1.1, 0.4}},
                               {"half: stride:2", Interval{45.5, 42.2, 48.9}},
                               {"third: stride:3", Interval{57.5, 54.0, 60.9}},
                               {"quarter: stride:4", {}}},
                              "B - A");
  column->addWidget(scores, 3);
  column->addWidget(differences, 2);
  page.resize(1280, 800);
  page.setAutoFillBackground(true);
  page.show();
  ASSERT_TRUE(QTest::qWaitForWindowExposed(&page));
  differences->setCurrentRow(1);
  for (const auto& [choice, name] : choices()) {
    plotTheme().setChoice(choice);
    QPalette ground = page.palette();
    ground.setColor(QPalette::Window, colors().surface);
    page.setPalette(ground);
    differences->setDecimals(1);
    ASSERT_TRUE(drawnSoon(*differences));
    EXPECT_TRUE(page.grab().save(screenshotPath(QString("plots_intervals_%1").arg(name))));
  }
  plotTheme().setChoice(Theme::Choice::light);
}

}  // namespace
}  // namespace strata
