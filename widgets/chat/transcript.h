#pragma once
// One side's conversation: a line for each turn, this side's answers and what is known of them. An answer is
// Markdown while it comes and once it is whole (what comes after 16 KiB is plain until then; all of it above 200 KiB);
// of it only what is near the view is laid out.

#include <memory>
#include <vector>

#include "widgets/chat/answer_foot.h"
#include "widgets/chat/answering.h"
#include "widgets/chat/block_list.h"
#include "widgets/chat/differences.h"

namespace strata {

class Transcript : public BlockList {
  Q_OBJECT

 public:
  Transcript(Session& session, Conversation& conversation, Answering& answering, Differences& differences, Which which,
             QWidget* parent = nullptr);

  /// The last question waits for a side that can be asked.
  void setWaiting(bool waits);
  /// Where in the conversation the view begins, so that the other pane can show the same place: both see a turn's
  /// beginning at the same height, and its end; between them a longer answer scrolls faster.
  struct Place {
    int turn = -1;
    double inside = 0;  // 0 … 1 of what of the turn is higher than the view
    int below = 0;      // pixels past that, or above the turn
  };
  Place place() const;
  void setPlace(const Place& place);
  /// The heights of the turns as they are.
  std::vector<int> turnHeights() const;
  /// Leaves room below the answers that are lower than those of the other pane, as far as they stay in view.
  void alignTo(const std::vector<int>& otherTurns);
  /// How many pixels of the last turn are above a view that follows the end: fewer than at the very end where the
  /// answer's figures take nearly all of a low view, so that the answer stays in it.
  int turnAboveView() const;
  void setTurnAboveView(int pixels);

 Q_SIGNALS:
  void editWanted(int turn);
  void branchWanted(int turn);
  void againWanted(Which which, int turn, bool newSeed);
  void differencesWanted(Which which, int turn);

 private:
  struct Part {
    QString text;      // of a growing answer
    qsizetype source;  // where it begins
    int lines = 0;     // ends of lines in it
    bool isFull() const;
    qsizetype roomFor(const QString& added, qsizetype at) const;
  };
  /// What is shown of a turn's answer.
  struct Shown {
    int version = 0;                             // part of the keys: another text is another block
    std::vector<std::shared_ptr<Part>> growing;  // of a long answer that comes: what follows its `coming`
    std::shared_ptr<const std::vector<Piece>> pieces;
    std::shared_ptr<const std::vector<Slice>> slices;  // of a text that is shown plain, or until it is parsed
    QString text;                                      // of the slices; of an answer that comes, all so far
    std::shared_ptr<std::vector<Piece>> coming;        // of an answer that comes, until it is long
    bool stacked = true;                               // all pieces in one block: a short answer
    bool whole = false;
  };
  void rebuildFrom(int turn);
  void takeAnswer(int turn);
  void addText(int turn, const QString& text);
  void addMarkdown(int turn, const QString& text);
  void addPlain(int turn, const QString& text);
  std::vector<QString> comingKeys(int turn, const std::vector<Piece>& pieces) const;
  void render(int turn);
  std::vector<Entry> entriesOf(int turn);
  Block* makeLine(int turn);
  int entriesIn(int turn) const;
  Block* makePieces(int turn, const std::vector<Piece>& pieces, bool goesOn = false);
  Block* makeFoot(int turn);
  FootState footState(int turn) const;
  void updateFeet();
  void updateMarks();
  int guessLines(qsizetype characters) const;
  QString answerName(int turn) const;
  int room() const;
  int startOf(int turn) const;
  int bottomOf(int turn) const;

  Session& m_session;
  Conversation& m_conversation;
  Answering& m_answering;
  Differences& m_differences;
  Which m_which;
  std::vector<Shown> m_shown;
  std::vector<int> m_starts;  // of each turn, the index of its first block
  int m_version = 0;
  bool m_waiting = false;
};

}  // namespace strata
