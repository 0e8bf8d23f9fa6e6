#pragma once
// An opened model: configuration, weights on a device, tokenizer, the map it came with. Const once built; share it
// freely.
//
//   STRATA_TRY(auto model, Model::open({.path = "resources/models/stories260K"}));
//   InferenceSession session(model, *parseMap("stride:2", model->config().layers), {.capacity = 512});

#include <ATen/core/Tensor.h>

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/checkpoint/checkpoint.h"
#include "core/model/rope.h"
#include "core/model/weights.h"
#include "core/routing/kv_format.h"
#include "core/text/tokenizer.h"

namespace strata {

struct OpenOptions {
  std::filesystem::path path;          // a checkpoint folder
  std::filesystem::path adapter = {};  // LoRA folder, or empty
  std::string weights = {};            // int8 | int4[:group] (quantized_weight.h); empty: as stored
  std::string kv = {};                 // int8 | fp8; empty: keys and values are kept in the dtype
  std::string dtype = {};              // float32 | bfloat16; empty: as stored (F16 computes in F32 on the CPU)
  std::string device = "cpu";
  /// The one map that will be served, as text ("" is the model's own): its followers' key and value projections are not
  /// kept in memory. Unset: any map.
  std::optional<std::string> onlyMap = {};
  std::int64_t context = 0;                 // 0: the model's
  std::optional<Placement> placement = {};  // of the weights; unset: placementOf()
};

class Model {
 public:
  static Result<std::shared_ptr<const Model>> open(const OpenOptions& options);
  /// Over weights made elsewhere (training); those of this dtype are aliased, not copied.
  static std::shared_ptr<const Model> over(const ModelConfig& config, Weights weights, at::ScalarType computeDtype,
                                           std::shared_ptr<const Tokenizer> tokenizer = nullptr);

  const ModelConfig& config() const { return m_config; }
  const Weights& weights() const { return m_weights; }
  at::ScalarType dtype() const { return m_dtype; }  // of activations, and of a plain KV cache
  KvFormat kvFormat() const { return m_kv; }
  KvStorage kvStorage() const { return strata::kvStorage(m_kv, static_cast<int>(c10::elementSize(m_dtype))); }
  /// "bfloat16", "int8"
  std::string kvName() const;
  /// The same model, its weights shared, with another kind of cache.
  std::shared_ptr<const Model> withKv(KvFormat format) const;
  c10::Device device() const { return m_weights.embedding.device(); }
  std::int64_t context() const { return m_context; }
  /// nullptr where the folder has no tokenizer files, or they cannot be read: ids work without one.
  const Tokenizer* tokenizer() const { return m_tokenizer.get(); }
  /// The tokenizer, or why there is none.
  Result<const Tokenizer*> needTokenizer() const;
  const std::vector<std::int64_t>& eosIds() const { return m_eosIds; }
  /// strata_map.json, else the full map.
  const SharingMap& defaultMap() const { return m_defaultMap; }
  const std::optional<Checkpoint>& checkpoint() const { return m_checkpoint; }
  const Rope& rope() const { return m_rope; }  // for context()
  /// Refused where the files are not what was opened (MappedFile::checkUnchanged()); asked before each answer and
  /// evaluation, so that results belong to the weights that the files hold.
  Result<void> checkFiles() const;
  /// The same, asked after each step: where the weights are mapped, what the step read may have changed.
  Result<void> checkMapped() const { return m_mapped ? checkFiles() : Result<void>(); }

 private:
  Model(ModelConfig config, Weights weights, at::ScalarType dtype, std::int64_t context);

  ModelConfig m_config;
  Weights m_weights;
  at::ScalarType m_dtype;
  KvFormat m_kv = KvFormat::plain;
  std::int64_t m_context = 0;
  std::shared_ptr<const Tokenizer> m_tokenizer;
  std::optional<Error> m_tokenizerProblem;
  std::vector<std::int64_t> m_eosIds;
  SharingMap m_defaultMap;
  std::optional<Checkpoint> m_checkpoint;
  bool m_mapped = false;
  Rope m_rope;
};

/// The sentence for an exception that LibTorch threw (out of memory, or a bug): the one place where they are turned
/// into errors.
Error errorFromException(const std::exception& exception);

}  // namespace strata
