#pragma once
// The map as a table: a row per layer, and in each a combo box of the owners that it may read. The same model as the
// painted editor's.

#include <QTreeView>

#include "widgets/mapeditor/map_model.h"

namespace strata {

class MapTable : public QTreeView {
  Q_OBJECT

 public:
  explicit MapTable(MapModel& model, QWidget* parent = nullptr);

 Q_SIGNALS:
  void layerChanged(int layer);

 protected:
  void currentChanged(const QModelIndex& now, const QModelIndex& before) override;
};

}  // namespace strata
