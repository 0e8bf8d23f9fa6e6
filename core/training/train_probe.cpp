#include "core/training/train_probe.h"

#include <algorithm>
#include <chrono>

#include "core/model/device.h"
#include "core/model/memory.h"
#include "core/training/answer_scores.h"
#include "core/training/run_setup.h"

namespace strata {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int kSteps = 2;

double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

Result<void> checkStop(const std::function<bool()>& stop) {
  if (stop && stop()) return fail(ErrorCode::cancelled, "The measurement was cancelled.");
  return {};
}

/// Seconds of an evaluation of everything held out, from its first batch under each map.
Result<double> timeEvaluation(RunSetup& setup, const std::function<bool()>& stop) {
  if (setup.config.evalEvery == 0 || setup.held.empty()) return 0.0;
  const std::size_t some = std::min(setup.held.size(), static_cast<std::size_t>(setup.config.microBatch));
  const std::vector<PackedSequence> first(setup.held.begin(), setup.held.begin() + static_cast<std::ptrdiff_t>(some));
  const auto started = Clock::now();
  for (const NamedMap& map : setup.maps) {
    STRATA_CHECK(checkStop(stop));
    STRATA_CHECK(setup.trainer->evaluate(map.map, first));
  }
  return secondsSince(started) * static_cast<double>(setup.held.size()) / static_cast<double>(some);
}

/// Seconds of answering all questions, from the first few under each map.
Result<double> timeAnswers(RunSetup& setup, const std::function<bool()>& stop) {
  constexpr std::size_t kAnswered = 4;
  std::vector<Question>& questions = setup.questions.questions;
  if (setup.config.evalEvery == 0 || questions.empty()) return 0.0;
  const std::size_t all = questions.size();
  questions.resize(std::min(all, kAnswered));
  const auto started = Clock::now();
  for (const NamedMap& map : setup.maps) {
    STRATA_CHECK(scoreAnswers(setup, map, [&stop] { return !stop || !stop(); }));
  }
  return secondsSince(started) * static_cast<double>(all) / static_cast<double>(questions.size());
}

MemoryEstimate measuredPeak(c10::Device device) {
  const MemoryUsage used = memoryUsage();
  const auto peakOf = [&](MemoryPart part) { return used.part(part).peak; };
  MemoryEstimate peak;
  peak.weights = peakOf(MemoryPart::weights);
  peak.gradients = peakOf(MemoryPart::gradients);
  peak.optimizer = peakOf(MemoryPart::optimizer);
  peak.activations = peakOf(MemoryPart::activations);
  peak.apart = peak.weights + peak.gradients + peak.optimizer + peak.activations - used.all.peak;
  peak.process = std::max<std::int64_t>(0, residentSize().peak - used.all.peak);
  if (!device.is_cpu()) {
    peak = {};
    peak.weights = deviceMemory(device);
  }
  return peak;
}

}  // namespace

Result<TrainProbe> probeTraining(TrainConfig config, const std::function<bool()>& stop) {
  TrainProbe probe;
  auto started = Clock::now();
  STRATA_TRY(RunSetup setup, prepareRun(std::move(config)));
  probe.startSeconds = secondsSince(started);
  const TrainConfig& told = setup.config;
  probe.steps = told.steps;
  probe.sequences = setup.sequences > 0 ? setup.sequences : sequencesOfAnEpoch(*setup.data, told.seed, told.packWindow);

  resetMemoryPeaks();
  std::int64_t tokens = 0, padding = 0;
  for (int i = 0; i < kSteps; ++i) {
    STRATA_CHECK(checkStop(stop));
    started = Clock::now();
    STRATA_TRY(const StepResult step, setup.trainer->step());
    synchronize(setup.trainer->device());
    const double seconds = secondsSince(started);
    tokens += step.tokens;
    padding += step.padding;
    if (i > 0 && seconds >= probe.stepSeconds) continue;
    probe.stepSeconds = seconds;
    probe.tokensPerSecond = static_cast<double>(step.trained) / seconds;
  }
  probe.padding = static_cast<double>(padding) / static_cast<double>(tokens);
  STRATA_TRY(const double losses, timeEvaluation(setup, stop));
  STRATA_TRY(const double answers, timeAnswers(setup, stop));
  probe.evaluationSeconds = losses + answers;
  probe.peak = measuredPeak(setup.trainer->device());
  // Before the first step, every so many steps, and at the end.
  const std::int64_t every = told.evalEvery;
  const std::int64_t evaluations = every == 0 ? 0 : 1 + (probe.steps + every - 1) / every;
  probe.seconds = probe.startSeconds + static_cast<double>(probe.steps) * probe.stepSeconds +
                  static_cast<double>(evaluations) * probe.evaluationSeconds;
  return probe;
}

}  // namespace strata
