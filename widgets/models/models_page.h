#pragma once
// The page Models: which models there are, what each needs in memory, and what can be done with it.

#include <QHash>
#include <QPointer>
#include <functional>

#include "widgets/shell/page.h"
#include "widgets/shell/workspace.h"

namespace strata {

class MemoryInspector;
class ModelCardView;
class ModelList;
class StatePane;

class ModelsPage : public Page {
  Q_OBJECT

 public:
  explicit ModelsPage(Workspace& workspace, QWidget* parent = nullptr);
  ~ModelsPage() override;

  QString id() const override { return QStringLiteral("models"); }
  QString title() const override { return tr("Models"); }
  QString iconName() const override { return QStringLiteral("box-seam"); }
  QWidget* inspector() override;
  QList<QWidget*> panes() override;
  QList<Command> commands() override;
  QList<QPair<QString, QString>> keys() override;
  /// A model's name, folder or run; "browse" opens the folder chooser.
  void open(const QString& what) override;
  QString wants(const QStringList& paths) const override;
  void take(const QString& path) override { addFolder(path); }
  bool escape() override;

  /// Gives a folder a name in the project and shows its card, or says why it cannot be opened.
  void addFolder(const QString& folder);

 protected:
  void showEvent(QShowEvent* event) override;

 private:
  void begin();
  void refresh();
  void listed(const Result<protocol::ListModels::Answer>& answer);
  void showChosen();
  void showCard(const Result<protocol::ModelCard>& card);
  void showMemory();
  void showEmpty();
  void followEngine();
  void followJobs(const protocol::JobsChanged& changed);
  void browse();
  void use(Which side);
  void remove();
  void changed(const protocol::ProjectInfo& project, const QString& sentence);
  void fail(const Error& error, const QString& action = {}, std::function<void()> run = {});

  Workspace& m_workspace;
  ModelList* m_list;
  ModelCardView* m_card;
  StatePane* m_cardState;
  StatePane* m_state;
  QWidget* m_cardPane;
  QPointer<MemoryInspector> m_inspector;  // lives in the frame while the page shows
  QHash<QString, QString> m_jobStates;
  std::string m_wanted;  // to be chosen once it is listed
  std::string m_shown;   // whose card is asked for or shown
  bool m_seen = false;
  bool m_begun = false;  // the engine was asked
  bool m_known = false;  // a list was shown
  bool m_failed = false;
  EngineClient::Ticket m_listing = 0;
  int m_asked = 0;
};

}  // namespace strata
