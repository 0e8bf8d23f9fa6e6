#pragma once
// The page Map: which layers of side B's model share keys and values, drawn; what that saves and costs above it.

#include <QPointer>

#include "widgets/mapeditor/map_model.h"
#include "widgets/mapeditor/side_map.h"
#include "widgets/session/page.h"

class QLineEdit;
class QStackedWidget;

namespace strata {

class Button;
class CostLine;
class FoldingRow;
class Label;
class LayerSection;
class MapChoices;
class MapTable;
class MapView;
class MeasureSection;
class SegmentedButtons;
class StatePane;

class MapPage : public Page {
  Q_OBJECT

 public:
  explicit MapPage(Session& session, QWidget* parent = nullptr);
  ~MapPage() override;

  QString id() const override { return QStringLiteral("map"); }
  QString title() const override { return tr("Map"); }
  QString iconName() const override { return QStringLiteral("diagram-3"); }
  bool showsSides() const override { return true; }
  QWidget* inspector() override { return m_inspector; }
  QList<QWidget*> panes() override;
  QList<QPair<QString, QString>> keys() override;
  bool shows(const Place& place) const override { return place.kind == PlaceKind::map || Page::shows(place); }
  void open(const Place& place) override;
  bool escape() override;
  QUndoStack* undoStack() override;
  QByteArray saveState() const override;
  void restoreState(const QByteArray& state) override;
  void updateActions() override;
  std::optional<Wanted> wants(const QStringList& paths) const override;
  void take(const QString& path) override;

  MapView* view() const { return m_view; }
  SideMap& side() { return m_side; }

 private:
  QWidget* buildHead();
  QWidget* buildInspector();
  void documentChanged();
  void mapChanged();
  void showCost();
  void showState();
  void showName();
  void takeText();
  void load(const Result<Json>& file, const QString& name);
  void setTable(bool table);
  void openMaps();
  void save();
  void exportModel();
  void refuse(const QString& sentence);

  Session& m_session;
  SideMap m_side;
  MapModel m_model;
  MapChoices* m_choices;
  QLineEdit* m_text;
  Label* m_problem;
  Button *m_name, *m_save, *m_export;
  SegmentedButtons* m_views;
  CostLine* m_cost;
  MapView* m_view;
  MapTable* m_table;
  QStackedWidget* m_stack;
  StatePane* m_state;
  LayerSection* m_layer;
  MeasureSection* m_measure;
  QPointer<QWidget> m_inspector;  // in the window's care
  QAction *m_saveAction, *m_mapsAction, *m_exportAction;
};

}  // namespace strata
