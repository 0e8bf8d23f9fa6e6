#pragma once
// One side of the chat page: whose answers these are, how much of its cache it keeps, and its conversation in one of
// the five states.

#include <vector>

#include "widgets/chat/transcript.h"
#include "widgets/style/pane.h"

namespace strata {

class Button;
class Label;
class ElidedLabel;
class MapChoices;
class StatePane;

class ChatPane : public Pane {
  Q_OBJECT

 public:
  ChatPane(Session& session, Conversation& conversation, Answering& answering, Differences& differences, Which which,
           QWidget* parent = nullptr);

  Transcript* transcript() const { return m_transcript; }
  StatePane* states() const { return m_states; }
  Which which() const { return m_which; }
  /// The best known map of so much of the cache; the same rule as the buttons'.
  void setRetention(double retention);
  void setWaiting(bool waits);

 Q_SIGNALS:
  void questionWanted();

 protected:
  void resizeEvent(QResizeEvent* event) override;

 private:
  void sideChanged();
  void cardArrived(const Result<protocol::ModelCard>& card);
  void refresh();
  void updateState();
  void showHead();
  void showTemplate();
  void continuePlainly();
  void showScores();
  QWidget* makeTemplateNote();
  bool showTrouble();
  QString sideName() const;

  Session& m_session;
  Conversation& m_conversation;
  Answering& m_answering;
  Which m_which;
  ElidedLabel* m_name;
  ElidedLabel* m_map;
  MapChoices* m_retention;
  Button* m_stop;
  QWidget* m_template;
  Label* m_templateText;
  Transcript* m_transcript;
  StatePane* m_states;
  std::optional<protocol::ModelRef> m_cardOf;
  std::optional<Error> m_cardProblem;
  bool m_withoutTemplate = false;  // the model has none: ChatML is used
  bool m_waiting = false, m_scores = false;
};

}  // namespace strata
