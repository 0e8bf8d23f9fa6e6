#pragma once
// The C entry points of libstrata_cuda.so, which the engine loads with dlopen where a driver is found.
//
// Each starts kernels on `stream`, a cudaStream_t, and returns at once: 0 is success, 1 (cudaErrorInvalidValue) sizes
// that it does not take, anything else a cudaError_t. None allocates (but for graphs), copies, or waits. All pointers
// are device memory but where said, and lengths are read on the device, so a CUDA graph can capture any sequence of
// calls; grids depend on the sizes given alone. element: 0 is f32, 1 bf16; sums are kept in fp32. Arrays whose rows do
// not start at multiples of 16 bytes are read element by element. What a call computes is said in the header of that
// name in kernels/.

#include <cstdint>

#include "kernels/matvec.h"

namespace strata::kernels::cuda {
/// Of the fields of that name in core/config/generate_config.h; index: of the token in its answer.
struct Sampling {
  double temperature = 1;
  std::int64_t topK = 0;
  double topP = 1, minP = 0;
  std::uint64_t seed = 1;
  std::uint32_t index = 0;
};
}  // namespace strata::kernels::cuda

#pragma GCC visibility push(default)
extern "C" {

/// rms_norm.h; delta may be null, then x is only read.
int strata_cuda_add_rms_norm(int element, void* x, const void* delta, const void* weight, float eps, void* y,
                             std::int64_t rows, std::int64_t c, void* stream);

/// rope.h.
int strata_cuda_rope(int element, void* x, const float* cos, const float* sin, std::int64_t rows, std::int64_t heads,
                     std::int64_t d, void* stream);

/// Rope of a decoding step's q [B, H, D], in place, and k [B, Hkv, D], which goes to kCache [B, Hkv, capacity, D] as v
/// does to vCache. The position is lengths[b] - 1: `lengths` [B] counts the new token. cos, sin [capacity, D/2], by
/// position; null: nothing turns (kv_append.h). q null: keys and values alone; k null: q alone (a follower). A length
/// outside 1 … capacity changes nothing of its sequence.
int strata_cuda_rope_append(int element, void* q, const void* k, const void* v, const float* cos, const float* sin,
                            void* kCache, void* vCache, const std::int64_t* lengths, std::int64_t b, std::int64_t h,
                            std::int64_t hkv, std::int64_t capacity, std::int64_t d, void* stream);

/// silu_mul.h.
int strata_cuda_silu_mul(int element, const void* gate, const void* up, void* y, std::int64_t n, void* stream);

/// y [n] += scale · x, rounded once.
int strata_cuda_add_scaled(int element, void* y, const void* x, float scale, std::int64_t n, void* stream);

/// matvec.h for 1 to 8 rows and up to 4 targets; `targets` is host memory and read before the call returns. Codes of
/// quantised targets start at multiples of 16 bytes. One launch for each format of weight.
int strata_cuda_matvec(int element, int outElement, const void* x, std::int64_t rows, std::int64_t k,
                       const strata::kernels::MatvecTarget* targets, int targetCount, void* stream);

/// Rows of table [V, C] by id, [rows, C]; a row of NaN for an id that is not in 0 … V-1.
int strata_cuda_select_rows(int element, const void* table, const std::int64_t* ids, void* out, std::int64_t rows,
                            std::int64_t vocab, std::int64_t c, void* stream);

/// ids[row]: where logits [rows, V], fp32, are largest, the lowest id on a tie; -1 where a logit is not finite. Where
/// `lengths` [rows] is not null, each grows by one: the next step's. The workspace is what the second function says.
int strata_cuda_argmax(const float* logits, std::int64_t* ids, std::int64_t* lengths, std::int64_t rows,
                       std::int64_t vocab, void* workspace, std::int64_t workspaceBytes, void* stream);
std::int64_t strata_cuda_argmax_workspace(std::int64_t rows, std::int64_t vocab);

/// The same with ids drawn as core/model/sampling.h draws them, up to rounding; temperature over 0, V up to 2^20.
/// answers [rows]: with seed and index all that a draw depends on. `how` is host memory and read before the call
/// returns.
int strata_cuda_sample(const float* logits, std::int64_t* ids, std::int64_t* lengths, const std::int64_t* answers,
                       const strata::kernels::cuda::Sampling* how, std::int64_t rows, std::int64_t vocab, void* stream);

/// softmax_cross_entropy.h.
int strata_cuda_softmax_cross_entropy(int element, void* logits, const std::int64_t* targets, float scale,
                                      float* losses, std::int64_t rows, std::int64_t vocab, void* stream);

/// attention.h, forward, without its `first` and lse: q, out [B, T, H, D]; k, v a cache [B, Hkv, capacity, D] or, with
/// capacity 0, [B, T, Hkv, D]. Query t of sequence b sees the first lengths[b] - T + t + 1 keys (lengths null: T), with
/// a window over 0 the last `window` of them. No mask is made; the grid does not depend on the lengths. bf16: D is a
/// multiple of 8 up to 128 and all rows start at multiples of 16 bytes, on tensor cores. fp32: D is at most 256, B T at
/// most 65535.
int strata_cuda_attention(int element, const void* q, const void* k, const void* v, const std::int64_t* lengths,
                          std::int64_t window, float scale, void* out, std::int64_t b, std::int64_t t, std::int64_t h,
                          std::int64_t hkv, std::int64_t capacity, std::int64_t d, void* stream);

/// decode_attention.h; D is at most 256. maxLength: the most keys that a query sees (the largest of lengths, or the
/// window), or anything above; it decides the size of the grid and of the workspace. For a graph: the capacity. Only as
/// many blocks as a length needs do anything. kept, keptBytes: what of it stays in the part of L2 that is set apart, as
/// far as that holds it, for the followers' attention; or null and 0.
int strata_cuda_decode_attention(int element, const void* q, const void* kCache, const void* vCache,
                                 const std::int64_t* lengths, std::int64_t window, float scale, void* out,
                                 std::int64_t b, std::int64_t h, std::int64_t hkv, std::int64_t capacity,
                                 std::int64_t d, std::int64_t maxLength, const void* kept, std::int64_t keptBytes,
                                 void* workspace, std::int64_t workspaceBytes, void* stream);
/// Bytes of device memory that a call with these sizes on the current device needs as its workspace; may be 0.
std::int64_t strata_cuda_decode_attention_workspace(std::int64_t b, std::int64_t h, std::int64_t hkv, std::int64_t d,
                                                    std::int64_t maxLength);

/// Calls between the two are recorded on *stream, of its own, and do not run. The second always ends that stream; where
/// it gives 0, *graph is what was recorded, to be launched any number of times and then released, which also gives up
/// what attention kept in L2.
int strata_cuda_graph_begin(void** stream);
int strata_cuda_graph_end(void* stream, void** graph);
int strata_cuda_graph_launch(void* graph, void* stream);
int strata_cuda_graph_release(void* graph);

/// Sets apart as much of the current device's L2 as can be, for what attention keeps there: bytes, 0 where none can be.
/// Not between graph_begin and graph_end.
std::int64_t strata_cuda_set_apart_l2();

/// Ranks with a GPU each, by NCCL; not in the emulation. One of them makes the id, 128 bytes, and tells it to the
/// others; all open together, each on its current device. Status also kNoNccl, or kNcclFailed + NCCL's own code.
int strata_cuda_ranks_id(void* id);
int strata_cuda_ranks_open(const void* id, int ranks, int rank, void** opened);
/// In place, as in core/distributed/communicator.h: `whole` is ranks · chunk floats. Both begin after what `stream` was
/// given so far, on a stream of their own; wait() makes `stream` wait for all of them.
int strata_cuda_ranks_reduce_scatter(void* ranks, float* whole, std::int64_t chunk, void* stream);
int strata_cuda_ranks_all_gather(void* ranks, float* whole, std::int64_t chunk, void* stream);
int strata_cuda_ranks_wait(void* ranks, void* stream);
int strata_cuda_ranks_close(void* ranks);
}
#pragma GCC visibility pop

namespace strata::kernels::cuda {
constexpr std::int64_t kMostHeadSize = 256;         // D of decode attention, and of fp32 prefill
constexpr std::int64_t kMostPrefillHeadSize = 128;  // D of bf16 prefill
constexpr std::int64_t kMostRows = 8;               // of a few-row product
constexpr int kMostTargets = 4;
constexpr int kNoNccl = 20'000;  // beyond any cudaError_t
constexpr int kNcclFailed = 20'001;
}  // namespace strata::kernels::cuda
