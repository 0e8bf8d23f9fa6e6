#include "widgets/style/tokens.h"

#include <algorithm>
#include <cmath>

namespace strata {
namespace {

Colors lightColors() {
  Colors c;
  c.window = 0xF4F5F7U;
  c.surface = 0xFFFFFFU;
  c.raised = 0xE9EBEFU;
  c.line = 0xD3D7DEU;
  c.edge = 0x7A828DU;
  c.text = 0x1A1D21U;
  c.second = 0x565E69U;
  c.accent = 0x0067A3U;
  c.onAccent = 0xFFFFFFU;
  c.good = 0x00734FU;
  c.warn = 0x8A5300U;
  c.bad = 0xB3261EU;
  c.heat = {0xF2F0EBU, 0xF5D6B0U, 0xEBA75FU, 0xCC6F20U, 0x8F3A00U};
  c.series = {0x0072B2U, 0xD55E00U, 0x009E73U, 0xCC79A7U, c.text};
  return c;
}

Colors darkColors() {
  Colors c;
  c.window = 0x15171AU;
  c.surface = 0x1D2024U;
  c.raised = 0x282C32U;
  c.line = 0x383D45U;
  c.edge = 0x767E89U;
  c.text = 0xE7EAEEU;
  c.second = 0xA3ABB6U;
  c.accent = 0x56B4E9U;
  c.onAccent = 0x10151AU;
  c.good = 0x3CC79AU;
  c.warn = 0xE6A23CU;
  c.bad = 0xFF8A80U;
  c.heat = {0x24272CU, 0x4B3624U, 0x804F1EU, 0xC2741FU, 0xF7BC6BU};
  c.series = {0x56B4E9U, 0xE69F00U, 0x009E73U, 0xCC79A7U, c.text};
  c.dark = true;
  return c;
}

Colors lightContrastColors() {
  Colors c = lightColors();
  c.window = 0xFFFFFFU;
  c.raised = 0xE4E4E4U;
  c.line = 0x000000U;
  c.edge = 0x000000U;
  c.text = 0x000000U;
  c.second = 0x303030U;
  c.accent = 0x004B78U;
  c.good = 0x00523AU;
  c.warn = 0x633C00U;
  c.bad = 0x8A1A14U;
  c.series[4] = c.text;
  c.edgeWidth = 2;
  return c;
}

Colors darkContrastColors() {
  Colors c = darkColors();
  c.window = 0x000000U;
  c.surface = 0x000000U;
  c.raised = 0x2E2E2EU;
  c.line = 0xFFFFFFU;
  c.edge = 0xFFFFFFU;
  c.text = 0xFFFFFFU;
  c.second = 0xD6D6D6U;
  c.accent = 0x8CD0F7U;
  c.onAccent = 0x000000U;
  c.good = 0x6BE3BBU;
  c.warn = 0xF7C26EU;
  c.bad = 0xFFB0A8U;
  c.series[4] = c.text;
  c.edgeWidth = 2;
  return c;
}

double luminance(const QColor& color) {
  const auto linear = [](double channel) {
    return channel <= 0.04045 ? channel / 12.92 : std::pow((channel + 0.055) / 1.055, 2.4);
  };
  return 0.2126 * linear(color.redF()) + 0.7152 * linear(color.greenF()) + 0.0722 * linear(color.blueF());
}

}  // namespace

const Colors& colorsOf(Scheme scheme) {
  static const std::array<Colors, 4> kAll = {lightColors(), darkColors(), lightContrastColors(), darkContrastColors()};
  return kAll[static_cast<std::size_t>(scheme)];
}

QColor mixed(const QColor& over, const QColor& under, double part) {
  const auto mix = [part](double a, double b) { return static_cast<float>(part * a + (1 - part) * b); };
  return QColor::fromRgbF(mix(over.redF(), under.redF()), mix(over.greenF(), under.greenF()),
                          mix(over.blueF(), under.blueF()));
}

double contrast(const QColor& a, const QColor& b) {
  const double first = luminance(a);
  const double second = luminance(b);
  return (std::max(first, second) + 0.05) / (std::min(first, second) + 0.05);
}

Metrics metricsAt(int percent) {
  const auto grown = [percent](int fixed, int growing) { return fixed + growing * percent / 100; };
  Metrics metrics;
  metrics.control = grown(8, 20);
  metrics.compactRow = grown(4, 20);
  metrics.rail = grown(24, 48);
  metrics.bar = grown(20, 20);
  metrics.strip = grown(12, 16);
  metrics.inspector = grown(220, 80);
  metrics.fieldWidth = grown(0, 480);
  metrics.textWidth = grown(0, 720);
  metrics.icon = grown(0, 16);
  metrics.railIcon = grown(0, 20);
  return metrics;
}

}  // namespace strata
