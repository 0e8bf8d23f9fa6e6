#include "widgets/mapeditor/map_model.h"

#include <cmath>

#include "widgets/mapeditor/map_edits.h"
#include "widgets/style/format.h"
#include "widgets/style/theme.h"

namespace strata {

QString layerList(const std::vector<int>& layers) {
  return QString::fromStdString(printLayers(layers));
}

MapModel::MapModel(QObject* parent) : QAbstractTableModel(parent) {}

void MapModel::setDocument(MapDocument* document) {
  beginResetModel();
  if (m_document) m_document->disconnect(this);
  m_document = document;
  endResetModel();
  if (document == nullptr) return;
  connect(document, &MapDocument::changed, this,
          [this] { Q_EMIT dataChanged(index(0, 0), index(rowCount() - 1, kColumns - 1)); });
}

void MapModel::setCost(const MapCost* cost) {
  m_cost = cost;
  refreshCost();
}

void MapModel::refreshCost() {
  if (rowCount() > 0) Q_EMIT dataChanged(index(0, Bytes), index(rowCount() - 1, Cost));
}

int MapModel::rowCount(const QModelIndex& parent) const {
  return parent.isValid() || !m_document ? 0 : m_document->layers();
}

QVariant MapModel::headerData(int section, Qt::Orientation orientation, int role) const {
  if (orientation != Qt::Horizontal) return {};
  if (role == Qt::TextAlignmentRole && (section == Layer || section == Bytes || section == Cost)) {
    return QVariant(Qt::AlignRight | Qt::AlignVCenter);
  }
  if (role != Qt::DisplayRole) return {};
  switch (section) {
    case Layer:
      return tr("Layer");
    case Reads:
      return tr("Reads");
    case Bytes:
      return tr("KV per token");
    case Cost:
      return tr("Cost, nats");
    case Members:
      return tr("Read by");
    default:
      return {};
  }
}

QVariant MapModel::data(const QModelIndex& index, int role) const {
  if (!index.isValid() || index.row() >= rowCount()) return {};
  const int layer = index.row();
  const SharingMap& map = m_document->map();
  switch (role) {
    case Qt::DisplayRole:
      break;
    case Qt::EditRole:
    case SourceLayer:
      return map[layer];
    case LegalOwners:
      return legalOwners(layer);
    case Qt::AccessibleTextRole:
      return sentence(layer);
    case Qt::TextAlignmentRole:
      if (index.column() == Reads || index.column() == Members) return QVariant(Qt::AlignLeft | Qt::AlignVCenter);
      return QVariant(Qt::AlignRight | Qt::AlignVCenter);
    case Qt::FontRole:
      return index.column() == Reads ? fonts().body : fonts().mono;
    default:
      return {};
  }
  switch (index.column()) {
    case Layer:
      return QString::number(layer);
    case Reads:
      return readsText(layer);
    case Bytes:
      return m_cost == nullptr ? QString() : formatBytes(map.owns(layer) ? m_cost->bytesPerToken() : 0);
    case Cost:
      return costText(layer);
    case Members:
      return membersText(layer);
    default:
      return {};
  }
}

Qt::ItemFlags MapModel::flags(const QModelIndex& index) const {
  const Qt::ItemFlags flags = QAbstractTableModel::flags(index);
  return index.column() == Reads && index.row() > 0 ? flags | Qt::ItemIsEditable : flags;
}

bool MapModel::setData(const QModelIndex& index, const QVariant& value, int role) {
  if (!index.isValid() || !m_document || role != Qt::EditRole || index.column() != Reads) return false;
  bool isNumber = false;
  const int source = value.toInt(&isNumber);
  if (!isNumber) return false;
  return (source == index.row() ? m_document->setOwner(index.row(), true) : m_document->read(index.row(), source))
      .has_value();
}

QVariantList MapModel::legalOwners(int layer) const {
  QVariantList owners;
  for (int source = 0; source < layer; ++source) {
    if (m_document->map().owns(source)) owners << source;
  }
  return owners << layer;
}

QString MapModel::readsText(int layer) const {
  const int source = m_document->map()[layer];
  return source == layer ? tr("itself: owner") : QString::number(source);
}

QString MapModel::membersText(int layer) const {
  return m_document->map().owns(layer) ? layerList(MapEdits::followersOf(m_document->map(), layer)) : QString();
}

QString MapModel::costText(int layer) const {
  const SharingMap& map = m_document->map();
  if (map.owns(layer)) return {};
  const Sensitivity* sensitivity = m_cost == nullptr ? nullptr : m_cost->sensitivity();
  const double nats = sensitivity != nullptr ? sensitivity->at(layer, map[layer]) : std::nan("");
  return std::isnan(nats) ? notMeasured() : formatNats(nats, true);
}

QString MapModel::sentence(int layer) const {
  const SharingMap& map = m_document->map();
  if (!map.owns(layer)) {
    const QString cost = costText(layer);
    return cost == notMeasured() ? tr("Layer %1 reads %2, cost not measured").arg(layer).arg(map[layer])
                                 : tr("Layer %1 reads %2, cost NLL %3").arg(layer).arg(map[layer]).arg(cost);
  }
  const QString members = membersText(layer);
  const QString bytes = formatBytes(m_cost == nullptr ? 0 : m_cost->bytesPerToken());
  return members.isEmpty() ? tr("Layer %1, owner, %2 per token, read by no other").arg(layer).arg(bytes)
                           : tr("Layer %1, owner, %2 per token, read by %3").arg(layer).arg(bytes, members);
}

}  // namespace strata
