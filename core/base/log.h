#pragma once
// The one singleton: a logger on stderr; stdout belongs to answers. spdlog stays behind this header, since LibTorch
// brings another version of the fmt headers that spdlog needs.

#include <functional>
#include <string>

namespace strata {

enum class LogLevel { debug, info, warning, error };

/// Sends the log to stderr with time and level; called once at start.
void startLog(LogLevel level = LogLevel::info);

/// Hands every warning to `copy` as well, in place of the one before; empty: to nobody.
void copyWarnings(std::function<void(const std::string& message)> copy);

void logInfo(const std::string& message);
void logWarning(const std::string& message);

}  // namespace strata
