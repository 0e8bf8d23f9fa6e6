#pragma once
// The chat that is open: its questions, both sides' answers, and what is stored of them. Whoever shows it listens;
// whoever answers (Answering) writes into it. Each change is put into the project by the ids made here, so that nothing
// is stored twice or lost while the engine is away.

#include <QObject>
#include <QString>
#include <array>
#include <functional>
#include <optional>
#include <vector>

#include "widgets/session/session.h"

namespace strata {

inline constexpr std::array kBothSides = {Which::a, Which::b};
inline std::size_t indexOf(Which which) {
  return which == Which::a ? 0 : 1;
}

inline Which otherOf(Which which) {
  return which == Which::a ? Which::b : Which::a;
}

/// What a side said to one question.
struct SideAnswer {
  QString id;
  QString text;  // safe to show; grows while running
  bool running = false;
  std::optional<protocol::Answer> answer;  // once it is whole
  QString problem;                         // why it is not
  bool full = false;                       // since the context does not hold the prompt
  std::optional<protocol::Side> asked;     // what was asked, where this window asked
};

struct ChatTurn {
  QString id;
  QString question;
  std::array<std::optional<SideAnswer>, 2> answers;
  std::vector<std::string> expected = {};             // of a question of a test set: what counts as right
  std::optional<std::vector<std::string>> stop = {};  // texts that end its answers; nothing: as its answers say
};

class Conversation : public QObject {
  Q_OBJECT

 public:
  explicit Conversation(Session& session, QObject* parent = nullptr);

  const protocol::ChatInfo& info() const { return m_info; }
  QString id() const { return QString::fromStdString(m_info.id); }
  /// Whether it holds anything that is worth storing.
  bool isEmpty() const { return m_turns.empty(); }
  const std::vector<ChatTurn>& turns() const { return m_turns; }
  int lastTurn() const { return static_cast<int>(m_turns.size()) - 1; }
  const SideAnswer* answer(int turn, Which which) const;
  /// What a side is asked at a turn: the system message, its own turns before, the question.
  std::vector<protocol::Turn> asked(int turn, Which which) const;
  /// The same for another question at that turn.
  std::vector<protocol::Turn> asked(int turn, Which which, const QString& question) const;
  /// What a test set counts as right; empty: nothing is known. A stored chat has it with its answers.
  std::vector<std::string> expected(int turn) const;
  void setExpected(int turn, std::vector<std::string> answers);
  /// Texts that end an answer to this turn.
  std::vector<std::string> stop(int turn) const;
  void setStop(int turn, std::vector<std::string> texts);
  /// The last turn that asks the same, spaces aside; -1: none.
  int turnAsking(const QString& question) const;
  /// The turns before this one that are part of a side's conversation: those that it answered.
  std::vector<int> answeredBefore(int turn, Which which) const;

  /// An empty chat; stored with its first question.
  void startNew();
  /// Shows a stored chat once all of it has come; until then, and if it fails, this one stays as it is.
  void open(const QString& id);
  bool isOpening() const { return m_opening; }
  void stopOpening();
  /// A new chat that holds copies of the turns from `from` up to `turn`; this one stays stored.
  void branch(int turn, int from = 0);

  /// Appends a question and answers its turn.
  int ask(const QString& question);
  /// Puts another question in a turn's place: that turn and those after it go to the trash.
  void replaceFrom(int turn, const QString& question);
  /// Takes the last replacement back.
  bool canTakeBack() const { return !m_dropped.turns.empty(); }
  void takeBack();

  void beginAnswer(int turn, Which which, const protocol::Side& side);
  void addText(int turn, Which which, const QString& text);
  void finishAnswer(int turn, Which which, const Result<protocol::Answer>& answer);
  /// Puts an answer as it was before it was made again.
  void restoreAnswer(int turn, Which which, const SideAnswer& answer);

  void setSampling(const GenerateConfig& sampling);
  void setSystem(const QString& system);
  void setTitle(const QString& title);
  /// Puts all of the chat once more. It is the same by its ids, so nothing is there twice.
  void storeAgain() { putAll(); }

 Q_SIGNALS:
  /// A chat was opened and is about to take the place of this one.
  void replacing();
  /// Another chat, or all of its turns.
  void reset();
  /// Turns from this one on were added or dropped.
  void turnsChanged(int from);
  void answerChanged(int turn, Which which);
  void textAdded(int turn, Which which, const QString& text);
  void infoChanged();
  /// A change is stored in the project.
  void stored();
  /// A chat could not be opened.
  void failed(const Error& error);
  /// A change could not be stored; storeAgain() tries it once more.
  void notStored(const Error& error);

 private:
  struct Dropped {
    int from = -1;
    std::vector<ChatTurn> turns;
  };
  /// A chat that is being opened, page by page.
  struct Loading {
    protocol::ChatInfo info;
    std::vector<ChatTurn> turns;
  };
  SideAnswer* find(int turn, Which which);
  static void add(const std::vector<protocol::ChatMessage>& messages, std::vector<ChatTurn>& turns);
  bool addUnstored(const QString& id);
  void openFrom(const QString& id, int turn);
  void showLoaded();
  void put(std::vector<protocol::ChatMessage> messages, int dropFrom = -1);
  void putAll(int dropFrom = -1, int from = 0);
  protocol::ChatMessage messageOf(int turn) const;
  std::optional<protocol::ChatMessage> messageOf(int turn, Which which) const;

  Session& m_session;
  protocol::ChatInfo m_info;
  std::vector<ChatTurn> m_turns;
  Dropped m_dropped;
  Loading m_loading;
  bool m_opening = false;
  int m_openNumber = 0;
  int m_storing = 0;   // puts that are not confirmed
  QString m_openNext;  // a chat that waits for these
};

}  // namespace strata
