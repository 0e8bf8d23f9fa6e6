#pragma once
// Numbers as people read them in comparisons and reports: the same form everywhere.

#include <cstdint>
#include <string>

namespace strata {

/// "F1", "NLL"
std::string metricLabel(const std::string& metric);
/// A loss: less is better, in nats per token. Other scores are shares of 1, told in percent.
bool isLoss(const std::string& metric);

/// Whether `a` is the better score.
bool isBetter(const std::string& metric, double a, double b);

/// "%", or "nats per token"
const char* unitLabel(const std::string& metric);

/// "86.7 %", of a loss "1.2345"
std::string printScore(const std::string& metric, double value);
/// "+3.1 points", of a loss "-0.0123"
std::string printDifference(const std::string& metric, double value);
/// "3.1 points", of a loss "0.0123 nats"
std::string printWidth(const std::string& metric, double value);
/// "0.034", "< 0.0001"
std::string printP(double p);
/// "12,345"
std::string printCount(std::int64_t count);
/// "1.5 MiB", "640 bytes": powers of 1,024
std::string printSize(double bytes);
/// "50 %"
std::string printPercent(double share);
/// "1 h 12 min", "3.4 s"
std::string printSeconds(double seconds);
/// Up to `digits` digits behind the point, without zeros at the end.
std::string printNumber(double value, int digits);

}  // namespace strata
