#pragma once
// The layer that the editor is at, in the inspector: what it reads, what that costs, who reads it, and what else it
// could read.

#include <QWidget>

#include "widgets/mapeditor/map_model.h"

namespace strata {

class Button;
class Label;

class LayerSection : public QWidget {
  Q_OBJECT

 public:
  explicit LayerSection(MapModel& model, QWidget* parent = nullptr);
  void show(int layer);

 private:
  void refresh();
  MapModel& m_model;
  int m_layer = 0;
  Label *m_title, *m_reads, *m_members, *m_others;
  Button* m_owner;
};

}  // namespace strata
