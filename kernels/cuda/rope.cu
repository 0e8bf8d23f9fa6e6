// kernels/rope.h, and for a decoding step together with kernels/kv_append.h: one kernel turns q and k and puts k and v
// into the cache at a position that it reads itself. A thread takes one pair (x[i], x[i + D/2]).
//
// Roofline: bound by memory, 8 bytes read and 8 written a pair of fp32 (4 and 4 of bf16) and 8 of the table; a decoding
// step's few KB cost a launch.

#include "kernels/cuda/device.cuh"
#include "kernels/cuda/entries.h"

namespace strata::kernels::cuda {

constexpr int kRopeThreads = 128;

struct RopeArguments {
  void* x;  // [rows, heads, D]
  const float* cos;
  const float* sin;
  std::int64_t pairs;  // of all rows
  int heads, half;     // half: D/2
};

struct Pair {
  float low, high;
};
template <class T>
STRATA_DEVICE Pair turnedPair(const T* x, int half, float cos, float sin) {
  const float low = toFloatDevice(x[0]), high = toFloatDevice(x[half]);
  return {low * cos - high * sin, high * cos + low * sin};
}

template <class T>
STRATA_KERNEL(kRopeThreads)
ropeKernel(RopeArguments a) {
  const std::int64_t pair = static_cast<std::int64_t>(blockIndexX()) * kRopeThreads + threadIndex();
  if (pair >= a.pairs) return;
  const std::int64_t head = pair / a.half, row = head / a.heads;
  const int i = static_cast<int>(pair % a.half);
  T* x = static_cast<T*>(a.x) + head * 2 * a.half + i;
  const Pair turned = turnedPair(x, a.half, a.cos[row * a.half + i], a.sin[row * a.half + i]);
  storeDevice(x, turned.low);
  storeDevice(x + a.half, turned.high);
}

struct RopeAppendArguments {
  void* q;        // [B, H, D]
  const void* k;  // [B, Hkv, D]
  const void* v;
  const float* cos;  // [capacity, D/2] or null
  const float* sin;
  void* kCache;  // [B, Hkv, capacity, D]
  void* vCache;
  const std::int64_t* lengths;  // [B]
  std::int64_t capacity;
  int heads, kvHeads, d;
};

/// A head's elements i and i + (D+1)/2 (the last of an odd D has no second). Grid: (pairs of q, k and v, B, 1).
template <class T>
STRATA_KERNEL(kRopeThreads)
ropeAppendKernel(RopeAppendArguments a) {
  const int half = (a.d + 1) / 2, sequence = blockIndexY();
  const int index = blockIndexX() * kRopeThreads + threadIndex();
  const int head = index / half, i = index % half;
  const std::int64_t position = a.lengths[sequence] - 1;
  if (head >= a.heads + 2 * a.kvHeads || position < 0 || position >= a.capacity) return;
  const bool isPair = i + half < a.d;
  const bool isTurned = a.cos != nullptr && head < a.heads + a.kvHeads;
  const float cos = isTurned ? a.cos[position * half + i] : 1.0f, sin = isTurned ? a.sin[position * half + i] : 0.0f;
  if (head < a.heads) {
    T* x = static_cast<T*>(a.q) + (static_cast<std::int64_t>(sequence) * a.heads + head) * a.d + i;
    const Pair turned = turnedPair(x, half, cos, sin);
    storeDevice(x, turned.low);
    storeDevice(x + half, turned.high);
    return;
  }
  const bool isKey = head < a.heads + a.kvHeads;
  const std::int64_t kvHead = static_cast<std::int64_t>(sequence) * a.kvHeads + (head - a.heads) % a.kvHeads;
  const T* from = static_cast<const T*>(isKey ? a.k : a.v) + kvHead * a.d + i;
  T* to = static_cast<T*>(isKey ? a.kCache : a.vCache) + (kvHead * a.capacity + position) * a.d + i;
  if (!isTurned) {
    to[0] = from[0];
    if (isPair) to[half] = from[half];
    return;
  }
  const Pair turned = turnedPair(from, half, cos, sin);
  storeDevice(to, turned.low);
  storeDevice(to + half, turned.high);
}

}  // namespace strata::kernels::cuda

int strata_cuda_rope(int element, void* x, const float* cos, const float* sin, std::int64_t rows, std::int64_t heads,
                     std::int64_t d, void* stream) {
  using namespace strata::kernels;
  using namespace strata::kernels::cuda;
  const std::int64_t pairs = rows * heads * (d / 2), blocks = (pairs + kRopeThreads - 1) / kRopeThreads;
  if (!isElement(element) || rows < 0 || heads < 1 || d < 2 || d % 2 != 0 || blocks > kMostBlocks) return kInvalidValue;
  if (rows == 0) return 0;
  const RopeArguments a{x, cos, sin, pairs, static_cast<int>(heads), static_cast<int>(d / 2)};
  const Launch how{{static_cast<int>(blocks), 1, 1}, kRopeThreads, stream};
  return element == 0 ? launch(ropeKernel<float>, how, a) : launch(ropeKernel<Bfloat16>, how, a);
}

int strata_cuda_rope_append(int element, void* q, const void* k, const void* v, const float* cos, const float* sin,
                            void* kCache, void* vCache, const std::int64_t* lengths, std::int64_t b, std::int64_t h,
                            std::int64_t hkv, std::int64_t capacity, std::int64_t d, void* stream) {
  using namespace strata::kernels;
  using namespace strata::kernels::cuda;
  const bool rotates = cos != nullptr;
  if (!isElement(element) || b < 0 || b > kMostBlocksY || h < 0 || hkv < 0 || capacity < 1 || d < 1 ||
      (rotates && (d % 2 != 0 || sin == nullptr)) || (h + 2 * hkv) * d > kMostBlocks) {
    return kInvalidValue;
  }
  const int heads = q != nullptr && rotates ? static_cast<int>(h) : 0;
  const int kvHeads = k != nullptr ? static_cast<int>(hkv) : 0;
  if (b == 0 || heads + kvHeads == 0) return 0;
  const RopeAppendArguments a{q,      k,       v,        cos,   sin,     kCache,
                              vCache, lengths, capacity, heads, kvHeads, static_cast<int>(d)};
  const int pairs = (heads + 2 * kvHeads) * static_cast<int>((d + 1) / 2);
  const Launch how{{(pairs + kRopeThreads - 1) / kRopeThreads, static_cast<int>(b), 1}, kRopeThreads, stream};
  return element == 0 ? launch(ropeAppendKernel<float>, how, a) : launch(ropeAppendKernel<Bfloat16>, how, a);
}
