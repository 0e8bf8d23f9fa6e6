#pragma once
// What a run would train on, and what of its evaluation data it would see: counted by the engine as training reads
// them.

#include <QTimer>
#include <QWidget>

#include "core/config/train_config.h"
#include "widgets/session/session.h"

namespace strata {

class Label;

class DataSummary : public QWidget {
  Q_OBJECT

 public:
  explicit DataSummary(Session& session, QWidget* parent = nullptr);

  /// Asked for once typing pauses, and only where something of it has changed.
  void show(const TrainConfig& config);

 private:
  void ask();
  void say(const protocol::CheckData::Answer& answer);

  Session& m_session;
  protocol::CheckData::Params m_wanted, m_asked;
  double m_split = 0;
  Label *m_rows, *m_leak;
  QTimer m_wait;
  EngineClient::Ticket m_ticket = 0;
};

}  // namespace strata
