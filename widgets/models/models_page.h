#pragma once
// The page Models: which models there are, what each needs in memory, and what can be done with it.

#include <QPointer>
#include <functional>

#include "widgets/session/page.h"
#include "widgets/session/session.h"

class QSplitter;

namespace strata {

class MemoryInspector;
class ModelCardView;
class ModelList;
class StatePane;

class ModelsPage : public Page {
  Q_OBJECT

 public:
  explicit ModelsPage(Session& session, QWidget* parent = nullptr);
  ~ModelsPage() override;

  QString id() const override { return QStringLiteral("models"); }
  QString title() const override { return tr("Models"); }
  QString iconName() const override { return QStringLiteral("box-seam"); }
  QWidget* inspector() override;
  QList<QWidget*> panes() override;
  void updateActions() override;
  QList<QPair<QString, QString>> keys() override;
  bool shows(const Place& place) const override;
  void open(const Place& place) override;
  std::optional<Wanted> wants(const QStringList& paths) const override;
  void take(const QString& path) override { addFolder(path); }
  bool escape() override;
  QByteArray saveState() const override;
  void restoreState(const QByteArray& state) override;

  /// Gives a folder a name in the project and shows its card, or says why it cannot be opened.
  void addFolder(const QString& folder);

 private:
  void addCommands();
  void follow();
  void showList();
  void showChosen();
  void openExport();
  void showWanted();
  void showCard(const Result<protocol::ModelCard>& card);
  void showMemory();
  void showEmpty();
  void followEngine();
  void browse();
  void use(Which side);
  void remove();
  void changed(const protocol::ProjectInfo& project, const QString& sentence);
  void fail(const Error& error, const QString& action = {}, std::function<void()> run = {});

  Session& m_session;
  ModelList* m_list;
  ModelCardView* m_card;
  StatePane* m_cardState;
  StatePane* m_state;
  QWidget* m_cardPane;
  QPointer<MemoryInspector> m_inspector;  // lives in the frame while the page shows
  QSplitter* m_splitter;
  QAction *m_loadAction = nullptr, *m_templateAction = nullptr, *m_exportAction = nullptr;
  std::string m_wanted;  // to be chosen once it is listed
  std::string m_shown;   // whose card is asked for or shown
  bool m_failed = false;
  bool m_exportWanted = false;  // of m_wanted, once it is chosen
};

}  // namespace strata
