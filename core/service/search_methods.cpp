// maps/sensitivity, maps/search, and the runs that jobs/start makes of the kinds sensitivity and search.

#include "core/service/search_methods.h"

#include "core/config/search_config.h"
#include "core/project/model_name.h"
#include "core/project/project.h"
#include "core/protocol/job_kinds.h"
#include "core/service/search_reading.h"

namespace strata {
namespace {

namespace fs = std::filesystem;

constexpr const char* kWhere = "The job's configuration";

/// Names and paths as of the project.
Result<void> resolve(const fs::path& project, MeasureConfig& config) {
  STRATA_TRY(const ProjectData data, Project::findData(config.text, project));
  config.text = data.path.string();
  for (std::string* path : {&config.text, &config.adapter}) {
    if (!path->empty() && fs::path(*path).is_relative()) *path = (project / *path).lexically_normal().string();
  }
  return {};
}

template <class Config>
Result<Json> checkedConfig(const fs::path& project, Json given, Result<void> (*check)(const Config&)) {
  // A text is one or several maps, as on the command line.
  if (given.contains("maps") && given["maps"].is_string()) given["maps"] = Json::array({given["maps"]});
  Config config;
  STRATA_CHECK(configFromJson(given, kWhere, config));
  STRATA_CHECK(check(config));
  STRATA_CHECK(resolve(project, config));
  STRATA_TRY(const ModelLocation model, locateModel(config.model, project, Locate::place));  // the job verifies it
  std::error_code ignored;
  for (const fs::path& path : {model.folder, fs::path(config.text)}) {
    if (fs::exists(path, ignored)) continue;
    return fail(ErrorCode::notFound, "There is no " + path.string() + "; give another path.", path.string());
  }
  return configToJson(config);
}

}  // namespace

Result<std::string> queueMeasure(const fs::path& project, const protocol::StartJob::Params& params) {
  const Json given = params.config.is_null() ? Json::object() : params.config;
  STRATA_TRY(const Json config, params.kind == kSearchKind
                                    ? checkedConfig<SearchConfig>(project, given, checkSearchConfig)
                                    : checkedConfig<SensitivityConfig>(project, given, checkSensitivityConfig));
  STRATA_TRY(const Project opened, Project::open(project));
  STRATA_TRY(const Run run, Run::create(opened, params.kind, config));
  return run.info().id;
}

void addSearchMethods(MethodTable& methods, const ProjectAccess& project) {
  using namespace protocol;
  const auto reading = std::make_shared<SearchReading>();
  methods.add<ReadSensitivity>(
      [=](const ReadSensitivity::Params& params, RequestContext&) -> Result<ReadSensitivity::Answer> {
        STRATA_TRY(const auto held, project());
        return reading->sensitivity(*held, params);
      });
  methods.add<ReadSearch>([=](const ReadSearch::Params& params, RequestContext&) -> Result<ReadSearch::Answer> {
    STRATA_TRY(const auto held, project());
    return SearchReading::search(*held, params);
  });
}

}  // namespace strata
