#include "widgets/shell/jobs_strip.h"

#include <QHBoxLayout>
#include <QPainter>
#include <QProgressBar>

#include "widgets/style/controls.h"
#include "widgets/style/icons.h"
#include "widgets/style/named.h"
#include "widgets/style/theme.h"

namespace strata {
namespace {

constexpr int kProgressWidth = 160;

}  // namespace

JobsStrip::JobsStrip(Session& session, QWidget* parent) : QWidget(parent), m_session(session), m_runs(session.runs()) {
  named(this, "jobs-strip", tr("Jobs"));
  m_toggle = named(new Button(tr("Jobs"), ButtonKind::quiet, this), "jobs-toggle", tr("Jobs"));
  m_toggle->setCompact(true);
  m_toggle->setCheckable(true);
  m_toggle->setWhatsThis(
      tr("Opens the list of this project's jobs, with their logs. Jobs go on when the window is closed."));
  m_name = named(new ElidedLabel({}, TextRole::body, Tone::normal, this), "job-name");
  m_progress = named(new QProgressBar(this), "job-progress", tr("Progress of the job"));
  m_progress->setTextVisible(false);
  m_percent = named(new Label({}, TextRole::mono, Tone::normal, this), "job-percent");
  m_left = named(new Label({}, TextRole::caption, Tone::second, this), "job-left");
  m_stop = named(new Button(tr("Stop"), ButtonKind::quiet, this), "job-stop", tr("Stop the job"));
  m_stop->setCompact(true);
  m_stop->setIcon(icon("stop-fill"));
  m_stop->setToolTip(tr("The job finishes its step, saves a checkpoint and ends."));
  auto* row = new QHBoxLayout(this);
  row->setContentsMargins(kGapRelated, 1, kGapRelated, 0);
  row->setSpacing(kGapRelated);
  row->addWidget(m_toggle);
  row->addWidget(m_name, 1);
  row->addWidget(m_progress);
  row->addWidget(m_percent);
  row->addWidget(m_left);
  row->addWidget(m_stop);

  connect(m_toggle, &QPushButton::toggled, this, [this](bool open) {
    show();
    Q_EMIT opened(open);
  });
  connect(m_stop, &QPushButton::clicked, this, [this] {
    if (const protocol::JobInfo* job = m_runs.running()) m_runs.stop(job->id);
  });
  connect(&m_runs, &RunTable::changed, this, &JobsStrip::show);
  connect(&session.engine(), &EngineClient::stateChanged, this, &JobsStrip::show);
  followTheme(this, [this] {
    setMinimumHeight(metrics().strip);
    m_progress->setFixedSize(scaled(kProgressWidth), kGapRelated);
    update();
  });
  show();
}

bool JobsStrip::isOpen() const {
  return m_toggle->isChecked();
}

void JobsStrip::setOpen(bool open) {
  m_toggle->setChecked(open);
}

void JobsStrip::show() {
  m_toggle->setIcon(icon(isOpen() ? "chevron-down" : "chevron-up"));
  m_toggle->setToolTip(isOpen() ? tr("Close the list of jobs") : tr("Open the list of jobs"));
  const protocol::JobInfo* job = m_runs.running();
  for (QWidget* part : std::initializer_list<QWidget*>{m_progress, m_percent, m_left, m_stop}) part->setVisible(job);
  m_name->setTone(job ? Tone::normal : Tone::second);
  if (job == nullptr) {
    const auto all = m_runs.rows().size();
    m_name->setText(all == 0 ? tr("No job is running.")
                             : tr("No job is running; %n finished.", nullptr, static_cast<int>(all)));
    return;
  }
  const int others = m_runs.runningCount() - 1;
  QString name = RunTable::title(*job);
  if (others > 0) name += tr(" (and %n more)", nullptr, others);
  m_name->setText(name);
  m_progress->setRange(0, job->steps > 0 ? 1000 : 0);
  if (job->steps > 0) m_progress->setValue(static_cast<int>(1000 * job->step / job->steps));
  m_percent->setText(RunTable::percentText(*job));
  const bool stopping = m_runs.stopping(job->id);
  m_left->setText(stopping ? tr("stopping after this step") : RunTable::timeLeftText(job->secondsLeft));
  const bool ready = m_session.engine().ready();
  m_stop->setEnabled(!stopping && ready);
  m_stop->setText(ready ? tr("Stop") : tr("Stop waits for the engine"));
}

void JobsStrip::paintEvent(QPaintEvent*) {
  QPainter painter(this);
  painter.fillRect(rect(), colors().window);
  painter.fillRect(0, 0, width(), 1, colors().line);
}

}  // namespace strata
