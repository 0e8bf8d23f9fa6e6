#pragma once
// The page Reports: the project's reports, each with its conclusion, to read, open, save and remove.

#include "widgets/session/page.h"
#include "widgets/session/session.h"

class QListView;
class QMenu;
class QSplitter;

namespace strata {

class Button;
class Label;
class ReportTable;
class ReportText;
class StatePane;

class ReportsPage : public Page {
  Q_OBJECT

 public:
  explicit ReportsPage(Session& session, QWidget* parent = nullptr);

  QString id() const override { return QStringLiteral("reports"); }
  QString title() const override { return tr("Reports"); }
  QString iconName() const override { return QStringLiteral("file-earmark-text"); }
  QList<QWidget*> panes() override;
  QList<QPair<QString, QString>> keys() override;
  bool shows(const Place& place) const override { return place.kind == PlaceKind::report || Page::shows(place); }
  void open(const Place& place) override;
  QByteArray saveState() const override;
  void restoreState(const QByteArray& state) override;
  void updateActions() override;
  /// The chosen one; nullptr: none.
  const protocol::ReportFile* current() const;

 protected:
  void showEvent(QShowEvent* event) override;

 private:
  QWidget* buildList();
  QWidget* buildReport();
  void addCommands();
  void refresh();
  void showList(const protocol::ListReports::Answer& answer);
  void choose(const std::string& name);
  void readText();
  void showReport();
  void showConclusion(bool shown);
  void showState();
  bool canMakeReport() const;
  void openHtml();
  void saveAs(const QString& format);
  void remove();
  void restore();
  void newReport();
  void say(const QString& problem);

  Session& m_session;
  ReportTable* m_table;
  QListView* m_list;
  StatePane *m_state, *m_textState;
  QSplitter* m_split;
  QWidget* m_shown;
  Label *m_title, *m_conclusion, *m_created, *m_problem;
  ReportText* m_text;
  Button *m_new, *m_open, *m_save, *m_remove, *m_restore;
  QMenu* m_formats;
  QAction *m_newAction, *m_openAction, *m_removeAction;
  std::string m_wanted, m_chosen;  // chosen before the list came; and now
  std::string m_read;              // whose text is shown
  std::string m_trashed;           // by this page last
  QString m_folder;
  QString m_notes;  // typed for a report that is not written yet
  std::optional<Error> m_listProblem;
  bool m_listed = false, m_asking = false;
  int m_age = 0, m_reading = 0;
};

}  // namespace strata
