#include "core/search/search_run.h"

#include <algorithm>
#include <cmath>

#include "core/base/files.h"
#include "core/data/questions.h"
#include "core/evaluation/tasks.h"
#include "core/project/map_files.h"
#include "core/routing/memory.h"
#include "core/search/dissimilarity.h"
#include "core/search/map_search.h"
#include "core/search/measure_record.h"
#include "core/search/sensitivity_run.h"

namespace strata {
namespace {

constexpr const char* kResultsFile = "results.json";

Json orNull(const std::optional<double>& value) {
  return value ? Json(*value) : Json(nullptr);
}

/// One search on its way: what it measures with, and what it has found.
class SearchWork {
 public:
  SearchWork(const SearchConfig& config, const OpenedForSearch& opened, Run* run, const MeasureProgress& progress)
      : m_config(config), m_opened(opened), m_run(run), m_progress(progress) {}

  Result<Json> run();

 private:
  bool onlyMeasures() const { return m_method.name == "measure"; }
  int layers() const { return m_opened.model->config().layers; }
  bool goOn() { return (!m_progress.goOn || m_progress.goOn()) && m_record->goOn(); }
  Result<void> prepare();
  Result<void> prepareTask();
  Result<SearchHooks> hooks();
  Result<void> keep(const MeasuredMap& map, const MeasuredMap* best);
  Result<DeltaMatrix> matrix();
  void tell(double maps);
  Json resultOf(const MeasuredMap& map) const;
  Json results() const;
  Result<Json> answer(bool stopped);

  const SearchConfig& m_config;
  const OpenedForSearch& m_opened;
  Run* m_run;
  const MeasureProgress& m_progress;
  SearchMethod m_method;
  int m_owners = 1;
  std::vector<SharingMap> m_maps;
  SearchText m_text;
  std::unique_ptr<Objective> m_objective;
  std::optional<MeasureRecord> m_record;
  double m_done = 0;
  std::int64_t m_planned = 0;
  std::string m_note;
  std::string m_name;  // of the stored map
  std::vector<MeasuredMap> m_measured;
  std::optional<MeasuredMap> m_best, m_full;
};

Result<void> SearchWork::prepareTask() {
  const EvalTask* task = findEvalTask(m_config.task);
  if (task == nullptr || !task->questions) {
    return fail(ErrorCode::usage, "The task " + m_config.task + " has no score to search by.", "--task");
  }
  if (m_method.name == "dp" || m_method.name == "dissimilarity" || m_config.guided) {
    return fail(ErrorCode::usage,
                "The method " + std::string(m_config.guided ? "guided" : m_method.name) +
                    " needs a text, not a task; search by greedy, beam or random.",
                "--task");
  }
  STRATA_TRY(QuestionSet data, readQuestions(m_config.text, *task->questions));
  STRATA_TRY(m_objective,
             taskObjective(m_opened.model, std::move(data), m_config.limit, m_config.seed, m_opened.ranks));
  m_text.path = m_config.text;
  STRATA_TRY(m_text.hash, sha256OfFile(m_config.text));
  m_text.documents = m_config.limit;
  return {};
}

Result<void> SearchWork::prepare() {
  STRATA_TRY(m_method, searchMethodOf(m_config.method));
  if (layers() < 2 && !onlyMeasures()) {
    return fail(ErrorCode::usage, "A model of one layer has nothing to share.", m_config.model);
  }
  for (const std::string& text : m_config.maps) {
    STRATA_TRY(const std::vector<NamedMap> some, parseMaps(text, layers()));
    for (const NamedMap& named : some) {
      STRATA_CHECK(checkGeometry(named.map, m_opened.model->config().kvGeometry()));
      m_maps.push_back(named.map);
    }
  }
  if (!onlyMeasures()) {
    STRATA_TRY(m_owners, ownersFor(m_config, *m_opened.model));
  }
  if (!m_config.task.empty()) return prepareTask();
  STRATA_TRY(m_text, readSearchText(*m_opened.model, m_config.text, m_config.tokens));
  m_objective = textObjective(m_opened.model, m_text, m_opened.ranks);
  return {};
}

void SearchWork::tell(double maps) {
  m_done += maps;
  const auto done = static_cast<std::int64_t>(m_done + 1e-6);
  if (m_progress.onProgress) m_progress.onProgress(done, m_planned, m_note);
  if (const Result<void> told = m_record->tell(done, m_planned); !told) m_note = told.error().message;
}

Json SearchWork::resultOf(const MeasuredMap& map) const {
  const MeanLoss mean = meanOf(map.losses);
  Json json = {{"map", printMap(map.map)},
               {"src", map.map.src()},
               {"retention", map.map.retention()},
               {m_objective->metric(), m_objective->valueOf(mean.mean)},
               {"half_width", orNull(mean.halfWidth)},
               {m_config.task.empty() ? "tokens" : "n", mean.tokens}};
  if (m_full) json["difference_half_width"] = orNull(meanDifference(map.losses, m_full->losses).halfWidth);
  return json;
}

Json SearchWork::results() const {
  Json list = Json::array();
  for (const MeasuredMap& map : m_measured) list.push_back(resultOf(map));
  Json json = {{"layers", layers()},
               {"owners", m_owners},
               {"method", m_method.name},
               {"metric", m_objective->metric()},
               {"seconds", m_record->seconds()},
               {"results", std::move(list)}};
  if (m_best) json["best"] = printMap(m_best->map);
  if (!m_name.empty()) json["name"] = m_name;
  return json;
}

Result<void> SearchWork::keep(const MeasuredMap& map, const MeasuredMap* best) {
  m_measured.push_back(map);
  if (map.map.isFull()) m_full = map;
  const std::string key = printMap(map.map);
  if (!m_record->known().contains(key)) {
    for (std::size_t i = 0; i < map.losses.size(); ++i) {
      if (map.losses[i].tokens > 0) STRATA_CHECK(m_record->add(key, i, map.losses[i]));
    }
  }
  if (best != nullptr && (!m_best || best->map != m_best->map)) {
    m_best = *best;
    m_note = m_objective->metric() + " " + std::to_string(m_objective->valueOf(best->mean)) + " " + printMap(best->map);
    STRATA_CHECK(m_record->tellBest(m_objective->metric(), printMap(best->map), m_objective->valueOf(best->mean)));
  }
  return m_record->write(
      kResultsFile, [this] { return results(); }, false);
}

Result<DeltaMatrix> SearchWork::matrix() {
  const Json header = headerOf(m_config, m_opened, m_text);
  if (m_run != nullptr && m_opened.ranks == nullptr) {  // the other ranks have no project
    if (auto found = findMatrix(m_run->folder().parent_path().parent_path(), header)) return *found;
  }
  const double before = m_done;
  const int cells = layers() * (layers() - 1) / 2 + 1;
  m_planned += cells;
  const auto onCell = [&](std::int64_t done, std::int64_t all) -> Result<void> {
    m_done = before + static_cast<double>(cells) * static_cast<double>(done) / static_cast<double>(all);
    tell(0);
    return {};
  };
  STRATA_TRY(const Sensitivity measured, measureInto(
                                             *m_record, m_opened, m_text, [this] { return goOn(); }, onCell));
  m_done = before + cells;
  return summaryOf(measured);
}

Result<SearchHooks> SearchWork::hooks() {
  SearchHooks hooks;
  hooks.measure.goOn = [this] { return goOn(); };
  hooks.measure.onPart = [this](double maps) { tell(maps); };
  hooks.onPlan = [this](std::int64_t maps) { m_planned = std::llround(m_done) + maps; };
  hooks.onMeasured = [this](const MeasuredMap& map, const MeasuredMap* best) { return keep(map, best); };
  hooks.matrix = [this] { return matrix(); };
  hooks.dissimilar = [this] {
    return mapByDissimilarity(*m_opened.model, m_text, m_owners, [this] { return goOn(); });
  };
  return hooks;
}

Result<Json> SearchWork::answer(bool stopped) {
  STRATA_CHECK(m_record->write(
      kResultsFile, [this] { return results(); }, true));
  Json extra = {{"method", m_method.name}};
  const auto score = [&](const std::optional<MeasuredMap>& map) {
    return map ? Json(m_objective->valueOf(map->mean)) : Json(nullptr);
  };
  const bool isNll = m_config.task.empty();
  extra["nll"] = isNll ? score(m_best) : Json(nullptr);
  extra["baseline_nll"] = isNll ? score(m_full) : Json(nullptr);
  extra["evaluated"] = m_measured.size();
  extra["seconds"] = m_record->seconds();
  extra["seed"] = m_config.seed;
  extra["model_hash"] = m_opened.hash;
  extra["map"] = printMap(m_best->map);
  extra["metric"] = m_objective->metric();
  extra["value"] = score(m_best);
  extra["full"] = score(m_full);
  const MeanLoss mean = meanOf(m_best->losses);
  extra["half_width"] = orNull(mean.halfWidth);
  extra["difference_half_width"] =
      m_full ? orNull(meanDifference(m_best->losses, m_full->losses).halfWidth) : Json(nullptr);
  extra["text"] = m_text.path.string();
  extra["text_hash"] = m_text.hash;
  extra["tokens"] = mean.tokens;
  if (stopped) extra["stopped"] = true;
  Json file = mapToJson(m_best->map, extra);
  if (onlyMeasures()) file["results"] = results()["results"];
  if (m_run == nullptr) return file;
  file["run"] = m_run->info().id;
  if (onlyMeasures()) return file;
  Json stored = extra;
  stored["model"] = m_config.model;
  if (!m_config.adapter.empty()) stored["adapter"] = m_config.adapter;
  stored["scores"] = Json::array({{{"metric", m_objective->metric()},
                                   {"value", extra["value"]},
                                   {"n", mean.tokens},
                                   {"half_width", extra["half_width"]}}});
  stored["run"] = m_run->info().id;
  m_name = m_config.name;
  if (m_name.empty()) {
    m_name = m_opened.name + ", " + std::to_string(m_best->map.owners()) + " of " + std::to_string(layers()) + ", " +
             m_method.name;
  }
  STRATA_CHECK(writeMap(m_run->folder().parent_path().parent_path(), m_name, m_best->map, stored));
  STRATA_CHECK(m_record->write(
      kResultsFile, [this] { return results(); }, true));
  file["name"] = m_name;
  return file;
}

Result<Json> SearchWork::run() {
  STRATA_CHECK(prepare());
  if (m_run != nullptr) STRATA_CHECK(m_run->setState(RunState::running));
  STRATA_TRY(m_record, MeasureRecord::open(
                           m_run, kResultsFile, headerOf(m_config, m_opened, m_text),
                           std::max<std::size_t>(m_text.windows.size(), static_cast<std::size_t>(m_config.limit))));
  STRATA_TRY(SearchHooks hooks, this->hooks());
  MapSearch search(
      *m_objective, layers(),
      {.method = m_method, .owners = m_owners, .seed = m_config.seed, .guided = m_config.guided, .maps = m_maps},
      std::move(hooks));
  for (const auto& [key, losses] : m_record->known()) {
    const Result<SharingMap> map = parseMap(key, layers());  // cells of a matrix are no maps
    if (!map) continue;
    Losses some = losses;
    if (m_config.task.empty()) some.resize(m_text.windows.size());
    const bool whole = m_config.task.empty() ? std::all_of(some.begin(), some.end(),
                                                           [](const WindowLoss& window) { return window.tokens > 0; })
                                             : !some.empty();
    if (whole) search.know(*map, std::move(some));
  }
  const Result<SearchResult> found = search.run();
  if (found) {
    m_best = found->best;
    return answer(false);
  }
  if (found.error().code != ErrorCode::cancelled || !m_best) return tl::unexpected(found.error());
  return answer(true);
}

}  // namespace

Result<int> ownersFor(const SearchConfig& config, const Model& model) {
  const int layers = model.config().layers;
  if (config.retention) return ownersForRetention(*config.retention, layers);
  const std::int64_t bytes = kvBytes(mapFromOwners(std::vector<bool>(static_cast<std::size_t>(layers), false)),
                                     model.config().shape(), model.context(), model.kvStorage());
  const std::int64_t owners = *config.budget / bytes;
  if (owners >= 1) return static_cast<int>(std::min<std::int64_t>(owners, layers));
  return fail(ErrorCode::usage,
              "The budget of " + std::to_string(*config.budget) + " bytes is too small: one layer's cache of " +
                  std::to_string(model.context()) + " tokens takes " + std::to_string(bytes) +
                  "; give more, or a shorter context.",
              "--budget");
}

Result<Json> searchMaps(const SearchConfig& config, const OpenedForSearch& opened, Run* run,
                        const MeasureProgress& progress) {
  Result<Json> answer = SearchWork(config, opened, run, progress).run();
  if (run == nullptr) return answer;
  if (answer) {
    const bool stopped = answer->contains("stopped");
    STRATA_CHECK(run->setState(stopped ? RunState::stopped : RunState::done,
                               stopped ? "Stopped; the best map so far is kept." : ""));
    if (stopped) run->clearStop();
    return answer;
  }
  STRATA_CHECK(endUnfinished(*run, answer.error()));
  return answer;
}

}  // namespace strata
