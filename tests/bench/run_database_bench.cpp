// run_database_bench FOLDER [STEPS]: what a job pays for its metrics, and how long a view of them takes. Writes STEPS
// (default 1,000,000) steps of 8 metrics into FOLDER/run.sqlite, a transaction every 50 steps as a job of 50 steps a
// second does, then reads stretches of one of them. One JSON line each.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "core/project/run_database.h"
#include "core/project/run_reader.h"

namespace {

using namespace strata;
using Clock = std::chrono::steady_clock;

constexpr double kStepsASecond = 50;
constexpr const char* kNames[] = {"loss", "grad_norm", "lr", "p_cross", "tokens_s", "padding", "step_s", "memory"};

double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

Result<void> write(const std::filesystem::path& folder, std::int64_t steps) {
  STRATA_TRY(RunDatabase database, RunDatabase::open(folder));
  const auto start = Clock::now();
  double slowest = 0;
  for (std::int64_t step = 1; step <= steps; ++step) {
    const auto begun = Clock::now();
    for (const char* name : kNames) {
      const double value = std::sin(static_cast<double>(step) * 1e-3) + 1 / static_cast<double>(step);
      STRATA_CHECK(database.addMetric({step, name, value, 2048 * step, static_cast<double>(step) / kStepsASecond}));
    }
    if (step % static_cast<std::int64_t>(kStepsASecond) == 0) STRATA_CHECK(database.flush());
    slowest = std::max(slowest, secondsSince(begun));
  }
  const double each = secondsSince(start) / static_cast<double>(steps);
  std::printf(
      "{\"steps\": %lld, \"ms_a_step\": %.5f, \"percent_of_a_step\": %.3f, \"slowest_ms\": %.2f, \"MB\": %.1f}\n",
      static_cast<long long>(steps), 1e3 * each, 100 * each * kStepsASecond, 1e3 * slowest,
      static_cast<double>(std::filesystem::file_size(folder / "run.sqlite")) / 1e6);
  return {};
}

Result<void> view(const RunReader& reader, const SeriesQuery& query) {
  double least = 1e9, most = 0;
  std::size_t found = 0;
  for (int round = 0; round < 20; ++round) {
    const auto start = Clock::now();
    STRATA_TRY(const SeriesColumns columns, reader.series(query));
    least = std::min(least, secondsSince(start));
    most = std::max(most, secondsSince(start));
    found = columns.x.size();
  }
  std::printf(
      "{\"from\": %.0f, \"to\": %.0f, \"axis\": %d, \"buckets\": %lld, \"found\": %zu, \"least_ms\": %.3f,"
      " \"most_ms\": %.3f}\n",
      query.from.value_or(0), query.to.value_or(-1), static_cast<int>(query.axis),
      static_cast<long long>(query.buckets), found, 1e3 * least, 1e3 * most);
  return {};
}

Result<void> run(const std::filesystem::path& folder, std::int64_t steps) {
  STRATA_CHECK(write(folder, steps));
  const auto start = Clock::now();
  STRATA_TRY(const RunReader reader, RunReader::open(folder));
  std::printf("{\"open_ms\": %.3f}\n", 1e3 * secondsSince(start));
  const auto all = static_cast<double>(steps);
  for (const std::int64_t buckets : {500, 1000, 2000, 4096}) {
    for (double width = 1; width * all > 100; width /= 3) {
      const double from = std::floor(all * .4 * (1 - width));
      STRATA_CHECK(view(reader, {.name = "loss", .from = from, .to = from + width * all, .buckets = buckets}));
    }
  }
  return view(reader, {.name = "loss", .axis = SeriesAxis::seconds, .from = 100, .buckets = 1000});
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: run_database_bench FOLDER [STEPS]\n", stderr);
    return 2;
  }
  const auto done = run(argv[1], argc > 2 ? std::atoll(argv[2]) : 1'000'000);
  if (!done) std::fprintf(stderr, "%s\n", done.error().message.c_str());
  return done ? 0 : 1;
}
