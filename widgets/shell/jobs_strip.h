#pragma once
// The strip at the foot: the running job, how far it is, and its stop. It opens upwards to all jobs and a log.

#include <QWidget>

#include "widgets/session/session.h"

class QProgressBar;

namespace strata {

class Button;
class ElidedLabel;
class Label;

class JobsStrip : public QWidget {
  Q_OBJECT

 public:
  explicit JobsStrip(Session& session, QWidget* parent = nullptr);

  bool isOpen() const;
  void setOpen(bool open);

 Q_SIGNALS:
  void opened(bool open);

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  void show();

  Session& m_session;
  RunTable& m_runs;
  Button *m_toggle, *m_stop;
  ElidedLabel* m_name;
  QProgressBar* m_progress;
  Label *m_percent, *m_left;
};

}  // namespace strata
