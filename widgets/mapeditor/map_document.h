#pragma once
// A sharing map that is being edited: the map, its name, what is not saved yet, and every step back. The only way to
// change a map in the window.
//
//   MapDocument map(12);
//   map.setText("stride:2");          // one undo step, "map stride:2"
//   map.read(7, 4);                   // "layer 7 reads 4"
//   map.undoStack().undo();
// Lives on the GUI thread. Nothing here needs the engine.

#include <QObject>
#include <QString>
#include <QUndoStack>
#include <functional>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/routing/sharing_map.h"

namespace strata {

class MapDocument : public QObject {
  Q_OBJECT

 public:
  explicit MapDocument(int layers, QObject* parent = nullptr);
  ~MapDocument() override;

  const SharingMap& map() const { return m_map; }
  int layers() const { return m_map.layers(); }
  /// The shortest text that gives this map: "stride:2", else the list.
  QString text() const { return QString::fromStdString(printMap(m_map)); }
  const QString& name() const { return m_name; }
  /// Whether it differs from what was saved or loaded last.
  bool isDirty() const { return !m_undo.isClean(); }
  void setClean() { m_undo.setClean(); }
  QUndoStack& undoStack() { return m_undo; }

  // Each is one undo step; what changes nothing is none. Errors name the layer and leave the map as it is.

  /// Layer `layer` reads what `source` reads (its owner, where it is a follower). What read `layer` follows it.
  Result<void> read(int layer, int source);
  /// The same for several layers, as one step; those that `source` does not come before are refused.
  Result<void> read(const std::vector<int>& layers, int source);
  /// Makes a layer an owner, and gives it those below it in its bracket; or takes that from it: it and its followers
  /// read the owner above. Layer 0 always owns.
  Result<void> setOwner(int layer, bool owns);
  /// The owner's place moves to another layer, up to the owners before and after it; the number of owners stays.
  Result<void> moveOwner(int owner, int to);
  /// A pattern or a list; `name` is what the step is called, else the text.
  Result<void> setText(const QString& text, const QString& stepName = {});
  void setMap(const SharingMap& map, const QString& stepName);
  void setName(const QString& name);
  /// Another map with its name, as it is stored: one step, after which nothing is unsaved.
  void open(const SharingMap& map, const QString& name);

  /// Another map, for a model of as many layers as it has, without a way back.
  void load(const SharingMap& map, const QString& name);
  /// A map file, as a step; one made for another number of layers is refused: "made for 36 layers; this model has 28".
  Result<void> loadJson(const Json& file, const QString& where);
  /// As a map file, with its name.
  Json toJson() const;

 Q_SIGNALS:
  /// The map or the name.
  void changed();
  void dirtyChanged(bool dirty);

 private:
  friend class MapStep;
  struct State {
    SharingMap map;
    QString name;
    bool operator==(const State&) const = default;
  };
  void step(State wanted, const QString& text);
  void take(const State& state);

  SharingMap m_map;
  QString m_name;
  QUndoStack m_undo;
};

}  // namespace strata
