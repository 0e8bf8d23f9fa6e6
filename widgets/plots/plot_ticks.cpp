#include "widgets/plots/plot_ticks.h"

#include <QCoreApplication>
#include <QLocale>
#include <algorithm>
#include <array>
#include <cmath>

#include "widgets/style/format.h"

namespace strata {
namespace {

constexpr double kLeastPlain = 0.99e-3;  // below, ticks are written with an exponent

struct TickText {
  Q_DECLARE_TR_FUNCTIONS(strata::PlotTicks)
};

QString grouped(double value, int decimals, bool sign) {
  QLocale locale = QLocale::c();
  locale.setNumberOptions(QLocale::DefaultNumberOptions);
  // Minus zero reads as zero.
  if (std::abs(value) < 0.5 * std::pow(10, -decimals)) value = 0;
  const QString text = locale.toString(value, 'f', decimals);
  return sign && value > 0 ? u'+' + text : text;
}

/// "3.0e-4": without the zero that printf puts before the exponent.
QString exponential(double value, int decimals, bool sign) {
  QString text = QString::number(value, 'e', decimals);
  text.replace(QLatin1String("e-0"), QLatin1String("e-")).replace(QLatin1String("e+0"), QLatin1String("e"));
  text.replace(QLatin1String("e+"), QLatin1String("e"));
  return sign && value > 0 ? u'+' + text : text;
}

int digitsBefore(double value) {
  return static_cast<int>(std::floor(std::log10(std::abs(value))));
}

std::vector<double> multiplesIn(PlotRange range, double step) {
  std::vector<double> ticks;
  const double slack = step * 1e-9;
  for (double n = std::ceil((range.from - slack) / step); n * step <= range.to + slack; ++n) ticks.push_back(n * step);
  return ticks;
}

}  // namespace

std::vector<double> linearTicks(PlotRange range, int most, bool whole) {
  if (!(range.width() > 0) || !std::isfinite(range.width()) || most < 1) return {};
  double power = std::pow(10, std::floor(std::log10(range.width() / most)));
  std::vector<double> denser;
  for (;; power *= 10) {
    for (const double factor : {1.0, 2.0, 5.0}) {
      const double step = factor * power;
      if (whole && step < 1) continue;
      // Ticks closer than the numbers' own precision would be one.
      if (step < std::abs(range.to) * 1e-14) continue;
      if (range.width() / step > 4 * most) continue;
      std::vector<double> ticks = multiplesIn(range, step);
      // One tick tells no scale.
      if (static_cast<int>(ticks.size()) <= most) return ticks.size() < 2 && !denser.empty() ? denser : ticks;
      denser = std::move(ticks);
    }
  }
}

std::vector<double> logTicks(PlotRange range, int most) {
  if (!(range.from > 0) || !(range.width() > 0) || most < 1) return {};
  const int low = static_cast<int>(std::floor(std::log10(range.from)));
  const int high = static_cast<int>(std::ceil(std::log10(range.to)));
  std::vector<double> ticks;
  if (std::log10(range.to / range.from) <= 2.5) {
    for (int power = low; power <= high; ++power) {
      for (const double factor : {1.0, 2.0, 5.0}) {
        const double tick = factor * std::pow(10, power);
        if (tick >= range.from && tick <= range.to) ticks.push_back(tick);
      }
    }
    if (ticks.size() < 3) return linearTicks(range, most);
    if (static_cast<int>(ticks.size()) <= most) return ticks;
  }
  for (int every = 1;; ++every) {
    ticks.clear();
    for (int power = (low / every) * every; power <= high; power += every) {
      const double tick = std::pow(10, power);
      if (tick >= range.from && tick <= range.to) ticks.push_back(tick);
    }
    if (static_cast<int>(ticks.size()) <= most) return ticks;
  }
}

QString formatTick(double value, double step, bool sign) {
  step = std::abs(step) > 0 ? std::abs(step) : std::abs(value);
  if (!(step > 0)) return QStringLiteral("0");
  const double most = std::max(std::abs(value), step);
  if (std::abs(value) < step * 1e-6) return QStringLiteral("0");
  if (most >= 1e7 || step < kLeastPlain)
    return exponential(value, std::clamp(digitsBefore(most) - digitsBefore(step), 0, 6), sign);
  return grouped(value, std::max(0, -static_cast<int>(std::floor(std::log10(step) + 1e-9))), sign);
}

QString formatFigure(double value, bool sign) {
  if (!std::isfinite(value)) return notMeasured();
  const double size = std::abs(value);
  if (size == 0) return QStringLiteral("0");
  if (size < 1e-3 || size >= 1e7) return exponential(value, 3, sign);
  return grouped(value, std::clamp(3 - digitsBefore(value), 0, 6), sign);
}

PlotUnit unitOf(PlotAxis axis, PlotRange range) {
  const double most = std::max(std::abs(range.from), std::abs(range.to));
  if (axis == PlotAxis::tokens) {
    if (most >= 2e9) return {1e9, TickText::tr("billion tokens")};
    if (most >= 2e6) return {1e6, TickText::tr("million tokens")};
    return {1, TickText::tr("tokens")};
  }
  if (axis == PlotAxis::seconds) {
    if (most >= 2 * 3600) return {3600, TickText::tr("hours")};
    if (most >= 2 * 60) return {60, TickText::tr("minutes")};
    return {1, TickText::tr("seconds")};
  }
  return {1, TickText::tr("step")};
}

QString formatX(PlotAxis axis, double x) {
  switch (axis) {
    case PlotAxis::seconds:
      return formatSeconds(x);
    case PlotAxis::tokens:
      return TickText::tr("%1 token(s)", nullptr, pluralOf(std::llround(x)))
          .arg(x < 1e6 ? grouped(x, 0, false) : formatParameters(static_cast<std::int64_t>(x)));
    case PlotAxis::step:
      break;
  }
  return TickText::tr("step %1").arg(grouped(x, 0, false));
}

QString nameOf(PlotAxis axis) {
  static constexpr std::array kNames = {"step", "tokens", "seconds"};
  return QLatin1String(kNames[static_cast<std::size_t>(axis)]);
}

}  // namespace strata
