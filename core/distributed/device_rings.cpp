#include "core/distributed/device_rings.h"

#include <stdexcept>

#include "core/model/cuda_calls.h"
#include "core/model/device.h"
#include "kernels/cuda/entries.h"

namespace strata {
namespace {

constexpr std::size_t kIdBytes = 128;

/// An entry point, called; what it answers is a success or thrown.
template <class Function, class... Arguments>
void call(Function*, const char* name, Arguments... arguments) {
  auto* const entry = reinterpret_cast<Function*>(cudaKernel(name));
  const int status = entry == nullptr ? kernels::cuda::kNoNccl : entry(arguments...);
  if (status == 0) return;
  if (status == kernels::cuda::kNoNccl)
    throw std::runtime_error(
        "Training on several GPUs needs NCCL (libnccl.so.2), which was not found; install the package strata-cuda "
        "and run strata-cuda-setup, or where Strata is built, packaging/setup --cuda.");
  throw std::runtime_error(std::string("NCCL failed in ") + name + " with status " + std::to_string(status) + ".");
}

#define STRATA_CALL(name, ...) call(static_cast<decltype(&name)>(nullptr), #name, __VA_ARGS__)

}  // namespace

DeviceRings::DeviceRings(const at::Tensor& tensor, int rank, int ranks, const std::function<void(std::string&)>& tell)
    : m_ranks(ranks), m_tensor(tensor) {
  std::string id(kIdBytes, '\0');
  if (rank == 0) STRATA_CALL(strata_cuda_ranks_id, static_cast<void*>(id.data()));
  tell(id);
  STRATA_CALL(strata_cuda_ranks_open, static_cast<const void*>(id.data()), ranks, rank, &m_opened);
}

DeviceRings::~DeviceRings() {
  const auto close = reinterpret_cast<decltype(&strata_cuda_ranks_close)>(cudaKernel("strata_cuda_ranks_close"));
  if (m_opened != nullptr && close != nullptr) close(m_opened);
}

void DeviceRings::reduceScatter(const at::Tensor& whole) {
  STRATA_CALL(strata_cuda_ranks_reduce_scatter, m_opened, whole.mutable_data_ptr<float>(), whole.numel() / m_ranks,
              calls::cuda::streamOf(whole));
}

void DeviceRings::allGather(const at::Tensor& whole) {
  STRATA_CALL(strata_cuda_ranks_all_gather, m_opened, whole.mutable_data_ptr<float>(), whole.numel() / m_ranks,
              calls::cuda::streamOf(whole));
}

void DeviceRings::wait() {
  STRATA_CALL(strata_cuda_ranks_wait, m_opened, calls::cuda::streamOf(m_tensor));
}

}  // namespace strata
