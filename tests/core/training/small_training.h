#pragma once
// A model, a data set and a configuration so small that a training step takes milliseconds.

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "core/training/trainer.h"
#include "support.h"

namespace strata::testing {

inline const c10::Device kCpu(c10::DeviceType::CPU);
inline const bool kOneThread = (at::set_num_threads(1), true);  // at these sizes threads only wait for one another

inline ModelConfig smallModel(bool tied = true) {
  Json json = Json::parse(
      R"({"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 32, "intermediate_size": 48,
    "num_hidden_layers": 5, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8, "vocab_size": 97,
    "max_position_embeddings": 64, "rms_norm_eps": 1e-5, "initializer_range": 0.2})");
  json["tie_word_embeddings"] = tied;
  return parseModelConfig(json, "test").value();
}

/// Packed rows of unequal lengths, so that masks, positions and index tensors matter.
inline Dataset smallData() {
  std::vector<Row> rows;
  for (int r = 0; r < 40; ++r) {
    Row row;
    const int length = 5 + (r * 7) % 19;
    for (int i = 0; i < length; ++i) row.ids.push_back((r * 31 + i * i * 5 + i) % 97);
    row.trained.assign(row.ids.size(), true);
    for (int i = 0; i < 3; ++i) row.trained[static_cast<std::size_t>(i)] = false;
    rows.push_back(std::move(row));
  }
  return Dataset::fromRows(rows, 24, true);
}

inline TrainConfig smallConfig() {
  TrainConfig config;
  config.steps = 6;
  config.batch = 4;
  config.microBatch = 2;
  config.routingGroups = 2;
  config.length = 24;
  config.lr = 1e-2;
  config.pCross = 0.6;
  config.seed = 5;
  return config;
}

}  // namespace strata::testing
