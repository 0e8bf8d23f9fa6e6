#pragma once
// What was measured of each model under each map, for the task and data that are set up: a cell each, and one click
// measures a missing one.

#include <QAbstractTableModel>
#include <QWidget>
#include <optional>
#include <vector>

#include "widgets/session/session.h"

class QTableView;

namespace strata {

class EvaluationSetup;
class Label;
class StatePane;

class MatrixTable : public QAbstractTableModel {
  Q_OBJECT

 public:
  static constexpr int kFirstMap = 1;  // column; before it the model's name
  struct Model {
    protocol::ModelRef ref;
    QString name;
  };
  struct Started {
    protocol::ModelRef ref;
    std::string map, run;
  };
  using Cell = protocol::ReadEvaluationMatrix::Cell;

  explicit MatrixTable(Session& session, QObject* parent = nullptr);

  /// `maps`: as they are set up; those that were measured stand before.
  void show(const protocol::ReadEvaluationMatrix::Answer& answer, const std::vector<std::string>& maps);
  void add(const Started& started);
  const Cell* at(const QModelIndex& index) const;
  const Model& model(int row) const { return m_models[static_cast<std::size_t>(row)]; }
  const std::string& map(int column) const { return m_maps[static_cast<std::size_t>(column - kFirstMap)]; }
  /// The run that measures a cell just now; nullptr: none.
  const protocol::JobInfo* measuring(const QModelIndex& index) const;
  void jobsChanged();

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override;
  QVariant data(const QModelIndex& index, int role) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role) const override;

 private:
  Session& m_session;
  protocol::ReadEvaluationMatrix::Answer m_answer;
  std::vector<Model> m_models;
  std::vector<std::string> m_maps;
  std::vector<Started> m_started;
};

class MatrixView : public QWidget {
  Q_OBJECT

 public:
  MatrixView(Session& session, EvaluationSetup& setup, QWidget* parent = nullptr);

  QWidget* table() const;

 Q_SIGNALS:
  /// A measured cell.
  void runWanted(const strata::protocol::EvaluatedSide& side);

 protected:
  void showEvent(QShowEvent* event) override;

 private:
  void refresh();
  void showState();
  void choose(const QModelIndex& index);

  Session& m_session;
  EvaluationSetup& m_setup;
  MatrixTable* m_table;
  QTableView* m_view;
  StatePane* m_state;
  Label* m_caption;
  std::optional<protocol::ReadEvaluationMatrix::Answer> m_answer;
  std::optional<Error> m_problem;
  int m_asked = 0;  // counts requests: an answer to an earlier one is late
  bool m_asking = false;
};

}  // namespace strata
