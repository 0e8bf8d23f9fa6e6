// run_list_bench FOLDER [RUNS]: how long the table of a project's runs takes. Makes RUNS (default 1,000) runs of 200
// steps in a project in FOLDER, then lists them by a new board, which reads them, and by one that has. JSON lines.
#include <chrono>
#include <cstdio>
#include <cstdlib>

#include "core/project/run_database.h"
#include "core/service/job_board.h"

namespace {

using namespace strata;
using Clock = std::chrono::steady_clock;

constexpr const char* kNames[] = {"loss", "grad_norm", "lr", "p_cross", "tokens_s", "padding", "step_s", "memory"};
constexpr int kSteps = 200, kEvalEvery = 50;

double milliseconds(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

Result<void> makeRun(const Project& project) {
  const Json config = {{"model", "/models/base"}, {"data", "/data/train.txt"}, {"steps", kSteps}, {"lora", 16}};
  STRATA_TRY(strata::Run run, strata::Run::create(project, "train", config));
  STRATA_TRY(RunDatabase database, RunDatabase::open(run.folder()));
  for (int step = 1; step <= kSteps; ++step) {
    const auto add = [&](const char* name) {
      return database.addMetric({step, name, 1.0 / step, 100 * step, .1 * step});
    };
    for (const char* name : kNames) STRATA_CHECK(add(name));
    if (step % kEvalEvery != 0) continue;
    for (const char* name : {"nll/full", "nll/stride:2"}) STRATA_CHECK(add(name));
  }
  return run.setState(RunState::done);
}

Result<void> run(const std::filesystem::path& folder, int runs) {
  STRATA_TRY(const Project project, Project::openOrCreate(folder));
  for (int i = 0; i < runs; ++i) STRATA_CHECK(makeRun(project));
  for (int round = 0; round < 3; ++round) {
    auto start = Clock::now();
    JobBoard board({.project = folder, .program = "/nonexistent"}, Notifier([](const std::string&, const Json&) {}));
    const double cold = milliseconds(start);
    start = Clock::now();
    STRATA_TRY(const protocol::ListJobs::Answer all, board.list({}));
    const double warm = milliseconds(start);
    start = Clock::now();
    const std::size_t bytes = configToJson(all).dump().size();
    std::printf("{\"runs\": %zu, \"cold_ms\": %.1f, \"warm_ms\": %.1f, \"json_ms\": %.1f, \"bytes\": %zu}\n",
                all.jobs.size(), cold, warm, milliseconds(start), bytes);
  }
  return {};
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: run_list_bench FOLDER [RUNS]\n", stderr);
    return 2;
  }
  const auto done = run(argv[1], argc > 2 ? std::atoi(argv[2]) : 1000);
  if (!done) std::fprintf(stderr, "%s\n", done.error().message.c_str());
  return done ? 0 : 1;
}
