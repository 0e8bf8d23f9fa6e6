#pragma once
// Serving a model over HTTP: a switch and, while it is on, the address, the token and the name to ask for, each to
// copy.

#include <QWidget>

#include "widgets/session/session.h"

namespace strata {

class ElidedLabel;
class Label;
class Switch;

class ServeControl : public QWidget {
  Q_OBJECT

 public:
  explicit ServeControl(Session& session, QWidget* parent = nullptr);

  void setModel(const protocol::ModelRef& ref);
  /// The switch, which stands among the card's actions; this widget holds what is below.
  Switch* toggle() const { return m_switch; }

 Q_SIGNALS:
  void failed(const Error& error);

 private:
  void turn(bool on);
  void take(const protocol::ServeState& state);
  void noteStarted(const protocol::ModelRef& ref, const protocol::ServeState& state);
  void refresh();
  /// As requests name it; empty: it is not served.
  std::string servedName() const;
  Session& m_session;
  protocol::ModelRef m_ref;
  protocol::ServeState m_state;
  std::vector<std::pair<protocol::ModelRef, std::string>> m_started;  // by this window, with their names
  bool m_asking = false;
  Switch* m_switch;
  ElidedLabel *m_url, *m_token, *m_model;
  Label* m_count;
};

}  // namespace strata
