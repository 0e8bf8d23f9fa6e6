#pragma once
// The last line of the window: the engine, what is served, the device, memory, what just happened, and the keys of now.

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
  StatusBar(Workspace& workspace, MemoryLog& memory, QWidget* parent = nullptr);

  void setKeys(const QList<QPair<QString, QString>>& keys);
  /// A sentence that stays some seconds and that screen readers read out.
  void say(const QString& sentence);

  void openEngine();
  void openMemory();

 Q_SIGNALS:
  void commandChosen(const QString& command);

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  void showEngine();
  void showMemory();
  void showServing(const protocol::ServeState& state);

  Workspace& m_workspace;
  MemoryLog& m_log;
  Button *m_engine, *m_serving, *m_memory;
  MemoryBar* m_bar;
  ElidedLabel *m_device, *m_said, *m_keys;
  QTimer m_forget;
};

}  // namespace strata
