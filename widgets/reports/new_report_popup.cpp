#include "widgets/reports/new_report_popup.h"

#include <QLineEdit>
#include <QListWidget>
#include <QPlainTextEdit>

#include "core/protocol/job_kinds.h"
#include "widgets/config/field_editor.h"
#include "widgets/style/controls.h"
#include "widgets/style/named.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kPopupWidth = 480, kListHeight = 160, kNotesLines = 3;

/// "Evaluate: base on recall.json, 2026-11-28"
QString runLine(const protocol::JobInfo& job) {
  const JobKind* kind = findJobKind(job.kind);
  const QString what = kind != nullptr ? translated(kind->label) : QString::fromStdString(job.kind);
  const QString name = RunTable::title(job);
  return NewReportPopup::tr("%1, %2, %3")
      .arg(name.startsWith(what) ? name : NewReportPopup::tr("%1: %2").arg(what, name), RunTable::stateText(job),
           QString::fromStdString(job.created).left(10));
}

}  // namespace

NewReportPopup::NewReportPopup(Session& session, QString& notes, QWidget* parent)
    : Popup(parent), m_session(session), m_draft(notes) {
  named(this, "newReportPopup", tr("New report"));
  m_runs = named(new QListWidget, "reportRuns", tr("Runs of the report"));
  m_runs->setWhatsThis(tr("Space takes a run into the report, or leaves it out. The first is compared with."));
  m_runs->setFrameShape(QFrame::NoFrame);
  m_runs->setTextElideMode(Qt::ElideRight);
  m_runs->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
  m_name = named(new QLineEdit, "reportName");
  m_name->setPlaceholderText(tr("by its runs"));
  m_notes = named(new QPlainTextEdit, "reportNotes");
  m_notes->setPlainText(m_draft);
  m_notes->setTabChangesFocus(true);
  m_notes->setPlaceholderText(tr("Optional"));
  m_problem = named(new Label({}, TextRole::body, Tone::bad), "newReportProblem");
  m_problem->setWordWrap(true);
  m_problem->hide();
  m_write = named(makeButton(tr("Write the report")), "writeNewReport");
  content()->setSpacing(kGapRelated);
  content()->addWidget(sectionLabel(tr("New report")));
  content()->addWidget(captionLabel(tr("Runs to report on; the others are compared with the first.")));
  content()->addWidget(m_runs, 1);
  content()->addWidget(new Field(tr("Name"), m_name, tr("Of its files in the project's folder reports.")));
  content()->addWidget(
      new Field(tr("Notes"), m_notes, tr("Shown below the conclusion. Markdown, with lists and tables.")));
  content()->addWidget(m_problem);
  content()->addWidget(m_write, 0, Qt::AlignLeft);
  followTheme(this, [this] {
    m_runs->setMinimumSize(scaled(kPopupWidth), scaled(kListHeight));
    m_notes->setFont(fonts().body);
    m_notes->setFixedHeight(kNotesLines * scaled(kLineBody) + 3 * kGapInside);
    m_problem->setMaximumWidth(scaled(kPopupWidth));
  });
  connect(m_write, &Button::clicked, this, &NewReportPopup::write);
  connect(m_runs, &QListWidget::itemChanged, this, &NewReportPopup::showState);
  connect(m_notes, &QPlainTextEdit::textChanged, this, [this] { m_draft = m_notes->toPlainText(); });
  connect(&session.engine(), &EngineClient::stateChanged, this, &NewReportPopup::showState);
  fill();
  showState();
  m_runs->setFocus();
}

void NewReportPopup::fill() {
  for (const protocol::JobInfo& job : m_session.runs().rows()) {
    if (job.state == "queued" || job.step == 0) continue;
    auto* item = new QListWidgetItem(runLine(job), m_runs);
    item->setData(Qt::UserRole, QString::fromStdString(job.id));
    item->setToolTip(tipOf(QString::fromStdString(job.title.empty() ? job.id : job.title + '\n' + job.id)));
    item->setFlags(Qt::ItemIsEnabled | Qt::ItemIsSelectable | Qt::ItemIsUserCheckable);
    item->setCheckState(Qt::Unchecked);
  }
  m_runs->setCurrentRow(0);
}

std::vector<std::string> NewReportPopup::chosen() const {
  std::vector<std::string> runs;
  for (int row = 0; row < m_runs->count(); ++row) {
    const QListWidgetItem* item = m_runs->item(row);
    if (item->checkState() == Qt::Checked) runs.push_back(item->data(Qt::UserRole).toString().toStdString());
  }
  return runs;
}

void NewReportPopup::showState() {
  const bool isReady = m_session.engine().ready();
  m_notes->setReadOnly(m_writing);
  m_write->setEnabled(isReady && !m_writing && !chosen().empty());
  m_write->setText(m_writing ? tr("Writing…") : tr("Write the report"));
  m_write->setToolTip(isReady ? chosen().empty() ? tr("Choose a run first") : QString() : tr("Waits for the engine"));
}

void NewReportPopup::write() {
  protocol::WriteReport::Params params;
  params.runs = chosen();
  params.name = m_name->text().trimmed().toStdString();
  const QString notes = m_notes->toPlainText();
  params.notes = notes.trimmed().toStdString();
  m_writing = true;
  m_problem->hide();
  showState();
  const auto finish = [this, notes](const Result<protocol::ReportFile>& answer) {
    m_writing = false;
    showState();
    if (!answer) {
      m_problem->setText(QString::fromStdString(answer.error().message));
      return m_problem->show();
    }
    if (m_draft == notes) m_draft.clear();
    Q_EMIT written(QString::fromStdString(answer->name));
    close();
  };
  m_session.engine().call<protocol::WriteReport>(params, this, finish);
}

}  // namespace strata
