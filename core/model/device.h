#pragma once
// Devices. The CPU is always there; CUDA is a module that is loaded at run time where a driver is found (design.md
// section 6), so that one engine binary runs with and without a GPU.

#include <c10/core/Device.h>

#include <cstdint>
#include <string>
#include <vector>

#include "core/base/error.h"

namespace strata {

struct DeviceInfo {
  std::string name;         // "cpu", "cuda:0"
  std::string description;  // processor or card
  bool usable = false;
  std::string reason;  // why not, one sentence
};

/// As the system calls it.
std::string processorName();

/// The CPU and whatever GPU or reason for none there is.
std::vector<DeviceInfo> listDevices();

/// "cpu", "cuda", "cuda:1", "auto". auto falls back to the CPU; an explicit cuda that is not usable is an error with
/// the fallback sentence. Loads the CUDA module on first need.
Result<c10::Device> chooseDevice(const std::string& text);

/// Waits until what was started on the device has run, so that a clock beside it measures the work.
void synchronize(c10::Device device);
/// Bytes that tensors hold on a GPU, by its own allocator; 0 for the CPU, which memory.h counts.
std::int64_t deviceMemory(c10::Device device);
/// Whether a kernel of libstrata_cuda.so was started (0). Each failure is logged once.
bool launched(const char* kernel, int status);

/// dlopen() of one of Strata's own modules, which lie beside the program or in ../lib; null: dlerror() says why.
void* openModule(const char* name);
/// The entry points of libstrata_cuda.so, or nullptr. Never throws.
void* cudaKernel(const char* name);

}  // namespace strata
