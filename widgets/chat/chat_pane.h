#pragma once
// One side of the chat page: whose answers these are, how much of its cache it keeps, and its conversation in one of
// the five states.

#include <vector>

#include "widgets/chat/transcript.h"
#include "widgets/style/pane.h"

namespace strata {

class Button;
class ElidedLabel;
class SegmentedButtons;
class StatePane;

class ChatPane : public Pane {
  Q_OBJECT

 public:
  ChatPane(Workspace& workspace, Conversation& conversation, Answering& answering, Differences& differences,
           Which which, QWidget* parent = nullptr);

  Transcript* transcript() const { return m_transcript; }
  StatePane* states() const { return m_states; }
  Which which() const { return m_which; }
  /// The map of so much of the cache; the same rule as the buttons'.
  void setRetention(double retention);
  void setWaiting(bool waits);

 Q_SIGNALS:
  void questionWanted();

 private:
  struct Choice {
    double retention;
    int owners;
  };
  void sideChanged();
  void cardArrived(const Result<protocol::ModelCard>& card);
  void showRetentions(int layers);
  void markRetention();
  void refresh();
  void updateState();
  void showHead();
  bool showTrouble();
  QString sideName() const;

  Workspace& m_workspace;
  Conversation& m_conversation;
  Answering& m_answering;
  Which m_which;
  ElidedLabel* m_name;
  ElidedLabel* m_map;
  SegmentedButtons* m_retention;
  Button* m_stop;
  Transcript* m_transcript;
  StatePane* m_states;
  std::vector<Choice> m_choices;
  std::optional<protocol::ModelRef> m_cardOf;
  std::optional<Error> m_cardProblem;
  int m_layers = 0;
  bool m_waiting = false;
};

}  // namespace strata
