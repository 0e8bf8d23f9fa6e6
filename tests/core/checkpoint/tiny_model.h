#pragma once
// A small valid Llama folder whose files a test can spoil: header and data are kept apart, and nothing of the code
// under test writes them.

#include <cstdint>
#include <cstring>
#include <filesystem>
#include <functional>
#include <string>

#include "core/base/json.h"
#include "core/checkpoint/model_config.h"
#include "support.h"

namespace strata::testing {

inline Json tinyConfig() {
  return {{"architectures", {"LlamaForCausalLM"}},
          {"model_type", "llama"},
          {"hidden_size", 8},
          {"intermediate_size", 12},
          {"num_hidden_layers", 2},
          {"num_attention_heads", 4},
          {"num_key_value_heads", 2},
          {"vocab_size", 10},
          {"max_position_embeddings", 32},
          {"rms_norm_eps", 1e-5},
          {"rope_theta", 10000.0},
          {"hidden_act", "silu"},
          {"tie_word_embeddings", false},
          {"bos_token_id", 1},
          {"eos_token_id", 2},
          {"torch_dtype", "float32"}};
}

/// u64 length, header, data, as the format says.
inline std::string safetensorsFile(const std::string& header, const std::string& data) {
  const std::uint64_t length = header.size();
  std::string out(8, '\0');
  std::memcpy(out.data(), &length, 8);
  return out + header + data;
}

struct RawWeights {
  Json header = Json::object();
  std::string data;
  void add(const std::string& name, const std::vector<std::int64_t>& shape) {
    std::size_t count = 1;
    for (const std::int64_t extent : shape) count *= static_cast<std::size_t>(extent);
    const std::size_t begin = data.size();
    for (std::size_t i = 0; i < count; ++i) {
      const float value = 0.01F * static_cast<float>((header.size() * 37 + i * 11) % 101) - 0.5F;
      data.append(reinterpret_cast<const char*>(&value), sizeof(value));
    }
    header[name] = {{"dtype", "F32"}, {"shape", shape}, {"data_offsets", {begin, data.size()}}};
  }
  std::string file() const { return safetensorsFile(header.dump(), data); }
};

inline RawWeights tinyWeights(const Json& config = tinyConfig()) {
  RawWeights weights;
  const ModelConfig model = parseModelConfig(config, "config.json").value();
  for (const auto& [name, shape] : parameterShapes(model)) weights.add(name, shape);
  return weights;
}

inline void writeTinyModel(const std::filesystem::path& folder, const Json& config = tinyConfig()) {
  writeText(folder / "config.json", config.dump(2));
  writeText(folder / "model.safetensors", tinyWeights(config).file());
}

/// The same model as two shards: the first holds what belongs to layer 0 and the embedding.
inline void writeShardedTinyModel(const std::filesystem::path& folder, const Json& config = tinyConfig()) {
  const ModelConfig model = parseModelConfig(config, "config.json").value();
  RawWeights shards[2];
  Json index = {{"metadata", {{"total_size", 0}}}, {"weight_map", Json::object()}};
  for (const auto& [name, shape] : parameterShapes(model)) {
    const int shard = name.find("layers.0") != std::string::npos || name.find("embed") != std::string::npos ? 0 : 1;
    shards[shard].add(name, shape);
    index["weight_map"][name] = "model-0000" + std::to_string(shard + 1) + "-of-00002.safetensors";
  }
  writeText(folder / "config.json", config.dump(2));
  for (int i = 0; i < 2; ++i) {
    writeText(folder / ("model-0000" + std::to_string(i + 1) + "-of-00002.safetensors"), shards[i].file());
  }
  writeText(folder / "model.safetensors.index.json", index.dump(2));
}

inline void editJson(const std::filesystem::path& file, const std::function<void(Json&)>& edit) {
  Json value = Json::parse(readText(file));
  edit(value);
  writeText(file, value.dump());
}

/// Rewrites model.safetensors with a changed header; the data stay.
inline void editHeader(const std::filesystem::path& folder, const std::function<void(Json&)>& edit) {
  RawWeights weights = tinyWeights(Json::parse(readText(folder / "config.json")));
  edit(weights.header);
  writeText(folder / "model.safetensors", weights.file());
}

}  // namespace strata::testing
