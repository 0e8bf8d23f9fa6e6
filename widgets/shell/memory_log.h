#pragma once
// The engine's memory over the last ten minutes, a point a second.

#include <QElapsedTimer>
#include <QObject>
#include <deque>

#include "widgets/session/session.h"
#include "widgets/style/memory_bar.h"

namespace strata {

struct MemoryPoint {
  double seconds = 0;  // since the window began
  MemoryParts parts;
};

/// Of the device that was heard of last.
class MemoryLog : public QObject {
  Q_OBJECT

 public:
  explicit MemoryLog(EngineClient& engine, QObject* parent = nullptr);

  /// What the engine said last; nothing known: no parts.
  const MemoryParts& now() const { return m_now; }
  const std::string& device() const { return m_device; }
  std::int64_t resident() const { return m_resident; }
  const std::deque<MemoryPoint>& points() const { return m_points; }
  double seconds() const { return static_cast<double>(m_clock.elapsed()) / 1000; }

 Q_SIGNALS:
  void changed();

 private:
  void heard(const protocol::Memory& memory);
  QElapsedTimer m_clock;
  MemoryParts m_now;
  std::string m_device;
  std::int64_t m_resident = 0;
  std::deque<MemoryPoint> m_points;
};

}  // namespace strata
