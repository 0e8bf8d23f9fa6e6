#pragma once
// The strip of first steps above the chat. Each step does the thing in the real window, and is ticked once its result
// came.
//
//   connect(strip, &FirstStart::draftWanted, chat, &ChatPage::setQuestion);
//   connect(chat, &ChatPage::answered, strip, &FirstStart::markAnswered);

#include <QWidget>

#include "widgets/session/session.h"

class QBoxLayout;

namespace strata {

class Button;
class ElidedLabel;

class FirstStart : public QWidget {
  Q_OBJECT

 public:
  explicit FirstStart(Session& session, QWidget* parent = nullptr);

  /// Whether the user has not closed it.
  bool wanted() const;
  /// Draws the question and asks for it to be typed in.
  void begin();
  /// Shows it again after it was closed.
  void bringBack();
  bool askedDone() const;
  bool halvedDone() const;
  bool mapSeen() const;
  bool trainedDone() const;

  QSize minimumSizeHint() const override;

 public Q_SLOTS:
  /// What was typed in was sent, by the step or by hand.
  void noteAsked();
  /// Both sides have answered; `sharing`: layers of side B shared their caches, as step 2 makes them.
  void markAnswered(bool sharing);

 Q_SIGNALS:
  /// The question that follows begins a chat of its own.
  void newChatWanted();
  /// `stop`: texts that end an answer to it; `expected`: answers that count as right.
  void draftWanted(const QString& text, const std::vector<std::string>& stop, const std::vector<std::string>& expected);
  void askBoth();
  /// The map of a side is to be set to this part of its cache.
  void halveCache(Which which);
  /// The same question once more, with the maps of now.
  void askAgain();
  void wantedChanged();

 protected:
  void paintEvent(QPaintEvent* event) override;
  void resizeEvent(QResizeEvent* event) override;

 private:
  void show();
  void draw(bool ask);
  void type(bool another);
  void ask();
  void halve();
  void nextQuestion();
  bool oneModel() const;
  void arrange();
  quint64 seed() const;

  Session& m_session;
  QWidget *m_steps, *m_trouble, *m_left, *m_right;
  Button *m_ask, *m_halve, *m_map, *m_train, *m_next, *m_own, *m_close, *m_retry, *m_change;
  ElidedLabel *m_note, *m_problem;
  QBoxLayout* m_row;
  int m_oneRow = 0;  // width that one row needs
  QString m_question;
  std::vector<std::string> m_stop, m_expected;
  bool m_drawing = false, m_drawWhenOpen = false, m_askWhenDrawn = false, m_typed = false, m_another = false;
};

}  // namespace strata
