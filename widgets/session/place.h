#pragma once
// Where one can go in the window: a page, or a thing that some page shows. Links, Ctrl+K and notices name places; the
// window asks its pages which of them shows one.
//
//   session.go(Place::model("routed"));

#include <QString>

namespace strata {

enum class PlaceKind {
  page,         // `page` itself
  model,        // a model's key (keyOf); without one the list of models
  exportModel,  // a model's key: where it is exported
  newModel,     // where a folder is chosen to become a model of the project
  dataSet,      // a path of the engine's machine
  run,          // a run's id
  chat,         // a chat's id
  map,          // a map's name
  report,       // a report's name
  setting,      // a section of the settings
  firstSteps    // the first steps, brought back
};

struct Place {
  QString page;  // only this page will do; empty: the first that shows such a thing
  PlaceKind kind = PlaceKind::page;
  QString id;

  static Place pageOf(const QString& id) { return {id, PlaceKind::page, {}}; }
  static Place model(const QString& key = {}) { return {{}, PlaceKind::model, key}; }
  static Place exportOf(const QString& key) { return {{}, PlaceKind::exportModel, key}; }
  static Place dataSet(const QString& path) { return {{}, PlaceKind::dataSet, path}; }
  static Place run(const QString& id) { return {{}, PlaceKind::run, id}; }
  static Place chat(const QString& id) { return {{}, PlaceKind::chat, id}; }
  static Place setting(const QString& section) { return {{}, PlaceKind::setting, section}; }
  bool operator==(const Place&) const = default;
};

}  // namespace strata
