#include "widgets/session/model_table.h"

#include <utility>

#include "widgets/session/session.h"

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
  return ModelTable::tr("%1 on %2").arg(name, Session::shortName(base));
}

ModelTable::ModelTable(EngineClient& engine, Settings& settings, QObject* parent)
    : Rows(parent), m_engine(engine), m_settings(settings) {
  engine.on<protocol::Progress>(this, [this](const protocol::Progress& progress) {
    if (m_listing == 0 || progress.request != Json(m_listing)) return;
    Q_EMIT progressed(static_cast<double>(progress.done), static_cast<double>(progress.total));
  });
}

QVariant ModelTable::data(const QModelIndex& index, int role) const {
  if (!index.isValid()) return {};
  const protocol::ModelEntry& entry = at(index.row());
  if (role == Qt::DisplayRole) return nameOf(entry);
  if (role == Qt::UserRole) return QString::fromStdString(strata::keyOf(entry));
  return {};
}

std::vector<protocol::ModelEntry> ModelTable::usable() const {
  std::vector<protocol::ModelEntry> usable;
  for (const protocol::ModelEntry& entry : rows()) {
    if (entry.problem.empty()) usable.push_back(entry);
  }
  return usable;
}

void ModelTable::refresh() {
  if (m_listing != 0) {
    m_again = true;
    return;
  }
  protocol::ListModels::Params params;
  for (const QString& folder : folders()) params.folders.push_back(folder.toStdString());
  m_listing = m_engine.call<protocol::ListModels>(
      params, this, [this, age = m_age](const Result<protocol::ListModels::Answer>& answer) {
        m_listing = 0;
        if (std::exchange(m_again, false) || age != m_age) return refresh();
        m_problem = answer ? std::nullopt : std::optional(answer.error());
        if (answer) {
          m_known = true;
          m_hub = QString::fromStdString(answer->hub);
          setRows(answer->models);
        }
        Q_EMIT changed();
      });
}

void ModelTable::stop() {
  m_again = false;
  if (m_listing != 0) m_engine.cancel(m_listing);
}

void ModelTable::forget() {
  ++m_age;
  m_known = false;
  m_problem.reset();
  setRows({});
  Q_EMIT changed();
}

QStringList ModelTable::folders() const {
  return m_settings.value("models/folders").toStringList();
}

void ModelTable::setFolders(const QStringList& folders) {
  m_settings.setValue("models/folders", folders);
  refresh();
}

}  // namespace strata
