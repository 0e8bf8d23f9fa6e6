#include "app/strata/run_progress.h"

#include <fmt/format.h>

#include "app/strata/cli.h"

namespace strata {
namespace fs = std::filesystem;

namespace {

std::function<void(const std::string&)> copyTo(RunLog* log) {
  if (log == nullptr) return {};
  return [log](const std::string& line) { log->line(line); };
}

}  // namespace

void TrainProgress::keepLog(std::function<fs::path(const std::string& id)> folderOf) {
  m_folderOf = std::move(folderOf);
}

TrainProgress::TrainProgress() {
  m_hooks.stop = [] { return cancelFlag().load(); };
  m_hooks.onStart = [this](const RunInfo& info, std::int64_t first, std::int64_t steps) {
    if (m_folderOf) m_log = std::make_unique<RunLog>(m_folderOf(info.id));
    m_shown.emplace("Training", steps, first, copyTo(m_log.get()));
    m_shown->note(info.name.empty() ? "run " + info.id : "run " + info.id + ": " + info.name);
  };
  m_hooks.onStep = [this](const StepResult& step) {
    if (m_shown) m_shown->update(step.step + 1, fmt::format("loss {:.4f}  lr {:.2e}", step.loss, step.learningRate));
  };
  m_hooks.onNote = [this](const std::string& text) {
    if (m_shown) m_shown->note(text);
  };
  m_hooks.onEvaluation = [this](const EvaluationPoint& point) {
    std::string line = fmt::format("step {}  map {}", point.step, point.map);
    if (point.nll) line += fmt::format("  nll {:.4f}", *point.nll);
    if (point.f1) line += fmt::format("  f1 {:.1f} %  em {:.1f} %", 100 * *point.f1, 100 * *point.em);
    if (m_shown) m_shown->note(line);
  };
}

void TrainProgress::lead(Communicator* ranks) {
  m_hooks.ranks = ranks;
}

int exitCodeOf(RunState state) {
  if (state == RunState::done) return 0;
  return state == RunState::stopped ? 130 : 1;
}

EvalProgress::EvalProgress() {
  m_hooks.cancel = &cancelFlag();
  m_hooks.onProgress = [this](std::int64_t done, std::int64_t all) {
    if (!m_shown) m_shown.emplace("Evaluating", all, done, copyTo(m_log));
    m_shown->update(done);
  };
}

}  // namespace strata
