// What the engine of these tests answers: a project with a base model and one that learned to share, a run, an adapter,
// a Qwen in the Hugging Face cache and one there whose shard is missing.

#include "core/routing/sharing_map.h"
#include "scripted_engine.h"

namespace strata::testing {
namespace {

constexpr std::int64_t kMiB = 1 << 20;
const char* const kMissingShard =
    "/home/someone/.cache/huggingface/hub/models--Qwen--Qwen3-4B: model-00002-of-00003.safetensors is missing; run hf "
    "download Qwen/Qwen3-4B again.";

protocol::ModelEntry entry(const std::string& model, const std::string& name, const std::string& source,
                           const std::string& path, const std::string& parent, const std::string& architecture,
                           std::int64_t parameters, std::int64_t bytes, int layers, const std::string& problem = {}) {
  protocol::ModelEntry entry;
  entry.model = model;
  entry.name = name;
  entry.source = source;
  entry.path = path;
  entry.parent = parent;
  entry.architecture = architecture;
  entry.parameters = parameters;
  entry.bytes = bytes;
  entry.layers = layers;
  entry.problem = problem;
  return entry;
}

std::vector<protocol::ModelEntry> entries() {
  std::vector<protocol::ModelEntry> all = {
      entry("base", "base", "project", "/projects/test/models/sample-base", "", "LlamaForCausalLM", 5509824, 11031512,
            12),
      entry("routed", "routed", "project", "/projects/test/models/sample-routed", "", "LlamaForCausalLM", 5509824,
            11031512, 12, ""),
      entry("20260110-101500-novels", "novels, step 200", "run", "/projects/test/runs/20260110-101500-novels", "routed",
            "LlamaForCausalLM", 5509824, 11031512, 12, ""),
      entry("/models/Mistral-7B-Instruct-v0.3-with-a-long-name", "Mistral-7B-Instruct-v0.3-with-a-long-name", "folder",
            "/models/Mistral-7B-Instruct-v0.3-with-a-long-name", "", "MistralForCausalLM", 7248023552, 14496078512, 32,
            ""),
      entry("/home/someone/.cache/huggingface/hub/models--Qwen--Qwen3-0.6B/snapshots/c1", "Qwen/Qwen3-0.6B", "hub",
            "/home/someone/.cache/huggingface/hub/models--Qwen--Qwen3-0.6B/snapshots/c1", "", "Qwen3ForCausalLM",
            596049920, 1192135096, 28, ""),
      entry("/home/someone/.cache/huggingface/hub/models--Qwen--Qwen3-4B", "Qwen/Qwen3-4B", "hub",
            "/home/someone/.cache/huggingface/hub/models--Qwen--Qwen3-4B", "", "Qwen3ForCausalLM", 0, 0, 0,
            kMissingShard),
  };
  protocol::ModelEntry adapter =
      entry("base", "squad", "adapter", "/adapters/squad", "base", "LlamaForCausalLM", 73728, 147520, 12);
  adapter.adapter = adapter.path;
  all.push_back(adapter);
  return all;
}

/// The project's own templates, by model.
std::map<std::string, std::string>& templates() {
  static std::map<std::string, std::string> all;
  return all;
}

protocol::ModelCard cardOf(const protocol::ModelRef& ref) {
  protocol::ModelCard card;
  card.ref = ref;
  const bool large = ref.model.find("Qwen") != std::string::npos || ref.model.find("Mistral") != std::string::npos;
  card.name = ref.model;
  card.path = "/projects/test/models/sample-" + ref.model;
  card.architecture = large ? "Qwen3ForCausalLM" : "LlamaForCausalLM";
  card.dtype = card.kvDtype = "bfloat16";
  card.tokenizer = large ? "tokenizer.json" : "sentencepiece";
  card.templateOrigin = "tokenizer_config.json";
  card.templateText =
      "{% for message in messages %}\n<|{{ message.role }}|>\n{{ message.content }}{{ eos_token }}\n{% endfor %}";
  if (const auto own = templates().find(ref.model); own != templates().end()) {
    card.templateText = own->second;
    card.templateEdited = true;
  }
  card.defaultMap = "full";
  card.layers = large ? 28 : 12;
  card.width = large ? 1024 : 192;
  card.heads = large ? 16 : 6;
  card.kvHeads = large ? 8 : 2;
  card.headDim = large ? 128 : 32;
  card.ffn = large ? 3072 : 512;
  card.vocab = large ? 151936 : 4096;
  card.parameters = large ? 596049920 : 5509824;
  card.bytesOnDisk = large ? 1192135096 : 11031512;
  card.context = large ? 40960 : 512;
  card.kvBytesPerToken = large ? 114688 : 3072;
  card.tied = true;
  card.adapter = !ref.adapter.empty();
  for (const auto& [map, owners] : std::vector<std::pair<std::string, int>>{{"full", card.layers},
                                                                            {"retention:0.75", card.layers * 3 / 4},
                                                                            {"retention:0.5", card.layers / 2},
                                                                            {"retention:0.33", card.layers / 3},
                                                                            {"retention:0.25", card.layers / 4}}) {
    card.maps.push_back({map, owners, card.kvBytesPerToken / card.layers * owners});
  }
  return card;
}

protocol::EstimateMemory::Answer estimateOf(const protocol::EstimateMemory::Params& params) {
  const protocol::ModelCard card = cardOf(params.side.ref);
  protocol::EstimateMemory::Answer answer;
  answer.weights = card.bytesOnDisk;
  const auto map = parseMap(params.side.map, card.layers);
  if (map) answer.kv = card.kvBytesPerToken / card.layers * map->owners() * params.context * params.users;
  answer.activations = 5783552;
  answer.total = answer.weights + answer.kv + answer.activations;
  answer.available = 12 * 1024 * kMiB;
  answer.deviceTotal = 16 * 1024 * kMiB;
  return answer;
}

void loading(FakeEngine& engine) {
  static std::vector<protocol::LoadedModel> loaded;
  const auto tell = [&engine] {
    engine.notify(protocol::ModelsLoaded{loaded});
    protocol::Memory memory;
    memory.device = "cpu";
    memory.weights = loaded.empty() ? 0 : 11019648;
    memory.kv = loaded.empty() ? 0 : 786432;
    memory.other = loaded.empty() ? 0 : 4 * kMiB;
    // Each model has a chat under half of its layers; a second model's are not to be added to the first one's.
    for (const protocol::LoadedModel& model : loaded) {
      memory.models.push_back({model.ref, 11019648, 4 * kMiB, {{"retention:0.5", 206, 512, 316416, 786432}}});
    }
    engine.notify(memory);
  };
  engine.answer<protocol::LoadModel>([tell](const auto& params) -> Result<protocol::LoadedModel> {
    protocol::LoadedModel model;
    model.ref = params.ref;
    model.name = params.ref.model;
    model.hash = "0c15";
    model.dtype = "bfloat16";
    model.device = params.ref.device;
    model.weightBytes = 11019648;
    model.context = 512;
    model.layers = 12;
    model.seconds = 0.21;
    loaded.push_back(model);
    tell();
    return model;
  });
  engine.answer<protocol::UnloadModel>([tell](const auto& params) -> Result<protocol::Nothing> {
    std::erase_if(loaded, [&](const auto& model) { return model.ref == params.ref; });
    tell();
    return protocol::Nothing{};
  });
}

void templating(FakeEngine& engine) {
  engine.answer<protocol::SetTemplate>([](const auto& params) -> Result<protocol::Nothing> {
    if (params.text.find("{% endfor") == std::string::npos && !params.text.empty()) {
      return fail(ErrorCode::invalidData, "Line 3: the for of line 1 has no endfor.", "template");
    }
    if (params.text.empty()) {
      templates().erase(params.ref.model);
    } else {
      templates()[params.ref.model] = params.text;
    }
    return protocol::Nothing{};
  });
}

/// To /full there is no room.
void exporting(FakeEngine& engine) {
  engine.answer<protocol::ExportModel>([](const auto& params) -> Result<protocol::ExportModel::Answer> {
    if (params.path == "/full") {
      return fail(ErrorCode::diskFull,
                  "The export takes 11 MiB, and / has 3 MiB free; free some, or give a folder on another disk.",
                  params.path);
    }
    const protocol::ModelCard card = cardOf(params.ref);
    protocol::ExportModel::Answer answer;
    answer.path = params.path.empty() ? "/projects/test/exports/sample-" + params.ref.model : params.path;
    answer.map = params.map;
    answer.layers = card.layers;
    answer.owners = parseMap(params.map, card.layers)->owners();
    answer.bytes = 11031512;
    answer.context = params.context > 0 ? params.context : card.context;
    answer.merged = !params.ref.adapter.empty() && !params.adapterAlone;
    const std::int64_t full = card.kvBytesPerToken * answer.context, kept = full / card.layers * answer.owners;
    const std::string package = "with Strata's package `strata-serving`";
    answer.uses = {{"Strata", "", "", "strata serve " + answer.path, "each answer tells `kv_bytes` and `kv_bytes_full`",
                    "", kept, full},
                   {"vLLM", package, "", "vllm serve " + answer.path,
                    "its log says `Strata: 6 of 12 layers keep keys and values`", "", kept, full},
                   {"transformers", package, "import strata_hf", "model = strata_hf.load(\"" + answer.path + "\")",
                    "`model.shares` is true", "", kept, full}};
    if (params.remoteCode) {
      answer.uses[2].needs.clear();
      answer.uses[2].setup = "from transformers import AutoModelForCausalLM";
      answer.uses[2].command =
          "model = AutoModelForCausalLM.from_pretrained(\"" + answer.path + "\", trust_remote_code=True)";
    }
    return answer;
  });
}

void serving(FakeEngine& engine) {
  static protocol::ServeState state;
  engine.answer<protocol::StartServing>([](const auto& params) -> Result<protocol::ServeState> {
    state = {true, "http://127.0.0.1:8080/v1", "strata-3f9a1c", "", {}, 0, 0};
    for (const auto& ref : params.models) state.models.push_back(ref.model);
    return state;
  });
  engine.answer<protocol::StopServing>([](const auto&) -> Result<protocol::ServeState> {
    state = {};
    return state;
  });
}

}  // namespace

void fakeEngineMethods(FakeEngine& engine) {
  static bool emptyProject = engine.scenario() == "empty";
  static std::vector<protocol::ModelEntry> models = emptyProject ? std::vector<protocol::ModelEntry>() : entries();
  const auto project = [] {
    protocol::ProjectInfo info;
    info.folder = "/projects/test";
    info.name = "test";
    for (const protocol::ModelEntry& model : models) {
      if (model.source == "project") info.models.push_back({model.name, model.path});
    }
    if (!models.empty()) {
      info.a = protocol::Side{{.model = "base"}, "full"};
      info.b = protocol::Side{{.model = "routed"}, "retention:0.5"};
    }
    return info;
  };
  engine.answer<protocol::OpenProject>([project](const auto&) { return Result<protocol::ProjectInfo>(project()); });
  engine.answer<protocol::SetSides>([](const auto&) { return Result<protocol::Nothing>(protocol::Nothing{}); });
  engine.answer<protocol::ListModels>([](const auto&) -> Result<protocol::ListModels::Answer> {
    return protocol::ListModels::Answer{models, "/home/someone/.cache/huggingface/hub"};
  });
  engine.answer<protocol::AddModel>([project](const auto& params) -> Result<protocol::ProjectInfo> {
    if (params.path == "/models/pickled") {
      return fail(ErrorCode::unsupported,
                  "/models/pickled holds pytorch_model.bin, a pickle, which can run code; convert it to safetensors.",
                  params.path);
    }
    const std::string name = params.name.empty() ? params.path.substr(params.path.rfind('/') + 1) : params.name;
    models.push_back(entry(name, name, "project", params.path, "", "LlamaForCausalLM", 5509824, 11031512, 12));
    return project();
  });
  engine.answer<protocol::RemoveModel>([project](const auto& params) -> Result<protocol::ProjectInfo> {
    std::erase_if(models, [&](const auto& model) { return model.name == params.name; });
    return project();
  });
  engine.answer<protocol::ListMaps>([](const auto&) -> Result<protocol::ListMaps::Answer> {
    protocol::KnownMap found;
    found.name = found.map = "0,0,0,0,0,0,6,6,6,9,9,9";
    found.source = "measured";
    found.model = "/projects/test/models/sample-routed";
    found.run = "20260111-101500-eval-ab12";
    found.layers = 12;
    found.owners = 3;
    found.scores = {{"f1", .88, 332}};
    return protocol::ListMaps::Answer{{found}};
  });
  engine.answer<protocol::InspectModel>(
      [](const auto& params) { return Result<protocol::ModelCard>(cardOf(params.ref)); });
  engine.answer<protocol::EstimateMemory>(
      [](const auto& params) { return Result<protocol::EstimateMemory::Answer>(estimateOf(params)); });
  loading(engine);
  exporting(engine);
  serving(engine);
  templating(engine);
  if (engine.scenario() == "slow list") engine.hold<protocol::ListModels>("Reading 42 folders", 17, 42);
  if (engine.scenario() == "slow load") engine.hold<protocol::LoadModel>("Reading the weights", 45, 100);
  if (engine.scenario() == "slow export") {
    engine.hold<protocol::ExportModel>("Writing the weights", 4 * kMiB, 10 * kMiB);
  }
  if (engine.scenario() == "dies exporting") engine.die<protocol::ExportModel>();
  if (engine.scenario() == "dies saving") engine.die<protocol::SetTemplate>();
  if (engine.scenario() == "dies loading") engine.die<protocol::LoadModel>();
}

}  // namespace strata::testing
