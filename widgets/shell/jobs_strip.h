#pragma once
// The strip at the foot: the running job, how far it is, and its stop. It opens upwards to all jobs and a log.

#include <QWidget>

#include "widgets/shell/job_book.h"

class QProgressBar;

namespace strata {

class Button;
class ElidedLabel;
class Label;

class JobsStrip : public QWidget {
  Q_OBJECT

 public:
  JobsStrip(Workspace& workspace, JobBook& jobs, QWidget* parent = nullptr);

  bool isOpen() const;
  void setOpen(bool open);

 Q_SIGNALS:
  void opened(bool open);

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  void show();

  JobBook& m_jobs;
  Workspace& m_workspace;
  Button *m_toggle, *m_stop;
  ElidedLabel* m_name;
  QProgressBar* m_progress;
  Label *m_percent, *m_left;
};

}  // namespace strata
