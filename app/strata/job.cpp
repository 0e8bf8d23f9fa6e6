// strata job: the process of one run, started by an engine (design.md section 4). The run waits in the state queued, or
// was stopped, and says in its configuration what to do; its state says what became of it.

#include <unistd.h>

#include "app/strata/cli.h"
#include "app/strata/eval_run.h"
#include "app/strata/measure.h"
#include "app/strata/ranks.h"
#include "app/strata/run_progress.h"
#include "core/project/project.h"
#include "core/protocol/job_kinds.h"
#include "core/training/train_job.h"

namespace strata {
namespace {

constexpr int kNice = 10;  // what a person waits for goes first

struct JobArguments {
  std::string id, project;
  bool distributed = false;
};

Result<RunState> evaluate(Run& run, const std::string& project) {
  EvalConfig config;
  STRATA_CHECK(configFromJson(run.info().config, (run.folder() / "run.json").string(), config, UnknownKeys::ignore));
  STRATA_TRY(const Evaluation evaluation, Evaluation::prepare(config, project));
  STRATA_CHECK(run.setConfig(evaluation.stored()));
  EvalProgress progress;
  const auto results = evaluation.runIn(run, progress.hooks());
  if (!results && results.error().code != ErrorCode::cancelled) return tl::unexpected(results.error());
  return run.info().state;
}

Result<RunState> train(Run& run, Communicator* ranks) {
  TrainProgress progress;
  progress.lead(ranks);
  STRATA_TRY(const TrainAnswer answer, continueRun(run, {}, progress.hooks()));
  progress.end();
  if (answer.problem) Output().error(*answer.problem);
  return answer.state;
}

/// What LibTorch throws ends here too, so that the run can say why it failed.
Result<RunState> work(Run& run, const std::string& project, Communicator* ranks) {
  const std::string kind = run.info().kind;
  try {
    if (kind == kTrainKind) return train(run, ranks);
    if (kind == kEvalKind) return evaluate(run, project);
    if (kind == kSearchKind || kind == kSensitivityKind) return measureJob(run, project);
  } catch (const std::exception& exception) {
    return tl::unexpected(errorFromException(exception));
  }
  return fail(ErrorCode::usage, "A job of the kind " + kind + " is unknown.", kind);
}

Result<std::filesystem::path> folderOf(const JobArguments& arguments) {
  const auto name = findRun(arguments.id, std::filesystem::path(arguments.project));
  if (name && !name->step) return name->folder;
  return fail(ErrorCode::notFound, "The project " + arguments.project + " has no run " + arguments.id + ".",
              arguments.id);
}

Result<int> run(const JobArguments& arguments, const Output& out, Communicator* ranks) {
  STRATA_TRY(const std::filesystem::path folder, folderOf(arguments));
  STRATA_TRY(Run run, Run::reopen(folder));
  const Result<RunState> state = work(run, arguments.project, ranks);
  if (!state) {
    // What went wrong before the run began, or in it: whoever asked reads it there.
    STRATA_CHECK(run.setState(stateAfter(state.error()), state.error().message));
    return tl::unexpected(state.error());
  }
  out.answer({{"run", run.info().id}, {"state", toString(*state)}}, "run " + run.info().id + ": " + toString(*state));
  return exitCodeOf(*state);
}

Result<int> runJob(const JobArguments& arguments, const Output& out) {
  // An error only where this process is as nice as can be already.
  (void)!::nice(kNice);
  if (!arguments.distributed) return run(arguments, out, nullptr);
  const auto follow = [&](Communicator& ranks) -> Result<void> {
    STRATA_TRY(const std::filesystem::path folder, folderOf(arguments));
    return followTraining(resumedConfig(folder, {}), ranks);
  };
  return onRanks(
      out, [&](Communicator& ranks) { return run(arguments, out, &ranks); }, follow);
}

}  // namespace

VerbAction addJob(CLI::App& verb, const Output& out) {
  auto arguments = std::make_shared<JobArguments>();
  verb.add_option("id", arguments->id, "the run's id")->required()->type_name("ID");
  verb.add_option("--project", arguments->project, "project folder")->required()->type_name("DIR");
  verb.add_flag("--distributed", arguments->distributed, kDistributedHelp);
  return [arguments, &out] { return runJob(*arguments, out); };
}

}  // namespace strata
