#pragma once
// How often an engine that dies is started again, and how long after: at once first, then later and later, until the
// budget is used up. A long life, or a long time without deaths, begins anew. Times are in milliseconds of any clock.

#include <cstdint>
#include <optional>

#include "widgets/client/engine_limits.h"

namespace strata {

class RestartBudget {
 public:
  explicit RestartBudget(const EngineLimits& limits) : m_limits(limits) {}
  /// Milliseconds to wait before the next start; nothing: it died too often.
  std::optional<int> died(std::int64_t startedAt, std::int64_t now) {
    if (now - startedAt >= m_limits.stableMs) m_deaths = 0;
    if (m_deaths > 0 && now - m_firstDeath >= m_limits.windowMs) m_deaths = 0;
    if (m_deaths == 0) m_firstDeath = now;
    if (m_deaths >= static_cast<int>(m_limits.delaysMs.size())) return std::nullopt;
    return m_limits.delaysMs[static_cast<std::size_t>(m_deaths++)];
  }
  void reset() { m_deaths = 0; }
  int deaths() const { return m_deaths; }

 private:
  EngineLimits m_limits;
  int m_deaths = 0;
  std::int64_t m_firstDeath = 0;
};

}  // namespace strata
