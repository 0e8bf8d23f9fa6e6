// monitoring_bench CONFIG.json FOLDER [PAIRS]: what a training run pays for being watched. Steps of the run that CONFIG
// (a run's config.json, or a preset's with paths that lead somewhere) sets up, recorded as a run does it and not
// recorded, in turns of ten; which comes first alternates too. Processor time of the whole process: other work on the
// machine makes threads wait for each other, which the clock would count. Writes FOLDER/run.sqlite and prints one JSON
// line.
#include <sys/resource.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <vector>

#include "core/project/job_phase.h"
#include "core/project/run_database.h"
#include "core/training/memory_record.h"
#include "core/training/run_alerts.h"
#include "core/training/run_setup.h"

namespace {

using namespace strata;
using Clock = std::chrono::steady_clock;
constexpr int kTurn = 10;  // steps

double processorSeconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

double threadSeconds() {
  timespec now{};
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &now);
  return static_cast<double>(now.tv_sec) + 1e-9 * static_cast<double>(now.tv_nsec);
}

/// What TrainingLoop does beside a step.
class Monitor {
 public:
  explicit Monitor(RunDatabase database, const std::filesystem::path& folder)
      : m_database(std::move(database)), m_phase(folder) {}

  Result<void> record(const StepResult& result, double stepSeconds, c10::Device device) {
    const double begun = threadSeconds();
    m_phase.progress();
    const std::int64_t done = result.step + 1;
    const std::pair<const char*, double> values[] = {
        {"loss", result.loss},
        {"grad_norm", result.gradNorm},
        {"lr", result.learningRate},
        {"p_cross", result.pCross},
        {"borrowed", result.borrowed},
        {"tokens_s", static_cast<double>(result.trained) / stepSeconds},
        {"padding", static_cast<double>(result.padding) / static_cast<double>(result.tokens)},
        {"step_s", stepSeconds}};
    for (const auto& [name, value] : values) STRATA_CHECK(add(done, name, value));
    for (const auto& [name, bytes] : m_memory.take(device)) {
      STRATA_CHECK(add(done, name, static_cast<double>(bytes)));
    }
    for (const std::string& alert : m_alerts.takeStep(done, result.loss, stepSeconds)) {
      STRATA_CHECK(m_database.addEvent(done, "alert", alert));
    }
    m_seconds += threadSeconds() - begun;
    return {};
  }
  /// Of the thread that trains.
  double seconds() const { return m_seconds; }

 private:
  Result<void> add(std::int64_t step, const std::string& name, double value) {
    return m_database.addMetric({step, name, value, 512 * step, secondsSince(m_start)});
  }
  RunDatabase m_database;
  PhaseFile m_phase;
  MemoryRecord m_memory;
  RunAlerts m_alerts;
  Clock::time_point m_start = Clock::now();
  double m_seconds = 0;
};

Result<void> run(const std::filesystem::path& configFile, const std::filesystem::path& folder, int pairs) {
  std::ifstream file(configFile);
  const std::string text(std::istreambuf_iterator<char>(file), {});
  STRATA_TRY(const Json json, parseJson(text, configFile.string()));
  TrainConfig config;
  STRATA_CHECK(configFromJson(json, configFile.string(), config));
  config.steps = std::max(config.steps, 2 * kTurn * (pairs + 1));
  STRATA_TRY(RunSetup setup, prepareRun(config));
  STRATA_TRY(RunDatabase database, RunDatabase::open(folder));
  Monitor monitor(std::move(database), folder);
  Trainer& trainer = *setup.trainer;
  const auto turn = [&](bool watched) -> Result<double> {
    const double begun = processorSeconds();
    for (int step = 0; step < kTurn; ++step) {
      const auto started = Clock::now();
      STRATA_TRY(const StepResult result, trainer.step());
      if (watched) STRATA_CHECK(monitor.record(result, secondsSince(started), trainer.device()));
    }
    return processorSeconds() - begun;
  };
  STRATA_CHECK(turn(false));  // memory is fetched, threads begin
  double with = 0, without = 0;
  std::vector<double> shares;
  const double inside = monitor.seconds();
  for (int pair = 0; pair < pairs; ++pair) {
    double seconds[2] = {};
    for (int half = 0; half < 2; ++half) {
      const bool watched = (half == 0) == (pair % 2 == 0);
      STRATA_TRY(seconds[watched ? 1 : 0], turn(watched));
    }
    without += seconds[0];
    with += seconds[1];
    shares.push_back(100 * (seconds[1] / seconds[0] - 1));
  }
  std::sort(shares.begin(), shares.end());
  const int steps = pairs * kTurn;
  std::printf(
      "{\"steps\": %d, \"ms_a_step\": %.3f, \"ms_a_step_watched\": %.3f, \"percent_median_of_pairs\": %.3f,"
      " \"percent_quartiles\": [%.3f, %.3f], \"ms_in_monitoring_a_step\": %.4f, \"percent_in_monitoring\": %.3f}\n",
      steps, 1e3 * without / steps, 1e3 * with / steps, shares[shares.size() / 2], shares[shares.size() / 4],
      shares[3 * shares.size() / 4], 1e3 * (monitor.seconds() - inside) / steps,
      100 * (monitor.seconds() - inside) / without);
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fputs("monitoring_bench CONFIG.json FOLDER [PAIRS]\n", stderr);
    return 2;
  }
  std::filesystem::create_directories(argv[2]);
  const auto done = run(argv[1], argv[2], argc > 3 ? std::atoi(argv[3]) : 40);
  if (!done) std::fprintf(stderr, "%s\n", done.error().message.c_str());
  return done ? 0 : 1;
}
