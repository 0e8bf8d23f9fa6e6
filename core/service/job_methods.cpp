// jobs/*.

#include "core/service/project_state.h"
#include "core/service/run_contents.h"

namespace strata {

void addJobMethods(MethodTable& methods, const ProjectAccess& project) {
  using namespace protocol;
  constexpr auto nothing = [] { return Nothing{}; };
  methods.add<ListJobs>([project](const ListJobs::Params& params, RequestContext&) -> Result<ListJobs::Answer> {
    STRATA_TRY(const auto held, project());
    return held->jobs().list(params);
  });
  methods.add<StartJob>([project](const StartJob::Params& params, RequestContext&) -> Result<StartJob::Answer> {
    STRATA_TRY(const auto held, project());
    STRATA_TRY(const std::vector<JobInfo> jobs, held->jobs().start(params));
    return StartJob::Answer{jobs.front(), jobs};
  });
  methods.add<MoveJob>([=](const MoveJob::Params& params, RequestContext&) -> Result<Nothing> {
    STRATA_TRY(const auto held, project());
    return held->jobs().move(params).map(nothing);
  });
  methods.add<PauseQueue>([=](const PauseQueue::Params& params, RequestContext&) -> Result<Nothing> {
    STRATA_TRY(const auto held, project());
    return held->jobs().pauseQueue(params.paused).map(nothing);
  });
  methods.add<StopJob>([=](const StopJob::Params& params, RequestContext&) -> Result<Nothing> {
    STRATA_TRY(const auto held, project());
    return held->jobs().stop(params.id).map(nothing);
  });
  methods.add<RemoveJob>([=](const RemoveJob::Params& params, RequestContext&) -> Result<Nothing> {
    STRATA_TRY(const auto held, project());
    return held->jobs().remove(params).map(nothing);
  });
  methods.add<AnnotateJob>([project](const AnnotateJob::Params& params, RequestContext&) -> Result<JobInfo> {
    STRATA_TRY(const auto held, project());
    return held->jobs().annotate(params);
  });
  methods.add<ReadLog>([project](const ReadLog::Params& params, RequestContext&) -> Result<ReadLog::Answer> {
    STRATA_TRY(const auto held, project());
    STRATA_TRY(const auto run, held->jobs().runFolder(params.id));
    return readLog(run, params);
  });
  methods.add<ReadJobConfig>(
      [project](const ReadJobConfig::Params& params, RequestContext&) -> Result<ReadJobConfig::Answer> {
        STRATA_TRY(const auto held, project());
        STRATA_TRY(const auto run, held->jobs().runFolder(params.id));
        return readConfig(run);
      });
  methods.add<ExportJob>([project](const ExportJob::Params& params, RequestContext&) -> Result<ExportJob::Answer> {
    STRATA_TRY(const auto held, project());
    STRATA_TRY(const auto run, held->jobs().runFolder(params.id));
    return exportRun(run, params);
  });
  methods.add<ReadSeries>([project](const ReadSeries::Params& params, RequestContext&) -> Result<ReadSeries::Answer> {
    STRATA_TRY(const auto held, project());
    STRATA_TRY(const auto run, held->jobs().runFolder(params.id));
    return readSeries(run, params);
  });
  methods.add<ReadAnswers>(
      [project](const ReadAnswers::Params& params, RequestContext&) -> Result<ReadAnswers::Answer> {
        STRATA_TRY(const auto held, project());
        STRATA_TRY(const auto run, held->jobs().runFolder(params.id));
        return readAnswers(run, params);
      });
  methods.add<ReadBorrowed>(
      [project](const ReadBorrowed::Params& params, RequestContext&) -> Result<ReadBorrowed::Answer> {
        STRATA_TRY(const auto held, project());
        STRATA_TRY(const auto run, held->jobs().runFolder(params.id));
        return readBorrowed(run);
      });
  methods.add<ReadEvents>([project](const ReadEvents::Params& params, RequestContext&) -> Result<ReadEvents::Answer> {
    STRATA_TRY(const auto held, project());
    STRATA_TRY(const auto run, held->jobs().runFolder(params.id));
    return readEvents(run, params);
  });
  methods.add<WatchJob>([=](const WatchJob::Params& params, RequestContext&) -> Result<Nothing> {
    STRATA_TRY(const auto held, project());
    return held->jobs().watch(params).map(nothing);
  });
}

}  // namespace strata
