// Sums and copies between the GPUs of several ranks, by NVIDIA's NCCL, which LibTorch's CUDA part brings along and
// which is found at run time. No kernel here, and nothing in the emulation, which has one device.

#if !defined(STRATA_SIMT)

#include <dlfcn.h>

#include "kernels/cuda/device.cuh"
#include "kernels/cuda/entries.h"

namespace {

// Of NCCL's public interface (nccl.h, stable since 2.0): what is called here.
struct NcclId {
  char bytes[128];
};
using NcclComm = void*;
constexpr int kNcclFloat = 7, kNcclSum = 0;

struct Nccl {
  int (*id)(NcclId*) = nullptr;
  int (*open)(NcclComm*, int, NcclId, int) = nullptr;
  int (*reduceScatter)(const void*, void*, std::size_t, int, int, NcclComm, cudaStream_t) = nullptr;
  int (*allGather)(const void*, void*, std::size_t, int, NcclComm, cudaStream_t) = nullptr;
  int (*close)(NcclComm) = nullptr;
  bool found = false;
};

Nccl loadNccl() {
  Nccl nccl;
  void* library = dlopen("libnccl.so.2", RTLD_NOW | RTLD_GLOBAL);
  if (library == nullptr) return nccl;
  const auto find = [&](auto& function, const char* name) {
    function = reinterpret_cast<std::remove_reference_t<decltype(function)>>(dlsym(library, name));
    return function != nullptr;
  };
  nccl.found = find(nccl.id, "ncclGetUniqueId") && find(nccl.open, "ncclCommInitRank") &&
               find(nccl.reduceScatter, "ncclReduceScatter") && find(nccl.allGather, "ncclAllGather") &&
               find(nccl.close, "ncclCommDestroy");
  return nccl;
}

const Nccl& nccl() {
  static const Nccl loaded = loadNccl();
  return loaded;
}

int statusOfNccl(int result) {
  return result == 0 ? 0 : strata::kernels::cuda::kNcclFailed + result;
}

int statusOfCuda(cudaError_t error) {
  if (error != cudaSuccess) cudaGetLastError();  // else the next launch would report it
  return static_cast<int>(error);
}

/// A communicator, the stream that its work runs on, and an event for waiting either way.
struct Ranks {
  NcclComm comm = nullptr;
  int rank = 0;
  cudaStream_t stream = nullptr;
  cudaEvent_t event = nullptr;
};

/// `later` begins once `earlier` has done what it was given so far.
int order(cudaStream_t earlier, cudaStream_t later, cudaEvent_t event) {
  const int status = statusOfCuda(cudaEventRecord(event, earlier));
  return status != 0 ? status : statusOfCuda(cudaStreamWaitEvent(later, event, 0));
}

}  // namespace

int strata_cuda_ranks_id(void* id) {
  if (!nccl().found) return strata::kernels::cuda::kNoNccl;
  return statusOfNccl(nccl().id(static_cast<NcclId*>(id)));
}

int strata_cuda_ranks_open(const void* id, int ranks, int rank, void** opened) {
  *opened = nullptr;
  if (!nccl().found) return strata::kernels::cuda::kNoNccl;
  auto* made = new Ranks;
  made->rank = rank;
  int status = statusOfNccl(nccl().open(&made->comm, ranks, *static_cast<const NcclId*>(id), rank));
  if (status == 0) status = statusOfCuda(cudaStreamCreateWithFlags(&made->stream, cudaStreamNonBlocking));
  if (status == 0) status = statusOfCuda(cudaEventCreateWithFlags(&made->event, cudaEventDisableTiming));
  if (status != 0) {
    strata_cuda_ranks_close(made);
    return status;
  }
  *opened = made;
  return 0;
}

int strata_cuda_ranks_reduce_scatter(void* opened, float* whole, std::int64_t chunk, void* stream) {
  const auto& ranks = *static_cast<Ranks*>(opened);
  const int status = order(static_cast<cudaStream_t>(stream), ranks.stream, ranks.event);
  if (status != 0) return status;
  return statusOfNccl(nccl().reduceScatter(whole, whole + ranks.rank * chunk, static_cast<std::size_t>(chunk),
                                           kNcclFloat, kNcclSum, ranks.comm, ranks.stream));
}

int strata_cuda_ranks_all_gather(void* opened, float* whole, std::int64_t chunk, void* stream) {
  const auto& ranks = *static_cast<Ranks*>(opened);
  const int status = order(static_cast<cudaStream_t>(stream), ranks.stream, ranks.event);
  if (status != 0) return status;
  return statusOfNccl(nccl().allGather(whole + ranks.rank * chunk, whole, static_cast<std::size_t>(chunk), kNcclFloat,
                                       ranks.comm, ranks.stream));
}

int strata_cuda_ranks_wait(void* opened, void* stream) {
  const auto& ranks = *static_cast<Ranks*>(opened);
  return order(ranks.stream, static_cast<cudaStream_t>(stream), ranks.event);
}

int strata_cuda_ranks_close(void* opened) {
  auto* ranks = static_cast<Ranks*>(opened);
  int status = ranks->comm == nullptr ? 0 : statusOfNccl(nccl().close(ranks->comm));
  if (ranks->event != nullptr && status == 0) status = statusOfCuda(cudaEventDestroy(ranks->event));
  if (ranks->stream != nullptr && status == 0) status = statusOfCuda(cudaStreamDestroy(ranks->stream));
  delete ranks;
  return status;
}

#endif
