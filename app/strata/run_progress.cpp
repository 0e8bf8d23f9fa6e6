#include "app/strata/run_progress.h"

#include <fmt/format.h>

#include "app/strata/cli.h"

namespace strata {

TrainProgress::TrainProgress() {
  m_hooks.stop = [] { return cancelFlag().load(); };
  m_hooks.onStart = [this](const RunInfo& info, std::int64_t first, std::int64_t steps) {
    m_shown.emplace("Training", steps, first);
    m_shown->note("run " + info.id);
  };
  m_hooks.onStep = [this](const StepResult& step) {
    if (m_shown) m_shown->update(step.step + 1, fmt::format("loss {:.4f}  lr {:.2e}", step.loss, step.learningRate));
  };
  m_hooks.onEvaluation = [this](const EvaluationPoint& point) {
    if (m_shown) m_shown->note(fmt::format("step {}  map {}  nll {:.4f}", point.step, point.map, point.nll));
  };
}

int exitCodeOf(RunState state) {
  if (state == RunState::done) return 0;
  return state == RunState::stopped ? 130 : 1;
}

EvalProgress::EvalProgress() {
  m_hooks.cancel = &cancelFlag();
  m_hooks.onProgress = [this](const std::string& map, std::int64_t done, std::int64_t all) {
    if (m_map != map || !m_shown) m_shown.emplace("Evaluating " + map, all);
    m_map = map;
    m_shown->update(done);
  };
}

}  // namespace strata
