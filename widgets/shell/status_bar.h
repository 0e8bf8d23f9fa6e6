#pragma once
// The last line of the window: the engine, what is served, the device, memory, what just happened, the bell with all
// that did, and the keys of now.

#include <QPair>
#include <QTimer>
#include <QWidget>

#include "widgets/shell/memory_log.h"

namespace strata {

class Button;
class ElidedLabel;

class StatusBar : public QWidget {
  Q_OBJECT

 public:
  StatusBar(Session& session, MemoryLog& memory, QWidget* parent = nullptr);

  void setKeys(const QList<QPair<QString, QString>>& keys);
  void openEngine();
  void openMemory();
  void openNotices();

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  /// A sentence that stays some seconds and that screen readers read out.
  void say(const QString& sentence);
  void showEngine();
  void showBell();
  void showMemory();
  void showServing(const protocol::ServeState& state);

  Session& m_session;
  MemoryLog& m_log;
  Button *m_engine, *m_serving, *m_memory, *m_bell;
  MemoryBar* m_bar;
  ElidedLabel *m_device, *m_said, *m_keys;
  QString m_serves;  // the model
  QTimer m_forget;
};

}  // namespace strata
