// jobs/*.

#include "core/service/project_state.h"

namespace strata {

void addJobMethods(MethodTable& methods, const ProjectAccess& project) {
  using namespace protocol;
  constexpr auto nothing = [] { return Nothing{}; };
  methods.add<ListJobs>([project](const ListJobs::Params& params, RequestContext&) -> Result<ListJobs::Answer> {
    STRATA_TRY(const auto held, project());
    STRATA_TRY(auto jobs, params.trash ? held->jobs().listTrash() : held->jobs().list());
    return ListJobs::Answer{std::move(jobs)};
  });
  methods.add<StartJob>([project](const StartJob::Params& params, RequestContext&) -> Result<StartJob::Answer> {
    STRATA_TRY(const auto held, project());
    STRATA_TRY(JobInfo job, held->jobs().start(params));
    return StartJob::Answer{std::move(job)};
  });
  methods.add<StopJob>([=](const StopJob::Params& params, RequestContext&) -> Result<Nothing> {
    STRATA_TRY(const auto held, project());
    return held->jobs().stop(params.id).map(nothing);
  });
  methods.add<RemoveJob>([=](const RemoveJob::Params& params, RequestContext&) -> Result<Nothing> {
    STRATA_TRY(const auto held, project());
    return held->jobs().remove(params).map(nothing);
  });
  methods.add<ReadLog>([project](const ReadLog::Params& params, RequestContext&) -> Result<ReadLog::Answer> {
    STRATA_TRY(const auto held, project());
    return held->jobs().log(params);
  });
  methods.add<WatchJob>([=](const WatchJob::Params& params, RequestContext&) -> Result<Nothing> {
    STRATA_TRY(const auto held, project());
    return held->jobs().watch(params).map(nothing);
  });
}

}  // namespace strata
