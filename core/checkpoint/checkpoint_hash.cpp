#include "core/checkpoint/checkpoint_hash.h"

#include <span>

#include "core/base/files.h"
#include "core/checkpoint/safetensors_header.h"
#include "core/checkpoint/tensor_values.h"

namespace strata {

Result<std::string> hashOf(const Checkpoint& checkpoint, const std::atomic<bool>* cancel,
                           const std::function<void(std::int64_t done, std::int64_t total)>& progress) {
  const auto shapes = parameterShapes(checkpoint.config());
  std::int64_t total = 0, done = 0;
  for (const auto& [name, shape] : shapes) total += static_cast<std::int64_t>(checkpoint.tensor(name).bytes.size());
  // A hash of hashes, so that the sharding and the order in the files do not matter.
  std::string list;
  for (const auto& [name, shape] : shapes) {
    if (cancel != nullptr && *cancel) return fail(ErrorCode::cancelled, "Hashing the weights was cancelled.");
    const TensorView& view = checkpoint.tensor(name);
    // Blocks are hashed as they are; so are a GGUF's rows of queries and keys then, while those of elements are put in
    // order, and the same elements have the same hash in either file.
    const bool asStored = view.holdsElements() || view.blocks != Blocks::none;
    const std::string hash = asStored ? sha256(view.bytes) : sha256(valuesOf(view, view.dtype));
    list.append(name).append(" ").append(storageName(view)).append(" ").append(printShape(shape));
    list.append(" ").append(hash).append("\n");
    done += static_cast<std::int64_t>(view.bytes.size());
    if (progress) progress(done, total);
  }
  STRATA_CHECK(checkpoint.checkUnchanged());
  return sha256(std::as_bytes(std::span(list)));
}

}  // namespace strata
