// Also compiled by the host's compiler for tests/simt (STRATA_SIMT).

#include "kernels/cuda/decode_attention.cuh"
#include "kernels/cuda/entries.h"

using namespace strata::kernels;

std::int64_t strata_cuda_decode_attention_workspace(std::int64_t b, std::int64_t h, std::int64_t hkv, std::int64_t d,
                                                    std::int64_t maxLength) {
  const int ranges = cuda::attentionRanges(b, hkv, cuda::attentionParts(h, hkv), maxLength, cuda::processors());
  return ranges == 1 ? 0 : b * h * ranges * (d + 2) * static_cast<std::int64_t>(sizeof(float));
}

int strata_cuda_decode_attention(int element, const void* q, const void* kCache, const void* vCache,
                                 const std::int64_t* lengths, std::int64_t window, float scale, void* out,
                                 std::int64_t b, std::int64_t h, std::int64_t hkv, std::int64_t capacity,
                                 std::int64_t d, std::int64_t maxLength, const void* kept, std::int64_t keptBytes,
                                 void* workspace, std::int64_t workspaceBytes, void* stream) {
  if (b < 1 || b > cuda::kMostBlocksY || hkv < 1 || h < hkv || h % hkv != 0 || d < 1 || d > cuda::kAttentionMaxD ||
      !cuda::isElement(element)) {
    return cuda::kInvalidValue;
  }
  cuda::AttentionArguments a;
  a.q = q;
  a.kCache = kCache;
  a.vCache = vCache;
  a.lengths = lengths;
  a.out = out;
  a.partial = static_cast<float*>(workspace);
  a.sequenceStride = hkv * capacity * d;
  a.headStride = capacity * d;
  a.rowStride = d;
  a.window = window;
  a.scale = scale;
  a.heads = static_cast<int>(h);
  a.kvHeads = static_cast<int>(hkv);
  a.d = static_cast<int>(d);
  a.parts = cuda::attentionParts(h, hkv);
  a.ranges = cuda::attentionRanges(b, hkv, a.parts, maxLength, cuda::processors());
  const std::int64_t bytes = a.ranges == 1 ? 0 : b * h * a.ranges * (d + 2) * static_cast<std::int64_t>(sizeof(float));
  if (workspaceBytes < bytes) return cuda::kInvalidValue;
  a.aligned = cuda::areAligned(d * (element == 0 ? 4 : 2), q, kCache, vCache);
  return element == 0 ? cuda::launchAttention<float>(a, b, stream, kept, keptBytes)
                      : cuda::launchAttention<Bfloat16>(a, b, stream, kept, keptBytes);
}
