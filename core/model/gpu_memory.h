#pragma once
// Memory of the machine's GPUs as the driver counts it, by NVML, which is loaded where it is installed.
//
//   const auto memory = gpuMemory(0);   // of cuda:0; nothing without a driver

#include <cstdint>
#include <optional>

namespace strata {

struct GpuMemory {
  std::int64_t total = 0, free = 0;  // bytes
};

/// Of the CUDA device with this number, as CUDA_VISIBLE_DEVICES orders them. `library`: NVML's file.
std::optional<GpuMemory> gpuMemory(int device, const char* library = "libnvidia-ml.so.1");

}  // namespace strata
