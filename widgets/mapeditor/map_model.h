#pragma once
// The layers of a map, a row each, over a MapDocument: what the painted editor and the table both show and edit.
//
//   MapModel model;
//   model.setDocument(&document);
//   model.setCost(&cost);
//   model.setData(model.index(9, MapModel::Reads), 4);   // one undo step, "layer 9 reads 4"

#include <QAbstractTableModel>
#include <QPointer>

#include "widgets/mapeditor/map_cost.h"
#include "widgets/mapeditor/map_document.h"

namespace strata {

class MapModel : public QAbstractTableModel {
  Q_OBJECT

 public:
  enum Column { Layer, Reads, Bytes, Cost, Members, kColumns };
  enum Role {
    LegalOwners = Qt::UserRole,  // of Reads: QVariantList of layers, the layer itself last
    SourceLayer                  // int
  };

  explicit MapModel(QObject* parent = nullptr);

  /// nullptr: no rows.
  void setDocument(MapDocument* document);
  MapDocument* document() const { return m_document; }
  void setCost(const MapCost* cost);
  const MapCost* cost() const { return m_cost; }
  /// Bytes, qualities or the matrix are other ones now.
  void refreshCost();

  int rowCount(const QModelIndex& parent = {}) const override;
  int columnCount(const QModelIndex& parent = {}) const override { return parent.isValid() ? 0 : kColumns; }
  QVariant data(const QModelIndex& index, int role = Qt::DisplayRole) const override;
  QVariant headerData(int section, Qt::Orientation orientation, int role = Qt::DisplayRole) const override;
  Qt::ItemFlags flags(const QModelIndex& index) const override;
  bool setData(const QModelIndex& index, const QVariant& value, int role = Qt::EditRole) override;

  /// What the layer's read costs by the matrix: "+0.013"; empty: an owner; "not measured".
  QString costText(int layer) const;
  /// "Layer 9, reads 4, cost +0.013 nats estimated": for screen readers and the read-out.
  QString sentence(int layer) const;

 private:
  QString readsText(int layer) const;
  QString membersText(int layer) const;
  QVariantList legalOwners(int layer) const;

  QPointer<MapDocument> m_document;
  const MapCost* m_cost = nullptr;
};

/// "9", "9 and 10", "9-12", "5, 9-12".
QString layerList(const std::vector<int>& layers);

}  // namespace strata
