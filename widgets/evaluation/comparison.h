#pragma once
// Two evaluations, or two maps of one, that are compared: their scores, also while they run, and the paired differences
// of all their maps from side A's.
//
//   comparison.choose({"20261128-1", "full"}, {"20261128-1", "stride:2"});
//   connect(&comparison, &Comparison::changed, …);

#include <QObject>
#include <map>
#include <optional>
#include <string>

#include "widgets/session/session.h"

namespace strata {

/// A model as an evaluation names it, its folder say, by the name that the project has for it.
protocol::ModelRef knownModel(Session& session, const std::string& model, const std::string& adapter);

class Comparison : public QObject {
  Q_OBJECT

 public:
  using Results = protocol::ReadEvaluation::Answer;
  using Map = protocol::ReadEvaluation::Map;
  using Pair = protocol::CompareEvaluations::Pair;

  explicit Comparison(Session& session, QObject* parent = nullptr);

  /// A map that the run does not have is the run's first; of the one run of both, side B's is the last. Side B may be
  /// empty: {}.
  void choose(const protocol::EvaluatedSide& a, const protocol::EvaluatedSide& b);
  const protocol::EvaluatedSide& side(Which which) const { return which == Which::a ? m_a : m_b; }
  bool isChosen() const { return !m_a.run.empty(); }
  /// Of the side's run; nullptr: not come yet.
  const Results* results(Which which) const;
  /// Of the side's map.
  const Map* map(Which which) const;
  /// nullptr: there is nothing to compare yet.
  const protocol::CompareEvaluations::Answer* compared() const { return m_compared ? &*m_compared : nullptr; }
  /// Of side B.
  const Pair* pair() const;
  const Pair* pairOf(const protocol::EvaluatedSide& b) const;
  /// Why results or differences did not come.
  const std::optional<Error>& problem() const { return m_problem; }
  /// Whether one of the runs is alive or waits.
  bool isRunning() const;
  /// What a side of the window would have to be to be this one; nothing: not known.
  std::optional<protocol::Side> sideOf(Which which) const;
  void refresh();

 Q_SIGNALS:
  void sidesChanged();
  void changed();

 private:
  void runsChanged();
  void read(bool second);
  void compare();
  void finish(const std::optional<Error>& problem);
  std::string progressOf() const;
  void settle(protocol::EvaluatedSide& side) const;

  Session& m_session;
  protocol::EvaluatedSide m_a, m_b;
  std::map<std::string, Results> m_results;  // by run
  std::optional<protocol::CompareEvaluations::Answer> m_compared;
  std::optional<Error> m_problem;
  std::string m_progress;  // of both runs when they were read last
  int m_age = 0;           // counts choose(): an answer to before is late
  bool m_asking = false, m_again = false;
};

}  // namespace strata
