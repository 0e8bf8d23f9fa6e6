#pragma once
// The card of the chosen model: its name and what can be done with it, what it needs in memory, what its cache takes
// per token, and what it is made of.

#include <QWidget>
#include <optional>

#include "widgets/models/memory_section.h"
#include "widgets/session/session.h"

class QBoxLayout;
class QGridLayout;

namespace strata {

class Button;
class ElidedLabel;
class ExportSection;
class KvTable;
class Label;
class LoadControl;
class ServeControl;
class SideBadge;
class TemplatePreview;

class ModelCardView : public QWidget {
  Q_OBJECT

 public:
  explicit ModelCardView(Session& session, QWidget* parent = nullptr);

  /// The head of the card; what the engine knows of the model comes with show().
  void begin(const protocol::ModelEntry& entry);
  void show(const protocol::ModelCard& card);
  /// The head alone: the model cannot be opened.
  void showNothing();
  LoadControl* loadControl() const { return m_load; }
  MemorySection* memory() const { return m_memory; }
  TemplatePreview* chatTemplate() const { return m_template; }
  ExportSection* exporting() const { return m_export; }
  const protocol::ModelEntry& entry() const { return m_entry; }
  /// Its parts give way: it is as wide as the pane.
  QSize minimumSizeHint() const override;

 Q_SIGNALS:
  void useWanted(Which side);
  void addWanted();
  void removeWanted();
  void failed(const Error& error);

 protected:
  void resizeEvent(QResizeEvent* event) override;

 private:
  QWidget* makeHead();
  void showMaps();
  void refreshSides();
  void refreshExport();
  void fitActions();
  void refreshMeasured();
  void showFacts(const protocol::ModelCard& card);
  void fitFacts();
  Session& m_session;
  protocol::ModelEntry m_entry;
  std::optional<protocol::ModelCard> m_card;
  std::optional<protocol::Memory> m_counted;  // the newest of the model's device
  ElidedLabel *m_name, *m_path;
  SideBadge *m_badgeA, *m_badgeB;
  Button *m_useA, *m_useB, *m_place, *m_exportButton;
  LoadControl* m_load;
  ServeControl* m_serve;
  ExportSection* m_export;
  MemorySection* m_memory;
  KvTable* m_kv;
  QGridLayout* m_facts;
  int m_factColumns = 2;
  TemplatePreview* m_template;
  Label* m_broken;
  QWidget* m_body;
  QBoxLayout* m_columns;
  QBoxLayout* m_actions;  // one row, or two where the pane is narrow
};

}  // namespace strata
