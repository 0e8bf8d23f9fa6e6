#include "widgets/shell/model_index.h"

namespace strata {

protocol::ModelRef refOf(const protocol::ModelEntry& entry) {
  protocol::ModelRef ref;
  ref.model = entry.model;
  ref.adapter = entry.adapter;
  return ref;
}

const std::string& keyOf(const protocol::ModelEntry& entry) {
  return entry.adapter.empty() ? entry.model : entry.adapter;
}

const std::string& keyOf(const protocol::ModelRef& ref) {
  return ref.adapter.empty() ? ref.model : ref.adapter;
}

QString nameOf(const protocol::ModelEntry& entry) {
  const QString name = QString::fromStdString(entry.name);
  if (entry.adapter.empty() || entry.model.empty()) return name;
  protocol::ModelRef base;
  base.model = entry.model;
  return ModelIndex::tr("%1 on %2").arg(name, Workspace::shortName(base));
}

ModelIndex::ModelIndex(Workspace& workspace, QObject* parent) : QObject(parent), m_workspace(workspace) {
  connect(&workspace, &Workspace::projectChanged, this, &ModelIndex::refresh);
  connect(&workspace, &Workspace::modelsChanged, this, &ModelIndex::refresh);
}

void ModelIndex::refresh() {
  if (m_asked || !m_workspace.project()) return;
  m_asked = true;
  protocol::ListModels::Params params;
  for (const QString& folder : folders()) params.folders.push_back(folder.toStdString());
  m_workspace.engine().call<protocol::ListModels>(
      params, this, [this](const Result<protocol::ListModels::Answer>& answer) {
        m_asked = false;
        if (!answer) return;  // the Models page asks for the same list and says what is wrong
        m_models.clear();
        for (const protocol::ModelEntry& model : answer->models) {
          if (model.problem.empty()) m_models.push_back(model);
        }
        Q_EMIT changed();
      });
}

QStringList ModelIndex::folders() const {
  return m_workspace.settings().value("models/folders").toStringList();
}

void ModelIndex::setFolders(const QStringList& folders) {
  m_workspace.settings().setValue("models/folders", folders);
  Q_EMIT changed();
  refresh();
}

}  // namespace strata
