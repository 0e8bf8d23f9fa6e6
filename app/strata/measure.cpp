#include "app/strata/measure.h"

#include "core/project/project.h"
#include "core/protocol/job_kinds.h"
#include "core/service/model_hash.h"

namespace strata {
namespace fs = std::filesystem;

namespace {

std::string absoluteText(const fs::path& path) {
  return fs::absolute(path).lexically_normal().string();
}

/// The run's config as it is stored: its own, so that it says what was measured.
template <class Config>
Result<PreparedMeasure> prepareJob(Run& run, const std::string& project, Config& config) {
  STRATA_CHECK(configFromJson(run.info().config, (run.folder() / "run.json").string(), config, UnknownKeys::ignore));
  STRATA_TRY(PreparedMeasure prepared, prepareMeasure(config, project));
  STRATA_CHECK(run.setConfig(configToJson(config)));
  return prepared;
}

Result<PreparedMeasure> prepareAlone(MeasureConfig& config, const std::string& project) {
  PreparedMeasure prepared;
  if (!project.empty()) {
    STRATA_TRY(const ProjectData text, Project::findData(config.text, project));
    config.text = text.path.string();
  }
  STRATA_TRY(OpenedModel opened, openModel(modelOptionsOf(config, project)));
  const fs::path adapter = config.adapter.empty() ? opened.location.adapter : fs::path(config.adapter);
  STRATA_TRY(const std::string hash, ModelHashes().of(*opened.model->checkpoint(), adapter, &cancelFlag()));
  const fs::path place = opened.location.run.empty() ? opened.location.folder : opened.location.run;
  fs::path named = absoluteText(place);
  prepared.opened = {opened.model, hash, named.filename().string()};
  prepared.location = opened.location;
  if (opened.location.run.empty()) config.model = named.string();
  if (!config.adapter.empty()) config.adapter = absoluteText(config.adapter);
  config.text = absoluteText(config.text);
  return prepared;
}

}  // namespace

Result<PreparedMeasure> prepareMeasure(MeasureConfig& config, const std::string& project, Communicator* ranks) {
  Result<PreparedMeasure> prepared = prepareAlone(config, project);
  STRATA_CHECK(agree(ranks, prepared ? Result<void>() : tl::unexpected(prepared.error())));
  prepared->opened.ranks = ranks;
  return prepared;
}

MeasureShown::MeasureShown(std::string name) : m_name(std::move(name)) {
  m_progress.goOn = [] { return !cancelFlag().load(); };
  m_progress.onProgress = [this](std::int64_t done, std::int64_t total, const std::string& note) {
    if (!m_shown || total != m_total) {
      std::function<void(const std::string&)> copy;
      if (m_log) copy = [this](const std::string& line) { m_log->line(line); };
      m_shown.emplace(m_name, total, done, std::move(copy));
      m_total = total;
    }
    m_shown->update(done, note);
  };
}

Result<Run*> MeasureShown::keepIn(const std::string& project, const char* kind, const Json& config) {
  if (project.empty()) return nullptr;
  STRATA_TRY(const Project opened, Project::openOrCreate(project));
  STRATA_TRY(m_run, Run::create(opened, kind, config));
  m_log.emplace(m_run->folder());
  return &*m_run;
}

Result<RunState> measureJob(Run& run, const std::string& project) {
  const bool searches = run.info().kind == kSearchKind;
  MeasureShown shown(searches ? "Searching" : "Measuring");
  Result<Json> answer = Json();
  if (searches) {
    SearchConfig config;
    STRATA_TRY(const PreparedMeasure prepared, prepareJob(run, project, config));
    answer = searchMaps(config, prepared.opened, &run, shown.progress());
  } else {
    SensitivityConfig config;
    STRATA_TRY(const PreparedMeasure prepared, prepareJob(run, project, config));
    answer = measureMatrix(config, prepared.opened, &run, shown.progress());
  }
  shown.end();
  if (!answer && answer.error().code != ErrorCode::cancelled) return tl::unexpected(answer.error());
  return run.info().state;
}

}  // namespace strata
