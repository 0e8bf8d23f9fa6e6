// What the engine of these tests answers: a project with a model, data, presets, and runs with curves.

#include <cmath>

#include "core/config/train_config.h"
#include "core/protocol/columns.h"
#include "core/routing/sampler.h"
#include "scripted_engine.h"

namespace strata::testing {
namespace {

constexpr std::int64_t kMiB = 1 << 20;
constexpr int kSteps = 200;

protocol::JobInfo runOf(const std::string& id, const std::string& state, std::int64_t step) {
  protocol::JobInfo job;
  job.id = id;
  job.kind = "train";
  job.state = state;
  job.alive = state == "running";
  job.created = "2026-11-28T10:15:00Z";
  job.title = "base on train.txt";
  job.model = "base";
  job.data = "/projects/test/train.txt";
  job.method = "LoRA r=16";
  job.sampler = "uniform";
  job.pCross = .5;
  job.step = step;
  job.steps = kSteps;
  job.secondsLeft = job.alive ? 42 : -1;
  job.seconds = job.alive ? -1 : 58;
  job.loss = 2.145;
  if (state == "paused") job.message = "The disk is full: free some room, then resume the run to go on from step 100.";
  return job;
}

std::vector<protocol::JobInfo> jobs;
std::vector<protocol::JobInfo> trashed;
bool queuePaused = false;

protocol::JobInfo waitingRun(std::int64_t place, double pCross) {
  protocol::JobInfo job = runOf("20261129-" + std::to_string(place), "queued", 0);
  job.name = "LoRA of base, p " + Json(pCross).dump();
  job.created = "2026-11-29T08:0" + std::to_string(place) + ":00Z";
  job.pCross = pCross;
  job.sweep = "sweep-3fa2b1c0";
  job.place = place;
  job.seconds = -1;
  job.loss.reset();
  return job;
}

/// A run that trains, three that wait, and others that have ended.
std::vector<protocol::JobInfo> manyRuns(int ended) {
  std::vector<protocol::JobInfo> all = {waitingRun(1, 0), waitingRun(2, .25), waitingRun(3, .5),
                                        runOf("20261128-1", "running", 120)};
  const char* const methods[] = {"full", "LoRA r=16", "LoRA r=8"};
  const char* const states[] = {"done", "done", "stopped", "failed", "paused"};
  for (int i = 0; i < ended; ++i) {
    protocol::JobInfo job = runOf("ended-" + std::to_string(i), states[i % 5], i % 5 == 0 ? kSteps : 40 + i % 100);
    char created[32];
    std::snprintf(created, sizeof created, "2026-10-%02dT%02d:%02d:00Z", 28 - i % 28, i / 60 % 24, i % 60);
    job.created = created;
    job.method = methods[i % 3];
    job.pCross = (i % 10) / 10.;
    job.name = std::string(i % 3 == 0 ? "Full" : "LoRA") + " of base, p " + Json(*job.pCross).dump() + ", " +
               std::to_string(i + 1);
    job.best = {{"nll/full", 2.1 + i * .001}, {"nll/retention:0.5", 2.3 + i * .001}, {"nll/stride:4", 2.6 - i * .001}};
    job.loss = 2 + i * .002;
    if (i == 1) job.tags = {"paper", "half"};
    all.push_back(job);
  }
  return all;
}

protocol::JobInfo* jobOf(const std::string& id) {
  const auto found = std::find_if(jobs.begin(), jobs.end(), [&](const auto& job) { return job.id == id; });
  return found == jobs.end() ? nullptr : &*found;
}

void answerList(FakeEngine& engine) {
  engine.answer<protocol::ListJobs>([](const auto& params) -> Result<protocol::ListJobs::Answer> {
    const auto& all = params.trash ? trashed : jobs;
    protocol::ListJobs::Answer answer{{}, static_cast<std::int64_t>(all.size()), queuePaused};
    for (std::int64_t i = params.from; i < answer.total && i < params.from + params.count; ++i) {
      answer.jobs.push_back(all[static_cast<std::size_t>(i)]);
    }
    return answer;
  });
  engine.answer<protocol::PauseQueue>([](const auto& params) -> Result<protocol::Nothing> {
    queuePaused = params.paused;
    return protocol::Nothing{};
  });
  engine.answer<protocol::MoveJob>([](const auto& params) -> Result<protocol::Nothing> {
    std::vector<std::string> queue;
    for (std::int64_t place = 1; place <= static_cast<std::int64_t>(jobs.size()); ++place) {
      for (const protocol::JobInfo& job : jobs) {
        if (job.place == place && job.id != params.id) queue.push_back(job.id);
      }
    }
    queue.insert(std::find(queue.begin(), queue.end(), params.before), params.id);
    for (std::size_t i = 0; i < queue.size(); ++i) jobOf(queue[i])->place = static_cast<std::int64_t>(i) + 1;
    return protocol::Nothing{};
  });
  engine.answer<protocol::RemoveJob>([](const auto& params) -> Result<protocol::Nothing> {
    auto& from = params.how == "trash" ? jobs : trashed;
    auto& to = params.how == "trash" ? trashed : jobs;
    const auto job = std::find_if(from.begin(), from.end(), [&](const auto& each) { return each.id == params.id; });
    if (job == from.end()) return fail(ErrorCode::notFound, "There is no run " + params.id + ".", params.id);
    to.push_back(*job);
    from.erase(job);
    return protocol::Nothing{};
  });
  engine.answer<protocol::AnnotateJob>([](const auto& params) -> Result<protocol::JobInfo> {
    protocol::JobInfo* job = jobOf(params.id);
    if (job == nullptr) return fail(ErrorCode::notFound, "There is no run " + params.id + ".", params.id);
    if (params.name) job->name = *params.name;
    if (params.tags) job->tags = *params.tags;
    if (params.note) job->note = *params.note;
    return *job;
  });
  engine.answer<protocol::ExportJob>([](const auto& params) -> Result<protocol::ExportJob::Answer> {
    return protocol::ExportJob::Answer{"/projects/test/exports/" + params.id + "." + params.format, 120};
  });
}

double valueOf(const std::string& name, double step) {
  if (name == "loss") return 2 + 2 * std::exp(-step / 60) + .15 * std::sin(step * 1.7);
  if (name == "nll/full") return 2.1 + 1.7 * std::exp(-step / 50);
  if (name == "nll/retention:0.5") return 2.2 + 2.6 * std::exp(-step / 60);
  if (name.rfind("f1", 0) == 0) {
    const double bound = name.find("_low") != std::string::npos    ? -.09
                         : name.find("_high") != std::string::npos ? .07
                                                                   : 0;
    return (name.find("full") != std::string::npos ? .8 : .62) * (1 - std::exp(-step / 50)) + bound;
  }
  if (name == "lr") return 5e-4 * (step < 10 ? step / 10 : .5 + .5 * std::cos(step / kSteps * 3.14));
  if (name == "grad_norm") return .8 + .3 * std::sin(step * .9);
  if (name == "tokens_s") return 2600 + 90 * std::sin(step * 2.3);
  if (name == "memory") return 318e6 + 2e6 * std::sin(step);
  if (name == "memory_reserved") return 340e6;
  if (name == "memory_weights" || name == "memory_gradients") return 22e6;
  if (name == "memory_optimizer") return 44e6;
  if (name == "memory_activations") return 226e6 + 2e6 * std::sin(step);
  if (name == "memory_kv") return 4e6 * std::floor(step / 25);
  if (name == "p_cross") return std::min(.5, step / 20);
  if (name == "padding") return .04;
  return 0;
}

/// Runs differ: the later an ended one stands, the higher its curves.
protocol::SeriesBuckets seriesOf(const std::string& run, const std::string& name, std::int64_t last) {
  const double higher = run.rfind("ended-", 0) == 0 ? .1 * (1 + std::atoi(run.c_str() + 6) % 10) : 0;
  std::vector<double> step, tokens, seconds, value;
  const int every = name.find('/') != std::string::npos ? 25 : 1;
  for (int at = every; at <= last; at += every) {
    step.push_back(at);
    tokens.push_back(at * 1900.0);
    seconds.push_back(at * .29);
    value.push_back(valueOf(name, at) * (1 + higher));
  }
  const auto code = [](const std::vector<double>& column) { return protocol::encodeColumn(column); };
  return {name,         code(step),    code(step),
          code(tokens), code(seconds), code(value),
          code(value),  code(value),   code(std::vector<double>(step.size(), 1))};
}

protocol::PointColumns pointOf(const std::string& name, double step) {
  const auto code = [](double number) { return protocol::encodeColumn({number}); };
  return {name, code(step), code(step * 1900), code(step * .29), code(valueOf(name, step))};
}

const char* const kMetrics[] = {"f1/full",
                                "f1/retention:0.5",
                                "f1_high/full",
                                "f1_high/retention:0.5",
                                "f1_low/full",
                                "f1_low/retention:0.5",
                                "grad_norm",
                                "loss",
                                "lr",
                                "memory",
                                "memory_activations",
                                "memory_gradients",
                                "memory_kv",
                                "memory_optimizer",
                                "memory_reserved",
                                "memory_weights",
                                "nll/full",
                                "nll/retention:0.5",
                                "p_cross",
                                "padding",
                                "tokens_s"};

protocol::EstimateTraining::Answer estimateOf(const protocol::EstimateTraining::Params& params,
                                              const std::string& scenario) {
  TrainConfig config;
  protocol::EstimateTraining::Answer answer;
  (void)configFromJson(params.config, "config", config);
  const std::int64_t tokens = static_cast<std::int64_t>(config.batch) * config.length;
  answer.memory = {22 * kMiB, 22 * kMiB, 44 * kMiB, tokens * 80 << 10, 64 * kMiB, 180 * kMiB, 0};
  answer.memory.total = answer.memory.weights + answer.memory.gradients + answer.memory.optimizer +
                        answer.memory.activations + answer.memory.logits + answer.memory.process;
  answer.device = "cpu";
  answer.available = scenario == "small" ? 256 * kMiB : 12ll << 30;
  answer.deviceTotal = 16ll << 30;
  if (scenario == "ranks") answer.ranks = 8;
  if (scenario == "silent launcher") answer.ranks = 0;
  answer.fits = std::max(1, answer.ranks) * answer.memory.total <= answer.available;
  answer.checkpoint = 66 * kMiB;
  answer.disk = 4 * answer.checkpoint;
  answer.diskFree = 40ll << 30;
  answer.parameters = answer.trained = 5509824;
  answer.layers = 12;
  if (config.model == "/models/broken") {
    answer = {};
    answer.problems = {{"model", "/models/broken has no config.json; choose a model's folder."}};
  }
  return answer;
}

int polls = 0;  // of answers

/// Eight questions under two maps; of the smaller one the last evaluation comes at the third look.
Result<protocol::ReadAnswers::Answer> answersTo(const protocol::ReadAnswers::Params& params,
                                                const std::string& scenario) {
  if (scenario == "no answers")
    return fail(ErrorCode::invalidData, "run.sqlite is damaged; the run cannot be read.", "");
  protocol::ReadAnswers::Answer answer;
  if (params.id != "20261128-1") return answer;
  answer.maps = {"full", "retention:0.5"};
  if (params.map.empty()) {
    ++polls;
    return answer;
  }
  const char* const people[] = {"Anna", "Tom", "Lily", "Ben", "Mia", "Sam", "Zoe", "Max"};
  const char* const things[] = {"a red ball",    "an old clock", "two apples",     "the blue kite",
                                "a wooden boat", "a small dog",  "the silver key", "a yellow hat"};
  const bool half = params.map != "full";
  for (int i = 0; i < 8; ++i) {
    protocol::AnswerInfo one;
    one.question = "q" + std::to_string(i);
    one.text = std::string("What did ") + people[i] + " find under the big tree by the river?";
    one.expected = things[i];
    one.step = half && polls < 3 ? 75 : 100;
    if (one.step < params.fromStep) continue;
    const bool wrong = half && i % 3 == 0 && one.step < 100, partly = half && i % 3 == 1;
    one.answer = wrong ? std::string("a green frog") : partly ? one.expected + " and a hat" : one.expected;
    one.scores = {{"em", wrong || partly ? 0. : 1.}, {"f1", wrong ? 0 : partly ? .57 : 1}};
    answer.answers.push_back(one);
  }
  answer.total = static_cast<std::int64_t>(answer.answers.size());
  return answer;
}

void answerRuns(FakeEngine& engine) {
  answerList(engine);
  engine.answer<protocol::StartJob>([&engine](const auto& params) -> Result<protocol::StartJob::Answer> {
    if (engine.scenario() == "cannot start") {
      return fail(ErrorCode::usage, "Every row of train.txt is dropped; choose other data.", "data");
    }
    protocol::JobInfo job = runOf(params.resume.empty() ? "new-run" : params.resume, "running", 0);
    job.parent = params.extend;
    job.steps = params.config.value("steps", 100);
    std::erase_if(jobs, [&](const auto& each) { return each.id == job.id; });
    std::vector<protocol::JobInfo> made = {job};
    for (std::size_t i = 1; i < params.pCross.size(); ++i) {
      made.push_back(job);
      made.back().id += "-" + std::to_string(i);
      made.back().state = "queued";
      made.back().alive = false;
    }
    jobs.insert(jobs.begin(), made.begin(), made.end());
    engine.notify(protocol::JobsChanged{made});
    return protocol::StartJob::Answer{job, made};
  });
  engine.answer<protocol::StopJob>([&engine](const auto& params) -> Result<protocol::Nothing> {
    for (protocol::JobInfo& job : jobs) {
      if (job.id != params.id) continue;
      job.state = "stopped";
      job.alive = false;
      engine.notify(protocol::JobsChanged{{job}});
    }
    return protocol::Nothing{};
  });
  engine.answer<protocol::WatchJob>([&engine](const auto& params) -> Result<protocol::Nothing> {
    if (!params.on) return protocol::Nothing{};
    protocol::JobPoints points;
    points.id = params.id;
    const double step = static_cast<double>(params.fromStep) + 1;
    for (const char* name : kMetrics) points.series.push_back(pointOf(name, step));
    engine.notify(points);
    return protocol::Nothing{};
  });
  engine.answer<protocol::ReadSeries>([](const auto& params) -> Result<protocol::ReadSeries::Answer> {
    protocol::ReadSeries::Answer answer;
    std::int64_t last = 0;
    for (const protocol::JobInfo& job : jobs) {
      if (job.id == params.id) last = job.step;
    }
    if (params.names.empty() && last > 0) answer.names.assign(std::begin(kMetrics), std::end(kMetrics));
    for (const std::string& name : params.names) answer.series.push_back(seriesOf(params.id, name, last));
    return answer;
  });
  engine.answer<protocol::ReadAnswers>([&engine](const auto& params) { return answersTo(params, engine.scenario()); });
  engine.answer<protocol::ReadBorrowed>([](const auto& params) -> Result<protocol::ReadBorrowed::Answer> {
    protocol::ReadBorrowed::Answer answer;
    const protocol::JobInfo* job = jobOf(params.id);
    answer.steps = answer.counted = job == nullptr ? 0 : job->step;
    for (int layer = 0; layer < 12; ++layer) answer.share.push_back(layer == 0 ? 0 : .44 + .03 * std::sin(layer * 2.1));
    return answer;
  });
  engine.answer<protocol::ReadEvents>([](const auto& params) -> Result<protocol::ReadEvents::Answer> {
    if (params.id == "new-run") return protocol::ReadEvents::Answer{};
    return protocol::ReadEvents::Answer{{{100, 1.8e9, "checkpoint", ""}, {40, 1.8e9, "checkpoint", ""}}, 2};
  });
  engine.answer<protocol::ReadJobConfig>([](const auto& params) -> Result<protocol::ReadJobConfig::Answer> {
    TrainConfig config;
    config.model = "base";
    config.data = "/projects/test/train.txt";
    config.lora = 16;
    config.pCross = .5;
    if (params.id == "20261128-1") config.evalQuestions = "/projects/test/recall.json";
    if (const protocol::JobInfo* job = jobOf(params.id)) {
      config.pCross = job->pCross;
      config.lora = job->method == "full" ? 0 : job->method == "LoRA r=8" ? 8 : 16;
    }
    return protocol::ReadJobConfig::Answer{"train", configToJson(config), "strata train --model base"};
  });
}

}  // namespace

void fakeEngineMethods(FakeEngine& engine) {
  const std::string& scenario = engine.scenario();
  jobs.clear();
  if (scenario == "runs" || scenario == "no answers") {
    jobs = {runOf("20261128-1", "running", 120), runOf("20261127-2", "paused", 100), runOf("20261126-3", "done", 200)};
    protocol::JobInfo evaluation = runOf("20261125-4", "done", 10);
    evaluation.kind = "eval";
    jobs.push_back(evaluation);
  }
  if (scenario == "many runs") jobs = manyRuns(24);
  if (scenario == "1000 runs") jobs = manyRuns(1000);
  engine.answer<protocol::OpenProject>([](const auto&) -> Result<protocol::ProjectInfo> {
    protocol::ProjectInfo info;
    info.folder = "/projects/test";
    info.name = "test";
    info.sample = true;
    info.a = protocol::Side{{.model = "base"}, "full"};
    return info;
  });
  engine.answer<protocol::SetSides>([](const auto&) { return Result<protocol::Nothing>(protocol::Nothing{}); });
  engine.answer<protocol::ListModels>([](const auto&) -> Result<protocol::ListModels::Answer> {
    protocol::ListModels::Answer answer;
    for (const char* name : {"base", "routed"}) {
      answer.models.push_back({name, "", name, "project", std::string("/projects/test/models/") + name, "",
                               "LlamaForCausalLM", 5509824, 11031512, 12, ""});
    }
    return answer;
  });
  engine.answer<protocol::ListData>([](const auto&) -> Result<protocol::ListData::Answer> {
    protocol::ListData::Answer answer;
    for (const char* name : {"train.txt", "recall.json"}) {
      answer.files.push_back({name, std::string("/projects/test/") + name, false, {}});
    }
    return answer;
  });
  engine.answer<protocol::ListTrainPresets>([](const auto&) -> Result<protocol::ListTrainPresets::Answer> {
    return protocol::ListTrainPresets::Answer{
        {{"sample",
          "Sample, under a minute",
          "Fine-tunes the sample model with routing.",
          {{"model", "base"},
           {"steps", 60},
           {"p-cross", .5},
           {"split", .1},
           {"eval-every", 20},
           {"eval-maps", "full;retention:0.5"}}},
         {"lora", "Routed LoRA, small card", "For a card with little memory.", {{"lora", 16}, {"steps", 500}}}}};
  });
  engine.answer<protocol::EstimateTraining>(
      [scenario](const auto& params) -> Result<protocol::EstimateTraining::Answer> {
        return estimateOf(params, scenario);
      });
  engine.answer<protocol::CheckData>([](const auto& params) -> Result<protocol::CheckData::Answer> {
    protocol::CheckData::Answer answer;
    answer.path = params.path;
    answer.rows = 332;
    answer.tokens = 52000;
    answer.trainedTokens = 51000;
    answer.truncated = 3;
    answer.hasTokens = true;
    if (!params.evalData.empty()) answer.overlap = {100, 2, 3, 0};
    return answer;
  });
  if (scenario == "slow probe") {
    engine.hold<protocol::ProbeTraining>("Training the first step", 1, 3);
  } else {
    engine.answer<protocol::ProbeTraining>([](const auto&) -> Result<protocol::ProbeTraining::Answer> {
      protocol::ProbeTraining::Answer answer;
      answer.stepS = .29;
      answer.tokensS = 2600;
      answer.padding = .04;
      answer.seconds = 21;
      answer.steps = 60;
      answer.peak = {22 * kMiB, 22 * kMiB, 44 * kMiB, 150 * kMiB, 0, 180 * kMiB, 402 * kMiB};
      return answer;
    });
  }
  engine.answer<protocol::LoadModel>([&engine](const auto& params) -> Result<protocol::LoadedModel> {
    protocol::LoadedModel model;
    model.ref = params.ref;
    model.device = "cpu";
    model.weightBytes = 1 << 30;
    engine.notify(protocol::ModelsLoaded{{model}});
    return model;
  });
  engine.answer<protocol::UnloadModel>([&engine](const auto&) -> Result<protocol::Nothing> {
    engine.notify(protocol::ModelsLoaded{});
    return protocol::Nothing{};
  });
  answerRuns(engine);
}

}  // namespace strata::testing
