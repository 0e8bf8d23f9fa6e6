#pragma once
// The C entry points of libstrata_cuda.so, which the engine loads with dlopen where a driver is found. They start
// kernels on the stream and return at once; 0 is success, anything else a cudaError_t.

#include <cstdint>

#pragma GCC visibility push(default)
extern "C" {

/// kernels/decode_attention.h on the device: all pointers are device memory, element 0 is f32 and 1 bf16. D is at most
/// 256 (else cudaErrorInvalidValue, 1). maxLength: the most keys that a query sees (the largest of lengths, or the
/// window), or anything up to capacity above it (more key ranges than needed); it decides how much workspace is needed
/// and how the keys are cut. `stream` is a cudaStream_t. Arrays whose rows are not 16-byte aligned are read element by
/// element.
int strata_cuda_decode_attention(int element, const void* q, const void* kCache, const void* vCache,
                                 const std::int64_t* lengths, std::int64_t window, float scale, void* out,
                                 std::int64_t b, std::int64_t h, std::int64_t hkv, std::int64_t capacity,
                                 std::int64_t d, std::int64_t maxLength, void* workspace, std::int64_t workspaceBytes,
                                 void* stream);

/// Bytes of device memory that a call with these sizes on the current device needs as its workspace; may be 0.
std::int64_t strata_cuda_decode_attention_workspace(std::int64_t b, std::int64_t h, std::int64_t hkv, std::int64_t d,
                                                    std::int64_t maxLength);
}
#pragma GCC visibility pop

namespace strata::kernels::cuda {
constexpr std::int64_t kMostHeadSize = 256;  // D
using DecodeAttentionEntry = decltype(&strata_cuda_decode_attention);
using DecodeAttentionWorkspaceEntry = decltype(&strata_cuda_decode_attention_workspace);
}  // namespace strata::kernels::cuda
