#include "core/checkpoint/checkpoint_facts.h"

#include <algorithm>
#include <map>

#include "core/checkpoint/gguf_tokenizer.h"
#include "core/checkpoint/tensor_values.h"

namespace strata {

namespace fs = std::filesystem;

Result<DType> computeDType(const Checkpoint& checkpoint, const std::string& given) {
  if (given.empty()) return checkpoint.storedDType() == DType::f16 ? DType::f32 : checkpoint.storedDType();
  const auto parsed = parseDType(given);
  if (parsed && *parsed != DType::f16) return *parsed;
  return fail(ErrorCode::usage, "The dtype '" + given + "' cannot be computed in; give float32 or bfloat16.",
              "--dtype");
}

std::string storedAs(const Checkpoint& checkpoint) {
  std::map<std::string, std::int64_t> elements;
  for (const auto& [name, view] : checkpoint.tensors()) {
    elements[view.blocks == Blocks::none ? configName(view.dtype) : storageName(view)] += view.elements();
  }
  const auto most = std::max_element(elements.begin(), elements.end(),
                                     [](const auto& a, const auto& b) { return a.second < b.second; });
  return most == elements.end() ? configName(checkpoint.storedDType()) : most->first;
}

const char* tokenizerKind(const fs::path& folder) {
  if (isGgufFile(folder)) {
    const Result<Gguf> gguf = Gguf::open(folder);
    if (!gguf) return nullptr;
    const Result<GgufTokenizer::Kind> kind = tokenizerKindOf(*gguf);
    return kind && *kind == GgufTokenizer::Kind::none ? nullptr : "gguf";
  }
  std::error_code ignored;
  if (fs::exists(folder / "tokenizer.json", ignored)) return "tokenizer.json";
  return fs::exists(folder / "tokenizer.model", ignored) ? "sentencepiece" : nullptr;
}

std::vector<MapCost> costsOf(const std::vector<NamedMap>& maps, const ModelConfig& config, const KvStorage& storage) {
  std::vector<MapCost> costs;
  costs.reserve(maps.size());
  for (const NamedMap& map : maps) {
    costs.push_back({map, kvBytes(map.map, config.shape(), 1, storage)});
  }
  return costs;
}

Result<std::vector<NamedMap>> mapsOf(const Checkpoint& checkpoint, const std::string& patterns) {
  STRATA_TRY(std::vector<NamedMap> maps, parseMaps(patterns, checkpoint.config().layers));
  if (checkpoint.map() && !checkpoint.map()->isFull()) {
    maps.insert(maps.begin(), NamedMap{printMap(*checkpoint.map()), *checkpoint.map()});
  }
  return maps;
}

Result<ServingEstimate> estimateServing(const Checkpoint& checkpoint, const std::string& map, const std::string& dtype,
                                        const std::string& kv, std::int64_t context, int users) {
  const ModelConfig& config = checkpoint.config();
  ServingEstimate estimate;
  STRATA_TRY(estimate.dtype, computeDType(checkpoint, dtype));
  STRATA_TRY(estimate.kv, parseKvFormat(kv));
  estimate.map.map = checkpoint.map() ? *checkpoint.map() : SharingMap::full(config.layers);
  if (!map.empty()) {
    STRATA_TRY(estimate.map.map, parseMap(map, config.layers));
    STRATA_CHECK(checkGeometry(estimate.map.map, config.kvGeometry()));
  }
  estimate.map.name = map.empty() ? printMap(estimate.map.map) : map;
  estimate.context = context > 0 ? context : config.maxPositions;
  const int bytes = static_cast<int>(bytesOf(estimate.dtype));
  estimate.memory = estimateInference(config.shape(), estimate.map.map, estimate.context, users, bytes,
                                      kvStorage(estimate.kv, bytes));
  return estimate;
}

}  // namespace strata
