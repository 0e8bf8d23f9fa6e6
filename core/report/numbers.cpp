#include "core/report/numbers.h"

#include <cmath>
#include <cstdio>
#include <map>

namespace strata {
namespace {

std::string withDigits(const char* format, double value) {
  char text[64];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

/// What rounds to nothing has no sign.
double withoutNegativeZero(double value, double smallest) {
  return std::abs(value) < smallest / 2 ? 0 : value;
}

}  // namespace

std::string metricLabel(const std::string& metric) {
  static const std::map<std::string, std::string> kLabels = {{"f1", "F1"},
                                                             {"em", "EM"},
                                                             {"nll", "NLL"},
                                                             {"acc", "Accuracy"},
                                                             {"rouge_l", "ROUGE-L"},
                                                             {"bleu_1", "BLEU-1"},
                                                             {"acc_norm", "Accuracy, length-normalised"},
                                                             {"answerable_f1", "Answerable F1"}};
  const auto found = kLabels.find(metric);
  return found == kLabels.end() ? metric : found->second;
}

bool isLoss(const std::string& metric) {
  return metric == "nll";
}

bool isBetter(const std::string& metric, double a, double b) {
  return isLoss(metric) ? a < b : a > b;
}

const char* unitLabel(const std::string& metric) {
  return isLoss(metric) ? "nats per token" : "%";
}

std::string printScore(const std::string& metric, double value) {
  return isLoss(metric) ? withDigits("%.4f", value) : withDigits("%.1f %%", 100 * value);
}

std::string printDifference(const std::string& metric, double value) {
  if (isLoss(metric)) return withDigits("%+.4f", withoutNegativeZero(value, 1e-4));
  return withDigits("%+.1f points", 100 * withoutNegativeZero(value, 1e-3));
}

std::string printWidth(const std::string& metric, double value) {
  return isLoss(metric) ? withDigits("%.4f nats", value) : withDigits("%.1f points", 100 * value);
}

std::string printP(double p) {
  if (p < 1e-4) return "< 0.0001";
  return p < 0.01 ? withDigits("%.4f", p) : withDigits("%.3f", p);
}

std::string printCount(std::int64_t count) {
  std::string text = std::to_string(count);
  const std::size_t first = text.front() == '-' ? 1 : 0;
  for (std::size_t place = text.size(); place > first + 3;) {
    place -= 3;
    text.insert(place, ",");
  }
  return text;
}

std::string printSize(double bytes) {
  constexpr const char* kUnits[] = {"bytes", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  while (std::abs(bytes) >= 1024 && unit + 1 < std::size(kUnits)) {
    bytes /= 1024;
    ++unit;
  }
  return printNumber(bytes, unit == 0 ? 0 : (bytes < 10 ? 2 : 1)) + " " + kUnits[unit];
}

std::string printPercent(double share) {
  return printNumber(100 * share, 1) + " %";
}

std::string printSeconds(double seconds) {
  if (seconds < 10) return withDigits("%.1f s", seconds);
  if (seconds < 90) return withDigits("%.0f s", seconds);
  const auto minutes = static_cast<std::int64_t>(std::llround(seconds / 60));
  if (minutes < 90) return std::to_string(minutes) + " min";
  return std::to_string(minutes / 60) + " h " + std::to_string(minutes % 60) + " min";
}

std::string printNumber(double value, int digits) {
  char text[64];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  std::string number = text;
  if (number.find('.') != std::string::npos) {
    number.erase(number.find_last_not_of('0') + 1);
    if (number.back() == '.') number.pop_back();
  }
  return number == "-0" ? "0" : number;
}

}  // namespace strata
