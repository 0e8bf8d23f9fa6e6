#include <gtest/gtest.h>

#include <QApplication>
#include <QDir>
#include <QTest>
#include <QVBoxLayout>

#include "widgets/plots/lengths_chart.h"
#include "widgets/plots/memory_chart.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

Theme& theme() {
  static Theme* const kTheme = new Theme(*qApp);  // the application owns it
  return *kTheme;
}

std::vector<LengthRange> ranges() {
  std::vector<LengthRange> all;
  for (int i = 0; i < 24; ++i)
    all.push_back({i * 32, (i + 1) * 32, 40 + 900 * std::max(0, 8 - std::abs(i - 7)) - 7 * i});
  return all;
}

MemoryParts partsAt(int second) {
  constexpr std::int64_t kMiB = 1LL << 20;
  return {second > 60 ? 520 * kMiB : 260 * kMiB, second * kMiB / 2, (20 + second % 40) * kMiB, 16384 * kMiB};
}

void fill(MemoryChart& chart) {
  for (int second = 0; second < 600; second += 2) chart.add(second, partsAt(second));
}

int pixelsOf(QWidget& widget, const QColor& color) {
  const QImage image = widget.grab().toImage().convertToFormat(QImage::Format_RGB32);
  int found = 0;
  for (int y = 0; y < image.height(); ++y) {
    for (int x = 0; x < image.width(); ++x) found += image.pixelColor(x, y) == color;
  }
  return found;
}

TEST(Plots, AreDrawnInTheThemesColoursAndChangeWithThem) {
  theme().setChoice(Theme::Choice::light);
  QWidget sheet;
  auto* column = new QVBoxLayout(&sheet);
  auto* lengths = new LengthsChart;
  auto* memory = new MemoryChart;
  lengths->setLengths(ranges(), 512);
  fill(*memory);
  column->addWidget(lengths);
  column->addWidget(memory);
  sheet.resize(640, 480);
  sheet.show();
  ASSERT_TRUE(QTest::qWaitForWindowExposed(&sheet));
  ASSERT_TRUE(QDir().mkpath(QStringLiteral(STRATA_BINARY_DIR "/screenshots")));
  for (const auto& [choice, name] :
       {std::pair{Theme::Choice::light, "light"}, std::pair{Theme::Choice::dark, "dark"}}) {
    theme().setChoice(choice);
    QTest::qWait(150);
    const Colors& c = colors();
    EXPECT_GT(pixelsOf(*lengths, c.surface), lengths->width() * lengths->height() / 4) << name;
    EXPECT_GT(pixelsOf(*lengths, c.accent), 500) << name;
    EXPECT_GT(pixelsOf(*memory, c.series[2]), 1000) << name;
    EXPECT_GT(pixelsOf(*memory, c.series[3]), 1000) << name;
    EXPECT_TRUE(sheet.grab().save(QStringLiteral(STRATA_BINARY_DIR "/screenshots/gallery_plots_%1.png").arg(name)));
  }
  theme().setTextPercent(200);
  sheet.resize(1000, 800);
  QTest::qWait(150);
  EXPECT_TRUE(sheet.grab().save(QStringLiteral(STRATA_BINARY_DIR "/screenshots/gallery_plots_dark_200.png")));
  theme().setTextPercent(100);
  theme().setChoice(Theme::Choice::light);
}

TEST(Plots, RowsBeyondTheLimitAreMarked) {
  theme().setChoice(Theme::Choice::light);
  LengthsChart chart;
  chart.resize(480, 240);
  chart.setLengths(ranges());
  const int without = pixelsOf(chart, colors().warn);
  chart.setLengths(ranges(), 512);
  EXPECT_GT(pixelsOf(chart, colors().warn), without + 50);
}

TEST(Plots, SayInWordsWhatTheyShow) {
  theme();
  LengthsChart lengths;
  EXPECT_EQ(lengths.accessibleName(), "Lengths of the rows");
  EXPECT_EQ(lengths.summary(), "Lengths: not measured");
  lengths.setLengths({{0, 32, 10}, {32, 64, 1200}, {64, 96, 3}}, 64);
  EXPECT_EQ(lengths.accessibleDescription(), "1,213 rows of 0 to 95 tokens, most of them 32 to 63; rows are cut at 64");
  MemoryChart memory;
  EXPECT_EQ(memory.summary(), "Memory over time: not measured");
  memory.add(0, {1LL << 30, 2LL << 20, 0, 16LL << 30});
  memory.add(1, {1LL << 30, 1LL << 20, 0, 16LL << 30});
  EXPECT_EQ(memory.summary(),
            "Now weights 1.00 GiB, KV 1.00 MiB, other 0 B, of 16.0 GiB; at most 1.00 GiB in the last 10 min 0 s");
}

TEST(Plots, AnEmptyDataSetDrawsAnEmptyChart) {
  theme();
  LengthsChart chart;
  chart.resize(480, 240);
  chart.setLengths({});
  chart.setLengths({{0, 1, 0}});
  EXPECT_GT(pixelsOf(chart, colors().surface), 0);
}

TEST(Plots, OldMemoryLeavesTheCurve) {
  theme();
  MemoryChart chart;
  chart.setSpan(10);
  chart.add(0, {900, 0, 0, {}});
  for (int second = 1; second < 100; ++second) chart.add(second, {100, 0, 0, {}});
  EXPECT_TRUE(chart.summary().contains("at most 100 B in the last 10.0 s")) << chart.summary().toStdString();
}

}  // namespace
}  // namespace strata
