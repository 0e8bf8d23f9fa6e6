#pragma once
// What evaluations of a project found, in the protocol's form: alone, in pairs, question by question. An evaluation
// that runs is read as far as it is. Any thread.

#include <filesystem>
#include <map>
#include <mutex>
#include <string>

#include "core/base/error.h"
#include "core/config/eval_config.h"
#include "core/protocol/evaluation_messages.h"
#include "core/report/evaluation_run.h"

namespace strata {

class EvaluationScores {
 public:
  /// Of a run that has not begun: no maps.
  Result<protocol::ReadEvaluation::Answer> read(const std::filesystem::path& project, const std::string& run);

 private:
  Result<void> addScores(const EvaluationRun& run, protocol::ReadEvaluation::Answer& answer);
  struct Kept {
    std::vector<std::int64_t> counts;  // of answers under each map
    std::vector<std::vector<protocol::IntervalScore>> scores;
    std::string exact;
  };
  std::mutex m_mutex;
  std::map<std::filesystem::path, Kept> m_kept;  // by the run's folder
};

Result<protocol::CompareEvaluations::Answer> compareEvaluations(const std::filesystem::path& project,
                                                                const protocol::CompareEvaluations::Params& params);
/// `notes`: by question.
Result<protocol::ListSamples::Answer> listSamples(const std::filesystem::path& project,
                                                  const protocol::ListSamples::Params& params,
                                                  const std::map<std::string, std::string>& notes);
/// Prompts of the evaluation that was looked at last, as its task writes them from the data of today.
class AskedPrompts {
 public:
  /// Empty where the data or the question are gone.
  std::string find(const std::string& run, const EvalConfig& config, const std::string& question);

 private:
  std::mutex m_mutex;
  std::string m_run;
  std::map<std::string, std::string> m_prompts;  // by question
};

Result<protocol::ReadSample::Answer> readSample(const std::filesystem::path& project,
                                                const protocol::ReadSample::Params& params, AskedPrompts& prompts);
/// `runs`: ids of evaluations that are done, the newest first.
Result<protocol::ReadEvaluationMatrix::Answer> readMatrix(const std::filesystem::path& project,
                                                          const std::vector<std::string>& runs,
                                                          const protocol::ReadEvaluationMatrix::Params& params);
/// `runs` likewise.
Result<protocol::PlanEvaluation::Answer> planEvaluation(const std::filesystem::path& project,
                                                        const std::vector<std::string>& runs, const Json& config);
/// What notes of questions are kept under: the hash of the evaluation's data, or their path where none is recorded.
Result<std::string> dataOf(const std::filesystem::path& project, const std::string& run);

}  // namespace strata
