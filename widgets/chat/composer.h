#pragma once
// Where questions are written: Enter sends, Shift+Enter breaks the line, Up in an empty field edits the last question.
// What is typed survives a crash.

#include <QPlainTextEdit>
#include <QTimer>

#include "widgets/session/session.h"
#include "widgets/style/pane.h"

namespace strata {

class Button;
class ElidedLabel;

/// The field itself: as high as its text, up to eight lines.
class DraftEdit : public QPlainTextEdit {
  Q_OBJECT

 public:
  explicit DraftEdit(QWidget* parent = nullptr);

 Q_SIGNALS:
  void sendWanted();
  void lastWanted();

 protected:
  void keyPressEvent(QKeyEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;
  void insertFromMimeData(const QMimeData* source) override;

 private:
  void fit();
};

class Composer : public Pane {
  Q_OBJECT

 public:
  explicit Composer(Session& session, QWidget* parent = nullptr);

  QString draft() const;
  void setDraft(const QString& text);
  void clear();
  DraftEdit* edit() const { return m_edit; }
  /// The question of this turn is being edited; -1: none.
  int editedTurn() const { return m_turn; }
  void editTurn(int turn, const QString& question);
  /// Shows temperature, stop texts and seed; at temperature 0 there is nothing to draw.
  void setSampling(const GenerateConfig& sampling);
  /// `both`: two answers come.
  void setBusy(bool busy, bool both);
  /// "waits for the engine"; empty: nothing.
  void setNote(const QString& note);
  Button* sendButton() const { return m_send; }
  Button* settingsButton() const { return m_settings; }

 Q_SIGNALS:
  void sendWanted();
  void stopWanted();
  void lastWanted();
  void newSeedWanted();
  void settingsToggled(bool open);

 private:
  void store();
  Session& m_session;
  DraftEdit* m_edit;
  Button* m_send;
  Button* m_stop;
  Button* m_settings;
  Button* m_seed;
  Button* m_leave;
  ElidedLabel *m_sampling, *m_note;
  QTimer m_storing;
  QString m_before;  // the draft that stood here before a question was edited
  int m_turn = -1;
};

}  // namespace strata
