#pragma once
// The models that can be put on a side: those of the project, its runs, the Hugging Face cache and the user's folders.

#include <QObject>
#include <vector>

#include "widgets/shell/workspace.h"

namespace strata {

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
