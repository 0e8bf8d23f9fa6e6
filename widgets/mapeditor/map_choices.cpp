#include "widgets/mapeditor/map_choices.h"

#include <QAbstractButton>
#include <QHBoxLayout>
#include <cmath>

#include "core/routing/sharing_map.h"
#include "widgets/style/controls.h"

namespace strata {

MapChoices::MapChoices(Session& session, QWidget* parent)
    : QWidget(parent), m_session(session), m_buttons(new SegmentedButtons({}, this)) {
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(0, 0, 0, 0);
  row->addWidget(m_buttons, 0, Qt::AlignLeft);
  setFocusProxy(m_buttons);
  connect(&session.maps(), &MapLibrary::changed, this, &MapChoices::fill);
  connect(m_buttons, &SegmentedButtons::chosen, this, [this](int index) {
    if (index >= 0 && index < static_cast<int>(m_choices.size())) {
      Q_EMIT chosen(m_choices[static_cast<std::size_t>(index)].map);
    }
  });
  fill();
}

void MapChoices::setModel(const protocol::ModelCard* card) {
  m_card = card != nullptr ? std::optional(*card) : std::nullopt;
  fill();
}

void MapChoices::setMap(const std::string& map) {
  m_map = map;
  mark();
}

void MapChoices::setScoresShown(bool shown) {
  m_scoresShown = shown;
  fill();
}

void MapChoices::setOwnShown(bool shown) {
  m_ownShown = shown;
  fill();
}

void MapChoices::fill() {
  const MapLibrary& maps = m_session.maps();
  m_choices = !m_card      ? std::vector<MapLibrary::Choice>()
              : m_ownShown ? maps.choicesWithOwn(*m_card)
                           : maps.choices(*m_card);
  QStringList names;
  for (const MapLibrary::Choice& choice : m_choices) {
    // Beside each other the last one says what they are.
    const bool isLast = names.size() + 1 == static_cast<qsizetype>(m_choices.size());
    QString name = m_scoresShown || isLast ? choice.percent() : choice.percent().remove(" %");
    if (m_scoresShown && choice.score && choice.score->metric == "f1") {
      name += tr(" · F1 %1 %").arg(std::lround(100 * choice.score->value));
    }
    names << name;
  }
  m_buttons->setNames(names);
  for (int i = 0; i < m_buttons->count(); ++i) {
    const MapLibrary::Choice& choice = m_choices[static_cast<std::size_t>(i)];
    QAbstractButton* button = m_buttons->button(i);
    button->setObjectName(objectName() + QString::number(i));
    button->setToolTip(tipOf(choice.explanation()));
    button->setAccessibleName(tr("%1 of the cache").arg(choice.percent()));
    button->setAccessibleDescription(choice.explanation());
  }
  setVisible(!m_choices.empty());
  mark();
}

void MapChoices::mark() {
  int current = -1;
  const auto now = m_card ? parseMap(m_map, m_card->layers) : Result<SharingMap>(tl::unexpected(Error{}));
  for (std::size_t i = 0; now && i < m_choices.size(); ++i) {
    const auto map = parseMap(m_choices[i].map, m_card->layers);
    if (map && *map == *now) current = static_cast<int>(i);
  }
  m_buttons->setCurrent(current);
}

}  // namespace strata
