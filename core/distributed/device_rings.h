#pragma once
// The rings of tensors on GPUs: NCCL, through the entry points of libstrata_cuda.so.

#include <ATen/core/Tensor.h>

#include <functional>
#include <memory>
#include <string>

namespace strata {

class DeviceRings {
 public:
  /// On the device of `tensor`. Together with all other ranks: `tell` gives them the bytes that rank 0 has. Throws
  /// where NCCL is not there.
  DeviceRings(const at::Tensor& tensor, int rank, int ranks, const std::function<void(std::string&)>& tell);
  ~DeviceRings();
  DeviceRings(const DeviceRings&) = delete;
  DeviceRings& operator=(const DeviceRings&) = delete;

  /// As in communicator.h, after what the tensor's stream was given so far; throw where NCCL fails.
  void reduceScatter(const at::Tensor& whole);
  void allGather(const at::Tensor& whole);
  /// The device's stream goes on once both have.
  void wait();

 private:
  void* m_opened = nullptr;
  int m_ranks;
  at::Tensor m_tensor;  // whose stream waits
};

}  // namespace strata
