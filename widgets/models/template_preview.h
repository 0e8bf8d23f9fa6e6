#pragma once
// A model's chat template: where it was found, and folded below it its source, to read, to copy, and to change for this
// project. What is typed is kept as a draft until it is saved or taken back.

#include <QTimer>
#include <QWidget>
#include <functional>

#include "widgets/session/session.h"

class QPlainTextEdit;

namespace strata {

class Button;
class Label;

class TemplatePreview : public QWidget {
  Q_OBJECT

 public:
  explicit TemplatePreview(Session& session, QWidget* parent = nullptr);
  ~TemplatePreview() override;

  /// Where the same model's template is being changed, what is typed stays.
  void show(const protocol::ModelCard& card);
  void setOpen(bool open);
  bool isOpen() const;
  /// Opens the source to be changed.
  void edit();
  bool canEdit() const;

 Q_SIGNALS:
  /// The model has another template in this project now: its card is to be asked for anew.
  void changed();
  /// It grew: the source is to be seen.
  void opened();

 private:
  void build();
  void beginEditing(const QString& text);
  void leaveEditing();
  void save();
  void takeBack();
  void useOwn();
  /// Empty: the model's own. `done` is called if the model is still shown.
  void send(const QString& text, std::function<void()> done);
  void offer(const QString& sentence, std::function<void()> undo);
  void say(const QString& problem);
  void refresh();
  void storeDraft();
  QString draftKey() const;

  Session& m_session;
  protocol::ModelCard m_card;
  bool m_editing = false, m_sending = false;
  std::function<void()> m_undo;
  QTimer m_storing;
  Label *m_origin, *m_problem, *m_done;
  Button *m_edit, *m_toggle, *m_save, *m_takeBack, *m_own, *m_undoButton;
  QPlainTextEdit* m_source;
  QWidget *m_actions, *m_offer;
};

}  // namespace strata
