#include "widgets/style/tokens.h"

#include <gtest/gtest.h>

namespace strata {
namespace {

constexpr Scheme kSchemes[] = {Scheme::light, Scheme::dark, Scheme::lightContrast, Scheme::darkContrast};

TEST(Tokens, ContrastIsThatOfWcag) {
  EXPECT_NEAR(contrast(Qt::black, Qt::white), 21.0, 1e-6);
  EXPECT_NEAR(contrast(Qt::white, Qt::white), 1.0, 1e-6);
  // A pair that the accessibility literature quotes: #767676 on white has just above 4.5.
  EXPECT_NEAR(contrast(QColor(0x76, 0x76, 0x76), Qt::white), 4.54, 0.01);
}

TEST(Tokens, EveryTextColourReadsOnEveryGround) {
  for (const Scheme scheme : kSchemes) {
    const Colors& c = colorsOf(scheme);
    for (const QColor& ground : {c.window, c.surface, c.raised}) {
      for (const QColor& ink : {c.text, c.second, c.accent, c.good, c.warn, c.bad}) {
        EXPECT_GE(contrast(ink, ground), 4.5)
            << static_cast<int>(scheme) << ' ' << ink.name().toStdString() << " on " << ground.name().toStdString();
      }
    }
    EXPECT_GE(contrast(c.onAccent, c.accent), 4.5);
  }
}

TEST(Tokens, EdgesAndSeriesStandOutFromTheGroundsTheyAreDrawnOn) {
  for (const Scheme scheme : kSchemes) {
    const Colors& c = colorsOf(scheme);
    for (const QColor& ground : {c.window, c.surface}) {
      EXPECT_GE(contrast(c.edge, ground), 3.0) << static_cast<int>(scheme);
    }
    for (const QColor& series : c.series) {
      EXPECT_GE(contrast(series, c.surface), 3.0) << static_cast<int>(scheme) << ' ' << series.name().toStdString();
    }
  }
}

TEST(Tokens, HighContrastIsStrongerThanItsPlainScheme) {
  for (const auto& [plain, high] :
       {std::pair{Scheme::light, Scheme::lightContrast}, std::pair{Scheme::dark, Scheme::darkContrast}}) {
    EXPECT_NEAR(contrast(colorsOf(high).text, colorsOf(high).window), 21.0, 1e-6);
    EXPECT_GT(contrast(colorsOf(high).second, colorsOf(high).window), 7.0);
    EXPECT_EQ(colorsOf(high).edgeWidth, 2);
    EXPECT_EQ(colorsOf(plain).edgeWidth, 1);
  }
}

TEST(Tokens, HeatRisesInSteps) {
  for (const Scheme scheme : kSchemes) {
    const Colors& c = colorsOf(scheme);
    for (std::size_t i = 1; i < c.heat.size(); ++i) {
      const int before = qGray(c.heat[i - 1].rgb());
      const int after = qGray(c.heat[i].rgb());
      EXPECT_TRUE(c.dark ? after > before : after < before) << static_cast<int>(scheme) << ' ' << i;
    }
  }
}

TEST(Tokens, SizesAreThoseOfTheFrameAndGrowWithTheText) {
  const Metrics plain = metricsAt(100);
  EXPECT_EQ(plain.control, 28);
  EXPECT_EQ(plain.compactRow, 24);
  EXPECT_EQ(plain.rail, 72);
  EXPECT_EQ(plain.bar, 40);
  EXPECT_EQ(plain.strip, 28);
  EXPECT_EQ(plain.inspector, 300);
  EXPECT_EQ(plain.fieldWidth, 480);
  EXPECT_EQ(plain.textWidth, 720);
  const Metrics large = metricsAt(200);
  EXPECT_EQ(large.control, 48);  // 40 for the line, 8 round it
  EXPECT_EQ(large.fieldWidth, 960);
  EXPECT_GT(large.rail, plain.rail);
}

}  // namespace
}  // namespace strata
