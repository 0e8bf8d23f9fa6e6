#include "core/model/device.h"

#include <ATen/Context.h>
#include <ATen/Version.h>
#include <c10/core/CachingDeviceAllocator.h>
#include <c10/core/impl/VirtualGuardImpl.h>
#include <dlfcn.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <mutex>
#include <set>
#include <utility>

#include "core/base/log.h"

namespace strata {
namespace {

/// The folder of this executable: modules lie beside it or in ../lib.
std::filesystem::path programFolder() {
  std::error_code ignored;
  return std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
}

struct CudaModule {
  void* kernels = nullptr;
  int devices = 0;
  std::string reason;
};

CudaModule loadCuda() {
  CudaModule module;
  void* driver = dlopen("libcuda.so.1", RTLD_NOW | RTLD_GLOBAL);
  if (driver == nullptr) {
    module.reason = "no NVIDIA driver (libcuda.so.1) was found";
    return module;
  }
  using Init = int (*)(unsigned);
  using Count = int (*)(int*);
  const auto init = reinterpret_cast<Init>(dlsym(driver, "cuInit"));
  const auto count = reinterpret_cast<Count>(dlsym(driver, "cuDeviceGetCount"));
  if (init == nullptr || count == nullptr || init(0) != 0 || count(&module.devices) != 0 || module.devices == 0) {
    module.devices = 0;
    module.reason = "the NVIDIA driver reports no usable GPU";
    return module;
  }
  if (dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL) == nullptr) {
    module.devices = 0;
    module.reason = std::string("LibTorch's CUDA part could not be loaded (") + dlerror() +
                    "; install the package strata-cuda and run strata-cuda-setup, or where Strata is built, "
                    "packaging/setup --cuda)";
    return module;
  }
  module.kernels = openModule("libstrata_cuda.so");
  if (module.kernels == nullptr) {
    const char* reason = dlerror();
    logWarning(std::string("The GPU kernels (libstrata_cuda.so) cannot be used: ") +
               (reason != nullptr ? reason : "not found") + "; LibTorch computes instead, more slowly.");
  }
  return module;
}

const CudaModule& cudaModule() {
  static const CudaModule module = loadCuda();
  return module;
}

}  // namespace

void* openModule(const char* name) {
  const auto root = programFolder().parent_path();
  std::error_code ignored;
  for (const auto& folder : {programFolder(), root / "lib", root / "lib/strata"}) {
    if (std::filesystem::exists(folder / name, ignored)) return dlopen((folder / name).c_str(), RTLD_NOW | RTLD_GLOBAL);
  }
  return dlopen(name, RTLD_NOW | RTLD_GLOBAL);
}

std::string processorName() {
  std::ifstream file("/proc/cpuinfo");
  for (std::string line; std::getline(file, line);) {
    if (line.rfind("model name", 0) == 0) return line.substr(line.find(':') + 2);
  }
  return "CPU";
}

std::vector<DeviceInfo> listDevices() {
  std::vector<DeviceInfo> devices{{"cpu", processorName(), true, ""}};
  const CudaModule& cuda = cudaModule();
  if (cuda.devices == 0)
    devices.push_back({"cuda", "NVIDIA GPU", false, "Not usable: " + cuda.reason + "; computing stays on the CPU."});
  for (int i = 0; i < cuda.devices; ++i) devices.push_back({"cuda:" + std::to_string(i), "NVIDIA GPU", true, ""});
  return devices;
}

Result<c10::Device> chooseDevice(const std::string& text) {
  if (text.empty() || text == "cpu") return c10::Device(c10::DeviceType::CPU);
  const bool automatic = text == "auto";
  int index = 0;
  if (!automatic && text != "cuda") {
    const char* end = text.data() + text.size();
    if (text.rfind("cuda:", 0) != 0 || std::from_chars(text.data() + 5, end, index).ptr != end || index < 0) {
      return fail(ErrorCode::usage, "The device '" + text + "' is unknown; give cpu, cuda, cuda:N or auto.",
                  "--device");
    }
  }
  const CudaModule& cuda = cudaModule();
  if (index < cuda.devices) return c10::Device(c10::DeviceType::CUDA, static_cast<c10::DeviceIndex>(index));
  if (automatic) {
    logInfo("Computing stays on the CPU: " + cuda.reason + ".");
    return c10::Device(c10::DeviceType::CPU);
  }
  const std::string reason =
      cuda.devices == 0 ? cuda.reason : "there are only " + std::to_string(cuda.devices) + " GPUs";
  return fail(ErrorCode::unsupported, "The device " + text + " cannot be used: " + reason + "; choose cpu or auto.",
              "--device");
}

void synchronize(c10::Device device) {
  if (device.is_cpu()) return;
  c10::impl::VirtualGuardImpl(device.type()).synchronizeDevice(device.index());
}

std::int64_t deviceMemory(c10::Device device) {
  if (device.is_cpu()) return 0;
  auto* allocator = dynamic_cast<c10::DeviceAllocator*>(c10::GetAllocator(device.type()));
  if (allocator == nullptr || !allocator->initialized()) return 0;
  constexpr auto kAll = static_cast<std::size_t>(c10::CachingAllocator::StatType::AGGREGATE);
  return allocator->getDeviceStats(device.index()).allocated_bytes[kAll].current;
}

bool launched(const char* kernel, int status) {
  if (status == 0) return true;
  static std::mutex mutex;
  static std::set<std::pair<std::string, int>> told;
  const std::lock_guard guard(mutex);
  if (told.emplace(kernel, status).second) {
    logWarning(std::string("The GPU kernel ") + kernel + " could not be started (CUDA error " + std::to_string(status) +
               "); LibTorch computes instead, more slowly.");
  }
  return false;
}

void* cudaKernel(const char* name) {
  const CudaModule& cuda = cudaModule();
  return cuda.kernels == nullptr ? nullptr : dlsym(cuda.kernels, name);
}

}  // namespace strata
