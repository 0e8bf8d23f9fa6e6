// eval/* and reports/*.

#include "core/project/sample_notes.h"
#include "core/service/evaluation_reading.h"
#include "core/service/project_state.h"
#include "core/service/report_files.h"

namespace strata {

namespace fs = std::filesystem;

void addEvaluationMethods(MethodTable& methods, const ProjectAccess& project) {
  using namespace protocol;
  const auto prompts = std::make_shared<AskedPrompts>();
  const auto scores = std::make_shared<EvaluationScores>();
  methods.add<ReadEvaluation>(
      [project, scores](const ReadEvaluation::Params& params, RequestContext&) -> Result<ReadEvaluation::Answer> {
        STRATA_TRY(const auto held, project());
        return scores->read(held->folder(), params.run);
      });
  methods.add<CompareEvaluations>(
      [project](const CompareEvaluations::Params& params, RequestContext&) -> Result<CompareEvaluations::Answer> {
        STRATA_TRY(const auto held, project());
        return compareEvaluations(held->folder(), params);
      });
  methods.add<ListSamples>(
      [project](const ListSamples::Params& params, RequestContext&) -> Result<ListSamples::Answer> {
        STRATA_TRY(const auto held, project());
        STRATA_TRY(const std::string data, dataOf(held->folder(), params.a.run));
        STRATA_TRY(const SampleNotes notes, SampleNotes::open(held->folder()));
        STRATA_TRY(const auto written, notes.of(data));
        return listSamples(held->folder(), params, written);
      });
  methods.add<ReadSample>(
      [project, prompts](const ReadSample::Params& params, RequestContext&) -> Result<ReadSample::Answer> {
        STRATA_TRY(const auto held, project());
        STRATA_TRY(ReadSample::Answer answer, readSample(held->folder(), params, *prompts));
        STRATA_TRY(const std::string data, dataOf(held->folder(), params.run));
        STRATA_TRY(const SampleNotes notes, SampleNotes::open(held->folder()));
        STRATA_TRY(auto written, notes.of(data));
        answer.note = written[params.id];
        return answer;
      });
  methods.add<AnnotateSample>([project](const AnnotateSample::Params& params, RequestContext&) -> Result<Nothing> {
    STRATA_TRY(const auto held, project());
    STRATA_TRY(const std::string data, dataOf(held->folder(), params.run));
    STRATA_TRY(const SampleNotes notes, SampleNotes::open(held->folder()));
    STRATA_CHECK(notes.store(data, params.id, params.note));
    return Nothing{};
  });
  methods.add<ReadEvaluationMatrix>(
      [project](const ReadEvaluationMatrix::Params& params, RequestContext&) -> Result<ReadEvaluationMatrix::Answer> {
        STRATA_TRY(const auto held, project());
        return readMatrix(held->folder(), held->jobs().runsThatMeasured(), params);
      });
  methods.add<PlanEvaluation>(
      [project](const PlanEvaluation::Params& params, RequestContext&) -> Result<PlanEvaluation::Answer> {
        STRATA_TRY(const auto held, project());
        return planEvaluation(held->folder(), held->jobs().runsThatMeasured(), params.config);
      });
  methods.add<WriteReport>([project](const WriteReport::Params& params, RequestContext&) -> Result<ReportFile> {
    STRATA_TRY(const auto held, project());
    const std::lock_guard lock(held->fileMutex());
    return writeProjectReport(held->folder(), params);
  });
  methods.add<ListReports>([project](const Nothing&, RequestContext&) -> Result<ListReports::Answer> {
    STRATA_TRY(const auto held, project());
    return listReports(held->folder());
  });
  methods.add<ReadReport>([project](const ReadReport::Params& params, RequestContext&) -> Result<ReadReport::Answer> {
    STRATA_TRY(const auto held, project());
    return readReportFile(held->folder(), params);
  });
  methods.add<RemoveReport>([project](const RemoveReport::Params& params, RequestContext&) -> Result<Nothing> {
    STRATA_TRY(const auto held, project());
    const std::lock_guard lock(held->fileMutex());
    STRATA_CHECK(moveReport(held->folder(), params));
    return Nothing{};
  });
}

}  // namespace strata
