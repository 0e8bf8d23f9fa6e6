#pragma once
// What the instruction sets of cpu/matvec share: the work of one call, and where its prepared x lies.

#include <cstddef>
#include <cstdint>

#include "kernels/matvec.h"

namespace strata::kernels::cpu {

/// x as the instruction set's prepare() laid it out for one format of weights.
struct PreparedInput {
  const void* data = nullptr;  // [rows, stride], 64-byte aligned
  std::size_t stride = 0;
};

constexpr int kFormats = 3;

struct MatvecWork {
  Element element = Element::f32;
  Element outElement = Element::f32;
  PreparedInput x[kFormats];  // by WeightFormat, of those that the targets have
  std::size_t rows = 0;
  std::size_t k = 0;
  const MatvecTarget* targets = nullptr;
  int targetCount = 0;
  std::size_t prefetch = 0;  // bytes
};

/// The bf16 product by AVX-512-BF16's dot product, where this machine has it: x stays bf16. (Asking costs nothing;
/// Highway's SupportedTargets() asks the processor each time, which takes microseconds in a virtual machine.)
bool hasBf16Dot();
std::size_t bf16DotStride(std::size_t k);
/// Elements of a row of x for weights of 8 or 4 bits: whole groups, and whole steps of every engine.
constexpr std::size_t quantizedStride(std::size_t k) {
  return (k + 127) / 128 * 128;
}
void prepareBf16Dot(WeightFormat format, const void* x, std::size_t rows, std::size_t k, std::size_t xStride,
                    void* prepared);
void matvecBf16Dot(const MatvecWork& work, std::int64_t begin, std::int64_t end);

}  // namespace strata::kernels::cpu
