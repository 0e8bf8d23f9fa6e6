#pragma once
// The pane at the right of Models: what the chosen model needs in memory for a context length and a number of chats, at
// each size of the cache. The two numbers are the ones of the bar of sides A and B.

#include <QTimer>
#include <QWidget>
#include <optional>
#include <vector>

#include "widgets/session/session.h"

class QGridLayout;
class QScrollArea;
class QSpinBox;

namespace strata {

class Label;
class MapChoices;

class MemoryInspector : public QWidget {
  Q_OBJECT

 public:
  using Estimate = protocol::EstimateMemory::Answer;
  explicit MemoryInspector(Session& session, QWidget* parent = nullptr);

  /// nullptr: none is chosen.
  void setModel(const protocol::ModelCard* card);
  /// Of the chosen map; nothing while it is not known.
  std::optional<Estimate> estimate() const;
  /// "32k tokens x 1 chat at 50 %".
  QString situation() const;
  /// Why it is not known.
  QString problem() const { return m_problem; }

 Q_SIGNALS:
  void changed();

 protected:
  void resizeEvent(QResizeEvent* event) override;

 private:
  /// The maps of the model, as the project knows them now; what was chosen stays.
  void takeMaps();
  void ask();
  void showNumbers();
  void fitTable();
  std::int64_t context() const;
  Session& m_session;
  std::optional<protocol::ModelCard> m_card;
  std::vector<MapLibrary::Choice> m_maps;
  int m_chosen = -1;                                 // of m_maps
  std::vector<std::optional<Estimate>> m_estimates;  // one a map
  QString m_problem;
  int m_asked = 0;  // answers to an earlier question are dropped
  QTimer m_soon;
  QSpinBox* m_context;
  QSpinBox* m_chats;
  MapChoices* m_choice;
  QGridLayout* m_grid;
  QScrollArea* m_scroll;
  QWidget* m_body;
  Label* m_none;
  Label* m_sentence;
  std::vector<Label*> m_kvColumn;  // of the table; gives way where the pane is too narrow for it
};

}  // namespace strata
