#include "widgets/shell/map_popup.h"

#include <QLineEdit>

#include "core/routing/sharing_map.h"
#include "widgets/shell/named.h"
#include "widgets/shell/side_picker.h"
#include "widgets/style/controls.h"
#include "widgets/style/format.h"
#include "widgets/style/theme.h"

namespace strata {

MapPopup::MapPopup(Workspace& workspace, Which which, QWidget* parent)
    : Popup(parent), m_workspace(workspace), m_which(which) {
  setAttribute(Qt::WA_DeleteOnClose);
  named(this, "map-popup", tr("Map"));
  content()->addWidget(sectionLabel(tr("How much of the KV cache stays"), this));
  const auto& side = workspace.side(which);
  const protocol::ModelCard* card = side ? workspace.knownCard(side->ref) : nullptr;
  if (card != nullptr) {
    addShares(*card);
  } else {
    content()->addWidget(captionLabel(tr("The model's layers are not known yet: this waits for the engine."), this));
  }
  m_text = named(new QLineEdit(side ? QString::fromStdString(side->map) : QString(), this), "map-text");
  m_text->setFont(fontOf(TextRole::mono));
  m_field =
      new Field(tr("Map as text"), m_text,
                tr("A pattern such as stride:2, or for each layer the one it reads: 0,0,2,2. Enter takes it."), this);
  content()->addWidget(m_field);
  connect(m_text, &QLineEdit::returnPressed, this, &MapPopup::takeText);
  connect(m_text, &QLineEdit::textEdited, m_field, [this] { m_field->setProblem({}); });
}

void MapPopup::addShares(const protocol::ModelCard& card) {
  const auto& side = m_workspace.side(m_which);
  auto* shares = named(new SegmentedButtons({}, this), "map-shares", tr("Retention"));
  QStringList names;
  std::vector<std::string> maps;
  int current = -1;
  const auto now = parseMap(side->map, card.layers);
  for (const protocol::MapBytes& known : card.maps) {
    const auto map = parseMap(known.map, card.layers);
    if (!map) continue;
    const QString name = formatPercent(map->retention());
    if (names.contains(name)) continue;
    if (now && *now == *map) current = static_cast<int>(maps.size());
    names << name;
    maps.push_back(known.map);
  }
  shares->setNames(names);
  shares->setCurrent(current);
  for (std::size_t i = 0; i < maps.size(); ++i) {
    const auto map = parseMap(maps[i], card.layers);
    shares->button(static_cast<int>(i))
        ->setToolTip(tr("%1: %2 of %3 layers keep their own keys and values")
                         .arg(QString::fromStdString(maps[i]))
                         .arg(map->owners())
                         .arg(card.layers));
  }
  content()->addWidget(shares);
  connect(shares, &SegmentedButtons::chosen, this, [this, maps](int index) {
    m_workspace.setMap(m_which, maps[static_cast<std::size_t>(index)]);
    close();
  });
}

void MapPopup::takeText() {
  const auto& side = m_workspace.side(m_which);
  if (!side) return;
  const std::string text = m_text->text().trimmed().toStdString();
  const protocol::ModelCard* card = m_workspace.knownCard(side->ref);
  if (card == nullptr)
    return m_field->setProblem(tr("The model's layers are not known yet: this waits for the engine."));
  const auto map = parseMap(text, card->layers);
  if (!map) return m_field->setProblem(QString::fromStdString(map.error().message));
  m_workspace.setMap(m_which, text);
  close();
}

}  // namespace strata
