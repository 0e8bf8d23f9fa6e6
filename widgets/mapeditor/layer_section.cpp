#include "widgets/mapeditor/layer_section.h"

#include <QVBoxLayout>
#include <algorithm>
#include <cmath>

#include "widgets/mapeditor/map_edits.h"
#include "widgets/style/controls.h"
#include "widgets/style/format.h"
#include "widgets/style/named.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr std::size_t kCheapest = 4;

}  // namespace

LayerSection::LayerSection(MapModel& model, QWidget* parent) : QWidget(parent), m_model(model) {
  named(this, "layerSection", tr("Selected layer"));
  m_title = named(sectionLabel({}), "layerTitle");
  m_reads = named(bodyLabel({}), "layerReads");
  m_members = named(bodyLabel({}), "layerMembers");
  m_others = named(captionLabel({}), "layerOthers");
  m_owner = named(makeButton(tr("Make it an owner")), "layerOwner");
  m_owner->setToolTip(tr("Key O in the editor"));
  auto* column = new QVBoxLayout(this);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(kGapRelated);
  for (QWidget* part : std::initializer_list<QWidget*>{m_title, m_reads, m_members, m_others}) column->addWidget(part);
  column->addWidget(m_owner, 0, Qt::AlignLeft);
  connect(m_owner, &QPushButton::clicked, this, [this] {
    MapDocument* document = m_model.document();
    if (document != nullptr)
      (void)document->setOwner(m_layer, !document->map().owns(m_layer));  // layer 0 has no button
  });
  connect(&model, &QAbstractItemModel::dataChanged, this, &LayerSection::refresh);
  connect(&model, &QAbstractItemModel::modelReset, this, &LayerSection::refresh);
  refresh();
}

void LayerSection::show(int layer) {
  m_layer = layer;
  refresh();
}

void LayerSection::refresh() {
  MapDocument* document = m_model.document();
  setVisible(document != nullptr);
  if (document == nullptr) return;
  const SharingMap& map = document->map();
  m_layer = std::clamp(m_layer, 0, map.layers() - 1);
  const bool owns = map.owns(m_layer);
  const MapCost* cost = m_model.cost();
  const Sensitivity* matrix = cost != nullptr ? cost->sensitivity() : nullptr;
  m_title->setText(tr("Layer %1").arg(m_layer));
  if (owns) {
    m_reads->setText(tr("Owner: keeps its own keys and values, %1 per token.")
                         .arg(formatBytes(cost != nullptr ? cost->bytesPerToken() : 0)));
  } else {
    QString price = m_model.costText(m_layer);
    if (matrix != nullptr && !std::isnan(matrix->halfWidthAt(m_layer, map[m_layer]))) {
      price += QStringLiteral(" ±%1").arg(formatNats(matrix->halfWidthAt(m_layer, map[m_layer])));
    }
    m_reads->setText(tr("Reads layer %1. NLL cost of that alone: %2.").arg(map[m_layer]).arg(price));
  }
  const std::vector<int> members = owns ? MapEdits::followersOf(map, m_layer) : std::vector<int>();
  m_members->setVisible(owns);
  m_members->setText(members.empty() ? tr("No other layer reads it.")
                                     : tr("Read by layers %1.").arg(layerList(members)));
  m_owner->setVisible(m_layer > 0);
  m_owner->setText(owns ? tr("Read the owner above") : tr("Make it an owner"));

  std::vector<std::pair<double, int>> others;
  for (int source = 0; matrix != nullptr && source < m_layer; ++source) {
    const double nats = matrix->at(m_layer, source);
    if (!std::isnan(nats)) others.emplace_back(nats, source);
  }
  std::sort(others.begin(), others.end());
  QStringList lines;
  for (std::size_t i = 0; i < std::min(others.size(), kCheapest); ++i) {
    lines << tr("%1: %2").arg(others[i].second).arg(formatNats(others[i].first, true));
  }
  m_others->setVisible(!lines.isEmpty());
  m_others->setText(tr("Cheapest reads: layer %1").arg(lines.join(QStringLiteral(", "))));
}

}  // namespace strata
