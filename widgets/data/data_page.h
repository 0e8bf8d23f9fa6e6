#pragma once
// The page Data: what a data set holds, and what training would make of it.

#include <QTimer>
#include <map>
#include <string>

#include "widgets/data/data_check.h"
#include "widgets/session/page.h"

class QScrollArea;
class QSplitter;

namespace strata {

class DataList;
class DataResult;
class StatePane;

class DataPage : public Page {
  Q_OBJECT

 public:
  explicit DataPage(Session& session, QWidget* parent = nullptr);

  QString id() const override { return QStringLiteral("data"); }
  QString title() const override { return tr("Data"); }
  QString iconName() const override { return QStringLiteral("database"); }
  QList<QWidget*> panes() override;
  void updateActions() override;
  QList<QPair<QString, QString>> keys() override;
  bool shows(const Place& place) const override;
  void open(const Place& place) override;
  std::optional<Wanted> wants(const QStringList& paths) const override;
  void take(const QString& path) override { read(path); }
  bool escape() override;
  QByteArray saveState() const override;
  void restoreState(const QByteArray& state) override;

  /// Checks a file or folder of the engine's machine.
  void read(const QString& path);

 protected:
  void showEvent(QShowEvent* event) override;

 private:
  void begin();
  void followProject();
  void forgetFiles();
  void forgetFile();
  void followEngine();
  void listFiles();
  void showFiles(const Result<protocol::ListData::Answer>& answer);
  void keep();
  void remove(const QString& path);
  void showModels();
  void followSideA();
  void browse();
  void check();
  void settingsChanged();
  void storeColumns(const std::map<std::string, std::string>& columns);
  void mapColumns(const std::map<std::string, std::string>& columns);
  void follow();
  void markStale();
  protocol::CheckData::Params params() const;

  Session& m_session;
  DataCheck m_check;
  DataList* m_list;
  DataResult* m_result;
  QScrollArea* m_scroll;
  QSplitter* m_splitter;
  QAction* m_againAction;
  StatePane* m_state;
  QString m_path;
  std::string m_folder;     // of the project that m_path was chosen in
  QString m_wantedProject;  // when that was opened
  std::map<std::string, std::string> m_columns;
  bool m_seen = false;
  bool m_begun = false;          // the engine was asked
  std::string m_model;           // empty: none
  bool m_modelChosen = false;    // by hand; else it follows side A
  bool m_listKnown = false;      // of the project's data sets
  bool m_engineChanged = false;  // the figures are from before a restart
};

}  // namespace strata
