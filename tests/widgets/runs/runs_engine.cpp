// What the engine of these tests answers: a project with a run that trains.

#include "core/protocol/columns.h"
#include "scripted_engine.h"

namespace strata::testing {
namespace {

constexpr std::int64_t kMiB = 1 << 20;

protocol::JobInfo run(const std::string& id) {
  protocol::JobInfo job;
  job.id = id;
  job.kind = "train";
  job.state = "running";
  job.name = "LoRA of base, p 0.5";
  job.alive = true;
  job.step = 40;
  job.steps = 200;
  job.secondsLeft = 42;
  job.loss = 2.145;
  return job;
}

double valueAt(const std::string& name, double step) {
  if (name == "memory") return 300. * kMiB;
  if (name == "f1/full") return .5 + step / 400;
  return (name == "loss" ? 3 : 2) - step / 100;
}

protocol::PointColumns point(const std::string& name, double step) {
  const auto code = [](double number) { return protocol::encodeColumn({number}); };
  return {name, code(step), code(step * 1900), code(step * .29), code(valueAt(name, step))};
}

protocol::SeriesBuckets series(const std::string& name, int first, int last) {
  std::vector<double> step, tokens, seconds, value, count;
  for (int at = first; at <= last; at += name == "loss" ? 1 : 10) {
    step.push_back(at);
    tokens.push_back(at * 1900.0);
    seconds.push_back(at * .29);
    value.push_back(valueAt(name, at));
    count.push_back(1);
  }
  const auto code = [](const std::vector<double>& column) { return protocol::encodeColumn(column); };
  return {name,        code(step),  code(step),  code(tokens), code(seconds),
          code(value), code(value), code(value), code(count)};
}

}  // namespace

void fakeEngineMethods(FakeEngine& engine) {
  engine.answer<protocol::OpenProject>([](const auto&) -> Result<protocol::ProjectInfo> {
    protocol::ProjectInfo info;
    info.folder = "/projects/test";
    info.name = "test";
    return info;
  });
  engine.answer<protocol::SetSides>([](const auto&) { return Result<protocol::Nothing>(protocol::Nothing{}); });
  engine.answer<protocol::ListModels>([](const auto&) { return Result<protocol::ListModels::Answer>(); });
  engine.answer<protocol::ListJobs>([](const auto& params) -> Result<protocol::ListJobs::Answer> {
    if (params.trash) return protocol::ListJobs::Answer{};
    return protocol::ListJobs::Answer{{run("trains")}, 1, false};
  });
  engine.answer<protocol::ReadSeries>([](const auto& params) -> Result<protocol::ReadSeries::Answer> {
    protocol::ReadSeries::Answer answer;
    if (params.names.empty()) answer.names = {"f1/full", "loss", "lr", "memory", "nll/full", "nll/retention:0.5"};
    // From a step on is asked once the run has ended, 100 steps behind what was sent of it.
    for (const std::string& name : params.names) {
      answer.series.push_back(params.from ? series(name, static_cast<int>(*params.from), 200) : series(name, 10, 40));
    }
    return answer;
  });
  engine.answer<protocol::WatchJob>([&engine](const auto& params) -> Result<protocol::Nothing> {
    if (!params.on) return protocol::Nothing{};
    protocol::JobPoints points;
    points.id = params.id;
    for (const char* name : {"loss", "f1/full", "memory"}) points.series.push_back(point(name, 100));
    engine.notify(points);
    protocol::JobInfo ended = run("trains");
    ended.step = 200;
    ended.state = "done";
    ended.alive = false;
    if (engine.scenario() == "ends") engine.notify(protocol::JobsChanged{{ended}});
    return protocol::Nothing{};
  });
  engine.answer<protocol::InspectModel>([](const auto&) -> Result<protocol::ModelCard> {
    protocol::ModelCard card;
    card.layers = 4;
    card.defaultMap = "full";
    return card;
  });
}

}  // namespace strata::testing
