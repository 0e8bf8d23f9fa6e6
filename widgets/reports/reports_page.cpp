#include "widgets/reports/reports_page.h"

#include <QDesktopServices>
#include <QDir>
#include <QFileDialog>
#include <QListView>
#include <QMenu>
#include <QSplitter>
#include <QStandardPaths>
#include <QUrl>
#include <QVBoxLayout>

#include "widgets/reports/new_report_popup.h"
#include "widgets/reports/report_files.h"
#include "widgets/reports/report_table.h"
#include "widgets/reports/report_text.h"
#include "widgets/style/controls.h"
#include "widgets/style/folding_row.h"
#include "widgets/style/icons.h"
#include "widgets/style/named.h"
#include "widgets/style/state_pane.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kListWidth = 360;
constexpr std::int64_t kMostMarkdown = 48 * 1024;  // bytes that are laid out

bool hasFormat(const protocol::ReportFile& report, std::string_view format) {
  return std::find(report.formats.begin(), report.formats.end(), format) != report.formats.end();
}

/// Without the title and the conclusion, which stand above it already.
QString bodyOf(const QString& markdown, const protocol::ReportFile& report) {
  QString rest = markdown.trimmed();
  if (rest.startsWith(QStringLiteral("# "))) rest = rest.mid(rest.indexOf(u'\n') + 1).trimmed();
  const qsizetype end = rest.indexOf(QStringLiteral("\n\n"));
  const QString first = rest.left(end).remove(u'*').simplified();
  if (end > 0 && first == QString::fromStdString(report.conclusion).simplified()) rest = rest.mid(end).trimmed();
  return rest;
}

}  // namespace

ReportsPage::ReportsPage(Session& session, QWidget* parent)
    : Page(parent), m_session(session), m_table(new ReportTable(this)) {
  named(this, "reportsPage", tr("Reports"));
  m_split = named(new QSplitter(Qt::Horizontal), "reportsSplitter");
  m_split->setChildrenCollapsible(false);
  m_split->addWidget(buildList());
  m_split->addWidget(buildReport());
  m_split->setStretchFactor(0, 0);
  m_split->setStretchFactor(1, 1);
  m_split->setSizes({scaled(kListWidth), 3 * scaled(kListWidth)});
  m_state = named(new StatePane(m_split), "reportsState");
  auto* layout = new QVBoxLayout(this);
  layout->setContentsMargins(0, 0, 0, 0);
  layout->addWidget(m_state);
  addCommands();
  connect(m_split, &QSplitter::splitterMoved, this, &ReportsPage::stateChanged);
  connect(m_list->selectionModel(), &QItemSelectionModel::currentChanged, this, [this](const QModelIndex& index) {
    if (index.isValid()) choose(m_table->at(index.row()).name);
  });
  connect(m_list, &QListView::activated, this, &ReportsPage::openHtml);
  connect(&session, &Session::projectChanged, this, [this] {
    ++m_age;
    m_listed = m_asking = false;
    m_listProblem.reset();
    m_chosen.clear();
    m_trashed.clear();
    m_read.clear();
    m_notes.clear();
    m_table->setRows({});
    showReport();
    if (isVisible()) refresh();
    showState();
  });
  connect(&session.engine(), &EngineClient::stateChanged, this, [this] {
    if (isVisible() && m_session.engine().ready()) refresh();
    showState();
  });
  connect(&session.runs(), &RunTable::changed, this, &ReportsPage::showState);
  showReport();
  showState();
}

QWidget* ReportsPage::buildList() {
  auto* pane = new Pane(Ground::surface);
  auto* column = new QVBoxLayout(pane);
  column->setContentsMargins(0, kGapGroups, 0, 0);
  column->setSpacing(kGapRelated);
  m_new = named(makeButton(tr("New report")), "newReport");
  m_new->setIcon(icon(QStringLiteral("plus-lg")));
  m_new->setToolTip(tr("Of runs that you choose (Ctrl+N)"));
  auto* head = new QHBoxLayout;
  head->setContentsMargins(kGapGroups, 0, kGapGroups, 0);
  head->addWidget(m_new);
  head->addStretch(1);
  column->addLayout(head);
  m_list = named(new QListView, "reports", tr("Reports of this project, the newest first"));
  m_list->setWhatsThis(tr("Enter opens the chosen report as a web page."));
  m_list->setModel(m_table);
  m_list->setItemDelegate(new ReportDelegate(m_list));
  m_list->setFrameShape(QFrame::NoFrame);
  m_list->setUniformItemSizes(true);
  m_list->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  column->addWidget(m_list, 1);
  m_restore = named(new Button({}, ButtonKind::link), "restoreReport", tr("Restore the last report from the trash"));
  m_restore->hide();
  auto* foot = new QHBoxLayout;
  foot->setContentsMargins(kGapGroups, 0, kGapGroups, kGapRelated);
  foot->addWidget(m_restore);
  foot->addStretch(1);
  column->addLayout(foot);
  connect(m_restore, &Button::clicked, this, &ReportsPage::restore);
  followTheme(pane, [this, pane] {
    pane->setMinimumWidth(metrics().inspector * 4 / 5);
    m_list->doItemsLayout();
  });
  connect(m_new, &Button::clicked, this, &ReportsPage::newReport);
  return pane;
}

QWidget* ReportsPage::buildReport() {
  m_title = named(titleLabel({}), "reportTitle");
  m_conclusion = named(new Label({}), "reportConclusion");
  m_created = named(bodyLabel({}), "reportCreated");
  m_created->setTone(Tone::second);
  for (Label* label : {m_title, m_conclusion}) {
    label->setWordWrap(true);
    label->setTextFormat(Qt::PlainText);
  }
  m_problem = named(new Label({}, TextRole::body, Tone::bad), "reportProblem");
  m_problem->setWordWrap(true);
  m_problem->hide();
  m_open = named(makeButton(tr("Open HTML"), ButtonKind::accent), "openReport", tr("Open the report as a web page"));
  m_save = named(makeButton(tr("Save as…")), "saveReport", tr("Save the report on this machine"));
  m_formats = named(new QMenu(this), "reportFormats", tr("Save as"));
  m_save->setMenu(m_formats);
  m_remove = named(makeIconButton(QStringLiteral("trash"), tr("Move to the trash"), tr("Del")), "removeReport");
  m_text = named(new ReportText, "reportText", tr("The report"));
  m_textState = named(new StatePane(m_text), "reportTextState");
  m_shown = new QWidget;
  auto* head = new QWidget;
  auto* above = new QVBoxLayout(head);
  above->setContentsMargins(kGapGroups, kGapGroups, kGapGroups, kGapGroups);
  above->setSpacing(kGapRelated);
  above->addWidget(new FoldingRow(m_title, rowOf({m_open, m_save, m_remove})));
  above->addWidget(m_conclusion);
  above->addWidget(m_created);
  above->addWidget(m_problem);
  auto* column = new QVBoxLayout(m_shown);
  column->setContentsMargins(0, 0, 0, 0);
  column->setSpacing(0);
  column->addWidget(head);
  column->addWidget(m_textState, 1);
  connect(m_open, &Button::clicked, this, &ReportsPage::openHtml);
  connect(m_remove, &Button::clicked, this, &ReportsPage::remove);
  return m_shown;
}

void ReportsPage::addCommands() {
  m_newAction = addCommand("report-new", tr("New report"), QKeySequence("Ctrl+N"), [this] { newReport(); });
  m_openAction =
      addCommand("report-open", tr("Open the report as a web page"), QKeySequence("Ctrl+O"), [this] { openHtml(); });
  m_removeAction = addCommand("report-remove", tr("Move the report to the trash"), {}, [this] { remove(); });
  auto* del = new QAction(tr("Move to the trash"), this);
  del->setShortcut(Qt::Key_Delete);
  del->setShortcutContext(Qt::WidgetShortcut);
  m_list->addAction(del);
  connect(del, &QAction::triggered, this, &ReportsPage::remove);
}

QList<QWidget*> ReportsPage::panes() {
  return {m_list, m_text};
}

QList<QPair<QString, QString>> ReportsPage::keys() {
  QList<QPair<QString, QString>> all;
  if (canMakeReport()) all.append({QStringLiteral("Ctrl+N"), tr("new report")});
  if (current() != nullptr) all += {{tr("Enter"), tr("open")}, {tr("Del"), tr("to the trash")}};
  return all;
}

QByteArray ReportsPage::saveState() const {
  return m_split->saveState();
}

void ReportsPage::restoreState(const QByteArray& state) {
  m_split->restoreState(state);
}

/// Its button is covered, and so disabled, until there is a report.
bool ReportsPage::canMakeReport() const {
  return m_session.engine().ready() && m_session.runs().rowCount() > 0;
}

void ReportsPage::updateActions() {
  m_newAction->setEnabled(canMakeReport());
  m_openAction->setEnabled(m_open->isEnabled());
  m_removeAction->setEnabled(m_remove->isEnabled());
}

void ReportsPage::showEvent(QShowEvent* event) {
  Page::showEvent(event);
  refresh();
}

void ReportsPage::open(const Place& place) {
  if (place.kind != PlaceKind::report) return;
  m_wanted = place.id.toStdString();
  refresh();
}

const protocol::ReportFile* ReportsPage::current() const {
  return m_table->find(m_chosen);
}

void ReportsPage::refresh() {
  if (!m_session.project()) return showState();
  m_asking = true;
  showState();
  m_session.engine().call<protocol::ListReports>(
      {}, this, [this, age = ++m_age](const Result<protocol::ListReports::Answer>& answer) {
        if (age != m_age) return;
        m_asking = false;
        m_listProblem = answer ? std::optional<Error>() : answer.error();
        if (answer) showList(*answer);
        showState();
      });
}

void ReportsPage::showList(const protocol::ListReports::Answer& answer) {
  m_listed = true;
  m_folder = QString::fromStdString(answer.folder);
  const int before = m_table->rowOf(m_chosen);
  m_table->setRows(answer.reports);
  const int count = m_table->rowCount();
  int row = m_table->rowOf(m_wanted.empty() ? m_chosen : m_wanted);
  m_wanted.clear();
  if (row < 0 && count > 0) row = std::clamp(before, 0, count - 1);
  m_chosen.clear();
  if (row >= 0) {
    choose(m_table->at(row).name);
    m_list->setCurrentIndex(m_table->index(row, 0));
  } else {
    choose({});
  }
}

void ReportsPage::choose(const std::string& name) {
  if (name == m_chosen && !name.empty()) return;
  m_chosen = name;
  say({});
  showReport();
  readText();
}

void ReportsPage::readText() {
  const protocol::ReportFile* report = current();
  const int reading = ++m_reading;
  if (report == nullptr) return;
  if (!hasFormat(*report, "md")) {
    m_read.clear();
    showConclusion(true);
    return m_textState->setEmpty(tr("This report has no Markdown to show here."));
  }
  if (m_read != m_chosen) m_textState->setLoading(tr("Reading the report"));
  readReport(m_session.engine(), QString::fromStdString(m_chosen), QStringLiteral("md"), kMostMarkdown, this,
             [this, reading](const Result<QByteArray>& bytes) {
               if (reading != m_reading) return;
               if (!bytes) {
                 showConclusion(true);
                 return m_textState->setFailed(bytes.error(), tr("Try again"), [this] { readText(); });
               }
               QByteArray shown = *bytes;
               if (shown.size() > kMostMarkdown) {
                 shown.truncate(shown.lastIndexOf('\n', kMostMarkdown));
                 shown += "\n\n" + tr("*The rest is in the files.*").toUtf8();
               }
               m_read = m_chosen;
               const QString markdown = QString::fromUtf8(shown);
               showConclusion(!markdown.contains(QStringLiteral("\n## Conclusion\n")));
               m_text->show(current() != nullptr ? bodyOf(markdown, *current()) : QString());
               m_textState->setWorking();
             });
}

void ReportsPage::showReport() {
  const protocol::ReportFile* report = current();
  m_shown->setVisible(report != nullptr);
  m_formats->clear();
  if (report == nullptr) return;
  m_title->setText(reportTitle(*report));
  m_conclusion->setText(QString::fromStdString(report->conclusion));
  if (m_read != m_chosen) showConclusion(false);  // until it is known whether the text has it
  m_created->setText(reportDetails(*report));
  for (const std::string& each : report->formats) {
    const QString format = QString::fromStdString(each);
    QAction* action =
        m_formats->addAction(tr("%1…").arg(reportFormatName(format)), this, [this, format] { saveAs(format); });
    action->setObjectName(QStringLiteral("save-") + format);
  }
}

/// In the head, where the text below does not have it.
void ReportsPage::showConclusion(bool shown) {
  m_conclusion->setVisible(shown && !m_conclusion->text().isEmpty());
}

void ReportsPage::showState() {
  const EngineClient& engine = m_session.engine();
  const bool isReady = engine.ready();
  const bool hasRuns = m_session.runs().rowCount() > 0;
  const protocol::ReportFile* report = current();
  const bool hasHtml = report != nullptr && hasFormat(*report, "html");
  m_new->setEnabled(canMakeReport());
  m_new->setAccessibleDescription(isReady ? QString() : tr("waits for the engine"));
  // A file of this machine can be opened without the engine.
  m_open->setEnabled(hasHtml && (isReady || !engine.remote()));
  m_save->setEnabled(isReady && report != nullptr);
  m_remove->setEnabled(isReady && report != nullptr);
  m_restore->setVisible(!m_trashed.empty());
  m_restore->setEnabled(isReady);
  updateActions();
  Q_EMIT keysChanged();
  if (m_listProblem) return m_state->setFailed(*m_listProblem, tr("Try again"), [this] { refresh(); });
  if (m_table->rowCount() > 0) {
    if (isReady || engine.state() == EngineClient::State::starting) return m_state->setWorking();
    return m_state->setStale(
        tr("from before the engine stopped"), [this] { m_session.engine().restart(); }, tr("Start the engine again"));
  }
  if (engine.state() == EngineClient::State::failed) {
    return m_state->setFailed({ErrorCode::io, engine.problem().toStdString(), ""}, tr("Start the engine again"),
                              [this] { m_session.engine().restart(); });
  }
  if (!m_session.project() || !m_listed)
    return m_state->setLoading(m_asking ? tr("Reading the list of reports") : tr("Waits for the engine"));
  m_state->setEmpty(
      hasRuns ? tr("No reports yet. A report holds what was run and what was found, to read anywhere.")
              : tr("No reports yet, and no run to report on. An evaluation is one."),
      hasRuns ? tr("New report") : tr("Evaluate"),
      [this, hasRuns] { hasRuns ? newReport() : m_session.go(Place::pageOf(QStringLiteral("evaluate"))); },
      m_session.sampleLink(), [this] { m_session.openProject({}); });
}

void ReportsPage::openHtml() {
  if (!m_open->isEnabled()) return;
  const QString file = QString::fromStdString(m_chosen) + QStringLiteral(".html");
  const auto show = [this](const QString& path) {
    if (!QDesktopServices::openUrl(QUrl::fromLocalFile(path)))
      say(tr("No program opens web pages: the file is %1.").arg(path));
  };
  if (!m_session.engine().remote()) return show(QDir(m_folder).filePath(file));
  const QString folder = QStandardPaths::writableLocation(QStandardPaths::CacheLocation) + QStringLiteral("/reports");
  if (!QDir().mkpath(folder)) return say(tr("%1 cannot be made.").arg(folder));
  const QString path = QDir(folder).filePath(file);
  saveReport(m_session.engine(), QString::fromStdString(m_chosen), QStringLiteral("html"), path, this,
             [this, show, path](const Result<void>& saved) {
               saved ? show(path) : say(QString::fromStdString(saved.error().message));
             });
}

void ReportsPage::saveAs(const QString& format) {
  const QString name = QString::fromStdString(m_chosen);
  auto* dialog = named(new QFileDialog(this, tr("Save the report"), name + u'.' + format, reportFilter(format)),
                       "saveReportDialog");
  dialog->setAttribute(Qt::WA_DeleteOnClose);
  dialog->setAcceptMode(QFileDialog::AcceptSave);
  dialog->setDefaultSuffix(format);
  connect(dialog, &QFileDialog::fileSelected, this, [this, name, format](const QString& path) {
    saveReport(m_session.engine(), name, format, path, this, [this, path](const Result<void>& saved) {
      if (!saved) return say(QString::fromStdString(saved.error().message));
      say({});
      m_session.announce(tr("Saved as %1.").arg(path));
    });
  });
  dialog->open();
}

void ReportsPage::remove() {
  if (!m_remove->isEnabled()) return;
  const QString title = m_title->text();
  m_session.engine().call<protocol::RemoveReport>(
      {m_chosen, false}, this, [this, title, name = m_chosen](const Result<protocol::Nothing>& answer) {
        if (!answer) return say(QString::fromStdString(answer.error().message));
        m_trashed = name;
        m_restore->setText(tr("Restore %1").arg(title));
        m_session.announce(tr("%1 is in the trash of reports.").arg(title));
        refresh();
      });
}

void ReportsPage::restore() {
  protocol::RemoveReport::Params params{m_trashed, true};
  m_session.engine().call<protocol::RemoveReport>(params, this, [this](const Result<protocol::Nothing>& answer) {
    if (!answer) return say(QString::fromStdString(answer.error().message));
    m_wanted = std::exchange(m_trashed, {});
    refresh();
  });
}

void ReportsPage::newReport() {
  if (!canMakeReport()) return;
  auto* popup = new NewReportPopup(m_session, m_notes, this);
  connect(popup, &NewReportPopup::written, this, [this](const QString& name) {
    m_wanted = name.toStdString();
    refresh();
  });
  popup->openOver(this);
}

void ReportsPage::say(const QString& problem) {
  m_problem->setText(problem);
  m_problem->setVisible(!problem.isEmpty());
  if (!problem.isEmpty()) m_session.announce(problem);
}

}  // namespace strata
