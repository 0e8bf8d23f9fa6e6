#include "widgets/shell/memory_log.h"

namespace strata {
namespace {

constexpr double kKeepSeconds = 600;

}  // namespace

MemoryLog::MemoryLog(EngineClient& engine, QObject* parent) : QObject(parent) {
  m_clock.start();
  engine.on<protocol::Memory>(this, [this](const protocol::Memory& memory) { heard(memory); });
}

void MemoryLog::heard(const protocol::Memory& memory) {
  m_device = memory.device;
  m_resident = memory.resident;
  m_now.weights = memory.weights;
  m_now.kv = memory.kv;
  m_now.other = memory.other;
  m_now.total = memory.total > 0 ? std::optional(memory.total) : std::nullopt;
  const double time = seconds();
  if (m_points.empty() || time - m_points.back().seconds >= 1) {
    m_points.push_back({time, m_now});
  } else {
    m_points.back().parts = m_now;
  }
  while (m_points.size() > 1 && m_points[1].seconds < time - kKeepSeconds) m_points.pop_front();
  Q_EMIT changed();
}

}  // namespace strata
