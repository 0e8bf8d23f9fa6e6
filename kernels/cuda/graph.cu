// Recorded work, and the part of L2 that is set apart. No kernel here: calls of CUDA's runtime, or the emulation's
// recordings.

#include "kernels/cuda/device.cuh"
#include "kernels/cuda/entries.h"

#if defined(STRATA_SIMT)

using strata::simt::Recording;

int strata_cuda_graph_begin(void** stream) {
  *stream = new Recording;
  return 0;
}

int strata_cuda_graph_end(void* stream, void** graph) {
  *graph = stream;
  return 0;
}

int strata_cuda_graph_launch(void* graph, void* stream) {
  strata::simt::replay(*static_cast<Recording*>(graph), stream);
  return 0;
}

int strata_cuda_graph_release(void* graph) {
  delete static_cast<Recording*>(graph);
  return 0;
}

std::int64_t strata_cuda_set_apart_l2() {
  return 0;
}

#else

namespace {

int statusOf(cudaError_t error) {
  if (error != cudaSuccess) cudaGetLastError();  // else the next launch would report it
  return static_cast<int>(error);
}

}  // namespace

int strata_cuda_graph_begin(void** stream) {
  cudaStream_t created = nullptr;
  if (const int status = statusOf(cudaStreamCreateWithFlags(&created, cudaStreamNonBlocking)); status != 0)
    return status;
  const int status = statusOf(cudaStreamBeginCapture(created, cudaStreamCaptureModeThreadLocal));
  if (status != 0) {
    cudaStreamDestroy(created);
    return status;
  }
  *stream = created;
  return 0;
}

int strata_cuda_graph_end(void* stream, void** graph) {
  cudaGraph_t recorded = nullptr;
  cudaGraphExec_t ready = nullptr;
  int status = statusOf(cudaStreamEndCapture(static_cast<cudaStream_t>(stream), &recorded));
  if (status == 0) status = statusOf(cudaGraphInstantiate(&ready, recorded, 0));
  if (recorded != nullptr) cudaGraphDestroy(recorded);
  cudaStreamDestroy(static_cast<cudaStream_t>(stream));
  *graph = ready;
  return status;
}

int strata_cuda_graph_launch(void* graph, void* stream) {
  return statusOf(cudaGraphLaunch(static_cast<cudaGraphExec_t>(graph), static_cast<cudaStream_t>(stream)));
}

int strata_cuda_graph_release(void* graph) {
  const int status = statusOf(cudaGraphExecDestroy(static_cast<cudaGraphExec_t>(graph)));
  if (strata::kernels::cuda::deviceAttribute(cudaDevAttrMaxPersistingL2CacheSize) == 0) return status;
  const int given = statusOf(cudaCtxResetPersistingL2Cache());
  return status != 0 ? status : given;
}

std::int64_t strata_cuda_set_apart_l2() {
  const std::int64_t most = strata::kernels::cuda::deviceAttribute(cudaDevAttrMaxPersistingL2CacheSize);
  if (most == 0) return 0;
  return statusOf(cudaDeviceSetLimit(cudaLimitPersistingL2CacheSize, static_cast<std::size_t>(most))) == 0 ? most : 0;
}

#endif
