#pragma once
// What can be said of an opened checkpoint without its weights, beyond its configuration: for `strata inspect` and for
// the window's cards alike.

#include <filesystem>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/checkpoint/checkpoint.h"
#include "core/routing/memory.h"

namespace strata {

/// The dtype that a model computes in and caches: as given, else as stored, where the CPU computes F16 in F32.
Result<DType> computeDType(const Checkpoint& checkpoint, const std::string& given);

/// How most weights lie in the files: "bfloat16", or the blocks of a GGUF, "Q4_K".
std::string storedAs(const Checkpoint& checkpoint);

/// "tokenizer.json" or "sentencepiece", as openTokenizer() chooses, "gguf" for what is in a GGUF file; nullptr: none.
const char* tokenizerKind(const std::filesystem::path& folder);

/// Bytes of a cache for one token under each map.
struct MapCost {
  NamedMap map;
  std::int64_t kvBytesPerToken = 0;
};
std::vector<MapCost> costsOf(const std::vector<NamedMap>& maps, const ModelConfig& config, const KvStorage& storage);

/// `patterns`, and before them the model's own map where it has one that is not full.
Result<std::vector<NamedMap>> mapsOf(const Checkpoint& checkpoint, const std::string& patterns);

/// One model served with a map ("": its own) to `users` sessions of `context` tokens (0: the model's).
struct ServingEstimate {
  MemoryEstimate memory;
  NamedMap map{"", SharingMap::full(1)};
  DType dtype = DType::f32;
  KvFormat kv = KvFormat::plain;
  std::int64_t context = 0;
};
Result<ServingEstimate> estimateServing(const Checkpoint& checkpoint, const std::string& map, const std::string& dtype,
                                        const std::string& kv, std::int64_t context, int users);

}  // namespace strata
