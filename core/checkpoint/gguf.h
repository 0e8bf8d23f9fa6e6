#pragma once
// The GGUF container (docs/gguf.md of github.com/ggml-org/ggml), versions 2 and 3, little-endian: metadata, a table of
// tensors, data.
//
//   STRATA_TRY(const Gguf gguf, Gguf::open("model.gguf"));
//   gguf.fields().integer("llama.block_count", 1, 4096)
// Opening maps the file and reads what stands before the data; arrays are looked at when they are asked for. Immutable.

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/base/json.h"
#include "core/checkpoint/json_fields.h"
#include "core/checkpoint/safetensors.h"

namespace strata {

/// A regular file that is called .gguf or begins as one.
bool isGgufFile(const std::filesystem::path& path);

class Gguf {
 public:
  /// Refused with one sentence: what is no GGUF, big-endian, of another version, or cut short; counts, lengths and
  /// offsets that do not fit the file; keys or tensors given twice; arrays of arrays; texts that are not UTF-8; tensors
  /// of other types than F32, F16, BF16 and the blocks of blocks.h, in rows that are no whole blocks, or overlapping.
  static Result<Gguf> open(const std::filesystem::path& path);
  /// The same from memory (tests, fuzzers), which must stay.
  static Result<Gguf> parse(std::span<const std::byte> bytes, const std::string& where);

  const std::string& where() const { return m_where; }
  /// Every value that is no array.
  JsonFields fields() const { return {m_values, m_where}; }

  bool hasArray(const std::string& key) const { return m_arrays.contains(key); }
  /// The elements of an array; refused where it is missing or holds something else.
  Result<std::vector<std::string_view>> texts(const std::string& key) const;
  Result<std::vector<std::int64_t>> integers(const std::string& key) const;
  Result<std::vector<double>> numbers(const std::string& key) const;

  /// By the file's own names ("blk.0.attn_q.weight"); shapes row-major, as Hugging Face has them.
  const TensorMap& tensors() const { return m_tensors; }

 private:
  friend class GgufReader;
  struct Array {
    std::uint32_t type = 0;
    std::uint64_t count = 0;
    std::span<const std::byte> bytes;
  };
  Result<const Array*> array(const std::string& key) const;
  tl::unexpected<Error> refuse(const std::string& key, const std::string& what) const;

  std::string m_where;
  std::shared_ptr<const MappedFile> m_file;
  Json m_values = Json::object();
  std::map<std::string, Array> m_arrays;
  TensorMap m_tensors;
};

}  // namespace strata
