#include "widgets/mapeditor/map_document.h"

#include <QUndoCommand>
#include <algorithm>
#include <utility>
#include <vector>

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

namespace {

std::string noLayer(int layer, int layers) {
  return MapDocument::tr("There is no layer %1; the model has %2.").arg(layer).arg(layers).toStdString();
}

/// "layer 7", "layers 5-7", "3 layers".
QString layersText(std::vector<int> layers) {
  if (layers.size() == 1) return MapDocument::tr("layer %1").arg(layers[0]);
  std::sort(layers.begin(), layers.end());
  const bool inARow = layers.back() - layers.front() + 1 == static_cast<int>(layers.size());
  if (inARow) return MapDocument::tr("layers %1-%2").arg(layers.front()).arg(layers.back());
  return MapDocument::tr("%n layer(s)", nullptr, static_cast<int>(layers.size()));
}

}  // namespace

MapDocument::MapDocument(int layers, QObject* parent) : QObject(parent), m_map(SharingMap::full(layers)) {
  connect(&m_undo, &QUndoStack::cleanChanged, this, [this](bool clean) { Q_EMIT dirtyChanged(!clean); });
}

Result<void> MapDocument::read(int layer, int source) {
  return read(std::vector{layer}, source);
}

Result<void> MapDocument::read(const std::vector<int>& layers, int source) {
  if (layers.empty()) return {};
  for (const int layer : layers) {
    if (layer < 0 || layer >= this->layers() || source < 0 || source >= this->layers()) {
      return fail(ErrorCode::usage, noLayer(std::max(layer, source), this->layers()));
    }
    if (layer == 0 && source != 0)
      return fail(ErrorCode::usage, tr("Layer 0 keeps its own keys and values.").toStdString());
    if (source > layer) {
      return fail(ErrorCode::usage,
                  tr("Layer %1 comes after %2; a layer reads only earlier ones.").arg(source).arg(layer).toStdString());
    }
  }
  std::vector<int> src = m_map.src();
  // What is dragged onto itself is no longer a follower.
  const int owner = std::find(layers.begin(), layers.end(), source) == layers.end() ? m_map[source] : source;
  for (const int layer : layers) src[static_cast<std::size_t>(layer)] = owner;
  // An owner brings its followers along.
  for (int l = 0; l < this->layers(); ++l) {
    int& reads = src[static_cast<std::size_t>(l)];
    if (src[static_cast<std::size_t>(reads)] != reads) reads = src[static_cast<std::size_t>(reads)];
  }
  STRATA_TRY(SharingMap map, SharingMap::create(std::move(src)));
  const QString step =
      layers.size() == 1 && layers[0] == owner
          ? tr("layer %1 keeps its own").arg(owner)
          : tr("%1 read(s) %2", nullptr, static_cast<int>(layers.size())).arg(layersText(layers)).arg(owner);
  setMap(map, step);
  return {};
}

Result<void> MapDocument::setOwner(int layer, bool owns) {
  if (layer < 0 || layer >= layers()) {
    return fail(ErrorCode::usage, noLayer(layer, layers()));
  }
  if (m_map.owns(layer) == owns) return {};
  if (layer == 0) return fail(ErrorCode::usage, tr("Layer 0 keeps its own keys and values.").toStdString());
  std::vector<int> src = m_map.src();
  if (owns) {
    const int before = m_map[layer];
    for (int l = layer; l < layers(); ++l) {
      if (src[static_cast<std::size_t>(l)] == before) src[static_cast<std::size_t>(l)] = layer;
    }
  } else {
    int above = layer - 1;
    while (!m_map.owns(above)) --above;
    for (int l = layer; l < layers(); ++l) {
      if (src[static_cast<std::size_t>(l)] == layer) src[static_cast<std::size_t>(l)] = above;
    }
  }
  STRATA_TRY(const SharingMap map, SharingMap::create(std::move(src)));
  setMap(map, owns ? tr("layer %1 keeps its own").arg(layer) : tr("layer %1 reads %2").arg(layer).arg(map[layer]));
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
  load(map, name != file.end() && name->is_string() ? QString::fromStdString(name->get<std::string>()) : QString());
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
