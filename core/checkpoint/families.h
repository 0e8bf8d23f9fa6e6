#pragma once
// What the supported architectures do differently from one another: the one place where a new one is added (and a
// golden model beside it, tests/golden/models).

#include <cstdint>
#include <optional>
#include <vector>

#include "core/checkpoint/json_fields.h"

namespace strata {

/// Which parameters a decoder layer has beside the weights that every family shares, and what its layers see.
struct LayerTraits {
  bool qkvBias = false;
  bool outputBias = false;  // o_proj
  bool mlpBias = false;     // gate, up and down
  bool qkNorm = false;      // RMS norm over each head's queries and keys, before RoPE
  /// [L]: keys that a query sees, itself among them (sliding-window attention); 0: all before it.
  std::vector<std::int64_t> windows;
};

/// Defaults are those of transformers' configuration classes, for keys that the file leaves out.
struct Family {
  const char* architecture;             // in "architectures"
  const char* modelType;                // in "model_type"
  std::int64_t maxPositions;            // max_position_embeddings
  std::optional<std::int64_t> kvHeads;  // nothing: as many as query heads
  std::optional<std::int64_t> headDim;  // nothing: hidden_size / num_attention_heads
  std::vector<std::int64_t> bosIds;     // empty: none
  std::vector<std::int64_t> eosIds;
  Result<LayerTraits> (*readTraits)(const JsonFields& config, int layers);
};

/// By "architectures", or by "model_type" where that is missing. An unknown one is refused naming what is supported.
Result<const Family*> findFamily(const JsonFields& config);

}  // namespace strata
