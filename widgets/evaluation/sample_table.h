#pragma once
// The questions of a comparison with both sides' answers, as many as there are: pages are asked for as their rows are
// looked at, and stay on the screen while they are asked for again.

#include <QAbstractTableModel>
#include <optional>
#include <vector>

#include "widgets/session/session.h"

namespace strata {

class SampleTable : public QAbstractTableModel {
  Q_OBJECT

 public:
  enum Column { kQuestion, kExpected, kAnswerA, kAnswerB, kNote, kColumns };
  using Sample = protocol::ListSamples::Sample;
  using Counts = protocol::ListSamples::Answer;

  explicit SampleTable(EngineClient& engine, QObject* parent = nullptr);

  /// What is listed; other questions begin at the top. Side B may be empty. False: it is listed already.
  bool show(const protocol::EvaluatedSide& a, const protocol::EvaluatedSide& b, const std::string& exact);
  void setFilter(const std::string& filter);
  void setSearch(const std::string& words);
  const std::string& exact() const { return m_exact; }
  /// Asks again for what is looked at; more may have been answered.
  void refresh();
  /// nullptr: its page has not come.
  const Sample* at(int row) const;
  int rowOf(const std::string& id) const;
  void setNote(const std::string& id, const std::string& note);
  /// Counts of all questions, whatever the filter; nothing: not come yet.
  const std::optional<Counts>& counts() const { return m_counts; }
  const std::optional<Error>& problem() const { return m_problem; }
  bool isAsking() const { return m_asking; }

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override { return parent.isValid() ? 0 : kColumns; }
  QVariant data(const QModelIndex& index, int role) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

 Q_SIGNALS:
  /// A page came, or did not come.
  void arrived();

 private:
  struct Row {
    std::optional<Sample> sample;
    int age = -1;  // of the refresh that it was asked for with
  };
  void restart();
  void want(int row) const;
  void ask(int row);
  void take(int from, int age, const protocol::ListSamples::Answer& answer);

  EngineClient& m_engine;
  protocol::ListSamples::Params m_params;
  std::string m_exact;
  std::vector<Row> m_rows;
  std::optional<Counts> m_counts;
  std::optional<Error> m_problem;
  int m_age = 0;       // counts refreshes
  int m_question = 0;  // counts restarts: an answer to before is late
  bool m_asking = false;
  mutable int m_wanted = -1;  // a row that was looked at without its page
  mutable bool m_queued = false;
};

}  // namespace strata
