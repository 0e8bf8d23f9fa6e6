#include "widgets/mapeditor/map_document.h"

#include <QUndoCommand>
#include <utility>
#include <vector>

#include "widgets/mapeditor/map_edits.h"

namespace strata {

/// Both maps whole: a map is a few hundred bytes.
class MapStep : public QUndoCommand {
 public:
  MapStep(MapDocument& document, MapDocument::State before, MapDocument::State after, const QString& text)
      : QUndoCommand(text), m_document(document), m_before(std::move(before)), m_after(std::move(after)) {}
  void undo() override { m_document.take(m_before); }
  void redo() override { m_document.take(m_after); }

 private:
  MapDocument& m_document;
  MapDocument::State m_before, m_after;
};

MapDocument::MapDocument(int layers, QObject* parent) : QObject(parent), m_map(SharingMap::full(layers)) {
  connect(&m_undo, &QUndoStack::cleanChanged, this, [this](bool clean) { Q_EMIT dirtyChanged(!clean); });
}

/// A stack that ends calls itself clean: nobody is to hear of it.
MapDocument::~MapDocument() {
  m_undo.disconnect(this);
}

Result<void> MapDocument::read(int layer, int source) {
  return read(std::vector{layer}, source);
}

Result<void> MapDocument::read(const std::vector<int>& layers, int source) {
  if (layers.empty()) return {};
  STRATA_TRY(const SharingMap map, MapEdits::read(m_map, layers, source));
  setMap(map, MapEdits::readText(layers, map[layers.front()]));
  return {};
}

Result<void> MapDocument::setOwner(int layer, bool owns) {
  STRATA_TRY(const SharingMap map, MapEdits::setOwner(m_map, layer, owns));
  setMap(map, MapEdits::readText({layer}, map[layer]));
  return {};
}

Result<void> MapDocument::moveOwner(int owner, int to) {
  STRATA_TRY(const SharingMap map, MapEdits::moveOwner(m_map, owner, to));
  setMap(map, tr("owner moves from %1 to %2").arg(owner).arg(to));
  return {};
}

Result<void> MapDocument::setText(const QString& text, const QString& stepName) {
  const QString trimmed = text.trimmed();
  STRATA_TRY(const SharingMap map, parseMap(trimmed.toStdString(), layers()));
  setMap(map, stepName.isEmpty() ? tr("map %1").arg(trimmed) : stepName);
  return {};
}

void MapDocument::setMap(const SharingMap& map, const QString& stepName) {
  step({map, m_name}, stepName);
}

void MapDocument::setName(const QString& name) {
  step({m_map, name}, tr("rename to %1").arg(name));
}

void MapDocument::open(const SharingMap& map, const QString& name) {
  step({map, name}, name.isEmpty() ? tr("new map") : tr("open %1").arg(name));
  setClean();
}

void MapDocument::load(const SharingMap& map, const QString& name) {
  m_undo.clear();
  take({map, name});
}

Result<void> MapDocument::loadJson(const Json& file, const QString& where) {
  STRATA_TRY(const SharingMap map, mapFromJson(file, where.toStdString()));
  if (map.layers() != layers()) {
    return fail(ErrorCode::invalidData, tr("%1 is made for %2 layer(s); this model has %3.", nullptr, map.layers())
                                            .arg(where, QString::number(map.layers()), QString::number(layers()))
                                            .toStdString());
  }
  const auto name = file.find("name");
  step({map, name != file.end() && name->is_string() ? QString::fromStdString(name->get<std::string>()) : QString()},
       tr("import %1").arg(where));
  return {};
}

Json MapDocument::toJson() const {
  Json extra = Json::object();
  if (!m_name.isEmpty()) extra["name"] = m_name.toStdString();
  return mapToJson(m_map, extra);
}

void MapDocument::step(State wanted, const QString& text) {
  const State now{m_map, m_name};
  if (wanted == now) return;
  m_undo.push(new MapStep(*this, now, std::move(wanted), text));
}

void MapDocument::take(const State& state) {
  m_map = state.map;
  m_name = state.name;
  Q_EMIT changed();
}

}  // namespace strata
