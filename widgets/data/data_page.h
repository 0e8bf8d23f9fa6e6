#pragma once
// The page Data: what a data set holds, and what training would make of it.

#include <QTimer>
#include <map>
#include <string>

#include "widgets/data/data_check.h"
#include "widgets/shell/page.h"

class QScrollArea;

namespace strata {

class DataList;
class DataResult;
class StatePane;

class DataPage : public Page {
  Q_OBJECT

 public:
  explicit DataPage(Workspace& workspace, QWidget* parent = nullptr);

  QString id() const override { return QStringLiteral("data"); }
  QString title() const override { return tr("Data"); }
  QString iconName() const override { return QStringLiteral("database"); }
  QList<QWidget*> panes() override;
  QList<Command> commands() override;
  QList<QPair<QString, QString>> keys() override;
  /// A path; "browse" opens the chooser.
  void open(const QString& what) override;
  QString wants(const QStringList& paths) const override;
  void take(const QString& path) override { read(path); }
  bool escape() override;

  /// Checks a file or folder of the engine's machine.
  void read(const QString& path);

 protected:
  void showEvent(QShowEvent* event) override;

 private:
  void begin();
  void followEngine();
  void listFiles();
  void listModels();
  void followSideA();
  void browse();
  void check();
  void settingsChanged();
  void mapColumns(const std::map<std::string, std::string>& columns);
  void follow();
  void markStale();
  protocol::CheckData::Params params() const;

  Workspace& m_workspace;
  DataCheck m_check;
  DataList* m_list;
  DataResult* m_result;
  QScrollArea* m_scroll;
  StatePane* m_state;
  QString m_path;
  std::map<std::string, std::string> m_columns;
  bool m_seen = false;
  bool m_begun = false;                        // the engine was asked
  std::vector<protocol::ModelEntry> m_models;  // as listed last
  std::string m_model;                         // empty: none
  bool m_modelChosen = false;                  // by hand; else it follows side A
  bool m_engineChanged = false;                // the figures are from before a restart
};

}  // namespace strata
