#pragma once
// Counts the tokens of the next prompt on both sides while its question is typed, so that a full context shows before
// Send. Only models that are loaded are asked; a side without a count is left to the engine.
//
//   count.setQuestion(composer.draft(), conversation.lastTurn() + 1);
//   connect(&count, &PromptCount::changed, …);

#include <QObject>
#include <QTimer>
#include <array>
#include <optional>

#include "widgets/chat/conversation.h"

namespace strata {

class PromptCount : public QObject {
  Q_OBJECT

 public:
  PromptCount(Session& session, const Conversation& conversation, QObject* parent = nullptr);

  /// Forgets the counts and counts again a moment later. `turn`: where the question would be asked.
  void setQuestion(const QString& question, int turn);
  const QString& question() const { return m_question; }
  int turn() const { return m_turn; }
  /// A side's context does not hold the prompt.
  bool isFull() const;
  /// First turn to keep, so that the prompt fits on both sides; -1: the question alone does not fit.
  int keepFrom() const;
  /// "412 of 512 tokens"; empty while nothing is counted.
  QString text() const;
  /// What is wrong where it is full.
  QString problem() const;

 Q_SIGNALS:
  void changed();

 private:
  using Count = protocol::CountPrompt::Answer;
  void count();
  /// The side that is nearest to its limit.
  const Count* fullest() const;

  Session& m_session;
  const Conversation& m_conversation;
  QTimer m_timer;
  QString m_question;
  int m_turn = 0;
  int m_number = 0;  // tells a count of this question from a late one
  std::array<std::optional<Count>, 2> m_counts;
};

}  // namespace strata
