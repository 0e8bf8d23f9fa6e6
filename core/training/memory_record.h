#pragma once
// What a training job records of its memory: the peak of each step, and its parts about once a second.
//
//   for (const auto& [name, bytes] : record.take(device)) …
// Peaks are since the last take(); memory.h's are reset by it. One thread.

#include <c10/core/Device.h>

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "core/model/memory.h"

namespace strata {

class MemoryRecord {
 public:
  /// "memory": the peak of all tensors, on the CPU and the device. About once a second also "memory_reserved", the
  /// allocator's, and on the CPU "memory_weights", "_gradients", "_optimizer", "_activations" and "_kv", the peaks of
  /// the parts, which need not come at the same time. Every five seconds on a GPU "memory_device": what is in use
  /// there, by any program, as the driver counts it.
  std::vector<std::pair<std::string, std::int64_t>> take(c10::Device device);

 private:
  using Clock = std::chrono::steady_clock;
  std::array<std::int64_t, kMemoryParts> m_parts{};  // peaks since they were told
  std::optional<Clock::time_point> m_partsTold, m_deviceTold;
};

}  // namespace strata
