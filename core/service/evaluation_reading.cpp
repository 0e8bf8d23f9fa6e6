#include "core/service/evaluation_reading.h"

#include <algorithm>
#include <set>

#include "core/config/eval_config.h"
#include "core/evaluation/prepare_task.h"
#include "core/metrics/characters.h"
#include "core/metrics/significance.h"
#include "core/project/model_name.h"
#include "core/project/project.h"
#include "core/project/run_reader.h"
#include "core/protocol/job_kinds.h"
#include "core/report/evaluation_run.h"
#include "core/report/paired_result.h"

namespace strata {
namespace {

namespace fs = std::filesystem;
using namespace protocol;

constexpr std::size_t kPageBytes = 256 << 10;

/// A relative path is meant from the project's folder, as jobs resolve it.
std::string rootedIn(const fs::path& project, const fs::path& path) {
  return path.is_relative() ? (project / path).lexically_normal().string() : path.string();
}

/// As the run was told.
Result<EvalConfig> configOf(const EvaluationRun& run) {
  EvalConfig config;
  STRATA_CHECK(configFromJson(run.info.config, (run.folder / "run.json").string(), config, UnknownKeys::ignore));
  return config;
}

/// The run as its results say, or, while it has none, as it was told.
Result<EvaluationRun> openEvaluation(const fs::path& project, const std::string& id) {
  Result<EvaluationRun> done = readEvaluation(project, id);
  if (done || done.error().code != ErrorCode::invalidData) return done;
  const auto name = findRun(id, project);
  if (!name) return tl::unexpected(done.error());
  EvaluationRun run;
  run.folder = name->folder;
  STRATA_TRY(run.info, readRun(run.folder));
  STRATA_TRY(const EvalConfig config, configOf(run));
  run.task = config.task;
  run.data = config.data;
  for (const std::string& map : config.maps) {
    run.maps.emplace_back();
    run.maps.back().name = map;
  }
  return run;
}

/// One side with its answers.
struct OpenedSide {
  EvaluationRun run;
  EvaluatedMap map;
  EvaluatedAnswers scores;
};

Result<OpenedSide> openSide(const fs::path& project, const EvaluatedSide& side) {
  OpenedSide opened;
  STRATA_TRY(opened.run, openEvaluation(project, side.run));
  STRATA_TRY(opened.map, findMap(opened.run, side.map));
  STRATA_TRY(opened.scores, readScores(opened.run, opened.map));
  return opened;
}

/// The main score, the one that says right or wrong, and the loss: those of them that there are.
std::vector<std::string> metricsOf(const EvaluatedAnswers& scores) {
  std::vector<std::string> metrics{defaultMetric(scores)};
  for (const std::string& each :
       {exactMetric(scores), std::string("rouge_l"), std::string("acc_norm"), std::string("nll")}) {
    const bool known = std::find(metrics.begin(), metrics.end(), each) != metrics.end();
    if (!each.empty() && !known && scores.has(each)) metrics.push_back(each);
  }
  return metrics;
}

/// Of each side; the sides share their draws.
Result<std::vector<std::vector<IntervalScore>>> intervalsOf(const std::vector<const EvaluatedAnswers*>& sides) {
  std::vector<std::vector<IntervalScore>> found(sides.size());
  if (sides.empty()) return found;
  for (const std::string& metric : metricsOf(*sides.front())) {
    STRATA_TRY(const std::vector<MeanResult> means, meansOf(sides, metric));
    for (std::size_t i = 0; i < sides.size(); ++i) {
      const MeanResult& mean = means[i];
      found[i].push_back({metric, mean.mean, mean.interval.low, mean.interval.high, mean.n});
    }
  }
  return found;
}

std::vector<Score> scoresOf(const std::map<std::string, double>& scores) {
  std::vector<Score> list;
  for (const auto& [name, value] : scores) list.push_back({name, value});
  return list;
}

/// What two answers to a question say of a filter.
struct Verdict {
  bool rightA = false, rightB = false, judged = false, answerable = true;
  bool passes(const std::string& filter) const {
    if (filter == "only_a") return judged && rightA && !rightB;
    if (filter == "only_b") return judged && rightB && !rightA;
    if (filter == "both_right") return judged && rightA && rightB;
    if (filter == "both_wrong") return judged && !rightA && !rightB;
    if (filter == "unanswerable") return !answerable;
    return true;
  }
};

bool isFilter(const std::string& text) {
  constexpr const char* kFilters[] = {"", "only_a", "only_b", "both_right", "both_wrong", "unanswerable"};
  return std::find(std::begin(kFilters), std::end(kFilters), text) != std::end(kFilters);
}

std::string lowercase(const std::string& text) {
  return utf8Of(lowered(codePointsOf(text)));
}

bool holds(const std::string& text, const std::string& lowered) {
  return lowercase(text).find(lowered) != std::string::npos;
}

double scoreIn(const RunAnswer& answer, const std::string& metric) {
  const auto found = answer.scores.find(metric);
  return found == answer.scores.end() ? 0 : found->second;
}

}  // namespace

Result<ReadEvaluation::Answer> EvaluationScores::read(const fs::path& project, const std::string& id) {
  STRATA_TRY(const EvaluationRun run, openEvaluation(project, id));
  ReadEvaluation::Answer answer;
  answer.state = toString(run.info.state);
  answer.message = run.info.message;
  answer.task = run.task;
  answer.data = run.data;
  answer.metric = primaryMetric(run.task);
  STRATA_TRY(const EvalConfig config, configOf(run));
  answer.model = config.model;
  answer.adapter = config.adapter;
  const Result<RunReader> reader = RunReader::open(run.folder);
  if (!reader && reader.error().code == ErrorCode::notFound) return answer;
  if (!reader) return tl::unexpected(reader.error());
  STRATA_TRY(const RunProgress progress, reader->progress(run.info));
  answer.done = progress.step;
  answer.all = progress.steps;
  if (run.info.state == RunState::running) answer.secondsLeft = progress.secondsLeft();
  for (const EvaluatedMap& each : run.maps) {
    ReadEvaluation::Map map;
    map.map = each.name;
    const bool finished = each.n > 0;
    map.src = finished ? printMap(each.map) : std::string();
    map.retention = finished ? each.map.retention() : 0;
    map.kvBytesPerToken = each.kvBytesPerToken;
    STRATA_TRY(map.n, reader->answerCount(each.name));
    answer.maps.push_back(std::move(map));
  }
  STRATA_CHECK(addScores(run, answer));
  return answer;
}

/// The intervals take a second or two for many questions: what was answered last time is kept.
Result<void> EvaluationScores::addScores(const EvaluationRun& run, ReadEvaluation::Answer& answer) {
  const std::lock_guard lock(m_mutex);
  Kept& kept = m_kept[run.folder];
  std::vector<std::int64_t> counts;
  for (const ReadEvaluation::Map& map : answer.maps) counts.push_back(map.n);
  if (counts != kept.counts) {
    kept = {};
    std::vector<EvaluatedAnswers> scores;
    std::vector<std::size_t> places;
    for (std::size_t i = 0; i < run.maps.size(); ++i) {
      if (answer.maps[i].n == 0) continue;
      STRATA_TRY(EvaluatedAnswers side, readScores(run, run.maps[i]));
      scores.push_back(std::move(side));
      places.push_back(i);
    }
    std::vector<const EvaluatedAnswers*> sides;
    for (const EvaluatedAnswers& each : scores) sides.push_back(&each);
    STRATA_TRY(const auto intervals, intervalsOf(sides));
    kept.scores.resize(run.maps.size());
    for (std::size_t i = 0; i < places.size(); ++i) kept.scores[places[i]] = intervals[i];
    if (!scores.empty()) kept.exact = exactMetric(scores.front());
    kept.counts = counts;
  }
  answer.exact = kept.exact;
  for (std::size_t i = 0; i < answer.maps.size(); ++i) answer.maps[i].scores = kept.scores[i];
  for (const ReadEvaluation::Map& map : answer.maps) {
    if (!map.scores.empty()) answer.metric = map.scores.front().metric;
  }
  return {};
}

Result<CompareEvaluations::Answer> compareEvaluations(const fs::path& project,
                                                      const CompareEvaluations::Params& params) {
  if (params.b.empty()) return fail(ErrorCode::usage, "There is nothing to compare with; name a side b.", "b");
  STRATA_TRY(const OpenedSide a, openSide(project, params.a));
  std::vector<OpenedSide> others;
  for (const EvaluatedSide& each : params.b) {
    STRATA_TRY(OpenedSide side, openSide(project, each));
    STRATA_CHECK(checkComparable(a.run, side.run));
    others.push_back(std::move(side));
  }
  std::vector<const EvaluatedAnswers*> scores;
  for (const OpenedSide& each : others) scores.push_back(&each.scores);
  CompareEvaluations::Answer answer;
  answer.metric = params.metric.empty() ? defaultMetric(a.scores) : params.metric;
  STRATA_TRY(const std::vector<PairedResult> results, compareAll(a.scores, scores, answer.metric));
  for (std::size_t i = 0; i < results.size(); ++i) {
    const PairedResult& result = results[i];
    CompareEvaluations::Pair pair;
    pair.b = {others[i].run.info.id, others[i].map.name};
    pair.n = result.n;
    pair.clusters = result.clusters;
    pair.inAAlone = result.inAAlone;
    pair.inBAlone = result.inBAlone;
    pair.meanA = result.meanA;
    pair.meanB = result.meanB;
    pair.difference = result.difference;
    pair.low = result.interval.low;
    pair.high = result.interval.high;
    if (result.mcnemar) {
      pair.onlyA = result.mcnemar->onlyA;
      pair.onlyB = result.mcnemar->onlyB;
      pair.p = result.mcnemar->p;
      pair.adjustedP = result.mcnemar->adjusted;
    }
    pair.detectable = result.detectable;
    pair.hint = powerSentence(result);
    answer.pairs.push_back(std::move(pair));
  }
  return answer;
}

Result<ListSamples::Answer> listSamples(const fs::path& project, const ListSamples::Params& params,
                                        const std::map<std::string, std::string>& notes) {
  if (!isFilter(params.filter)) {
    return fail(
        ErrorCode::usage,
        "There is no filter " + params.filter + "; give only_a, only_b, both_right, both_wrong or unanswerable.",
        "filter");
  }
  STRATA_TRY(const OpenedSide a, openSide(project, params.a));
  std::map<std::string, const RunAnswer*> ofB;
  std::optional<OpenedSide> b;
  if (!params.b.run.empty()) {
    STRATA_TRY(b, openSide(project, params.b));
    STRATA_CHECK(checkComparable(a.run, b->run));
    for (const RunAnswer& each : b->scores.answers) ofB[each.question] = &each;
  }
  const std::string exact = exactMetric(a.scores), search = lowercase(params.search);
  ListSamples::Answer answer;
  std::size_t bytes = 0;
  for (const RunAnswer& each : a.scores.answers) {
    const auto other = ofB.find(each.question);
    if (b && other == ofB.end()) continue;
    const RunAnswer* second = b ? other->second : nullptr;
    Verdict verdict;
    verdict.answerable = each.asked.answerable;
    verdict.judged = !exact.empty() && second != nullptr;
    verdict.rightA = scoreIn(each, exact) == 1;
    verdict.rightB = second != nullptr && scoreIn(*second, exact) == 1;
    ++answer.all;
    answer.onlyA += verdict.passes("only_a") ? 1 : 0;
    answer.onlyB += verdict.passes("only_b") ? 1 : 0;
    answer.bothRight += verdict.passes("both_right") ? 1 : 0;
    answer.bothWrong += verdict.passes("both_wrong") ? 1 : 0;
    answer.unanswerable += verdict.passes("unanswerable") ? 1 : 0;
    if (!verdict.passes(params.filter)) continue;
    const bool found = search.empty() || holds(each.asked.text, search) || holds(each.asked.expected, search) ||
                       holds(each.answer, search) || (second != nullptr && holds(second->answer, search)) ||
                       holds(each.question, search);
    if (!found) continue;
    const std::int64_t at = answer.total++;
    const auto taken = static_cast<std::int64_t>(answer.samples.size());
    if (at < params.from || taken >= params.count || bytes > kPageBytes) continue;
    const auto note = notes.find(each.question);
    ListSamples::Sample sample{each.question,
                               each.asked.text,
                               each.asked.expected,
                               each.answer,
                               second != nullptr ? second->answer : std::string(),
                               scoresOf(each.scores),
                               second != nullptr ? scoresOf(second->scores) : std::vector<Score>(),
                               each.asked.answerable,
                               note == notes.end() ? std::string() : note->second};
    bytes += sample.text.size() + sample.expected.size() + sample.answerA.size() + sample.answerB.size() + 512;
    answer.samples.push_back(std::move(sample));
  }
  const std::int64_t end = params.from + static_cast<std::int64_t>(answer.samples.size());
  answer.next = end < answer.total && !answer.samples.empty() ? end : 0;
  return answer;
}

Result<ReadSample::Answer> readSample(const fs::path& project, const ReadSample::Params& params,
                                      AskedPrompts& prompts) {
  STRATA_TRY(const EvaluationRun run, openEvaluation(project, params.run));
  STRATA_TRY(const RunReader reader, RunReader::open(run.folder));
  STRATA_TRY(const std::optional<RunQuestion> question, reader.question(params.id));
  if (!question) {
    return fail(ErrorCode::notFound, "The evaluation " + run.info.id + " did not ask the question " + params.id + ".",
                params.id);
  }
  ReadSample::Answer answer;
  answer.text = question->text;
  answer.expected = question->expected;
  answer.context = question->context;
  answer.cluster = question->cluster;
  answer.references = question->references;
  answer.answerable = question->answerable;
  STRATA_TRY(const EvalConfig config, configOf(run));
  answer.prompt = prompts.find(run.info.id, config, params.id);
  const EvalTask* task = findEvalTask(config.task);
  if (task != nullptr && task->questions && !isAnsweredByChoice(*task->questions)) answer.stop = {"\n"};
  return answer;
}

std::string AskedPrompts::find(const std::string& run, const EvalConfig& config, const std::string& question) {
  const std::lock_guard lock(m_mutex);
  if (m_run != run) {
    m_run = run;
    m_prompts.clear();
    const Result<AskedQuestions> asked = readAsked(config);
    if (!asked) return {};  // the data have moved; the page shows what the run kept
    const Result<TaskPrompt> prompt = TaskPrompt::make(asked->data, asked->ask);
    if (!prompt) return {};
    std::uint64_t number = 0;
    for (const Question& each : asked->data.questions) {
      if (const Result<QuestionPrompt> written = prompt->of(each, number++)) m_prompts[each.id] = written->whole();
    }
  }
  const auto found = m_prompts.find(question);
  return found == m_prompts.end() ? std::string() : found->second;
}

Result<ReadEvaluationMatrix::Answer> readMatrix(const fs::path& project, const std::vector<std::string>& runs,
                                                const ReadEvaluationMatrix::Params& params) {
  ReadEvaluationMatrix::Answer answer;
  if (!params.data.empty()) {
    STRATA_TRY(const ProjectData data, Project::findData(params.data, project));
    answer.data = rootedIn(project, data.path);
  }
  std::set<std::string> known;
  for (const std::string& id : runs) {
    const Result<EvaluationRun> run = readEvaluation(project, id);
    if (!run || run->task != params.task) continue;  // of another kind, or broken: its own page says why
    if (answer.data.empty()) answer.data = run->data;
    if (run->data != answer.data) continue;
    STRATA_TRY(const EvalConfig config, configOf(*run));
    for (const EvaluatedMap& map : run->maps) {
      if (!known.insert(config.model + '\n' + config.adapter + '\n' + printMap(map.map)).second) continue;
      STRATA_TRY(const EvaluatedAnswers scores, readScores(*run, map));
      if (answer.metric.empty()) answer.metric = defaultMetric(scores);
      STRATA_TRY(const std::vector<MeanResult> means, meansOf({&scores}, answer.metric));
      const MeanResult& mean = means.front();
      answer.cells.push_back({config.model,
                              config.adapter,
                              map.name,
                              printMap(map.map),
                              id,
                              map.map.retention(),
                              config.limit,
                              {answer.metric, mean.mean, mean.interval.low, mean.interval.high, mean.n}});
    }
  }
  return answer;
}

Result<PlanEvaluation::Answer> planEvaluation(const fs::path& project, const std::vector<std::string>& runs,
                                              const Json& given) {
  EvalConfig config;
  Json options = given;
  if (options.contains("maps") && options["maps"].is_string()) options["maps"] = Json::array({options["maps"]});
  STRATA_CHECK(configFromJson(options, "The evaluation's configuration", config));
  if (!config.data.empty()) {
    STRATA_TRY(const ProjectData data, Project::findData(config.data, project));
    config.data = rootedIn(project, data.path);
    if (config.columns.empty()) config.columns = data.columns;
  }
  STRATA_CHECK(checkEvalConfig(config));
  PlanEvaluation::Answer plan;
  const bool asks = std::string_view(defaultPrompt(config.task)) != "";
  if (asks) {
    STRATA_TRY(const AskedQuestions asked, readAsked(config));
    plan.available = static_cast<std::int64_t>(asked.data.questions.size());
    plan.questions = config.limit > 0 ? std::min<std::int64_t>(config.limit, plan.available) : plan.available;
    plan.detectable = detectableDifference(worstDifferenceError(std::max<std::int64_t>(1, plan.questions)));
    if (!asked.data.questions.empty()) {
      STRATA_TRY(const TaskPrompt prompt, TaskPrompt::make(asked.data, asked.ask));
      STRATA_TRY(const QuestionPrompt first, prompt.of(asked.data.questions.front(), 0));
      plan.prompt = first.whole();
    }
  } else {
    plan.questions = config.limit;
  }
  const auto maps = static_cast<double>(std::max<std::size_t>(1, config.maps.size()));
  for (const std::string& id : runs) {
    const Result<EvaluationRun> run = readEvaluation(project, id);
    if (!run || run->task != config.task) continue;
    STRATA_TRY(const EvalConfig past, configOf(*run));
    if (past.model != config.model) {
      const Result<ModelLocation> model = locateModel(config.model, project, Locate::place);
      if (!model || past.model != (model->run.empty() ? model->folder : model->run).string()) continue;
    }
    double seconds = 0, questions = 0;
    for (const EvaluatedMap& map : run->maps) {
      seconds += map.seconds;
      questions += static_cast<double>(map.n);
    }
    if (questions == 0) continue;
    plan.seconds = seconds / questions * maps * static_cast<double>(plan.questions);
    break;
  }
  return plan;
}

Result<std::string> dataOf(const fs::path& project, const std::string& id) {
  STRATA_TRY(const EvaluationRun run, openEvaluation(project, id));
  return run.dataHash.empty() ? run.data : run.dataHash;
}

}  // namespace strata
