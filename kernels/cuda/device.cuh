#pragma once
// The few words that a device kernel is written in, so that one source is compiled by nvcc for a GPU and, with
// STRATA_SIMT defined, by the host's compiler against the emulation in tests/simt/simt.h. A kernel uses no other
// CUDA name than these.

#include <cstdint>
#include <cstring>

#include "kernels/elements.h"

#if defined(STRATA_SIMT)
#include "simt.h"
#else
#include <cuda_runtime.h>
#endif

namespace strata::kernels::cuda {

constexpr int kWarp = 32;

/// 16 bytes, the widest load.
struct alignas(16) Words {
  std::uint32_t word[4];
};

#if defined(STRATA_SIMT)

#define STRATA_DEVICE inline
#define STRATA_UNROLL
#define STRATA_KERNEL(threads) inline void
/// An array of the block's shared memory; what was not written reads as NaN.
#define STRATA_SHARED(type, name, count) const auto name = ::strata::simt::shared<type>(count)

using simt::barrier;
using simt::blockIndexX;
using simt::blockIndexY;
using simt::blockIndexZ;
using simt::shuffleXor;
using simt::threadIndex;

inline float asFloat(std::uint32_t bits) {
  return std::bit_cast<float>(bits);
}
inline Words loadWords(const void* p) {
  Words words;
  simt::checkAligned(p, sizeof words);
  std::memcpy(&words, p, sizeof words);
  return words;
}

struct Launch {
  int grid[3];
  int threads;
  void* stream;
};
template <class Kernel, class Arguments>
int launch(Kernel kernel, const Launch& how, const Arguments& arguments) {
  simt::launch(how.grid, how.threads, [&] { kernel(arguments); });
  return 0;
}
inline int processors() {
  return 4;
}

#else

#define STRATA_DEVICE __device__ __forceinline__
#define STRATA_UNROLL _Pragma("unroll")
#define STRATA_KERNEL(threads) __global__ void __launch_bounds__(threads)
#define STRATA_SHARED(type, name, count) __shared__ type name[count]

STRATA_DEVICE int threadIndex() {
  return static_cast<int>(threadIdx.x);
}
STRATA_DEVICE int blockIndexX() {
  return static_cast<int>(blockIdx.x);
}
STRATA_DEVICE int blockIndexY() {
  return static_cast<int>(blockIdx.y);
}
STRATA_DEVICE int blockIndexZ() {
  return static_cast<int>(blockIdx.z);
}
STRATA_DEVICE void barrier() {
  __syncthreads();
}
/// Of all 32 threads of a warp, which must all come here.
STRATA_DEVICE float shuffleXor(float value, int mask) {
  return __shfl_xor_sync(0xffffffffu, value, mask);
}

STRATA_DEVICE float asFloat(std::uint32_t bits) {
  return __uint_as_float(bits);
}
STRATA_DEVICE Words loadWords(const void* p) {
  const uint4 words = __ldg(static_cast<const uint4*>(p));
  return {{words.x, words.y, words.z, words.w}};
}

struct Launch {
  int grid[3];
  int threads;
  void* stream;
};
/// A cudaError_t.
template <class Kernel, class Arguments>
int launch(Kernel kernel, const Launch& how, const Arguments& arguments) {
  const dim3 grid(static_cast<unsigned>(how.grid[0]), static_cast<unsigned>(how.grid[1]),
                  static_cast<unsigned>(how.grid[2]));
  void* parameters[] = {const_cast<Arguments*>(&arguments)};
  return static_cast<int>(cudaLaunchKernel(reinterpret_cast<const void*>(kernel), grid,
                                           dim3(static_cast<unsigned>(how.threads)), parameters, 0,
                                           static_cast<cudaStream_t>(how.stream)));
}
/// Streaming multiprocessors of the current device; 1 where that cannot be read (then the launch reports why).
inline int processors() {
  int device = 0, count = 0;
  if (cudaGetDevice(&device) != cudaSuccess) return 1;
  if (cudaDeviceGetAttribute(&count, cudaDevAttrMultiProcessorCount, device) != cudaSuccess) return 1;
  return count;
}

#endif

STRATA_DEVICE float toFloatDevice(float value) {
  return value;
}
STRATA_DEVICE float toFloatDevice(Bfloat16 value) {
  return asFloat(static_cast<std::uint32_t>(value.bits) << 16);
}

STRATA_DEVICE void storeDevice(float* p, float value) {
  *p = value;
}
/// To nearest, ties to even; NaN stays NaN.
STRATA_DEVICE void storeDevice(Bfloat16* p, float value) {
  std::uint32_t bits;
  memcpy(&bits, &value, sizeof bits);
  const std::uint32_t rounded = value != value ? (bits >> 16) | 0x40u : (bits + 0x7fffu + ((bits >> 16) & 1u)) >> 16;
  p->bits = static_cast<std::uint16_t>(rounded);
}

/// Eight elements as they lie in memory.
template <class T>
struct Eight {
  Words words[sizeof(T) / 2];
};

/// aligned: p is a multiple of 16 bytes and all eight are there. Otherwise one by one, the first `count`, zeros after.
template <class T>
STRATA_DEVICE Eight<T> loadEight(const T* p, int count, bool aligned) {
  Eight<T> eight;
  if (aligned && count == 8) {
    for (int i = 0; i < static_cast<int>(sizeof(T) / 2); ++i) eight.words[i] = loadWords(p + i * 16 / sizeof(T));
    return eight;
  }
  T elements[8];
  STRATA_UNROLL
  for (int i = 0; i < 8; ++i) elements[i] = i < count ? p[i] : T{};
  memcpy(&eight, elements, sizeof eight);
  return eight;
}

STRATA_DEVICE void expand(const Eight<float>& eight, float (&to)[8]) {
  STRATA_UNROLL
  for (int i = 0; i < 8; ++i) to[i] = asFloat(eight.words[i / 4].word[i % 4]);
}
STRATA_DEVICE void expand(const Eight<Bfloat16>& eight, float (&to)[8]) {
  STRATA_UNROLL
  for (int i = 0; i < 4; ++i) {
    to[2 * i] = asFloat(eight.words[0].word[i] << 16);
    to[2 * i + 1] = asFloat(eight.words[0].word[i] & 0xffff0000u);
  }
}

}  // namespace strata::kernels::cuda
