#pragma once
// Export: a stock Hugging Face folder (tensor names, shapes and dtypes as they came, every k/v kept, tokenizer files
// byte for byte) that also carries the map, in config.json under "strata" and in strata_map.json. Of a GGUF file: the
// folder that its metadata and weights describe, blocks as bfloat16 unless another dtype is asked for.

#include <atomic>
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/checkpoint/checkpoint.h"
#include "core/routing/sharing_map.h"

namespace strata {

/// Gives the bytes of a parameter in `dtype` (little-endian); called once a tensor, in file order. Empty function: the
/// checkpoint's own.
using TensorSource = std::function<Result<std::vector<std::byte>>(const std::string& name, DType dtype)>;

/// `original` says names, dtypes, shapes, sharding and extra files; `weights` the values. `out` must not exist or be
/// empty. Tensors that are no parameter keep their bytes, but for a tied head that is stored all the same: it gets the
/// embedding's (the source is asked for the embedding once more). Files that are copied: tokenizer*,
/// special_tokens_map.json, added_tokens.json, vocab.json, merges.txt, chat_template.jinja, chat_template.json,
/// generation_config.json, *.model. Never pickles.
struct ExportOptions {
  std::optional<DType> dtype = {};            // of the parameters, which then need a source; nothing: as they came
  const std::atomic<bool>* cancel = nullptr;  // looked at before each tensor; then nothing is left
  /// The text of modeling_strata.py, with which transformers follows the map: written, and named in config.json under
  /// "auto_map" as the class of the model's architecture. Empty: neither; an "auto_map" of the original goes.
  std::string_view remoteCode = {};
  std::string_view readme = {};                                              // README.md; empty: none
  std::function<void(std::int64_t done, std::int64_t total)> progress = {};  // bytes of weights, after each tensor
};
Result<void> exportModel(const Checkpoint& original, const SharingMap& map, const TensorSource& weights,
                         const std::filesystem::path& out, const ExportOptions& options = {});

/// The adapter's two files as they came, and `readme` as README.md. `out` must not exist or be empty.
Result<void> exportAdapter(const std::filesystem::path& adapter, const std::filesystem::path& out,
                           std::string_view readme);

/// Copies the tokenizer and generation files of `from` into the existing folder `to`, or writes those that a GGUF file
/// holds. Refuses a link that leaves `from`.
Result<void> copyTokenizerFiles(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace strata
