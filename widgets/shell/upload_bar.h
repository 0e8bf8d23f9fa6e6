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
  explicit UploadBar(Session& session, QWidget* parent = nullptr);

  /// `then`: what is to be done with its path on the engine's machine.
  void offer(const QString& path, std::function<void(const QString& path)> then);
  /// Stops what is under way, or takes the offer back; false: nothing was there.
  bool dismiss();

 protected:
  void paintEvent(QPaintEvent* event) override;

 private:
  /// Reads on another thread which files lie there; a later look replaces an earlier one.
  void look(const QString& path, std::function<void(const LocalFiles&)> then);
  void offered(const LocalFiles& files);
  /// Whether the upload would replace one of the same name.
  void lookForOther();
  void start();
  void finished(const Result<QString>& path);
  void refresh();
  QString question() const;

  Session& m_session;
  Upload m_upload;
  LocalFiles m_offered;
  std::function<void(const QString&)> m_then;
  QString m_problem;
  bool m_replaces = false;
  int m_looks = 0;  // counts look()
  bool m_looking = false;
  Label *m_sentence, *m_amount;
  QProgressBar* m_bar;
  Button *m_start, *m_stop;
  Background m_reader;
};

}  // namespace strata
