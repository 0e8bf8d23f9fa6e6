#pragma once
// Every map that the project measured, as a point: KV bytes per token against the score. Only scores of one metric on
// one text stand in one plot; the models of sides A and B have their colours. A click loads the map into the editor;
// its menu puts it on a side, with the model that it was measured on.

#include <QWidget>
#include <set>
#include <string>
#include <utility>
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
  void openMenu(std::size_t series, std::size_t point, const QPoint& global);
  void use(Which which, std::size_t series, std::size_t point);

  Session& m_session;
  SideMap& m_side;
  QComboBox* m_choice;
  bool m_byHand = false;  // somebody chose the scores; else those with most points are shown
  ParetoPlot* m_plot;
  Label* m_note;
  std::vector<Scores> m_scores;                                // of the combo box
  std::vector<std::vector<SharingMap>> m_maps;                 // [series][point]
  std::vector<int> m_sides;                                    // [series]: 0 A, 1 B, 2 both, 3 neither
  std::vector<protocol::ModelRef> m_refs;                      // [series]
  std::set<std::pair<std::string, std::string>> m_unreadable;  // folders of models and adapters without a card
};

}  // namespace strata
