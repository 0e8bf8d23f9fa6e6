#pragma once
// The strip of first steps above Chat. Each step does the thing in the real window, and is ticked once it was done.
//
//   connect(strip, &FirstStart::draftWanted, chat, &ChatPage::setQuestion);
//   connect(strip, &FirstStart::askBoth, chat, &ChatPage::sendDraft);

#include <QWidget>

#include "widgets/shell/workspace.h"

class QBoxLayout;

namespace strata {

class Button;
class ElidedLabel;

class FirstStart : public QWidget {
  Q_OBJECT

 public:
  explicit FirstStart(Workspace& workspace, QWidget* parent = nullptr);

  /// Whether the user has not closed it.
  bool wanted() const;
  /// Draws the question and asks for it to be typed in.
  void begin();
  /// Shows it again after it was closed.
  void bringBack();
  bool askedDone() const;
  bool halvedDone() const;

  QSize minimumSizeHint() const override;

 public Q_SLOTS:
  /// Both sides were asked, by the step or by hand.
  void markAsked();

 Q_SIGNALS:
  /// `stop`: texts that end an answer to it.
  void draftWanted(const QString& text, const QStringList& stop);
  void askBoth();
  /// The map of a side is to be set to this part of its cache.
  void halveCache(Which which);
  /// The same question once more, with the maps of now.
  void askAgain();
  void openOwnModel();
  void engineWanted();
  void wantedChanged();

 protected:
  void paintEvent(QPaintEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;

 private:
  void show();
  void draw(bool ask);
  void ask();
  void halve();
  void nextQuestion();
  bool oneModel() const;
  void watchMaps();
  void arrange();
  quint64 seed() const;

  Workspace& m_workspace;
  QWidget *m_steps, *m_trouble, *m_left, *m_right;
  Button *m_ask, *m_halve, *m_another, *m_own, *m_close, *m_retry, *m_change;
  ElidedLabel *m_note, *m_problem;
  QBoxLayout* m_row;
  QString m_question;
  QStringList m_stop;
  bool m_drawing = false, m_drawWhenOpen = false, m_askWhenDrawn = false, m_typed = false;
};

}  // namespace strata
