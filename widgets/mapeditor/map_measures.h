#pragma once
// What the project measured of side B's model, and what is being measured now: the sensitivity matrix, cells as they
// come, and the search that runs. Starts such jobs.

#include <QObject>
#include <optional>
#include <string>
#include <vector>

#include "widgets/mapeditor/sensitivity.h"
#include "widgets/mapeditor/side_map.h"
#include "widgets/session/session.h"

namespace strata {

class MapMeasures : public QObject {
  Q_OBJECT

 public:
  MapMeasures(Session& session, SideMap& side, QObject* parent = nullptr);

  /// nullptr: the model has none.
  const Sensitivity* sensitivity() const { return m_sensitivity ? &*m_sensitivity : nullptr; }
  const protocol::ReadSensitivity::Answer& answer() const { return m_answer; }
  /// Of the newest search of side B's model that was started here; nothing: there was none.
  const std::optional<protocol::ReadSearch::Answer>& search() const { return m_search; }
  /// A job of that kind that is alive or waits, of side B's model; nullptr: none.
  const protocol::JobInfo* job(const std::string& kind) const;

  void measureSensitivity(const std::string& text);
  void measureMap(const std::string& text);
  /// Looks for the map of so many owners; `seed` and `method` as the engine takes them.
  void find(const std::string& text, int owners, const std::string& method, int seed);
  void stop(const std::string& kind);

 Q_SIGNALS:
  void changed();
  /// A job could not be started: one sentence.
  void failed(const QString& sentence);

 private:
  bool isOfModel(const protocol::JobInfo& job) const;
  void follow();
  void jobsChanged();
  void ask(std::int64_t from);
  void heard(const protocol::ReadSensitivity::Answer& answer);
  void askSearch();
  void start(const std::string& kind, Json config);

  Session& m_session;
  SideMap& m_side;
  std::optional<protocol::ModelRef> m_ref;  // whose matrix this is
  std::optional<Sensitivity> m_sensitivity, m_incoming;
  protocol::ReadSensitivity::Answer m_answer;
  std::string m_searchRun;
  std::optional<protocol::ReadSearch::Answer> m_search;
  int m_age = 0;
  bool m_asking = false, m_again = false;
  std::string m_lastState;  // of the jobs that matter, to tell when they have moved
};

}  // namespace strata
