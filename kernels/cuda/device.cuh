#pragma once
// The few words that a device kernel is written in, so that one source is compiled by nvcc for a GPU and, with
// STRATA_SIMT defined, by the host's compiler against the emulation in tests/simt/simt.h. A kernel uses no other
// CUDA name than these.

#include <cmath>
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
constexpr int kInvalidValue = 1;                                         // cudaErrorInvalidValue
constexpr std::int64_t kMostBlocks = 0x7fffffff, kMostBlocksY = 0xffff;  // of a grid's x, and of its y and z

/// 16 bytes, the widest load.
struct alignas(16) Words {
  std::uint32_t word[4];
};

/// 8 bytes.
struct alignas(8) TwoWords {
  std::uint32_t word[2];
};

#if defined(STRATA_SIMT)

#define STRATA_DEVICE inline
#define STRATA_UNROLL
#define STRATA_KERNEL(threads) inline void
#define STRATA_KERNEL_OF(threads, blocks) inline void
/// An array of the block's shared memory; what was not written reads as NaN.
#define STRATA_SHARED(type, name, count) const auto name = ::strata::simt::shared<type>(count)

using simt::barrier;
using simt::blockIndexX;
using simt::blockIndexY;
using simt::blockIndexZ;
using simt::blockThreads;
using simt::shuffleXor;
using simt::threadIndex;

inline float asFloat(std::uint32_t bits) {
  return std::bit_cast<float>(bits);
}
inline std::uint32_t asBits(float value) {
  return std::bit_cast<std::uint32_t>(value);
}
inline int shuffleXor(int value, int mask) {
  return std::bit_cast<int>(simt::shuffleXor(std::bit_cast<float>(value), mask));
}
inline Words loadWords(const void* p) {
  Words words;
  simt::checkAligned(p, sizeof words);
  std::memcpy(&words, p, sizeof words);
  return words;
}
inline TwoWords loadTwoWords(const void* p) {
  TwoWords words;
  simt::checkAligned(p, sizeof words);
  std::memcpy(&words, p, sizeof words);
  return words;
}
/// See the device's.
template <class Array>
void storeShared(const Array& array, int index, const Words& words) {
  for (int i = 0; i < 4; ++i) array[index + i] = words.word[i];
}
/// See the device's.
template <class Array, class T>
void addShared(const Array& array, int index, T value) {
  array[static_cast<std::size_t>(index)] += value;
}
inline void multiplyTile(float (&c)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2]) {
  const std::uint32_t mine[6] = {a[0], a[1], a[2], a[3], b[0], b[1]};
  std::uint32_t all[kWarp * 6];
  simt::gatherWarp(mine, 6, all);
  const auto element = [&](int lane, int word, int half) {
    return std::bit_cast<float>(half == 0 ? all[lane * 6 + word] << 16 : all[lane * 6 + word] & 0xffff0000u);
  };
  const int lane = simt::threadIndex() % kWarp;
  for (int i = 0; i < 4; ++i) {
    const int row = lane / 4 + i / 2 * 8, column = lane % 4 * 2 + i % 2;
    for (int k = 0; k < 16; ++k) {
      c[i] += element(row % 8 * 4 + k % 8 / 2, row / 8 + k / 8 * 2, k % 2) *
              element(column * 4 + k % 8 / 2, 4 + k / 8, k % 2);
    }
  }
}
inline Words loadWrittenWords(const void* p) {
  return loadWords(p);
}
inline void storeWords(void* p, const Words& words) {
  simt::checkAligned(p, sizeof words);
  std::memcpy(p, &words, sizeof words);
}
inline std::uint32_t roundToBfloat16(float value) {
  return fromFloat<Bfloat16>(value).bits;
}
inline std::uint32_t roundPair(float low, float high) {
  return roundToBfloat16(low) | roundToBfloat16(high) << 16;
}

struct Launch {
  int grid[3];
  int threads;
  void* stream;
  const void* kept = nullptr;  // bytes that stay in the part of L2 that is set apart
  std::int64_t keptBytes = 0;
};
template <class Kernel, class Arguments>
int launch(Kernel kernel, const Launch& how, const Arguments& arguments) {
  simt::launchOn(how.stream, how.grid, how.threads, [kernel, arguments] { kernel(arguments); });
  return 0;
}
inline int processors() {
  return 4;
}

#else

#define STRATA_DEVICE __device__ __forceinline__
#define STRATA_UNROLL _Pragma("unroll")
#define STRATA_KERNEL(threads) __global__ void __launch_bounds__(threads)
/// With registers for so many blocks a multiprocessor.
#define STRATA_KERNEL_OF(threads, blocks) __global__ void __launch_bounds__(threads, blocks)
#define STRATA_SHARED(type, name, count) __shared__ __align__(16) type name[count]

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
STRATA_DEVICE int blockThreads() {
  return static_cast<int>(blockDim.x);
}
/// Of all 32 threads of a warp, which must all come here.
STRATA_DEVICE float shuffleXor(float value, int mask) {
  return __shfl_xor_sync(0xffffffffu, value, mask);
}
STRATA_DEVICE int shuffleXor(int value, int mask) {
  return __shfl_xor_sync(0xffffffffu, value, mask);
}

STRATA_DEVICE float asFloat(std::uint32_t bits) {
  return __uint_as_float(bits);
}
STRATA_DEVICE std::uint32_t asBits(float value) {
  return __float_as_uint(value);
}
/// Of memory that nothing writes while the kernel runs.
STRATA_DEVICE Words loadWords(const void* p) {
  const uint4 words = __ldg(static_cast<const uint4*>(p));
  return {{words.x, words.y, words.z, words.w}};
}
STRATA_DEVICE TwoWords loadTwoWords(const void* p) {
  const uint2 words = __ldg(static_cast<const uint2*>(p));
  return {{words.x, words.y}};
}
/// Of memory that this thread may also write.
STRATA_DEVICE Words loadWrittenWords(const void* p) {
  const uint4 words = *static_cast<const uint4*>(p);
  return {{words.x, words.y, words.z, words.w}};
}
STRATA_DEVICE void storeWords(void* p, const Words& words) {
  *static_cast<uint4*>(p) = make_uint4(words.word[0], words.word[1], words.word[2], words.word[3]);
}
/// Four 32-bit elements of shared memory from `index` on, a multiple of 4.
STRATA_DEVICE void storeShared(std::uint32_t* array, int index, const Words& words) {
  *reinterpret_cast<uint4*>(array + index) = make_uint4(words.word[0], words.word[1], words.word[2], words.word[3]);
}
/// Adds to an element of shared memory, as one of several threads of the block that may.
STRATA_DEVICE void addShared(std::uint32_t* array, int index, std::uint32_t value) {
  atomicAdd(array + index, value);
}
STRATA_DEVICE void addShared(std::uint64_t* array, int index, std::uint64_t value) {
  atomicAdd(reinterpret_cast<unsigned long long*>(array + index), static_cast<unsigned long long>(value));
}
/// c += a b of a warp on the tensor cores (PTX mma.m16n8k16): a [16, 16] and b [16, 8] bf16, c [16, 8] fp32. With
/// g = lane / 4 and t = 2 (lane % 4), words of two neighbours along k, the lower k in the low half:
///   a  {row g, k t}, {row g + 8, k t}, {row g, k t + 8}, {row g + 8, k t + 8}
///   b  {k t, column g}, {k t + 8, column g}
///   c  row g columns t, t + 1, then row g + 8
STRATA_DEVICE void multiplyTile(float (&c)[4], const std::uint32_t (&a)[4], const std::uint32_t (&b)[2]) {
  asm volatile(
      "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%0, %1, %2, %3}, {%4, %5, %6, %7}, {%8, %9}, {%0, %1, %2, "
      "%3};"
      : "+f"(c[0]), "+f"(c[1]), "+f"(c[2]), "+f"(c[3])
      : "r"(a[0]), "r"(a[1]), "r"(a[2]), "r"(a[3]), "r"(b[0]), "r"(b[1]));
}
/// Two values as bf16, to nearest, ties to even, the first in the low half; NaN stays NaN.
STRATA_DEVICE std::uint32_t roundPair(float low, float high) {
  std::uint32_t pair;
  asm("cvt.rn.bf16x2.f32 %0, %1, %2;" : "=r"(pair) : "f"(high), "f"(low));
  return pair;
}
STRATA_DEVICE std::uint32_t roundToBfloat16(float value) {
  return roundPair(value, 0.0f) & 0xffffu;
}

struct Launch {
  int grid[3];
  int threads;
  void* stream;
  const void* kept = nullptr;  // bytes that stay in the part of L2 that is set apart
  std::int64_t keptBytes = 0;
};
/// Of the current device; 0 where that cannot be read (then a launch reports why).
inline int deviceAttribute(cudaDeviceAttr attribute) {
  int device = 0, value = 0;
  if (cudaGetDevice(&device) != cudaSuccess) return 0;
  return cudaDeviceGetAttribute(&value, attribute, device) == cudaSuccess ? value : 0;
}
/// Streaming multiprocessors.
inline int processors() {
  const int count = deviceAttribute(cudaDevAttrMultiProcessorCount);
  return count > 0 ? count : 1;
}
/// The window of a launch over what is to be kept; no bytes where the device keeps nothing.
inline cudaAccessPolicyWindow windowOf(const Launch& how) {
  const std::int64_t mostKept = deviceAttribute(cudaDevAttrMaxPersistingL2CacheSize);
  const std::int64_t mostBytes = deviceAttribute(cudaDevAttrMaxAccessPolicyWindowSize);
  const std::int64_t bytes = mostKept == 0 ? 0 : how.keptBytes < mostBytes ? how.keptBytes : mostBytes;
  cudaAccessPolicyWindow window{};
  window.base_ptr = const_cast<void*>(how.kept);
  window.num_bytes = static_cast<std::size_t>(bytes);
  window.hitRatio = bytes <= mostKept ? 1.0f : static_cast<float>(mostKept) / static_cast<float>(bytes);
  window.hitProp = cudaAccessPropertyPersisting;
  window.missProp = cudaAccessPropertyStreaming;
  return window;
}
/// A cudaError_t.
template <class Kernel, class Arguments>
int launch(Kernel kernel, const Launch& how, const Arguments& arguments) {
  cudaLaunchConfig_t config{};
  config.gridDim =
      dim3(static_cast<unsigned>(how.grid[0]), static_cast<unsigned>(how.grid[1]), static_cast<unsigned>(how.grid[2]));
  config.blockDim = dim3(static_cast<unsigned>(how.threads));
  config.stream = static_cast<cudaStream_t>(how.stream);
  void* parameters[] = {const_cast<Arguments*>(&arguments)};
  const void* function = reinterpret_cast<const void*>(kernel);
  if (how.keptBytes > 0) {
    cudaLaunchAttribute window{};
    window.id = cudaLaunchAttributeAccessPolicyWindow;
    window.val.accessPolicyWindow = windowOf(how);
    if (window.val.accessPolicyWindow.num_bytes > 0) {
      config.attrs = &window;
      config.numAttrs = 1;
      return static_cast<int>(cudaLaunchKernelExC(&config, function, parameters));
    }
  }
  return static_cast<int>(cudaLaunchKernel(function, config.gridDim, config.blockDim, parameters, 0, config.stream));
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
STRATA_DEVICE void storeDevice(Bfloat16* p, float value) {
  p->bits = static_cast<std::uint16_t>(roundToBfloat16(value));
}

/// Eight elements as they lie in memory.
template <class T>
struct Eight {
  Words words[sizeof(T) / 2];
};

/// aligned: p is a multiple of 16 bytes. All eight elements at once if it is and they are there, otherwise one by one
/// the first `count`, zeros after.
template <class T, bool isWritten = false>
STRATA_DEVICE Eight<T> loadEight(const T* p, int count, bool aligned) {
  Eight<T> eight;
  if (aligned && count == 8) {
    STRATA_UNROLL
    for (int i = 0; i < static_cast<int>(sizeof(T) / 2); ++i) {
      const T* from = p + i * 16 / sizeof(T);
      eight.words[i] = isWritten ? loadWrittenWords(from) : loadWords(from);
    }
    return eight;
  }
  T elements[8];
  STRATA_UNROLL
  for (int i = 0; i < 8; ++i) elements[i] = i < count ? p[i] : T{};
  memcpy(&eight, elements, sizeof eight);
  return eight;
}
/// The same of memory that this thread may also write.
template <class T>
STRATA_DEVICE Eight<T> loadWrittenEight(const T* p, int count, bool aligned) {
  return loadEight<T, true>(p, count, aligned);
}

/// The first `count` of the elements.
template <class T>
STRATA_DEVICE void storeEight(T* p, const Eight<T>& eight, int count, bool aligned) {
  if (aligned && count == 8) {
    STRATA_UNROLL
    for (int i = 0; i < static_cast<int>(sizeof(T) / 2); ++i) storeWords(p + i * 16 / sizeof(T), eight.words[i]);
    return;
  }
  T elements[8];
  memcpy(static_cast<void*>(elements), &eight, sizeof eight);
  STRATA_UNROLL
  for (int i = 0; i < 8; ++i) {
    if (i < count) p[i] = elements[i];
  }
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

STRATA_DEVICE void pack(const float (&from)[8], Eight<float>& eight) {
  STRATA_UNROLL
  for (int i = 0; i < 8; ++i) eight.words[i / 4].word[i % 4] = asBits(from[i]);
}
/// To nearest, ties to even; NaN stays NaN.
STRATA_DEVICE void pack(const float (&from)[8], Eight<Bfloat16>& eight) {
  STRATA_UNROLL
  for (int i = 0; i < 4; ++i) eight.words[0].word[i] = roundPair(from[2 * i], from[2 * i + 1]);
}

/// How many of eight elements from `first` on exist.
STRATA_DEVICE int eightOf(std::int64_t first, std::int64_t size) {
  return size - first < 0 ? 0 : size - first < 8 ? static_cast<int>(size - first) : 8;
}

STRATA_DEVICE float warpSum(float value) {
  STRATA_UNROLL
  for (int mask = kWarp / 2; mask > 0; mask /= 2) value += shuffleXor(value, mask);
  return value;
}
STRATA_DEVICE float warpMax(float value) {
  STRATA_UNROLL
  for (int mask = kWarp / 2; mask > 0; mask /= 2) value = fmaxf(value, shuffleXor(value, mask));
  return value;
}
/// The sum over the block's threads, a multiple of 32, all of which must come here; each gets it.
STRATA_DEVICE float blockSum(float value) {
  STRATA_SHARED(float, sums, kWarp);
  value = warpSum(value);
  const int lane = threadIndex() % kWarp;
  if (lane == 0) sums[threadIndex() / kWarp] = value;
  barrier();
  const float total = warpSum(lane < blockThreads() / kWarp ? sums[lane] : 0.0f);
  barrier();  // before the next sum's writes
  return total;
}

/// The largest value of the block's threads, NaN left out; the same rules.
STRATA_DEVICE float blockMax(float value) {
  STRATA_SHARED(float, largest, kWarp);
  value = warpMax(value);
  const int lane = threadIndex() % kWarp;
  if (lane == 0) largest[threadIndex() / kWarp] = value;
  barrier();
  const float all = warpMax(lane < blockThreads() / kWarp ? largest[lane] : -INFINITY);
  barrier();
  return all;
}

/// Threads of a block that goes over a row in steps of eight elements a thread.
inline int threadsFor(std::int64_t elements, int most) {
  const std::int64_t threads = (elements + 8 * kWarp - 1) / (8 * kWarp) * kWarp;
  return threads < kWarp ? kWarp : threads < most ? static_cast<int>(threads) : most;
}

/// Whether all of the arrays start at multiples of 16 bytes and so do their rows of this many bytes.
template <class... Arrays>
bool areAligned(std::int64_t rowBytes, const Arrays*... arrays) {
  return rowBytes % 16 == 0 && ((reinterpret_cast<std::uintptr_t>(arrays) % 16 == 0) && ...);
}

inline bool isElement(int element) {
  return element == 0 || element == 1;
}

}  // namespace strata::kernels::cuda
