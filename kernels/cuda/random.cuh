#pragma once
// Philox4x32-10 on the device, the generator of core/base/philox.h (Salmon et al., SC 2011): a draw depends on nothing
// but its counter and key.

#include "kernels/cuda/device.cuh"

namespace strata::kernels::cuda {

constexpr std::uint32_t kSamplingStream = 7;  // RandomStream::sampling of core/base/philox.h

struct Philox {
  std::uint32_t word[4];
};

STRATA_DEVICE Philox philox(std::uint32_t c0, std::uint32_t c1, std::uint32_t c2, std::uint32_t c3, std::uint64_t key) {
  auto low = static_cast<std::uint32_t>(key), high = static_cast<std::uint32_t>(key >> 32);
  STRATA_UNROLL
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t first = std::uint64_t{0xd2511f53u} * c0, second = std::uint64_t{0xcd9e8d57u} * c2;
    c0 = static_cast<std::uint32_t>(second >> 32) ^ c1 ^ low;
    c1 = static_cast<std::uint32_t>(second);
    c2 = static_cast<std::uint32_t>(first >> 32) ^ c3 ^ high;
    c3 = static_cast<std::uint32_t>(first);
    low += 0x9e3779b9u;
    high += 0xbb67ae85u;
  }
  return {{c0, c1, c2, c3}};
}

}  // namespace strata::kernels::cuda
