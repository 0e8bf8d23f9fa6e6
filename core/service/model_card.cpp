#include <cstdlib>
#include <string>

#include "core/base/system_memory.h"
#include "core/checkpoint/adapter.h"
#include "core/checkpoint/checkpoint_facts.h"
#include "core/model/gpu_memory.h"
#include "core/project/checkpoint_manifest.h"
#include "core/project/model_name.h"
#include "core/service/model_list.h"
#include "core/text/chat_template.h"
#include "core/text/tokenizer.h"

namespace strata {
namespace {

namespace fs = std::filesystem;

constexpr const char* kShownMaps = "full;retention:0.75;retention:0.5;retention:0.33;retention:0.25";

struct Opened {
  ModelLocation location;
  Checkpoint checkpoint;
};

Result<Opened> openHeaders(const protocol::ModelRef& ref, const std::optional<fs::path>& project) {
  STRATA_TRY(ModelLocation location, locateModel(ref.model, project));
  STRATA_TRY(Checkpoint checkpoint, Checkpoint::open(location.folder));
  const fs::path adapter = ref.adapter.empty() ? location.adapter : fs::path(ref.adapter);
  if (!adapter.empty()) {
    STRATA_CHECK(verifyIfCheckpoint(adapter));
    const auto read = readAdapter(adapter, checkpoint.config());
    if (!read) return tl::unexpected(read.error());
  }
  return Opened{std::move(location), std::move(checkpoint)};
}

/// The model's tokenizer and template, or why there can be no conversation.
void addText(const ModelLocation& location, protocol::ModelCard& card) {
  const fs::path& folder = location.folder;
  const char* kind = tokenizerKind(folder);
  card.tokenizer = kind == nullptr ? "" : kind;
  const Result<ChatTemplate> chat = ChatTemplate::open(folder, location.chatTemplate);
  card.templateEdited = !location.chatTemplate.empty();
  if (chat) {
    card.templateOrigin = chat->origin();
    card.templateText = chat->source();
  }
  const auto tokenizer = openTokenizer(folder);
  if (!tokenizer) {
    card.problem = tokenizer.error().message;
  } else if (*tokenizer == nullptr) {
    card.problem = "The folder " + folder.string() + " has no tokenizer; add tokenizer.json or tokenizer.model.";
  } else if (!chat) {
    card.problem = chat.error().message;
  }
}

std::string nameOf(const protocol::ModelRef& ref, const ModelLocation& location) {
  if (!location.run.empty()) return location.run.filename().string();
  const std::string name = fs::path(ref.model).filename().string();
  return name.empty() ? location.folder.filename().string() : name;
}

}  // namespace

Result<protocol::ModelCard> inspectModel(const protocol::ModelRef& ref, const std::optional<fs::path>& project) {
  STRATA_TRY(const Opened opened, openHeaders(ref, project));
  const Checkpoint& checkpoint = opened.checkpoint;
  const ModelConfig& config = checkpoint.config();
  STRATA_TRY(const DType dtype, computeDType(checkpoint, ref.dtype));
  STRATA_TRY(const KvFormat kv, parseKvFormat(ref.kv));
  const KvStorage storage = kvStorage(kv, static_cast<int>(bytesOf(dtype)));
  STRATA_TRY(const std::vector<NamedMap> maps, mapsOf(checkpoint, kShownMaps));
  protocol::ModelCard card;
  card.ref = ref;
  card.name = nameOf(ref, opened.location);
  card.path = (opened.location.run.empty() ? opened.location.folder : opened.location.run).string();
  card.architecture = config.architecture;
  card.dtype = configName(checkpoint.storedDType());
  card.kvDtype = kvName(kv, configName(dtype));
  card.defaultMap = checkpoint.map() ? printMap(*checkpoint.map()) : "full";
  card.layers = config.layers;
  card.width = config.width;
  card.heads = config.heads;
  card.kvHeads = config.kvHeads;
  card.headDim = config.headDim;
  card.ffn = config.ffn;
  card.vocab = config.vocab;
  card.parameters = config.shape().parameters;
  card.bytesOnDisk = checkpoint.bytesOnDisk();
  card.context = ref.context > 0 ? ref.context : config.maxPositions;
  card.tied = config.tied;
  card.adapter = !ref.adapter.empty() || !opened.location.adapter.empty();
  for (const MapCost& cost : costsOf(maps, config, storage)) {
    card.maps.push_back({cost.map.name, cost.map.map.owners(), cost.kvBytesPerToken});
  }
  card.kvBytesPerToken = kvBytes(SharingMap::full(config.layers), config.shape(), 1, storage);
  addText(opened.location, card);
  return card;
}

Result<protocol::EstimateMemory::Answer> estimateModel(const protocol::EstimateMemory::Params& params,
                                                       const std::optional<fs::path>& project) {
  const protocol::ModelRef& ref = params.side.ref;
  STRATA_TRY(const Opened opened, openHeaders(ref, project));
  const std::int64_t context = params.context > 0 ? params.context : ref.context;
  STRATA_TRY(const ServingEstimate estimate,
             estimateServing(opened.checkpoint, params.side.map, ref.dtype, ref.kv, context, params.users));
  protocol::EstimateMemory::Answer answer;
  // A model that is open here keeps the projections of all layers: each answer may take another map.
  STRATA_TRY(const ServingEstimate whole,
             estimateServing(opened.checkpoint, "full", ref.dtype, ref.kv, context, params.users));
  MemoryEstimate memory = estimate.memory;
  memory.weights = whole.memory.weights;
  answer.weights = memory.weights;
  answer.kv = memory.kv;
  answer.activations = memory.activations;
  answer.total = memory.total();
  if (ref.device == "cpu") {
    answer.available = systemMemory("MemAvailable");
    answer.deviceTotal = systemMemory("MemTotal");
  } else if (ref.device.starts_with("cuda")) {
    const std::size_t colon = ref.device.find(':');
    const int number = colon == std::string::npos ? 0 : std::atoi(ref.device.c_str() + colon + 1);
    const auto memory = gpuMemory(number).value_or(GpuMemory());
    answer.available = memory.free;
    answer.deviceTotal = memory.total;
  }
  return answer;
}

}  // namespace strata
