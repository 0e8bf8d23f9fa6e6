#include "core/training/run_alerts.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace strata {
namespace {

constexpr double kWeight = 0.9;
constexpr std::int64_t kSettled = 20;  // steps until the averages mean something
constexpr double kClimb = 1.5;         // times the least average, and
constexpr double kClimbNats = 0.5;     // so much more: below, the loss is well again
constexpr double kHang = 20;           // times the average step
constexpr double kHangSeconds = 5;     // and no less
constexpr int kRises = 3;              // evaluations in a row
constexpr double kRise = 0.01;         // over the best
constexpr double kNearlyFull = 0.05;   // of the memory is left
constexpr double kWellAgain = 0.1;

std::string nats(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.3f", value);
  return text;
}

std::string number(std::int64_t value) {
  return std::to_string(value);
}

}  // namespace

std::vector<std::string> RunAlerts::takeStep(std::int64_t step, double loss, double seconds) {
  std::vector<std::string> said;
  const double usual = m_seconds / std::max(1e-12, 1 - m_decay);
  if (m_steps >= kSettled) {
    const bool hangs = seconds > kHangSeconds && seconds > kHang * usual;
    if (hangs && !m_hangs) {
      said.push_back("Step " + number(step) + " took " + number(std::llround(seconds)) + " s, " +
                     number(std::llround(seconds / usual)) +
                     " times the usual: the data or the disk may be slow, or other programs need the machine.");
    }
    m_hangs = hangs;
  }
  m_decay *= kWeight;
  m_loss = kWeight * m_loss + (1 - kWeight) * loss;
  // A step that hangs is no measure of the next ones.
  m_seconds = kWeight * m_seconds + (1 - kWeight) * (m_hangs ? usual : seconds);
  if (++m_steps < kSettled) return said;
  const double average = m_loss / (1 - m_decay);
  if (average < m_least) {
    m_least = average;
    m_leastStep = step;
  }
  const bool climbs = average > kClimb * m_least && average > m_least + kClimbNats;
  if (climbs && !m_climbs) {
    said.push_back("The loss climbs: about " + nats(average) + " at step " + number(step) + " after " + nats(m_least) +
                   " at step " + number(m_leastStep) + ". Stop the run and lower the learning rate.");
  }
  m_climbs = climbs;
  return said;
}

std::vector<std::string> RunAlerts::takeHeldOut(std::int64_t step, const std::string& map, double nll) {
  HeldOut& of = m_heldOut[map];
  of.rises = nll > of.last && nll > of.best * (1 + kRise) ? of.rises + 1 : 0;
  of.last = nll;
  if (nll < of.best) {
    of.best = nll;
    of.bestStep = step;
  }
  if (of.rises != kRises) return {};
  return {"The held-out loss under " + map + " has risen " + number(kRises) + " times in a row, to " + nats(nll) +
          " after " + nats(of.best) + " at step " + number(of.bestStep) +
          ": the model begins to learn its data by heart. Stop the run, or train on more data."};
}

std::vector<std::string> RunAlerts::takeMemory(std::int64_t available, std::int64_t total) {
  if (available <= 0 || total <= 0) return {};
  const double left = static_cast<double>(available) / static_cast<double>(total);
  const bool isNew = left < kNearlyFull && !m_full;
  if (left < kNearlyFull) m_full = true;
  if (left > kWellAgain) m_full = false;
  if (!isNew) return {};
  return {"Memory is nearly full: " + number(available >> 20) + " of " + number(total >> 20) +
          " MiB are left. Close other programs, or resume the run with a smaller micro-batch."};
}

}  // namespace strata
