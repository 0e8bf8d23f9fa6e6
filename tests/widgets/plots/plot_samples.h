#pragma once
// Curves as a training run writes them, for the tests and pictures of plots.

#include <gtest/gtest.h>

#include <QApplication>
#include <QDir>
#include <QSignalSpy>
#include <QTest>
#include <cmath>
#include <random>

#include "widgets/plots/plot_frame.h"
#include "widgets/plots/series_data.h"
#include "widgets/style/theme.h"

namespace strata::testing {

inline Theme& plotTheme() {
  static Theme* const kTheme = new Theme(*qApp);  // the application owns it
  return *kTheme;
}

/// `count` points of step, tokens and seconds, `every` steps apart.
inline PlotColumns curve(std::size_t count, double every, const std::function<double(double)>& valueAt) {
  PlotColumns columns;
  for (std::size_t i = 0; i < count; ++i) {
    const double step = every * static_cast<double>(i + 1);
    columns.step.push_back(step);
    columns.tokens.push_back(step * 8192);
    columns.seconds.push_back(step * 0.37);
    columns.value.push_back(valueAt(step));
  }
  return columns;
}

/// Falls as losses do, with the noise of small batches.
inline PlotColumns noisyLoss(std::size_t count, std::uint32_t seed, double noise = 0.12) {
  std::mt19937 random(seed);
  std::normal_distribution<double> jitter(0, noise);
  const double scale = static_cast<double>(count) / 6;
  return curve(count, 1, [&](double step) {
    const double level = 2.05 + 5.5 * std::exp(-step / (0.12 * scale)) + 0.7 * std::exp(-step / scale);
    const double spike = random() % (count / 7) == 0 ? 1.2 : 0;
    return level * (1 + jitter(random) * 0.35) + spike;
  });
}

/// The plot has drawn what it was given.
inline bool drawnSoon(PlotFrame& plot) {
  QSignalSpy drawn(&plot, &PlotFrame::drawn);
  return drawn.wait(5000);
}

inline QString screenshotPath(const QString& name) {
  QDir().mkpath(QStringLiteral(STRATA_BINARY_DIR "/screenshots"));
  return QStringLiteral(STRATA_BINARY_DIR "/screenshots/") + name + QStringLiteral(".png");
}

}  // namespace strata::testing
