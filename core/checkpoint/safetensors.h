#pragma once
// The safetensors format: u64 header length, JSON header {name: {dtype, shape, data_offsets}}, data.
// Reading maps the file; a TensorView points into the mapping and keeps it alive. Everything a header says is checked
// before a byte of data is touched.

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/base/files.h"
#include "core/checkpoint/blocks.h"
#include "core/checkpoint/dtype.h"

namespace strata {

/// The values are read by tensor_values.h where the bytes are not simply the elements.
struct TensorView {
  DType dtype = DType::f32;  // of the elements; of blocks what they are read as unless another is asked for
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;  // little-endian, row-major, not aligned
  std::shared_ptr<const MappedFile> file;
  Blocks blocks = Blocks::none;  // GGUF
  /// GGUF keeps the rows of a Llama's queries and keys in pairs for an interleaved RoPE: of each of so many heads the
  /// rows 0, D/2, 1, D/2 + 1, … of the Hugging Face weight. 0: in order.
  int pairedHeads = 0;

  std::int64_t elements() const;
  bool holdsElements() const { return blocks == Blocks::none && pairedHeads == 0; }
};

using TensorMap = std::map<std::string, TensorView>;

/// Integer and bool tensors (masks and counters of old checkpoints, never weights): checked like the others, then left
/// out of the map. Name -> dtype.
using SkippedTensors = std::map<std::string, std::string>;

/// Refused with the tensor's name: F64, FP8 and unknown dtypes, negative or overflowing shape, offsets outside the
/// data, overlapping or leaving gaps, size != shape x dtype, duplicate names or keys, header over 100 MB, truncated
/// file, and any file that is a pickle, zip or NumPy file by its magic number, whatever its name.
Result<TensorMap> readSafetensors(const std::filesystem::path& path, SkippedTensors* skipped = nullptr);
/// The same from memory (tests, fuzzers); views point into `bytes`.
Result<TensorMap> parseSafetensors(std::span<const std::byte> bytes, const std::string& where,
                                   SkippedTensors* skipped = nullptr);

/// One tensor to write. `bytes` must stay valid until written.
struct TensorToWrite {
  std::string name;
  DType dtype = DType::f32;
  std::vector<std::int64_t> shape;
  std::span<const std::byte> bytes;
};
/// Length and JSON header for tensors whose data follow in this order; `bytes` is not looked at, so that a file larger
/// than memory can be written tensor by tensor.
Result<std::string> makeSafetensorsHeader(const std::vector<TensorToWrite>& tensors);
/// Written in the order given, atomically, header padded to 8 bytes with __metadata__ {"format": "pt"}.
Result<void> writeSafetensors(const std::filesystem::path& path, const std::vector<TensorToWrite>& tensors);

}  // namespace strata
