#pragma once
// The one singleton: a logger on stderr; stdout belongs to answers. spdlog stays behind this header, since LibTorch
// brings another version of the fmt headers that spdlog needs.

#include <string>

namespace strata {

enum class LogLevel { debug, info, warning, error };

/// Sends the log to stderr with time and level; called once at start.
void startLog(LogLevel level = LogLevel::info);

void logInfo(const std::string& message);
void logWarning(const std::string& message);

}  // namespace strata
