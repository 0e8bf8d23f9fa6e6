#include "widgets/shell/map_popup.h"

#include <QLineEdit>

#include "widgets/mapeditor/map_choices.h"
#include "widgets/mapeditor/map_document.h"
#include "widgets/shell/side_picker.h"
#include "widgets/style/controls.h"
#include "widgets/style/format.h"
#include "widgets/style/named.h"
#include "widgets/style/theme.h"

namespace strata {

MapPopup::MapPopup(Session& session, Which which, QWidget* parent) : Popup(parent), m_session(session), m_which(which) {
  setAttribute(Qt::WA_DeleteOnClose);
  named(this, "map-popup", tr("Map"));
  content()->addWidget(sectionLabel(tr("How much of the KV cache stays"), this));
  const auto& side = session.side(which);
  const protocol::ModelCard* card = side ? session.knownCard(side->ref) : nullptr;
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
  auto* choices = named(new MapChoices(m_session, this), "map-shares", tr("Retention"));
  choices->setScoresShown(true);
  choices->setModel(&card);
  choices->setMap(m_session.side(m_which)->map);
  content()->addWidget(choices);
  connect(choices, &MapChoices::chosen, this, [this](const std::string& map) {
    m_session.setMap(m_which, map);
    close();
  });
}

/// Edited as a document: what cannot be a map is refused with the layer's name, and the side stays as it is.
void MapPopup::takeText() {
  const auto& side = m_session.side(m_which);
  if (!side) return;
  const std::string text = m_text->text().trimmed().toStdString();
  const protocol::ModelCard* card = m_session.knownCard(side->ref);
  if (card == nullptr)
    return m_field->setProblem(tr("The model's layers are not known yet: this waits for the engine."));
  MapDocument document(card->layers);
  if (const auto done = document.setText(m_text->text()); !done) {
    return m_field->setProblem(QString::fromStdString(done.error().message));
  }
  m_session.setMap(m_which, text);
  close();
}

}  // namespace strata
