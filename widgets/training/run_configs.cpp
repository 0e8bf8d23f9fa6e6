#include "widgets/training/run_configs.h"

#include <algorithm>

#include "core/protocol/messages.h"

namespace strata {
namespace {

constexpr std::size_t kAtOnce = 8;
constexpr int kArrivedMs = 100;

}  // namespace

RunConfigs::RunConfigs(EngineClient& engine, QObject* parent) : QObject(parent), m_engine(engine) {
  m_soon.setSingleShot(true);
  m_soon.setInterval(kArrivedMs);
  connect(&m_soon, &QTimer::timeout, this, &RunConfigs::arrived);
}

const Json* RunConfigs::of(const std::string& run) const {
  const auto found = m_configs.find(run);
  return found == m_configs.end() ? nullptr : &found->second;
}

void RunConfigs::read(const std::vector<std::string>& runs) {
  const std::set<std::string> waiting(m_waiting.begin(), m_waiting.end());
  for (const std::string& run : runs) {
    if (m_configs.count(run) + m_asked.count(run) + waiting.count(run) == 0) m_waiting.push_back(run);
  }
  next();
}

void RunConfigs::forget() {
  ++m_age;
  m_configs.clear();
  m_waiting.clear();
  m_asked.clear();
}

void RunConfigs::next() {
  while (m_asked.size() < kAtOnce && !m_waiting.empty()) {
    const std::string run = m_waiting.front();
    m_waiting.pop_front();
    m_asked.insert(run);
    protocol::ReadJobConfig::Params params;
    params.id = run;
    m_engine.call<protocol::ReadJobConfig>(
        params, this, [this, run, age = m_age](const Result<protocol::ReadJobConfig::Answer>& answer) {
          if (age != m_age) return;
          m_asked.erase(run);
          // A run whose settings cannot be read has none that a filter could find.
          m_configs[run] = answer ? answer->config : Json::object();
          if (!m_soon.isActive()) m_soon.start();
          next();
        });
  }
}

}  // namespace strata
