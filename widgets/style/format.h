#pragma once
// Numbers as all pages print them. An unknown value (nullopt, not finite, negative where it cannot be) reads
// "not measured", never 0. Digits and points as in the C locale: a figure equals what --json says.

#include <QString>
#include <cstdint>
#include <optional>
#include <string>

namespace strata {

QString notMeasured();

/// "1.13 GiB", "384 MiB", "12.0 KiB", "512 B": three digits, powers of 1024.
QString formatBytes(std::optional<std::int64_t> bytes);
/// "1.15 of 15.6 GiB"
QString formatBytesOf(std::optional<std::int64_t> used, std::optional<std::int64_t> total);
/// Of "cpu", "cuda:0": "CPU", "cuda:0"
QString deviceName(const std::string& device);
/// "21.2 GiB free (CPU)"
QString formatFree(std::int64_t bytes, const std::string& device);
/// "32,768"
QString formatCount(std::optional<std::int64_t> count);
/// `count` as tr() takes it to choose the plural: tr("%1 row(s)", nullptr, pluralOf(rows)).arg(formatCount(rows))
int pluralOf(std::int64_t count);
/// Parameters: "7.24 B", "135 M", "260 K".
QString formatParameters(std::optional<std::int64_t> count);
/// Tokens of a context: "32k" where it is a whole number of 1024, else "1,000".
QString formatContext(std::optional<std::int64_t> tokens);
/// "84.2 tokens/s"
QString formatSpeed(std::optional<double> tokensPerSecond);
/// "85 ms", "1.24 s", "12 s", "3 min 20 s", "2 h 5 min"
QString formatSeconds(std::optional<double> seconds);
/// Time left: "about 12 s", "about 3 min".
QString formatTimeLeft(std::optional<double> seconds);
/// Of a part, 0..1: "50 %"; `decimals` where it matters.
QString formatPercent(std::optional<double> part, int decimals = 0);
/// A loss or a difference of it in nats, three decimals: "2.145"; with `sign` "+0.013".
QString formatNats(std::optional<double> nats, bool sign = false);

}  // namespace strata
