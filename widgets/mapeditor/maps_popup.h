#pragma once
// The project's maps for models of as many layers: opened, saved under a name, duplicated, renamed, put into the trash,
// read from and written to JSON files.

#include "widgets/mapeditor/map_document.h"
#include "widgets/session/session.h"
#include "widgets/style/popup.h"

class QLineEdit;
class QListWidget;
class QListWidgetItem;

namespace strata {

class Button;
class Field;
class Label;

class MapsPopup : public Popup {
  Q_OBJECT

 public:
  /// `model`: as a request names it, for what is saved.
  MapsPopup(Session& session, MapDocument& document, const protocol::ModelRef& model, QWidget* parent);

 Q_SIGNALS:
  void importWanted();
  void exportWanted();

 private:
  QWidget* buildList();
  QWidget* buildSaving();
  void fill();
  void choose();
  const protocol::KnownMap* chosen() const;
  void openChosen();
  void useOnA();
  void save();
  void duplicate();
  void rename(QListWidgetItem* item);
  void trash();
  void restore();
  void put(const std::string& name, const Json& map, bool isThis);
  void heard(const Result<protocol::Nothing>& answer);

  Session& m_session;
  QPointer<MapDocument> m_document;
  protocol::ModelRef m_model;
  QListWidget* m_list;
  Label *m_none, *m_trashed;
  QLineEdit* m_name;
  Field* m_field;
  Button *m_useA, *m_open, *m_duplicate, *m_rename, *m_trash, *m_restore;
  std::string m_inTrash;  // its name there
};

/// Stores the document under its name; `done`: what came of it.
void saveMap(Session& session, MapDocument& document, const protocol::ModelRef& model, QObject* context,
             std::function<void(const Result<protocol::Nothing>&)> done);

}  // namespace strata
