#pragma once
// What stands below an answer: its figures, what made it, what went wrong, and what can be done with it. All of it is
// what the engine reported with the answer; the pickers count only for telling that they say something else by now.

#include <optional>

#include "widgets/chat/answering.h"
#include "widgets/chat/block_list.h"
#include "widgets/chat/differences.h"
#include "widgets/style/labels.h"

class QProgressBar;

namespace strata {

class Button;
class FlowLayout;
class Label;

struct FootState {
  const SideAnswer* answer = nullptr;
  Answering::State state = Answering::State::idle;
  Answering::Stage stage;
  Answering::Live live;
  QString modelName;                      // of the side, for "Opening …"
  std::optional<protocol::Side> sideNow;  // what the picker says
  std::string hashNow;                    // of the side's model, where it is open
  std::optional<FirstDifference> difference;
  bool waits = false;       // a question that no side could be asked yet
  bool last = false;        // of the chat: it can be made again
  bool greedy = false;      // temperature 0: another seed gives the same answer
  bool comparable = false;  // both sides answered, and another turn is compared
};

/// "right", "partly, F1 50 %", "wrong": by the rule of the question's test set.
QString markText(const protocol::Mark& mark);
/// "made by base 1a2b3c4d · retention:.5 · temperature 0.8 · seed 7 · stops at \n", or, where the picker says something
/// else, "made with …".
QString madeByText(const protocol::MadeBy& madeBy, bool stale);
/// Whether `now` is RUN@latest and `made` a checkpoint of that run, RUN@STEP.
bool isLatestOf(const std::string& now, const std::string& made);
/// Whether the answer was made by something else than what stands on the side now.
bool isStale(const protocol::MadeBy& madeBy, const std::optional<protocol::Side>& now, const std::string& hashNow);

class AnswerFoot : public Block {
  Q_OBJECT

 public:
  AnswerFoot(int turn, Which which, QWidget* parent = nullptr);
  void show(const FootState& state);
  /// The figures of an answer that comes.
  void showLive(const Answering::Live& live);
  int heightFor(int width) override;

 Q_SIGNALS:
  void copyWanted();
  void againWanted(bool newSeed);
  void differencesWanted();

 private:
  void addFigure(const QString& name, const QString& value, const QString& note = {}, QWidget* extra = nullptr,
                 Tone tone = Tone::normal);
  void addKvFigure(const protocol::Answer& answer);
  void addMark(const protocol::Mark& mark);
  void showFigures(const FootState& state, bool stale);
  void showStatus(const FootState& state);
  QString m_name;
  Answering::State m_state = Answering::State::idle;
  Which m_which;
  QWidget* m_status;
  Label* m_statusText;
  QProgressBar* m_progress;
  QWidget* m_problem;
  Label* m_problemText;
  QWidget* m_figures;
  FlowLayout* m_flow;
  QWidget* m_foot;
  Label* m_madeBy;
  Button* m_compare;
  Button* m_copy;
  Button* m_again;   // in words, where it is what to do
  Button* m_repeat;  // the same as an icon
  Button* m_newSeed;
  QString m_details;  // of the problem, to be copied
  QString m_shown;    // what the figures say, to leave them alone where nothing changed
};

}  // namespace strata
