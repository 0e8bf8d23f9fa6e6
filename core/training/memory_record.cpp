#include "core/training/memory_record.h"

#include <c10/core/CachingDeviceAllocator.h>

#include <algorithm>

#include "core/model/gpu_memory.h"

namespace strata {
namespace {

constexpr auto kPartsEvery = std::chrono::milliseconds(950);  // a second, and steps that end a little early
constexpr auto kDriverEvery = std::chrono::seconds(5);        // it takes some milliseconds

struct DeviceBytes {
  std::int64_t peak = 0, reserved = 0;
};

/// Of LibTorch's allocator of the device, its peak from now on another.
DeviceBytes deviceBytes(c10::Device device) {
  auto* allocator = dynamic_cast<c10::DeviceAllocator*>(c10::GetAllocator(device.type()));
  if (allocator == nullptr || !allocator->initialized()) return {};
  constexpr auto kAll = static_cast<std::size_t>(c10::CachingAllocator::StatType::AGGREGATE);
  const auto stats = allocator->getDeviceStats(device.index());
  allocator->resetPeakStats(device.index());
  return {stats.allocated_bytes[kAll].peak, stats.reserved_bytes[kAll].current};
}

template <class Clock>
bool isDue(std::optional<typename Clock::time_point>& told, typename Clock::duration every) {
  const auto now = Clock::now();
  if (told && now - *told < every) return false;
  told = now;
  return true;
}

}  // namespace

std::vector<std::pair<std::string, std::int64_t>> MemoryRecord::take(c10::Device device) {
  const MemoryUsage used = memoryUsage();
  resetMemoryPeaks();
  for (std::size_t part = 0; part < m_parts.size(); ++part) {
    m_parts[part] = std::max(m_parts[part], used.parts[part].peak);
  }
  const DeviceBytes there = device.is_cpu() ? DeviceBytes{} : deviceBytes(device);
  std::vector<std::pair<std::string, std::int64_t>> told = {{"memory", used.all.peak + there.peak}};
  if (isDue<Clock>(m_partsTold, kPartsEvery)) {
    told.emplace_back("memory_reserved", device.is_cpu() ? used.reserved : there.reserved);
    for (int part = 0; part < kMemoryParts && device.is_cpu(); ++part) {
      const std::int64_t peak = std::exchange(m_parts[static_cast<std::size_t>(part)], 0);
      told.emplace_back(std::string("memory_") + toString(static_cast<MemoryPart>(part)), peak);
    }
  }
  if (!device.is_cpu() && isDue<Clock>(m_deviceTold, kDriverEvery)) {
    const auto memory = gpuMemory(std::max<int>(device.index(), 0));
    if (memory) told.emplace_back("memory_device", memory->total - memory->free);
  }
  return told;
}

}  // namespace strata
