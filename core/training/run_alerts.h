#pragma once
// What a person should know while a run trains, in sentences: a loss that climbs, a held-out loss that rises, a step
// that hangs, memory that runs out. Each is said once, and again only after it was well in between.
//
//   for (const std::string& sentence : alerts.takeStep(done, loss, seconds)) database.addEvent(done, "alert",
//   sentence);
// Deterministic but for the memory that is free. One thread.

#include <cstdint>
#include <limits>
#include <map>
#include <string>
#include <vector>

namespace strata {

class RunAlerts {
 public:
  /// After a step: its loss in nats, and its seconds.
  std::vector<std::string> takeStep(std::int64_t step, double loss, double seconds);
  /// After an evaluation under a map, in nats per token.
  std::vector<std::string> takeHeldOut(std::int64_t step, const std::string& map, double nll);
  /// Bytes of memory that are free, and that there are; 0: unknown.
  std::vector<std::string> takeMemory(std::int64_t available, std::int64_t total);

 private:
  struct HeldOut {
    double best = std::numeric_limits<double>::infinity(), last = best;
    std::int64_t bestStep = 0;
    int rises = 0;  // in a row
  };

  // Moving averages, debiased as SeriesData's are: a_n = w a_{n-1} + (1 - w) x_n, divided by 1 - w^n.
  double m_loss = 0, m_seconds = 0, m_decay = 1;
  std::int64_t m_steps = 0;
  double m_least = std::numeric_limits<double>::infinity();
  std::int64_t m_leastStep = 0;
  bool m_climbs = false, m_hangs = false, m_full = false;
  std::map<std::string, HeldOut> m_heldOut;
};

}  // namespace strata
