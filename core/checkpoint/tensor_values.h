#pragma once
// The values of a stored tensor, however its file holds them: as elements, in blocks, with its rows in another order.

#include <cstdint>
#include <span>
#include <vector>

#include "core/checkpoint/safetensors.h"

namespace strata {

/// How many rows readRows() counts: the first extent of a matrix, or of a vector whose elements are in another order;
/// else 1, the whole.
std::int64_t rowsOf(const TensorView& view);

/// Rows [begin, end) in `dtype`, converted once; `out` holds their elements. Safe from several threads.
void readRows(const TensorView& view, std::int64_t begin, std::int64_t end, DType dtype, std::span<std::byte> out);

/// All elements in `dtype`, little-endian and row-major.
std::vector<std::byte> valuesOf(const TensorView& view, DType dtype);

/// How the elements are stored: "F32", "F16", "BF16" or the blocks' name.
const char* storageName(const TensorView& view);

}  // namespace strata
