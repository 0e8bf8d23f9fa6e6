#pragma once
// The questions that a run's evaluations ask: what is expected, and under each map the newest answer with its verdict.
//
//   answers->show(run, alive);   // "": none
//   answers->follow(alive);      // it began or ended
// The list stays at its end while answers come, until someone scrolls up.

#include <QTimer>
#include <QWidget>
#include <map>
#include <string>
#include <vector>

#include "widgets/session/session.h"

class QListView;

namespace strata {

class AnsweredQuestions;
class Button;
class Label;
class StatePane;

class RunAnswers : public QWidget {
  Q_OBJECT

 public:
  explicit RunAnswers(Session& session, QWidget* parent = nullptr);

  void show(const std::string& run, bool alive);
  void follow(bool alive);
  QWidget* list() const;

 protected:
  void showEvent(QShowEvent* event) override;

 private:
  void restart();
  void read();
  void readMap(std::vector<std::string> maps, std::int64_t from);
  void failed(const Error& error);
  void finished();
  void showState();
  bool isAtEnd() const;

  Session& m_session;
  std::string m_run;
  bool m_alive = false, m_reading = false, m_known = false, m_following = true;
  bool m_moving = false;        // the list scrolls by itself
  int m_age = 0;                // counts restart(): an answer from before is late
  std::int64_t m_fromStep = 0;  // of the newest answers that are here
  AnsweredQuestions* m_questions;
  QListView* m_view;
  StatePane* m_state;
  Label* m_summary;
  Button* m_newest;
  QTimer m_timer;
};

}  // namespace strata
