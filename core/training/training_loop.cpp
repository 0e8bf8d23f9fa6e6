#include "core/training/training_loop.h"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "core/base/log.h"
#include "core/base/system_memory.h"
#include "core/model/device.h"
#include "core/model/memory.h"
#include "core/model/model.h"
#include "core/project/run_checkpoint.h"
#include "core/training/answer_scores.h"
#include "core/training/train_state.h"

namespace strata {
namespace {

constexpr std::int64_t kMemoryEvery = 32;  // steps
constexpr int kMostNotFinite = 3;          // tries in a row

/// The phase while it lives; then stepping.
class InPhase {
 public:
  InPhase(PhaseFile& file, JobPhase phase) : m_file(file) { m_file.enter(phase); }
  ~InPhase() { m_file.enter(JobPhase::stepping); }
  InPhase(const InPhase&) = delete;
  InPhase& operator=(const InPhase&) = delete;

 private:
  PhaseFile& m_file;
};

bool contains(const std::vector<std::int64_t>& steps, std::int64_t step) {
  return std::find(steps.begin(), steps.end(), step) != steps.end();
}

}  // namespace

void EarlyStop::take(std::int64_t step, double value) {
  if (step == lastStep) return;  // evaluated again after a kill in the middle of an evaluation
  lastStep = step;
  ++since;
  const bool isBetter = !best || (metric == "nll" ? value < *best : value > *best);
  if (isBetter && !std::isnan(value)) {
    best = value;
    bestStep = step;
    since = 0;
  }
}

Result<TrainAnswer> TrainingLoop::go() {
  Result<RunState> state = RunState::failed;
  try {
    state = train();
  } catch (const std::exception& exception) {
    state = tl::unexpected(errorFromException(exception));
  }
  return state ? answer(*state) : endedBy(std::move(state).error());
}

Result<RunState> TrainingLoop::train() {
  STRATA_TRY(m_database, RunDatabase::open(m_run.folder()));
  STRATA_CHECK(restore());
  STRATA_CHECK(m_run.setState(RunState::running));
  if (m_hooks.onStart) m_hooks.onStart(m_run.info(), trainer().nextStep(), config().steps);
  if (const Communicator* ranks = trainer().ranks()) {
    const std::string text = std::to_string(ranks->ranks()) + " ranks; each sends " +
                             std::to_string(trainer().bytesPerStep()) + " bytes a step.";
    STRATA_CHECK(m_database->addEvent(trainer().nextStep(), "ranks", text));
    if (m_hooks.onNote) m_hooks.onNote(text);
  }
  if (trainer().attempt() > 0) {
    const std::string text = "Step " + std::to_string(trainer().nextStep() + 1) +
                             " failed before: its routings are drawn again (attempt " +
                             std::to_string(trainer().attempt()) + ").";
    logWarning(text);
    STRATA_CHECK(m_database->addEvent(trainer().nextStep(), "redrawn", text));
  }

  RunState state = RunState::done;
  for (;;) {
    const bool last = trainer().nextStep() >= config().steps;
    STRATA_CHECK(saveIfDue());
    if ((evaluationIsDue() || !last) && stopping()) {
      state = RunState::stopped;
      break;
    }
    if (evaluationIsDue()) {
      STRATA_TRY(const bool whole, evaluate());
      if (!whole) {
        state = RunState::stopped;
        break;
      }
      STRATA_CHECK(saveIfBest());
    }
    if (m_early.ends()) {
      STRATA_CHECK(m_database->addEvent(
          trainer().nextStep(), "early_stop",
          "No improvement of " + m_early.name() + " since step " + std::to_string(m_early.bestStep)));
      break;
    }
    if (last) break;
    STRATA_CHECK(step());
  }
  if (m_saved != trainer().nextStep()) STRATA_CHECK(save());
  STRATA_CHECK(m_database->flush());
  STRATA_CHECK(m_run.setState(state));
  m_run.clearStop();
  return state;
}

Result<void> TrainingLoop::restore() {
  const std::int64_t step = m_firstStep = trainer().nextStep();
  const auto saved = checkpointSteps(m_run.folder());
  const bool fromCheckpoint = contains(saved, step);
  STRATA_CHECK(m_database->deleteAfter(fromCheckpoint ? step : -1));
  STRATA_TRY(const Metric newest, m_database->newest());
  m_trained = newest.tokens;
  m_secondsBefore = newest.seconds;
  m_saved = fromCheckpoint ? step : -1;
  m_savedAttempt = trainer().attempt();
  m_early.patience = config().earlyStopPatience;
  m_early.map = config().earlyStopMap.empty() ? m_setup.maps.front().name : config().earlyStopMap;
  m_early.metric = config().earlyStopMetric;
  // An evaluation is due, and whole, by the watched metric even where nothing stops early
  if (m_early.metric == "nll" && m_setup.held.empty() && !m_setup.questions.questions.empty()) m_early.metric = "f1";
  STRATA_TRY(const auto earlier, m_database->metrics(m_early.name()));
  for (const Metric& metric : earlier) m_early.take(metric.step, metric.value);
  // A kill between a checkpoint and the note that it is the best
  const bool bestIsSaved = contains(saved, m_early.bestStep);
  if (m_early.patience > 0 && bestIsSaved && readBest(m_run.folder()) != m_early.bestStep) {
    STRATA_CHECK(writeBest(m_run.folder(), m_early.bestStep));
  }
  if (fromCheckpoint && step > 0) STRATA_CHECK(m_database->addEvent(step, "resumed", ""));
  // A resume must find what an extended run took over
  if (!m_run.info().parent.empty() && saved.empty()) STRATA_CHECK(save());
  return {};
}

Result<void> TrainingLoop::step() {
  m_phase.progress();
  const auto started = Clock::now();
  Result<StepResult> result = trainer().step();
  synchronize(trainer().device());
  const double seconds = std::chrono::duration<double>(Clock::now() - started).count();
  if (result) {
    m_notFinite = 0;
    m_tokens += result->tokens;
    m_trained += result->trained;
    STRATA_CHECK(record(*result, seconds));
    if (m_hooks.onStep) m_hooks.onStep(*result);
    return {};
  }
  const bool notFinite = Trainer::isNotFinite(result.error());
  if (!notFinite && result.error().code != ErrorCode::outOfMemory) return tl::unexpected(std::move(result).error());
  // Neither the next try nor a resume meets what failed in the same way.
  const bool redrawn = trainer().drawAgain();
  if (!notFinite) return tl::unexpected(std::move(result).error());
  trainer().leaveOutSequences();
  return tryAgain(result.error(), redrawn);
}

Result<void> TrainingLoop::tryAgain(const Error& error, bool redrawn) {
  const std::string step = std::to_string(trainer().nextStep() + 1);
  if (++m_notFinite >= kMostNotFinite) {
    return fail(error.code,
                "The loss or its gradient was not a finite number " + std::to_string(m_notFinite) +
                    " times in a row at step " + step + "; lower the learning rate or raise the warm-up.",
                error.context);
  }
  const std::string text =
      "The loss or its gradient is not a finite number at step " + step +
      ": its sequences are left out, and it is tried with the next ones" +
      (redrawn ? " and other routings (attempt " + std::to_string(trainer().attempt()) + ")." : ".");
  logWarning(text);
  return m_database->addEvent(trainer().nextStep(), "skipped", text);
}

Result<void> TrainingLoop::record(const StepResult& result, double seconds) {
  const std::int64_t done = result.step + 1;
  const std::pair<const char*, double> values[] = {
      {"loss", result.loss},
      {"grad_norm", result.gradNorm},
      {"lr", result.learningRate},
      {"p_cross", result.pCross},
      {"borrowed", result.borrowed},
      {"tokens_s", static_cast<double>(result.trained) / seconds},
      {"padding", static_cast<double>(result.padding) / static_cast<double>(result.tokens)},
      {"step_s", seconds}};
  for (const auto& [name, value] : values) STRATA_CHECK(m_database->addMetric(measured(done, name, value)));
  if (result.sent > 0)
    STRATA_CHECK(m_database->addMetric(measured(done, "sent_bytes", static_cast<double>(result.sent))));
  for (const auto& [name, bytes] : m_memory.take(trainer().device())) {
    STRATA_CHECK(m_database->addMetric(measured(done, name, static_cast<double>(bytes))));
  }
  STRATA_CHECK(say(done, m_alerts.takeStep(done, result.loss, seconds)));
  if (done % kMemoryEvery != 0) return {};
  return say(done, m_alerts.takeMemory(systemMemory("MemAvailable"), systemMemory("MemTotal")));
}

Result<void> TrainingLoop::say(std::int64_t step, const std::vector<std::string>& alerts) {
  for (const std::string& sentence : alerts) {
    logWarning(sentence);
    STRATA_CHECK(m_database->addEvent(step, "alert", sentence));
  }
  return {};
}

Metric TrainingLoop::measured(std::int64_t step, std::string name, double value) const {
  const std::chrono::duration<double> here = Clock::now() - m_begun;
  return {step, std::move(name), value, m_trained, m_secondsBefore + here.count()};
}

bool TrainingLoop::evaluationIsDue() {
  const std::int64_t done = trainer().nextStep();
  if (config().evalEvery == 0 || m_early.lastStep == done) return false;
  return done % config().evalEvery == 0 || done == config().steps;
}

Result<bool> TrainingLoop::evaluate() {
  const InPhase phase(m_phase, JobPhase::evaluating);
  const std::int64_t done = trainer().nextStep();
  const auto goOn = [this] {
    m_phase.progress();
    return !stopping();
  };
  std::vector<Metric> metrics;  // stored when all maps are evaluated
  for (const NamedMap& map : m_setup.maps) {
    const Result<void> whole = evaluateUnder(map, goOn, metrics);
    if (!whole && whole.error().code == ErrorCode::cancelled) return false;
    STRATA_CHECK(whole);
  }
  // The watched one last: it says that the evaluation is whole.
  const auto watched = std::find_if(metrics.begin(), metrics.end(),
                                    [this](const Metric& metric) { return metric.name == m_early.name(); });
  std::rotate(watched, watched + 1, metrics.end());
  for (const Metric& metric : metrics) STRATA_CHECK(m_database->addMetric(metric));
  m_early.take(done, metrics.back().value);
  return true;
}

Result<void> TrainingLoop::evaluateUnder(const NamedMap& map, const std::function<bool()>& goOn,
                                         std::vector<Metric>& metrics) {
  const std::int64_t done = trainer().nextStep();
  EvaluationPoint point;
  point.step = done;
  point.map = map.name;
  const auto add = [&](const char* name, double value) {
    metrics.push_back(measured(done, std::string(name) + "/" + map.name, value));
  };
  if (!m_setup.held.empty()) {
    STRATA_TRY(point.nll, trainer().evaluate(map.map, m_setup.held, goOn));
    add("nll", *point.nll);
  }
  if (!m_setup.questions.questions.empty()) {
    STRATA_TRY(AnswerScores scores, scoreAnswers(m_setup, map, goOn));
    point.f1 = scores.f1;
    point.em = scores.em;
    add("f1", scores.f1);
    add("f1_low", scores.interval.low);
    add("f1_high", scores.interval.high);
    add("em", scores.em);
    add("answer_nll", scores.nll);
    for (RunAnswer& answer : scores.answers) {
      answer.step = done;
      STRATA_CHECK(m_database->addAnswer(answer));
    }
    STRATA_CHECK(m_database->flush());
  }
  if (point.nll) STRATA_CHECK(say(done, m_alerts.takeHeldOut(done, map.name, *point.nll)));
  if (m_hooks.onEvaluation) m_hooks.onEvaluation(point);
  return {};
}

Result<void> TrainingLoop::saveIfDue() {
  const std::int64_t done = trainer().nextStep();
  if (done == 0 || m_saved == done) return {};
  const std::chrono::duration<double, std::ratio<60>> minutes = Clock::now() - m_savedAt;
  const bool bySteps = config().saveEvery > 0 && done % config().saveEvery == 0;
  const bool byTime = config().saveMinutes > 0 && minutes.count() >= config().saveMinutes;
  return bySteps || byTime || done >= config().steps ? save() : Result<void>();
}

Result<void> TrainingLoop::saveIfBest() {
  const std::int64_t done = trainer().nextStep();
  if (m_early.patience == 0 || m_early.bestStep != done) return {};
  if (m_saved != done) STRATA_CHECK(save());
  return readBest(m_run.folder()) == done ? Result<void>() : writeBest(m_run.folder(), done);
}

Result<void> TrainingLoop::save() {
  const InPhase phase(m_phase, JobPhase::saving);
  m_saveFailed = true;
  const std::int64_t step = trainer().nextStep();
  STRATA_CHECK(m_database->addEvent(step, "checkpoint", ""));
  STRATA_CHECK(m_database->flush());
  const bool isBest = m_early.patience > 0 && m_early.bestStep == step;
  STRATA_CHECK(saveCheckpoint(
      m_run.folder(), step,
      [&](const std::filesystem::path& folder) { return trainer().saveWith(saveOf(m_setup), folder); },
      isBest ? std::optional(step) : readBest(m_run.folder()), m_saved == step ? SameStep::replace : SameStep::keep));
  m_saveFailed = false;
  m_saved = step;
  m_savedAttempt = trainer().attempt();
  m_savedAt = Clock::now();
  return {};
}

Result<TrainAnswer> TrainingLoop::endedBy(Error error) {
  const RunState state = m_notFinite >= kMostNotFinite ? RunState::paused : stateAfter(error);
  keepWhatIsGood();
  if (state == RunState::paused) error.message += " " + howToGoOn(error);
  const Result<void> stored = m_run.setState(state, error.message);
  if (!stored) logWarning(stored.error().message);
  if (state == RunState::failed) return tl::unexpected(std::move(error));
  m_run.clearStop();
  STRATA_TRY(TrainAnswer paused, answer(state));
  paused.problem = std::move(error);
  return paused;
}

void TrainingLoop::keepWhatIsGood() {
  const bool isNew = trainer().nextStep() != m_firstStep || trainer().attempt() > 0;
  const bool isSaved = m_saved == trainer().nextStep() && m_savedAttempt == trainer().attempt();
  if (!m_database || m_saveFailed || !isNew || isSaved) return;
  try {
    trimMemory();
    if (!trainer().hasFiniteWeights()) {
      logWarning("The weights of step " + std::to_string(trainer().nextStep()) +
                 " are not all finite numbers, so they are not saved.");
      return;
    }
    if (const Result<void> saved = save(); !saved) logWarning(saved.error().message);
  } catch (const std::exception& exception) {
    logWarning(errorFromException(exception).message);
  }
}

std::string TrainingLoop::howToGoOn(const Error& error) const {
  const auto saved = checkpointSteps(m_run.folder());
  const std::string from = saved.empty() ? "begin again: it has no checkpoint yet."
                                         : "go on from step " + std::to_string(saved.back()) + ".";
  return std::string("Resume the run") + (error.code == ErrorCode::outOfMemory ? " with a smaller micro-batch" : "") +
         " to " + from;
}

Result<TrainAnswer> TrainingLoop::answer(RunState state) {
  TrainAnswer answer;
  answer.run = m_run.info().id;
  answer.folder = m_run.folder();
  answer.steps = trainer().nextStep();
  answer.tokens = m_tokens;
  answer.state = state;
  const bool whole =
      state != RunState::paused;  // on a full disk the database may fail too, and there may be no checkpoint
  if (m_database) {
    const auto losses = m_database->metrics("loss");
    if (!losses && whole) return tl::unexpected(losses.error());
    if (losses) {
      for (const Metric& metric : *losses) answer.loss.push_back(metric.value);
    }
  }
  const auto checkpoint = resolveCheckpoint(m_run.folder(), std::nullopt);
  if (!checkpoint && whole) return tl::unexpected(checkpoint.error());
  if (checkpoint) answer.checkpoint = *checkpoint;
  return answer;
}

}  // namespace strata
