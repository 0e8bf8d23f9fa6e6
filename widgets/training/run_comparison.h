#pragma once
// The settings in which runs differ, a run a column.
//
//   (new RunComparison(session, {"20261128-1", "20261127-2"}, this))->openOver(this);

#include <string>
#include <vector>

#include "widgets/session/session.h"
#include "widgets/style/popup.h"

class QStandardItemModel;

namespace strata {

class Label;
class RowView;

class RunComparison : public Popup {
  Q_OBJECT

 public:
  RunComparison(Session& session, std::vector<std::string> runs, QWidget* parent);

 private:
  void read(std::size_t at);
  void fill();
  QString nameOf(const std::string& run) const;

  Session& m_session;
  std::vector<std::string> m_runs;
  std::vector<Json> m_configs;
  Label* m_state;
  RowView* m_view;
  QStandardItemModel* m_table;
};

}  // namespace strata
