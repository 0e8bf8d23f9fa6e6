#pragma once
// Where the two answers of a turn part, and how differently both sides would have gone on at each token of one of them
// (teacher-forced on that side's text). The first is told from the answers; the second is asked of the engine, and only
// while it is wanted.

#include <QObject>
#include <array>
#include <limits>
#include <map>
#include <optional>
#include <vector>

#include "widgets/chat/answering.h"
#include "widgets/chat/text_view.h"

namespace strata {

/// Where two answers part.
struct FirstDifference {
  int token = -1;                // counted from 0, `of` where this one ends first; -1: they say the same
  int of = 0;                    // tokens of this answer
  qsizetype begin = 0, end = 0;  // in this answer's text
};
/// Nothing where one of them is not whole.
std::optional<FirstDifference> firstDifference(const SideAnswer* mine, const SideAnswer* other);

/// Steps of the tint, in nats; below the first there is none.
int heatOf(double kl);

class Differences : public QObject {
  Q_OBJECT

 public:
  enum class State { off, nothing, computing, shown, failed };

  Differences(Session& session, Conversation& conversation, QObject* parent = nullptr);

  bool isOn() const { return m_on; }
  void setOn(bool on);
  /// Whose text both sides read.
  Which text() const { return m_text; }
  void setText(Which which);
  /// Compares this turn until there is another question; otherwise it is the last one.
  void showTurn(int turn, Which text);
  /// Computes again where something else is to be compared by now.
  void refresh();
  void cancel();

  State state() const { return m_state; }
  const QString& problem() const { return m_problem; }
  const Answering::Stage& stage() const { return m_stage; }
  int turn() const { return m_turn; }
  const std::optional<protocol::Compare::Answer>& result() const { return m_result; }

  /// The token that is read out; -1: none.
  int chosen() const { return m_chosen; }
  void choose(int token);
  void chooseAt(Which which, int turn, qsizetype source);
  /// What is said of the token there, in lines; empty where nothing is known of it.
  QString textAt(Which which, int turn, qsizetype source) const;
  void chooseFirstDifference();

  /// What is to be marked in a part of a side's answer.
  std::vector<Mark> marks(int turn, Which which, qsizetype begin = 0,
                          qsizetype end = std::numeric_limits<qsizetype>::max()) const;
  /// Where this side's answer parts from the other's.
  const std::optional<FirstDifference>& first(int turn, Which which) const;

 Q_SIGNALS:
  void changed();
  void chosenChanged();

 private:
  struct Place {
    qsizetype begin, end;
  };
  void compare();
  void takePlaces(const QString& text);
  int tokenAt(Which which, int turn, qsizetype source) const;
  bool isWhole(int turn) const;
  protocol::Side sideOf(const SideAnswer& answer, Which which) const;

  Session& m_session;
  Conversation& m_conversation;
  bool m_on = false;
  Which m_text = Which::a;
  State m_state = State::off;
  QString m_problem;
  Answering::Stage m_stage;
  EngineClient::Ticket m_ticket = 0;
  int m_number = 0;
  int m_wantedTurn = -1;
  int m_turn = -1;
  int m_chosen = -1;
  QString m_answerKey;  // what was compared, so that nothing is computed twice
  /// Of megabytes it takes a while, and each block that is shown asks for it.
  mutable std::map<std::pair<int, Which>, std::optional<FirstDifference>> m_firsts;
  std::optional<protocol::Compare::Answer> m_result;
  std::vector<Place> m_places;  // of the tokens in the text
};

}  // namespace strata
