#pragma once
// Runs of the sample model through real folders and databases.

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/project/run_checkpoint.h"
#include "core/project/run_database.h"
#include "core/training/train_job.h"
#include "support.h"

namespace strata::testing {

class TrainJob : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string text, pairs;
    for (int i = 0; i < 300; ++i) {
      const std::string number = std::to_string(i * 37 % 101);
      text += "Tom had a red ball number " + number + ". He liked to play.\n";
      pairs += R"({"prompt": "Ball )" + number + R"( is", "completion": ")" + (i % 3 == 0 ? " red" : " big and blue") +
               "\"}\n";
    }
    writeText(m_folder.path() / "train.txt", text);
    writeText(m_folder.path() / "train.jsonl", pairs);
    m_config.model = sourceFolder() / "resources/models/stories260K";
    m_config.data = m_folder.path() / "train.txt";
    m_config.steps = 8;
    m_config.batch = 4;
    m_config.length = 32;
    m_config.lr = 1e-3;
    m_config.threads = 1;
  }
  Project project() { return Project::openOrCreate(m_folder.path() / "project").value(); }
  static std::string weightsOf(const TrainAnswer& answer) {
    const bool full = std::filesystem::exists(answer.checkpoint / "model.safetensors");
    return readText(answer.checkpoint / (full ? "model.safetensors" : "adapter_model.safetensors"));
  }
  /// (step, value) of every evaluation that the run's database keeps.
  static std::vector<std::pair<std::int64_t, double>> evaluations(const std::filesystem::path& run) {
    std::vector<std::pair<std::int64_t, double>> result;
    const RunDatabase database = RunDatabase::open(run).value();
    for (const char* name : {"nll/full", "nll/stride:2"}) {
      const std::vector<Metric> metrics = database.metrics(name).value();
      for (const Metric& metric : metrics) result.emplace_back(metric.step, metric.value);
    }
    return result;
  }
  static TrainHooks stopAfter(std::int64_t steps) {
    TrainHooks hooks;
    auto done = std::make_shared<std::int64_t>(0);
    hooks.onStep = [done](const StepResult&) { ++*done; };
    hooks.stop = [done, steps] { return *done >= steps; };
    return hooks;
  }

  TemporaryFolder m_folder;
  TrainConfig m_config;
};

}  // namespace strata::testing
