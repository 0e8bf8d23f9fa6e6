#pragma once
// Every map that the project measured, as a point: KV bytes per token against the score. Only scores of one metric on
// one text stand in one plot; the models of sides A and B have their colours. A click loads the map into the editor.

#include <QWidget>
#include <vector>

#include "widgets/mapeditor/side_map.h"
#include "widgets/plots/pareto_plot.h"

class QComboBox;

namespace strata {

class Label;

class ParetoSection : public QWidget {
  Q_OBJECT

 public:
  ParetoSection(Session& session, SideMap& side, QWidget* parent = nullptr);
  ParetoPlot* plot() const { return m_plot; }

 private:
  struct Scores {  // what can be compared
    std::string metric, text, textHash;
    bool operator==(const Scores&) const = default;
  };
  struct Measured {
    const protocol::KnownMap* map;
    const protocol::MapScore* score;
  };
  std::vector<Measured> measured(const Scores& scores) const;
  void fillScores();
  void refresh();
  void mark();
  void load(std::size_t series, std::size_t point);

  Session& m_session;
  SideMap& m_side;
  QComboBox* m_choice;
  bool m_byHand = false;  // somebody chose the scores; else those with most points are shown
  ParetoPlot* m_plot;
  Label* m_note;
  std::vector<Scores> m_scores;                 // of the combo box
  std::vector<std::vector<SharingMap>> m_maps;  // [series][point]
  std::vector<int> m_sides;                     // [series]: 0 A, 1 B, 2 both, 3 neither
};

}  // namespace strata
