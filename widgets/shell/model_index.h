#pragma once
// The models that can be put on a side: those of the project, its runs, the Hugging Face cache and the user's folders,
// and adapters of them.

#include <QObject>
#include <vector>

#include "widgets/shell/workspace.h"

namespace strata {

/// What opens an entry of the engine's list: the model, or the model with its adapter.
protocol::ModelRef refOf(const protocol::ModelEntry& entry);
/// Tells entries apart in one text, by which pages show them: what a request names, of an adapter its folder.
const std::string& keyOf(const protocol::ModelEntry& entry);
const std::string& keyOf(const protocol::ModelRef& ref);
/// "novels", of an adapter "squad on novels".
QString nameOf(const protocol::ModelEntry& entry);

class ModelIndex : public QObject {
  Q_OBJECT

 public:
  explicit ModelIndex(Workspace& workspace, QObject* parent = nullptr);

  /// As the engine listed them last; those that cannot be opened are left out.
  const std::vector<protocol::ModelEntry>& models() const { return m_models; }
  void refresh();
  /// The user's further folders, of the settings.
  QStringList folders() const;
  void setFolders(const QStringList& folders);

 Q_SIGNALS:
  void changed();

 private:
  Workspace& m_workspace;
  std::vector<protocol::ModelEntry> m_models;
  bool m_asked = false;
};

}  // namespace strata
