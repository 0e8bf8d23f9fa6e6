#include "core/base/log.h"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <memory>
#include <mutex>
#include <utility>

#include "core/base/terminal_text.h"

namespace strata {
namespace {

spdlog::level::level_enum toSpdlog(LogLevel level) {
  switch (level) {
    case LogLevel::debug:
      return spdlog::level::debug;
    case LogLevel::info:
      return spdlog::level::info;
    case LogLevel::warning:
      return spdlog::level::warn;
    case LogLevel::error:
      break;
  }
  return spdlog::level::err;
}

/// Part of the one logger.
struct WarningsCopy {
  std::recursive_mutex mutex;  // a copy that fails may warn of that
  std::function<void(const std::string&)> copy;
};
WarningsCopy& warningsCopy() {
  static WarningsCopy one;
  return one;
}

}  // namespace

void copyWarnings(std::function<void(const std::string& message)> copy) {
  const std::lock_guard guard(warningsCopy().mutex);
  warningsCopy().copy = std::move(copy);
}

void startLog(LogLevel level) {
  auto logger = std::make_shared<spdlog::logger>("strata", std::make_shared<spdlog::sinks::stderr_color_sink_mt>());
  logger->set_pattern("%Y-%m-%d %H:%M:%S.%e %^%l%$ %v");
  logger->set_level(toSpdlog(level));
  logger->flush_on(spdlog::level::warn);
  spdlog::set_default_logger(std::move(logger));
}

void logInfo(const std::string& message) {
  spdlog::info("{}", terminalText(message));
}
void logWarning(const std::string& message) {
  spdlog::warn("{}", terminalText(message));
  const std::lock_guard guard(warningsCopy().mutex);
  if (warningsCopy().copy) warningsCopy().copy(message);
}

}  // namespace strata
