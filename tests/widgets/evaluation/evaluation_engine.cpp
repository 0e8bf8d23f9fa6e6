// What the engine of these tests answers: a project with two models, questions, and evaluations whose answers follow
// from a question's number. The scenario says in words what there is: "done", "many" (10,000 questions), "failed",
// "broken" (results cannot be read), "one model", "only base" (is evaluated), "folders" (runs name their models by
// them); without any there is no evaluation yet.

#include <algorithm>
#include <cmath>
#include <map>

#include "core/config/eval_config.h"
#include "core/protocol/job_kinds.h"
#include "core/routing/sharing_map.h"
#include "scripted_engine.h"

namespace strata::testing {
namespace {

constexpr int kLayers = 12;
const char* const kData = "/projects/test/recall.json";
const char* const kModels = "/projects/test/models/";

int questions = 332;
std::vector<protocol::JobInfo> jobs;
// Made when they are asked for: the engine runs before main().
std::map<std::string, EvalConfig>& configs() {
  static std::map<std::string, EvalConfig> all;
  return all;
}
std::map<std::string, std::string>& notes() {
  static std::map<std::string, std::string> all;
  return all;
}

protocol::JobInfo* jobOf(const std::string& id) {
  const auto found = std::find_if(jobs.begin(), jobs.end(), [&](const auto& job) { return job.id == id; });
  return found == jobs.end() ? nullptr : &*found;
}

protocol::JobInfo& addJob(const EvalConfig& config, const std::string& state, std::int64_t step) {
  protocol::JobInfo job;
  job.id = "2026112" + std::to_string(8 + jobs.size() / 10) + "-" + std::to_string(jobs.size() + 1);
  job.kind = kEvalKind;
  job.state = state;
  job.alive = state == "running";
  job.created = "2026-11-28T10:1" + std::to_string(jobs.size() % 10) + ":00Z";
  job.name = "Evaluate: " + config.model + " on recall.json";
  job.model = config.model;
  job.data = config.data;
  job.task = config.task;
  const int asked = config.limit > 0 ? std::min(config.limit, questions) : questions;
  job.steps = asked * static_cast<std::int64_t>(std::max<std::size_t>(1, config.maps.size()));
  job.step = step < 0 ? job.steps : step;
  if (job.alive) job.secondsLeft = 72;
  configs()[job.id] = config;
  jobs.insert(jobs.begin(), job);
  return jobs.front();
}

EvalConfig configOf(const std::string& model) {
  EvalConfig config;
  config.model = model;
  config.task = "squad";
  config.data = kData;
  config.maps = {"full", "stride:2", "0,0,0,0,0,0,6,6,6,9,9,9"};
  return config;
}

double retentionOf(const std::string& map) {
  const auto parsed = parseMap(map, kLayers);
  return parsed ? parsed->retention() : 0;
}

std::string idOf(int question) {
  char id[16];
  std::snprintf(id, sizeof id, "q%05d", question);
  return id;
}

bool isAnswerable(int question) {
  return question % 10 != 9;
}

/// The routed model loses little by sharing, the base model much.
bool isRight(const std::string& run, const std::string& map, int question) {
  const double share = retentionOf(map);
  const int wrong = configs()[run].model.ends_with("routed") ? static_cast<int>(2 + 3 * (1 - share))
                                                             : static_cast<int>(2 + 9 * (1 - share));
  return (question * 7 + (share < 1 ? 3 : 0)) % 16 >= wrong;
}

int answeredOf(const std::string& run, const std::string& map) {
  const protocol::JobInfo* job = jobOf(run);
  const EvalConfig& config = configs()[run];
  const auto at = std::find(config.maps.begin(), config.maps.end(), map) - config.maps.begin();
  const std::int64_t each = job->steps / static_cast<std::int64_t>(std::max<std::size_t>(1, config.maps.size()));
  return static_cast<int>(std::clamp<std::int64_t>(job->step - at * each, 0, each));
}

/// Half the width is what a binomial share of so many has.
protocol::IntervalScore scoreOf(const std::string& metric, double value, int n) {
  const double half = n > 0 ? 1.96 * std::sqrt(std::max(value * (1 - value), 1e-4) / n) : 0;
  return {metric, value, std::max(0., value - half), std::min(1., value + half), n};
}

protocol::ReadEvaluation::Answer resultsOf(const std::string& run) {
  const protocol::JobInfo& job = *jobOf(run);
  const EvalConfig& config = configs()[run];
  protocol::ReadEvaluation::Answer answer;
  answer.state = job.state;
  answer.message = job.message;
  answer.task = config.task;
  answer.metric = "f1";
  answer.exact = "em";
  answer.model = config.model;
  answer.adapter = config.adapter;
  answer.data = config.data;
  answer.done = job.step;
  answer.all = job.steps;
  answer.secondsLeft = job.secondsLeft;
  for (const std::string& name : config.maps) {
    protocol::ReadEvaluation::Map map;
    map.map = name;
    map.n = answeredOf(run, name);
    map.retention = 0;
    if (!job.alive) {
      map.src = printMap(*parseMap(name, kLayers));
      map.retention = retentionOf(name);
      map.kvBytesPerToken = static_cast<std::int64_t>(map.retention * kLayers) * 512;
    }
    int right = 0;
    for (int i = 0; i < map.n; ++i) right += isRight(run, name, i);
    const double exact = map.n > 0 ? right / static_cast<double>(map.n) : 0;
    if (map.n > 0)
      map.scores = {scoreOf("f1", exact + (1 - exact) * .2, static_cast<int>(map.n)),
                    scoreOf("em", exact, static_cast<int>(map.n))};
    answer.maps.push_back(map);
  }
  return answer;
}

protocol::CompareEvaluations::Pair pairOf(const protocol::EvaluatedSide& a, const protocol::EvaluatedSide& b) {
  protocol::CompareEvaluations::Pair pair;
  pair.b = b;
  const int n = std::min(answeredOf(a.run, a.map), answeredOf(b.run, b.map));
  pair.n = pair.clusters = n;
  for (int i = 0; i < n; ++i) {
    const bool inA = isRight(a.run, a.map, i), inB = isRight(b.run, b.map, i);
    pair.onlyA += inA && !inB;
    pair.onlyB += inB && !inA;
    pair.meanA += inA;
    pair.meanB += inB;
  }
  if (n == 0) return pair;
  pair.meanA /= n;
  pair.meanB /= n;
  pair.difference = (pair.meanB - pair.meanA) * .8;
  const double half = .8 * 1.96 * std::sqrt(static_cast<double>(pair.onlyA + pair.onlyB) + 1) / n;
  pair.low = pair.difference - half;
  pair.high = pair.difference + half;
  pair.detectable = 1.43 * half;
  pair.p = std::min(1., std::exp(-std::pow(pair.difference / std::max(half, 1e-9), 2) * 2));
  pair.adjustedP = std::min(1., *pair.p * 2);
  pair.hint = "With 332 questions a difference below 4.1 points may not show.";
  return pair;
}

struct Listed {
  int question;
  bool a, b;
};

protocol::ListSamples::Answer samplesOf(const protocol::ListSamples::Params& params) {
  protocol::ListSamples::Answer answer;
  const bool two = !params.b.run.empty();
  const int n = two ? std::min(answeredOf(params.a.run, params.a.map), answeredOf(params.b.run, params.b.map))
                    : answeredOf(params.a.run, params.a.map);
  for (int i = 0; i < n; ++i) {
    const bool a = isRight(params.a.run, params.a.map, i), b = two && isRight(params.b.run, params.b.map, i);
    ++answer.all;
    answer.onlyA += a && !b;
    answer.onlyB += b && !a;
    answer.bothRight += a && b;
    answer.bothWrong += !a && !b;
    answer.unanswerable += !isAnswerable(i);
    const std::string& filter = params.filter;
    const bool passes = filter.empty() || (filter == "only_a" && a && !b) || (filter == "only_b" && b && !a) ||
                        (filter == "both_wrong" && !a && !b) || (filter == "unanswerable" && !isAnswerable(i));
    protocol::ListSamples::Sample sample;
    sample.id = idOf(i);
    sample.text = "Who came to the house on day " + std::to_string(i) + ", before the others had left?";
    if (!passes || (!params.search.empty() && sample.text.find(params.search) == std::string::npos)) continue;
    if (answer.total++ < params.from || static_cast<std::int64_t>(answer.samples.size()) >= params.count) continue;
    sample.answerable = isAnswerable(i);
    sample.expected = sample.answerable ? "Anne Elliot" : "";
    const auto say = [&](bool right, std::string& said, std::vector<protocol::Score>& scores) {
      const bool partly = !right && sample.answerable && i % 5 == 0;
      said = right ? sample.expected : partly ? "It was Anne, of course" : "Captain Wentworth <b>";
      scores = {{"em", right ? 1. : 0.}, {"f1", right ? 1. : partly ? .4 : 0.}};
    };
    say(a, sample.answerA, sample.scoresA);
    if (two) say(b, sample.answerB, sample.scoresB);
    sample.note = notes()[sample.id];
    answer.samples.push_back(sample);
  }
  const std::int64_t end = params.from + static_cast<std::int64_t>(answer.samples.size());
  answer.next = end < answer.total ? end : 0;
  return answer;
}

protocol::ReadEvaluationMatrix::Answer matrixOf(const protocol::ReadEvaluationMatrix::Params& params) {
  protocol::ReadEvaluationMatrix::Answer answer;
  answer.metric = "f1";
  answer.data = params.data;
  for (const protocol::JobInfo& job : jobs) {
    if (job.state != "done" || job.task != params.task) continue;
    for (const auto& map : resultsOf(job.id).maps) {
      const bool isKnown = std::any_of(answer.cells.begin(), answer.cells.end(), [&](const auto& cell) {
        return cell.model == job.model && cell.map == map.map;
      });
      if (isKnown || map.scores.empty()) continue;
      answer.cells.push_back({job.model, "", map.map, map.src, job.id, map.retention, 0, map.scores.front()});
    }
  }
  return answer;
}

void answerJobs(FakeEngine& engine) {
  engine.answer<protocol::ListJobs>([](const auto& params) -> Result<protocol::ListJobs::Answer> {
    protocol::ListJobs::Answer answer;
    if (!params.trash) answer.jobs = jobs;
    answer.total = static_cast<std::int64_t>(answer.jobs.size());
    return answer;
  });
  engine.answer<protocol::StartJob>([&engine](const auto& params) -> Result<protocol::StartJob::Answer> {
    if (!params.resume.empty()) {
      protocol::JobInfo* job = jobOf(params.resume);
      job->state = "running";
      job->alive = true;
      engine.notify(protocol::JobsChanged{{*job}, false});
      return protocol::StartJob::Answer{*job, {*job}};
    }
    EvalConfig config;
    STRATA_CHECK(configFromJson(params.config, "config", config));
    if (config.data == "/projects/test/broken.json") {
      return fail(ErrorCode::invalidData, "broken.json holds no question that SQuAD knows.", config.data);
    }
    if (!config.data.starts_with('/')) config.data = "/projects/test/" + config.data;
    const protocol::JobInfo& job = addJob(config, "running", 0);
    engine.notify(protocol::JobsChanged{{job}, false});
    return protocol::StartJob::Answer{job, {job}};
  });
  engine.answer<protocol::StopJob>([&engine](const auto& params) -> Result<protocol::Nothing> {
    protocol::JobInfo* job = jobOf(params.id);
    job->state = "stopped";
    job->alive = false;
    job->secondsLeft = -1;
    engine.notify(protocol::JobsChanged{{*job}, false});
    return protocol::Nothing{};
  });
}

/// Each look at a run that is alive finds it a little further.
void goOn(FakeEngine& engine, const std::string& run) {
  protocol::JobInfo* job = jobOf(run);
  if (job == nullptr || !job->alive || engine.scenario().find("held") != std::string::npos) return;
  job->step = std::min(job->steps, job->step + job->steps / 6 + 1);
  if (job->step == job->steps) {
    job->state = "done";
    job->alive = false;
    job->secondsLeft = -1;
  }
  engine.notify(protocol::JobsChanged{{*job}, false});
}

void answerEvaluations(FakeEngine& engine) {
  const bool isBroken = engine.scenario().find("broken") != std::string::npos;
  engine.answer<protocol::ReadEvaluation>(
      [&engine, isBroken](const auto& params) -> Result<protocol::ReadEvaluation::Answer> {
        if (isBroken) return fail(ErrorCode::io, "answers.jsonl of 20261128-1 cannot be read: it is not UTF-8.", "");
        goOn(engine, params.run);
        if (jobOf(params.run) == nullptr) return fail(ErrorCode::notFound, "There is no run " + params.run + ".", "");
        return resultsOf(params.run);
      });
  engine.answer<protocol::CompareEvaluations>([](const auto& params) -> Result<protocol::CompareEvaluations::Answer> {
    protocol::CompareEvaluations::Answer answer;
    answer.metric = "f1";
    for (const auto& b : params.b) answer.pairs.push_back(pairOf(params.a, b));
    return answer;
  });
  engine.answer<protocol::ListSamples>(
      [](const auto& params) { return Result<protocol::ListSamples::Answer>(samplesOf(params)); });
  engine.answer<protocol::ReadSample>([](const auto& params) -> Result<protocol::ReadSample::Answer> {
    const int question = std::atoi(params.id.c_str() + 1);
    protocol::ReadSample::Answer answer;
    answer.text = "Who came to the house on day " + std::to_string(question) + ", before the others had left?";
    answer.context =
        "It was late in the year when Anne Elliot came to the house. The road was wet, and nobody had lit the lamps. "
        "Her sister had gone before her, and of the others none had stayed but the two old women who kept the keys.";
    if (isAnswerable(question)) {
      answer.expected = "Anne Elliot";
      answer.references = {"Anne Elliot", "Anne"};
    }
    answer.answerable = isAnswerable(question);
    answer.prompt = "Context: " + answer.context + "\nQuestion: " + answer.text + "\nAnswer:";
    answer.stop = {"\n"};
    answer.note = notes()[params.id];
    return answer;
  });
  engine.answer<protocol::AnnotateSample>([](const auto& params) -> Result<protocol::Nothing> {
    notes()[params.id] = params.note;
    return protocol::Nothing{};
  });
  engine.answer<protocol::ReadEvaluationMatrix>(
      [](const auto& params) { return Result<protocol::ReadEvaluationMatrix::Answer>(matrixOf(params)); });
  engine.answer<protocol::PlanEvaluation>([](const auto& params) -> Result<protocol::PlanEvaluation::Answer> {
    EvalConfig config;
    STRATA_CHECK(configFromJson(params.config, "config", config));
    if (config.data == "/projects/test/broken.json") {
      return fail(ErrorCode::invalidData, "broken.json holds no question that SQuAD knows.", config.data);
    }
    protocol::PlanEvaluation::Answer answer;
    answer.available = questions;
    answer.questions = config.limit > 0 ? std::min(config.limit, questions) : questions;
    answer.seconds = static_cast<double>(answer.questions * static_cast<std::int64_t>(config.maps.size())) * .36;
    answer.detectable = 1.43 * .98 * .5 / std::sqrt(static_cast<double>(answer.questions)) / 2;
    answer.prompt = (config.prompt.empty() ? "" : "By " + config.prompt + "\n") +
                    "Context: It was late in the year when Anne Elliot came to the house.\nQuestion: Who came to the "
                    "house?\nAnswer:";
    return answer;
  });
  engine.answer<protocol::WriteReport>([](const auto& params) -> Result<protocol::ReportFile> {
    if (params.runs.empty()) return fail(ErrorCode::usage, "Name a run to report on.", "");
    return protocol::ReportFile{
        params.runs.front(), "A and B", "2026-11-28T10:20:00Z", params.baseline, {"html", "md"}};
  });
}

}  // namespace

void fakeEngineMethods(FakeEngine& engine) {
  const std::string scenario = engine.scenario();
  const auto has = [&](const char* word) { return scenario.find(word) != std::string::npos; };
  if (has("many")) questions = 10'000;
  if (has("done") || has("many") || has("broken")) {
    const std::string folder = has("folders") ? kModels : "";
    addJob(configOf(folder + "base"), "done", -1);
    addJob(configOf(folder + "routed"), "done", -1);
  }
  if (has("only base")) addJob(configOf("base"), "done", -1);
  if (has("failed")) {
    addJob(configOf("base"), "done", -1);
    protocol::JobInfo& job = addJob(configOf("routed"), "failed", 400);
    job.message = "The device is out of memory: choose a shorter context, then resume the run.";
  }
  engine.answer<protocol::OpenProject>([=](const auto&) -> Result<protocol::ProjectInfo> {
    protocol::ProjectInfo info;
    info.folder = "/projects/test";
    info.name = "test";
    if (scenario.find("no sides") != std::string::npos) return info;
    info.a = protocol::Side{{.model = "base"}, "full"};
    const bool isOne = scenario.find("one model") != std::string::npos;
    info.b = protocol::Side{{.model = isOne ? "base" : "routed"}, "stride:2"};
    return info;
  });
  engine.answer<protocol::SetSides>([](const auto&) { return Result<protocol::Nothing>(protocol::Nothing{}); });
  engine.answer<protocol::ListModels>([](const auto&) -> Result<protocol::ListModels::Answer> {
    protocol::ListModels::Answer answer;
    for (const char* name : {"base", "routed", "small"}) {
      protocol::ModelEntry entry;
      entry.model = entry.name = name;
      entry.path = std::string(kModels) + name;
      entry.source = "project";
      entry.layers = kLayers;
      answer.models.push_back(entry);
    }
    return answer;
  });
  engine.answer<protocol::InspectModel>([](const auto& params) -> Result<protocol::ModelCard> {
    protocol::ModelCard card;
    card.ref = params.ref;
    card.name = params.ref.model;
    card.path = std::string(kModels) + params.ref.model;
    card.layers = kLayers;
    card.context = 4096;
    card.kvBytesPerToken = kLayers * 512;
    card.defaultMap = "full";
    return card;
  });
  engine.answer<protocol::ListMaps>(
      [](const auto&) -> Result<protocol::ListMaps::Answer> { return protocol::ListMaps::Answer{}; });
  engine.answer<protocol::ListData>([](const auto&) -> Result<protocol::ListData::Answer> {
    protocol::ListData::Answer answer;
    for (const char* name : {"train.txt", "broken.json", "recall.json"}) {
      answer.files.push_back({name, std::string("/projects/test/") + name, false, {}});
    }
    answer.files.push_back({"train.txt", "/data/train.txt", true, {}});
    return answer;
  });
  answerJobs(engine);
  answerEvaluations(engine);
}

}  // namespace strata::testing
