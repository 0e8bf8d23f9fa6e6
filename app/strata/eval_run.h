#pragma once
// An evaluation from its configuration to its results, alone or as a run of a project: the same for the command line
// and for a job.
//
//   STRATA_TRY(const Evaluation evaluation, Evaluation::prepare(config, project));
//   STRATA_TRY(Run run, Run::create(project, "eval", evaluation.stored()));
//   STRATA_TRY(const auto results, evaluation.runIn(run, hooks));

#include <string>
#include <vector>

#include "app/strata/cli.h"
#include "core/config/eval_config.h"
#include "core/evaluation/prepare_task.h"
#include "core/project/project.h"

namespace strata {

class Evaluation {
 public:
  /// Opens the model and, for questions, reads the data.
  /// With ranks, all of them call it, and it fails on all where it does on one.
  static Result<Evaluation> prepare(const EvalConfig& config, const std::string& project,
                                    Communicator* ranks = nullptr);

  Result<std::vector<TaskResult>> run(const TaskHooks& hooks) const { return runTask(hooks); }
  /// The part of a rank that does not lead.
  Result<void> follow() const;
  /// With the run's answers, metrics, progress and results.json; its stop file ends it. A run that stopped or was
  /// killed goes on: what it found is not computed again. The run's state says what became of it, also where this is an
  /// error.
  Result<std::vector<TaskResult>> runIn(Run& run, const TaskHooks& hooks) const;
  /// The configuration without open choices: absolute paths, the maps, the dtype.
  Json stored() const;
  const std::string& task() const { return m_config.task; }
  /// How the task asks and scores (prepare_task.h).
  const Json& settings() const { return m_task.settings; }

 private:
  static Result<Evaluation> prepareAlone(const EvalConfig& config, const std::string& project);
  /// The task on all ranks, which leave out what rank 0 knows.
  Result<std::vector<TaskResult>> runTask(TaskHooks hooks) const;
  /// What results.json says was evaluated.
  Result<Json> describe() const;
  Result<std::vector<TaskResult>> record(Run& run, const TaskHooks& hooks) const;

  EvalConfig m_config;
  OpenedModel m_opened;
  std::vector<NamedMap> m_maps;
  PreparedTask m_task;
  Communicator* m_ranks = nullptr;
};

Json toJson(const TaskResult& result);

}  // namespace strata
