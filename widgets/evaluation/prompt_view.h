#pragma once
// The template that writes each question, and the first question as the model would read it.

#include <QTimer>
#include <QWidget>

class QPlainTextEdit;

namespace strata {

class Button;
class EvaluationSetup;
class StatePane;

class PromptView : public QWidget {
  Q_OBJECT

 public:
  explicit PromptView(EvaluationSetup& setup, QWidget* parent = nullptr);

 private:
  void showTemplate();
  void showPrompt();

  EvaluationSetup& m_setup;
  QPlainTextEdit *m_template, *m_prompt;
  StatePane* m_state;
  Button* m_reset;
  QTimer m_typing;
};

}  // namespace strata
