#include "core/checkpoint/tensor_values.h"

#include <cassert>
#include <cstring>

namespace strata {
namespace {

/// Where the file keeps a row of the tensor.
std::int64_t storedRow(const TensorView& view, std::int64_t row) {
  if (view.pairedHeads == 0) return row;
  const std::int64_t perHead = rowsOf(view) / view.pairedHeads;
  const std::int64_t head = row / perHead, within = row % perHead;
  const std::int64_t half = within / (perHead / 2), pair = within % (perHead / 2);
  return head * perHead + 2 * pair + half;
}

}  // namespace

std::int64_t rowsOf(const TensorView& view) {
  return view.shape.size() > 1 || (view.shape.size() == 1 && view.pairedHeads > 0) ? view.shape.front() : 1;
}

void readRows(const TensorView& view, std::int64_t begin, std::int64_t end, DType dtype, std::span<std::byte> out) {
  if (end <= begin) return;
  const auto rows = static_cast<std::size_t>(rowsOf(view));
  const std::size_t stored = view.bytes.size() / rows;
  const std::size_t elements = static_cast<std::size_t>(view.elements()) / rows;
  const std::size_t wanted = elements * bytesOf(dtype);
  assert(out.size() == static_cast<std::size_t>(end - begin) * wanted);
  std::vector<float> values(view.blocks == Blocks::none && view.dtype == dtype ? 0 : elements);
  for (std::int64_t row = begin; row < end; ++row) {
    const auto from = view.bytes.subspan(static_cast<std::size_t>(storedRow(view, row)) * stored, stored);
    const auto to = out.subspan(static_cast<std::size_t>(row - begin) * wanted, wanted);
    if (view.blocks != Blocks::none) {
      dequantise(from, view.blocks, values);
    } else if (view.dtype == dtype) {
      if (!to.empty()) std::memcpy(to.data(), from.data(), to.size());
      continue;
    } else {
      convertToFloat(from, view.dtype, values);
    }
    convertFromFloat(values, dtype, to);
  }
}

std::vector<std::byte> valuesOf(const TensorView& view, DType dtype) {
  std::vector<std::byte> out(static_cast<std::size_t>(view.elements()) * bytesOf(dtype));
  readRows(view, 0, rowsOf(view), dtype, out);
  return out;
}

const char* storageName(const TensorView& view) {
  return view.blocks == Blocks::none ? safetensorsName(view.dtype) : layoutOf(view.blocks).name;
}

}  // namespace strata
