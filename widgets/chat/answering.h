#pragma once
// Asks the engine for both sides' answers and writes them into the conversation: together, or one after the other where
// their times are to be compared. Text that arrives is passed on at most 30 times a second, however fast it comes.

#include <QElapsedTimer>
#include <QObject>
#include <QTimer>
#include <array>
#include <optional>
#include <vector>

#include "widgets/chat/conversation.h"

namespace strata {

class Answering : public QObject {
  Q_OBJECT

 public:
  enum class State {
    idle,
    waiting,    // for the engine
    loading,    // the model is being opened
    answering,  // tokens come
    stopping    // was told to stop
  };
  struct Stage {
    QString what;
    std::int64_t done = 0, total = 0;
  };
  /// Of an answer that comes.
  struct Live {
    int tokens = 0;
    double seconds = 0;            // since its first tokens
    int timed = 0;                 // tokens that came in these
    std::int64_t kvBytesUsed = 0;  // 0: not known
  };

  Answering(Session& session, Conversation& conversation, QObject* parent = nullptr);

  State state(Which which) const { return m_sides[indexOf(which)].state; }
  bool busy() const;
  /// Turn that a side is answering; -1: none.
  int turn(Which which) const { return m_sides[indexOf(which)].turn; }
  const Stage& stage(Which which) const { return m_sides[indexOf(which)].stage; }
  const Live& live(Which which) const { return m_sides[indexOf(which)].live; }

  /// Answers a turn on these sides, together. One that is under way is stopped first.
  void answer(int turn, const std::vector<Which>& sides = {Which::a, Which::b});
  /// The same, one side after the other.
  void answerInTurn(int turn);
  void stop(Which which);
  void stopAll();
  /// Ends what is under way at once, with the text so far: its turn is about to go.
  void abandon();
  /// Opens the sides' models ahead of the first question.
  void prepare();
  bool opening(const protocol::ModelRef& ref) const { return find(ref) != nullptr; }
  Stage openingStage(const protocol::ModelRef& ref) const;
  void cancelOpening(const protocol::ModelRef& ref);

 Q_SIGNALS:
  void openingChanged();
  void stateChanged(Which which);
  /// The figures of an answer that comes are others, four times a second at most.
  void liveChanged(Which which);
  /// A side is done with a turn.
  void finished(int turn, Which which);

 private:
  struct Asked {
    EngineClient::Ticket ticket = 0;
    State state = State::idle;
    int turn = -1;
    int number = 0;  // tells this request's answer from that of one that was given up
    int next = -1;   // turn to answer once the one under way has ended
    Stage stage;
    Live live;
    QString pending;
    QElapsedTimer sinceFlush, sinceFirst, sinceLive;
  };
  /// A model that is being opened ahead.
  struct Opening {
    protocol::ModelRef ref;
    EngineClient::Ticket ticket = 0;
    Stage stage;
  };
  const Opening* find(const protocol::ModelRef& ref) const;
  void forget(const protocol::ModelRef& ref);
  void open(const protocol::ModelRef& ref);
  void start(int turn, Which which);
  void done(Which which, int turn, int number, const Result<protocol::Answer>& answer);
  void take(const protocol::Tokens& tokens);
  void count(Which which, const protocol::Tokens& tokens);
  void progress(const protocol::Progress& progress);
  void flush(Which which);
  void flushAll();
  void setState(Which which, State state);
  void engineChanged();
  QString streamOf(Which which) const;
  bool isLoaded(const protocol::ModelRef& ref) const;

  Session& m_session;
  Conversation& m_conversation;
  std::array<Asked, 2> m_sides;
  std::vector<Opening> m_openings;
  std::optional<std::pair<int, Which>> m_afterwards;  // the second of two that are timed
  QTimer m_flush;
  int m_number = 0;
};

}  // namespace strata
