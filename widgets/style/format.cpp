#include "widgets/style/format.h"

#include <QCoreApplication>
#include <QLocale>
#include <array>
#include <cmath>

namespace strata {
namespace {

struct FormatText {
  Q_DECLARE_TR_FUNCTIONS(strata::Format)
};

/// Three digits: 1.13, 11.3, 113.
QString threeDigits(double value) {
  const int decimals = value < 9.995 ? 2 : value < 99.95 ? 1 : 0;
  return QString::number(value, 'f', decimals);
}

struct Scaled {
  double value;
  const char* unit;
};

Scaled scaledBytes(double bytes) {
  static constexpr std::array kUnits = {"KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  double value = bytes / 1024;
  while (value >= 999.5 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  return {value, kUnits[unit]};
}

bool known(const std::optional<double>& value) {
  return value && std::isfinite(*value);
}

}  // namespace

QString notMeasured() {
  return FormatText::tr("not measured");
}

QString formatBytes(std::optional<std::int64_t> bytes) {
  if (!bytes || *bytes < 0) return notMeasured();
  if (*bytes < 1024) return QStringLiteral("%1 B").arg(*bytes);
  const Scaled scaled = scaledBytes(static_cast<double>(*bytes));
  return threeDigits(scaled.value) + u' ' + QLatin1String(scaled.unit);
}

QString formatBytesOf(std::optional<std::int64_t> used, std::optional<std::int64_t> total) {
  if (!used || *used < 0) return notMeasured();
  if (!total || *total <= 0) return formatBytes(used);
  const QString of = formatBytes(total);
  QString part = formatBytes(used);
  const QString unit = of.section(u' ', -1);
  if (part.section(u' ', -1) == unit) part = part.section(u' ', 0, 0);
  return FormatText::tr("%1 of %2").arg(part, of);
}

QString deviceName(const std::string& device) {
  return device == "cpu" ? FormatText::tr("CPU") : QString::fromStdString(device);
}

QString formatFree(std::int64_t bytes, const std::string& device) {
  return FormatText::tr("%1 free (%2)").arg(formatBytes(bytes), deviceName(device));
}

QString formatCount(std::optional<std::int64_t> count) {
  if (!count || *count < 0) return notMeasured();
  QLocale locale = QLocale::c();
  locale.setNumberOptions(QLocale::DefaultNumberOptions);
  return locale.toString(static_cast<qlonglong>(*count));
}

int pluralOf(std::int64_t count) {
  constexpr std::int64_t kEnough = 1'000'000;  // plurals look at the last digits, and at whether there are more
  return static_cast<int>(count < kEnough ? count : kEnough + count % kEnough);
}

QString formatParameters(std::optional<std::int64_t> count) {
  if (!count || *count < 0) return notMeasured();
  const double value = static_cast<double>(*count);
  if (value < 1000) return QString::number(*count);
  if (value < 999.5e3) return threeDigits(value / 1e3) + QStringLiteral(" K");
  if (value < 999.5e6) return threeDigits(value / 1e6) + QStringLiteral(" M");
  return threeDigits(value / 1e9) + QStringLiteral(" B");
}

QString formatContext(std::optional<std::int64_t> tokens) {
  if (!tokens || *tokens < 0) return notMeasured();
  if (*tokens >= 1024 && *tokens % 1024 == 0) return QStringLiteral("%1k").arg(*tokens / 1024);
  return formatCount(tokens);
}

QString formatSpeed(std::optional<double> tokensPerSecond) {
  if (!known(tokensPerSecond) || *tokensPerSecond < 0) return notMeasured();
  const double value = *tokensPerSecond;
  const QString digits = value < 999.5 ? threeDigits(value) : formatCount(std::llround(value));
  return FormatText::tr("%1 tokens/s").arg(digits);
}

QString formatSeconds(std::optional<double> seconds) {
  if (!known(seconds) || *seconds < 0) return notMeasured();
  const double value = *seconds;
  if (value < 0.9995) return FormatText::tr("%1 ms").arg(std::lround(value * 1000));
  if (value < 59.95)
    return FormatText::tr("%1 s").arg(value < 9.995 ? threeDigits(value) : QString::number(value, 'f', 1));
  const auto whole = std::llround(value);
  if (whole < 3600) return FormatText::tr("%1 min %2 s").arg(whole / 60).arg(whole % 60);
  return FormatText::tr("%1 h %2 min").arg(whole / 3600).arg(whole % 3600 / 60);
}

QString formatTimeLeft(std::optional<double> seconds) {
  if (!known(seconds) || *seconds < 0) return notMeasured();
  const auto whole = std::llround(*seconds);
  if (whole < 60) return FormatText::tr("about %1 s").arg(std::max(whole, 1LL));
  if (whole < 3600) return FormatText::tr("about %1 min").arg((whole + 30) / 60);
  return FormatText::tr("about %1 h %2 min").arg(whole / 3600).arg(whole % 3600 / 60);
}

QString formatPercent(std::optional<double> part, int decimals) {
  if (!known(part)) return notMeasured();
  return QStringLiteral("%1 %").arg(*part * 100, 0, 'f', decimals);
}

QString formatNats(std::optional<double> nats, bool sign) {
  if (!known(nats)) return notMeasured();
  const double rounded = std::round(*nats * 1000) / 1000 + 0.0;  // adding 0 turns -0 into 0
  const QString digits = QString::number(rounded, 'f', 3);
  return sign && rounded >= 0 ? u'+' + digits : digits;
}

}  // namespace strata
