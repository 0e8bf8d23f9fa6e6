#pragma once
// Side B's map as a document: edits go to the side at once, and what changes the side elsewhere becomes a step of the
// document. Works on with the engine away.
//
//   SideMap side(session);
//   side.document()->read(9, 4);   // side B answers with it from the next message on

#include <QObject>
#include <memory>
#include <optional>

#include "widgets/mapeditor/map_cost.h"
#include "widgets/mapeditor/map_document.h"
#include "widgets/session/session.h"

namespace strata {

class SideMap : public QObject {
  Q_OBJECT

 public:
  explicit SideMap(Session& session, QObject* parent = nullptr);
  ~SideMap() override;

  /// nullptr: no model on side B, or its layers are not known.
  MapDocument* document() const { return m_document.get(); }
  const MapCost& cost() const { return m_cost; }
  void setSensitivity(const Sensitivity* sensitivity);
  /// Side A's map, where its model has as many layers.
  std::optional<SharingMap> other() const;
  /// Why the card of side B's model did not come.
  const std::optional<Error>& problem() const { return m_problem; }
  bool isLoading() const { return m_asked.has_value() && !m_document && !m_problem; }
  const std::optional<protocol::ModelRef>& ref() const { return m_ref; }

 Q_SIGNALS:
  /// Another document, or none.
  void documentChanged();
  void costChanged();
  void otherChanged();

 private:
  void follow();
  void cardCame(const Result<protocol::ModelCard>& card);
  void begin(const std::string& text, int layers);
  void takeMap();
  void giveMap();
  void recount();
  void forget();
  void remember(const protocol::ModelCard& card);
  void recall();

  Session& m_session;
  MapCost m_cost;
  std::unique_ptr<MapDocument> m_document;
  std::optional<protocol::ModelRef> m_asked, m_askedOther;  // whose cards were asked for
  std::optional<protocol::ModelRef> m_ref;                  // whose document this is
  std::string m_project;
  std::optional<Error> m_problem;
  bool m_taking = false;
  bool m_recalled = false;  // drawn without the engine, from what was remembered of the last model
};

}  // namespace strata
