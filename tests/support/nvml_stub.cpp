// A library that answers as NVML does on a machine with two GPUs of 24 and 80 GiB, with 20 and 79 GiB free. Of the
// first STRATA_NVML_STUB_USED GiB are in use, where that is set.

#include <cstdlib>
#include <cstring>

namespace {

struct MemoryInfo {
  unsigned long long total, free, used;
};
constexpr unsigned long long kGiB = 1ull << 30;
const MemoryInfo kDevices[] = {{24 * kGiB, 20 * kGiB, 4 * kGiB}, {80 * kGiB, 79 * kGiB, 1 * kGiB}};
constexpr int kNotFound = 6;  // NVML_ERROR_NOT_FOUND
bool started = false;

}  // namespace

extern "C" {
int nvmlInit_v2() {
  started = true;
  return 0;
}
int nvmlShutdown() {
  started = false;
  return 0;
}
int nvmlDeviceGetHandleByIndex_v2(unsigned index, const void** device) {
  if (!started || index >= 2) return kNotFound;
  *device = &kDevices[index];
  return 0;
}
int nvmlDeviceGetHandleByUUID(const char* uuid, const void** device) {
  if (!started || std::strcmp(uuid, "GPU-second") != 0) return kNotFound;
  *device = &kDevices[1];
  return 0;
}
int nvmlDeviceGetMemoryInfo(const void* device, MemoryInfo* info) {
  if (!started) return 1;  // NVML_ERROR_UNINITIALIZED
  *info = *static_cast<const MemoryInfo*>(device);
  if (const char* used = std::getenv("STRATA_NVML_STUB_USED"); used != nullptr && device == &kDevices[0]) {
    info->used = std::strtoull(used, nullptr, 10) * kGiB;
    info->free = info->total - info->used;
  }
  return 0;
}
}
