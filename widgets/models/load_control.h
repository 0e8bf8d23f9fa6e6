#pragma once
// Opens and closes a model: where and in which precision, one button, and while it is being read a bar with Stop.

#include <QWidget>
#include <optional>

#include "widgets/session/session.h"

class QComboBox;
class QProgressBar;
class QStackedLayout;

namespace strata {

class Button;
class Label;

class LoadControl : public QWidget {
  Q_OBJECT

 public:
  explicit LoadControl(Session& session, QWidget* parent = nullptr);

  /// As it is open, or on a side, or else as the combo boxes say. Nothing: no model is chosen.
  void setModel(const std::string& model, const std::string& adapter = {});
  /// With device and precision.
  const protocol::ModelRef& ref() const { return m_ref; }
  /// As it is open; nullptr: it is not.
  const protocol::LoadedModel* loaded() const;
  void load();
  void unload();
  /// Stops loading; false: nothing is being loaded.
  bool stop();

 Q_SIGNALS:
  void refChanged();
  /// Opened, closed, or failed to.
  void finished();
  void failed(const Error& error);

 private:
  void refresh();
  void fillDevices();
  void showProgress(const protocol::Progress& progress);
  Session& m_session;
  protocol::ModelRef m_ref;
  EngineClient::Ticket m_ticket = 0;
  protocol::ModelRef m_loading;  // what m_ticket is for
  QComboBox* m_device;
  QComboBox* m_dtype;
  Button* m_button;
  QProgressBar* m_bar;
  Label* m_stage;
  Button* m_stop;
  QWidget* m_running;
};

}  // namespace strata
