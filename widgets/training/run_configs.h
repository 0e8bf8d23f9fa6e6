#pragma once
// What runs were told, by their ids: read once, when a filter asks for a setting that the list of runs does not have.
//
//   configs.read(ids);                            // a few at a time; arrived() after each batch
//   if (const Json* config = configs.of(id)) …
// GUI thread.

#include <QObject>
#include <QTimer>
#include <deque>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "core/base/json.h"
#include "widgets/client/engine_client.h"

namespace strata {

class RunConfigs : public QObject {
  Q_OBJECT

 public:
  explicit RunConfigs(EngineClient& engine, QObject* parent = nullptr);

  /// nullptr: not known (yet).
  const Json* of(const std::string& run) const;
  /// Asks for those that are not known.
  void read(const std::vector<std::string>& runs);
  /// Asked for and not here yet.
  int left() const { return static_cast<int>(m_waiting.size() + m_asked.size()); }
  void forget();

 Q_SIGNALS:
  /// Some came, or could not be read; at most a few times a second, and once at the end.
  void arrived();

 private:
  void next();

  EngineClient& m_engine;
  std::map<std::string, Json> m_configs;
  std::deque<std::string> m_waiting;
  std::set<std::string> m_asked;
  QTimer m_soon;
  int m_age = 0;  // counts forget(): an answer from before is late
};

}  // namespace strata
