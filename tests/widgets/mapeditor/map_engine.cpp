// What the engine of these tests answers: a project whose two models have as many layers as the scenario says.

#include <cmath>
#include <cstdlib>

#include "core/protocol/columns.h"
#include "core/protocol/job_kinds.h"
#include "core/routing/sharing_map.h"
#include "scripted_engine.h"

namespace strata::testing {
namespace {

protocol::ModelCard cardOf(const protocol::ModelRef& ref, int layers) {
  protocol::ModelCard card;
  card.ref = ref;
  card.name = ref.model;
  card.path = "/projects/test/models/" + ref.model;
  card.architecture = "LlamaForCausalLM";
  card.dtype = card.kvDtype = "bfloat16";
  card.defaultMap = "full";
  card.layers = layers;
  card.width = 4096;
  card.heads = 32;
  card.kvHeads = 8;
  card.headDim = 128;
  card.context = 32768;
  card.kvBytesPerToken = std::int64_t{layers} * 2 * 8 * 128 * 2;
  return card;
}

/// A map that a search or an evaluation measured.
protocol::KnownMap measuredMap(const std::string& model, const std::string& map, int owners, protocol::MapScore score) {
  protocol::KnownMap known;
  known.name = known.map = map;
  known.source = "measured";
  known.model = "/projects/test/models/" + model;
  known.run = score.metric == "nll" ? score.value > 5 ? "older search" : "search of " + model : "evaluation";
  known.layers = 12;
  known.owners = owners;
  known.text = score.metric == "nll" ? "/projects/test/heldout.txt" : "/projects/test/recall.json";
  known.textHash = score.metric;
  known.scores = {std::move(score)};
  return known;
}

/// Two rows are told at a time, as of a model with many layers.
protocol::ReadSensitivity::Answer matrixOf(int layers, std::int64_t from) {
  protocol::ReadSensitivity::Answer answer;
  answer.run = "s1";
  answer.state = "done";
  answer.modelHash = "m";
  answer.text = "/projects/test/heldout.txt";
  answer.tokens = 4096;
  answer.layers = layers;
  answer.baselineNll = 3.9;
  answer.cells = answer.allCells = std::int64_t{layers} * (layers - 1) / 2;
  answer.from = from;
  const std::int64_t until = std::min<std::int64_t>(from + (layers + 1) / 2, layers);
  answer.next = until < layers ? until : 0;
  std::vector<double> delta, width;
  for (std::int64_t l = from; l < until; ++l) {
    for (std::int64_t s = 0; s < layers; ++s) {
      delta.push_back(s < l ? 0.01 * static_cast<double>(l - s) : std::nan(""));
      width.push_back(s < l ? 0.002 : std::nan(""));
    }
  }
  answer.delta = protocol::encodeColumn(delta);
  answer.halfWidth = protocol::encodeColumn(width);
  answer.error = 0.02;
  answer.errorMaps = 3;
  return answer;
}

}  // namespace

void fakeEngineMethods(FakeEngine& engine) {
  const std::string scenario = engine.scenario();
  const int layers = std::max(1, std::atoi(scenario.c_str()));
  const bool noB = scenario.find("no-b") != std::string::npos;
  engine.answer<protocol::OpenProject>([=](const auto&) -> Result<protocol::ProjectInfo> {
    protocol::ProjectInfo info;
    info.folder = "/projects/test";
    info.name = "test";
    info.a = protocol::Side{{.model = "base"}, "full"};
    if (!noB) info.b = protocol::Side{{.model = "routed"}, layers > 4 ? "stride:4" : "stride:2"};
    return info;
  });
  engine.answer<protocol::SetSides>([](const auto&) { return Result<protocol::Nothing>(protocol::Nothing{}); });
  engine.answer<protocol::ListModels>([](const auto&) { return Result<protocol::ListModels::Answer>({}); });
  engine.answer<protocol::InspectModel>([=](const auto& params) -> Result<protocol::ModelCard> {
    if (scenario.find("broken") != std::string::npos) {
      return fail(ErrorCode::invalidData, "routed has no config.json.", "/projects/test/models/routed");
    }
    protocol::ModelCard card = cardOf(params.ref, layers);
    if (scenario.find("parameters") != std::string::npos) card.parameters = 8'000'000'000;
    return card;
  });
  if (scenario.find("slow") != std::string::npos) engine.hold<protocol::InspectModel>("headers", 1, 3);
  static std::vector<protocol::KnownMap> maps;
  protocol::KnownMap stored;
  stored.name = "quarter";
  stored.map = layers > 4 ? "stride:4" : "stride:2";
  stored.source = "stored";
  stored.layers = layers;
  stored.owners = layers > 4 ? (layers + 3) / 4 : 2;
  if (scenario.find("maps") != std::string::npos) maps = {stored};
  if (scenario.find("points") != std::string::npos) {
    maps = {measuredMap("routed", "0,0,0,0,0,0,6,6,6,9,9,9", 3, {"nll", 3.99, 4096, 0.05}),
            measuredMap("routed", "stride:4", 3, {"nll", 4.23, 4096, 0.05}),
            measuredMap("base", "full", 12, {"nll", 3.62, 4096, 0.05}),
            measuredMap("base", "stride:2", 6, {"nll", 4.26, 4096, 0.05}),
            measuredMap("base", "stride:2", 6, {"nll", 9, 4096, 0.05}),
            measuredMap("routed", "stride:4", 3, {"f1", 0.88, 332, {}})};
  }
  engine.answer<protocol::ListMaps>([](const auto&) -> Result<protocol::ListMaps::Answer> {
    protocol::ListMaps::Answer answer;
    answer.maps = maps;
    return answer;
  });
  engine.answer<protocol::PutMap>([](const auto& params) -> Result<protocol::Nothing> {
    STRATA_TRY(const SharingMap map, mapFromJson(params.map, params.name));
    std::erase_if(maps, [&](const auto& known) { return known.name == params.name; });
    protocol::KnownMap known;
    known.name = params.name;
    known.map = printMap(map);
    known.source = "stored";
    known.layers = map.layers();
    known.owners = map.owners();
    maps.push_back(known);
    return protocol::Nothing{};
  });
  engine.answer<protocol::RenameMap>([](const auto& params) -> Result<protocol::Nothing> {
    for (auto& known : maps) {
      if (known.name == params.name) known.name = params.to;
    }
    return protocol::Nothing{};
  });
  static std::vector<protocol::KnownMap> trash;
  engine.answer<protocol::RemoveMap>([](const auto& params) -> Result<protocol::RemoveMap::Answer> {
    auto& from = params.how == "trash" ? maps : trash;
    auto& to = params.how == "trash" ? trash : maps;
    for (const auto& known : from) {
      if (known.name == params.name) to.push_back(known);
    }
    std::erase_if(from, [&](const auto& known) { return known.name == params.name; });
    return protocol::RemoveMap::Answer{params.name};
  });
  static bool measured = false;
  measured = scenario.find("matrix") != std::string::npos;
  static std::vector<protocol::JobInfo> jobs;
  engine.answer<protocol::ListJobs>([](const auto& params) -> Result<protocol::ListJobs::Answer> {
    protocol::ListJobs::Answer answer;
    if (!params.trash) answer.jobs = jobs;
    return answer;
  });
  static std::vector<protocol::DataEntry> files;
  for (const char* name : {"train.txt", "heldout.txt", "recall.json"}) {
    if (std::string(name).ends_with(".txt") && scenario.find("no text") != std::string::npos) continue;
    files.push_back({name, std::string("/projects/test/") + name, false, {}});
  }
  const auto list = [](const auto&) -> Result<protocol::ListData::Answer> { return protocol::ListData::Answer{files}; };
  engine.answer<protocol::ListData>(list);
  engine.answer<protocol::AddData>([list](const auto& params) {
    files.insert(files.begin(), {params.path.substr(params.path.rfind('/') + 1), params.path, true, params.columns});
    return list(params);
  });
  engine.answer<protocol::ReadSensitivity>([=](const auto& params) -> Result<protocol::ReadSensitivity::Answer> {
    if (!measured) return protocol::ReadSensitivity::Answer{};
    return matrixOf(layers, params.from);
  });
  engine.answer<protocol::StartJob>([&engine](const auto& params) -> Result<protocol::StartJob::Answer> {
    protocol::JobInfo job;
    job.id = params.kind + std::to_string(jobs.size() + 1);
    job.kind = params.kind;
    job.model = "/projects/test/models/" + params.config.value("model", std::string());
    job.data = params.config.value("text", "");
    job.state = "done";
    if (params.kind == kSensitivityKind) measured = true;
    if (params.config.value("method", "") == "measure") {
      for (const char* map : {"full", "0,0,0,0,4,4,4,4,8,8,8,8"}) {
        protocol::KnownMap known;
        known.name = known.map = map;
        known.source = "measured";
        known.model = "/projects/test/models/routed";
        known.run = job.id;
        known.layers = 12;
        known.owners = *map == 'f' ? 12 : 3;
        known.scores = {{"nll", *map == 'f' ? 3.9 : 3.985, 4096, 0.02}};
        maps.push_back(known);
      }
    }
    jobs.insert(jobs.begin(), job);
    engine.notify(protocol::JobsChanged{{job}, false});
    return protocol::StartJob::Answer{job, {job}};
  });
  engine.answer<protocol::ReadSearch>([](const auto&) -> Result<protocol::ReadSearch::Answer> {
    protocol::ReadSearch::Answer answer;
    answer.state = "done";
    answer.method = "greedy";
    answer.metric = "nll";
    answer.layers = 12;
    answer.owners = 3;
    answer.map = "0,0,0,0,0,0,6,6,6,9,9,9";
    answer.name = "greedy-3";
    answer.value = 3.985;
    answer.full = 3.9;
    answer.evaluated = 55;
    return answer;
  });
}

}  // namespace strata::testing
