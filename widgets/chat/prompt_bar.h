#pragma once
// The question of the turn in view, once across both panes: its passage shortened, its own words always visible, what a
// test set expects, and what was seen of the two answers. Before the first question it says what is compared here.
//
//   bar->show({turn, turns, prompt, {"Anne"}, headlineOf(a, b)});

#include <QStringList>

#include "widgets/style/pane.h"

class QPlainTextEdit;

namespace strata {

class Button;
class ElidedLabel;
class Label;

class PromptBar : public Pane {
  Q_OBJECT

 public:
  struct Shown {
    int turn = -1, of = 0;  // -1: no question yet
    QString prompt;
    QStringList expected;  // answers that count as right
    QString headline;
    bool operator==(const Shown&) const = default;
  };

  explicit PromptBar(QWidget* parent = nullptr);
  void show(const Shown& shown);
  /// Lines of a passage that there is room for without being asked: one in a small window, several in a large one. 0:
  /// there is room for the question and the headline alone, on one line.
  void setLines(int lines);

 Q_SIGNALS:
  void editWanted(int turn);
  void branchWanted(int turn);

 protected:
  bool eventFilter(QObject* watched, QEvent* event) override;

 private:
  void fill();
  void fillPassage();
  Shown m_shown;
  bool m_whole = false;
  int m_lines = 1;
  Label *m_intro, *m_number, *m_question, *m_expected, *m_headline;
  ElidedLabel *m_passageLine, *m_questionLine, *m_headlineLine;
  QPlainTextEdit* m_passage;
  QWidget *m_tight, *m_actions;
  Button *m_more, *m_edit, *m_branch;
};

}  // namespace strata
