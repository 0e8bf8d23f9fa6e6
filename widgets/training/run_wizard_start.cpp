// Of the wizard: whether the run is ready, what it would take, and its start.

#include "widgets/config/config_form.h"
#include "widgets/training/run_card.h"
#include "widgets/training/run_wizard.h"
#include "widgets/training/sweep_field.h"

namespace strata {
namespace {

QString sentenceOf(const Error& error) {
  return QString::fromStdString(error.message);
}

}  // namespace

void RunWizard::showProblems() {
  QList<RunCard::Problem> problems;
  if (const QString problem = m_sweep->problem(); !problem.isEmpty()) problems.append({QString(), problem});
  if (!m_form->isReady()) {
    problems.append({m_form->problemField(), m_form->problem()});
  } else if (m_estimate) {
    for (const protocol::TrainProblem& each : m_estimate->problems) {
      problems.append({QString::fromStdString(each.field), QString::fromStdString(each.problem)});
    }
  }
  m_card->setProblems(problems);
  showStart();
}

void RunWizard::showStart() {
  m_card->setStartText(m_extend.empty() ? tr("Start") : tr("Start the extension"));
  if (!m_session.engine().ready()) return m_card->setStartEnabled(false, tr("Waits for the engine"));
  if (m_starting) return m_card->setStartEnabled(false, tr("Starting…"));
  m_card->setStartEnabled(true, m_startProblem);
}

bool RunWizard::canStart() const {
  return m_form->isReady() && m_card->isReady() && m_session.engine().ready() && !m_starting;
}

void RunWizard::estimate() {
  if (!m_form->isReady()) {
    m_card->setEstimate({});
    return;
  }
  const int asked = ++m_asked;
  m_session.engine().call<protocol::EstimateTraining>(
      {given(), m_extend}, this, [this, asked](const Result<protocol::EstimateTraining::Answer>& answer) {
        if (asked != m_asked) return;
        if (answer) {
          m_estimate = *answer;
        } else {
          m_estimate.reset();
          m_startProblem = sentenceOf(answer.error());
        }
        m_card->setEstimate(m_estimate);
        showOpenModels();
        showRouting();
        showProblems();
      });
}

/// Those on the device that the run would train on.
void RunWizard::showOpenModels() {
  std::int64_t bytes = 0;
  for (const protocol::LoadedModel& model : m_session.engine().loaded()) {
    if (m_estimate && model.device == m_estimate->device) bytes += model.weightBytes;
  }
  m_card->setOpenModels(bytes);
}

void RunWizard::unloadModels() {
  const std::vector<protocol::LoadedModel> open = m_session.engine().loaded();
  for (const protocol::LoadedModel& model : open) {
    m_session.engine().call<protocol::UnloadModel>({model.ref}, this, [this](const Result<protocol::Nothing>& answer) {
      if (!answer) return m_session.warn(sentenceOf(answer.error()), Place::pageOf("train"));
      m_wait.start();  // what is free is another figure now
    });
  }
}

void RunWizard::measure() {
  if (m_probe != 0 || !m_form->isReady()) return;
  m_card->setMeasuring(true);
  m_probe = m_session.engine().call<protocol::ProbeTraining>(
      {given(), m_extend}, this, [this](const Result<protocol::ProbeTraining::Answer>& answer) {
        m_probe = 0;
        m_card->setMeasuring(false);
        if (answer) {
          m_card->setProbe(*answer);
        } else if (answer.error().code != ErrorCode::cancelled) {
          m_card->setProbeProblem(sentenceOf(answer.error()));
        }
      });
}

bool RunWizard::escape() {
  if (m_probe == 0) return false;
  m_session.engine().cancel(m_probe);
  return true;
}

void RunWizard::start() {
  if (!canStart()) return;
  m_starting = true;
  m_startProblem.clear();
  showStart();
  protocol::StartJob::Params params;
  params.kind = "train";
  params.config = given();
  params.extend = m_extend;
  params.pCross = m_sweep->values();
  m_session.engine().call<protocol::StartJob>(params, this, [this](const Result<protocol::StartJob::Answer>& answer) {
    m_starting = false;
    if (!answer) m_startProblem = sentenceOf(answer.error());
    showStart();
    if (answer) Q_EMIT started(QString::fromStdString(answer->job.id));
  });
}

}  // namespace strata
