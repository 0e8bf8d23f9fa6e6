#pragma once
// Above the page: offers to send a file or folder of this machine to the engine's, shows how far that is, and what came
// of it.

#include <QWidget>
#include <functional>

#include "widgets/shell/upload.h"

class QProgressBar;

namespace strata {

class Button;
class Label;

class UploadBar : public QWidget {
  Q_OBJECT

 public:
  explicit UploadBar(Workspace& workspace, QWidget* parent = nullptr);

  /// `then`: what is to be done with its path on the engine's machine.
  void offer(const QString& path, std::function<void(const QString& path)> then);
  /// Stops what is under way, or takes the offer back; false: nothing was there.
  bool dismiss();

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  /// Whether the upload would replace one of the same name.
  void lookForOther();
  void start();
  void finished(const Result<QString>& path);
  void refresh();
  QString question() const;

  Workspace& m_workspace;
  Upload m_upload;
  LocalFiles m_offered;
  std::function<void(const QString&)> m_then;
  QString m_problem;
  bool m_replaces = false;
  Label *m_sentence, *m_amount;
  QProgressBar* m_bar;
  Button *m_start, *m_stop;
};

}  // namespace strata
