#include "core/model/gpu_memory.h"

#include <dlfcn.h>

#include <cstdlib>
#include <sstream>
#include <string>
#include <vector>

namespace strata {
namespace {

// As nvml.h declares them; 0 is success.
using Device = void*;
struct MemoryInfo {
  unsigned long long total, free, used;
};

/// The library while it is open.
class Nvml {
 public:
  explicit Nvml(const char* library) : m_library(::dlopen(library, RTLD_NOW | RTLD_LOCAL)) {
    m_open = load(m_init, "nvmlInit_v2") && load(m_shutdown, "nvmlShutdown") &&
             load(m_byIndex, "nvmlDeviceGetHandleByIndex_v2") && load(m_byUuid, "nvmlDeviceGetHandleByUUID") &&
             load(m_memory, "nvmlDeviceGetMemoryInfo") && m_init() == 0;
  }
  ~Nvml() {
    if (m_open) (void)m_shutdown();
    if (m_library != nullptr) ::dlclose(m_library);
  }
  Nvml(const Nvml&) = delete;
  Nvml& operator=(const Nvml&) = delete;

  /// `name`: a number, or a UUID ("GPU-…").
  std::optional<GpuMemory> memory(const std::string& name) const {
    if (!m_open || name.empty()) return {};
    const bool isNumber = name.find_first_not_of("0123456789") == std::string::npos;
    Device device = nullptr;
    MemoryInfo info = {};
    const int found =
        isNumber ? m_byIndex(static_cast<unsigned>(std::atoi(name.c_str())), &device) : m_byUuid(name.c_str(), &device);
    if (found != 0 || m_memory(device, &info) != 0) return {};
    return GpuMemory{static_cast<std::int64_t>(info.total), static_cast<std::int64_t>(info.free)};
  }

 private:
  template <class Function>
  bool load(Function*& function, const char* name) {
    if (m_library != nullptr) function = reinterpret_cast<Function*>(::dlsym(m_library, name));
    return function != nullptr;
  }

  void* m_library;
  int (*m_init)() = nullptr;
  int (*m_shutdown)() = nullptr;
  int (*m_byIndex)(unsigned, Device*) = nullptr;
  int (*m_byUuid)(const char*, Device*) = nullptr;
  int (*m_memory)(Device, MemoryInfo*) = nullptr;
  bool m_open = false;
};

/// What NVML calls the CUDA device: CUDA_VISIBLE_DEVICES leaves devices out and orders them.
std::string nvmlName(int device) {
  const char* visible = std::getenv("CUDA_VISIBLE_DEVICES");
  if (visible == nullptr) return std::to_string(device);
  std::vector<std::string> names;
  std::istringstream list(visible);
  for (std::string name; std::getline(list, name, ',');) names.push_back(name);
  return device >= 0 && static_cast<std::size_t>(device) < names.size() ? names[static_cast<std::size_t>(device)] : "";
}

}  // namespace

std::optional<GpuMemory> gpuMemory(int device, const char* library) {
  return Nvml(library).memory(nvmlName(device));
}

}  // namespace strata
