#pragma once
// One question of a comparison: its passage, what is expected, both answers marked by it, and what people noted.

#include <QWidget>
#include <array>
#include <optional>

#include "widgets/evaluation/comparison.h"

class QLineEdit;
class QPlainTextEdit;

namespace strata {

class Button;
class Label;
class StatePane;

class SampleDetail : public QWidget {
  Q_OBJECT

 public:
  SampleDetail(Session& session, Comparison& comparison, QWidget* parent = nullptr);

  /// nullptr: none.
  void show(const protocol::ListSamples::Sample* sample);
  std::string id() const { return m_sample ? m_sample->id : std::string(); }
  /// Puts the comparison's sides on the window's, and the question into a new chat.
  void openInChat();
  bool canOpen() const { return m_read.has_value(); }

 Q_SIGNALS:
  void noted(const QString& id, const QString& note);

 private:
  struct Answer {
    QWidget* whole = nullptr;
    Label *sign = nullptr, *verdict = nullptr, *text = nullptr;
  };
  QWidget* buildAnswer(Which which);
  QWidget* buildQuestion();
  void read();
  void fill();
  void showContext();
  void saveNote();

  Session& m_session;
  Comparison& m_comparison;
  std::optional<protocol::ListSamples::Sample> m_sample;
  std::optional<protocol::ReadSample::Answer> m_read;
  int m_asked = 0;
  StatePane* m_state;
  Label *m_question, *m_expected, *m_noteProblem;
  QPlainTextEdit* m_context;
  std::array<Answer, 2> m_answers;
  QLineEdit* m_note;
  Button* m_open;
};

}  // namespace strata
