#pragma once
// The CPU memory of every tensor: one allocator that counts by part and keeps large blocks in huge pages.
//
//   installAllocator();                       // once, before the first tensor
//   { MemoryScope scope(MemoryPart::kv); k = at::empty(...); }
//   memoryUsage().part(MemoryPart::kv).current
// Counts are bytes as requested by tensors; what rounding to 2 MiB maps and the cache of freed blocks add is `reserved`
// minus the sum. Page faults cost training on the CPU a third of its time with an mmap per tensor, hence the cache.
// It is bounded: blocks of activations and gradients, used and cached, take at most 1.5 x what was in use at once
// lately (in the last 4,096 to 8,192 large allocations) and 64 MiB; the block that was unused longest goes first.

#include <array>
#include <cstdint>

namespace strata {

enum class MemoryPart { weights, kv, activations, gradients, optimizer };
inline constexpr int kMemoryParts = 5;
const char* toString(MemoryPart part);

struct PartUsage {
  std::int64_t current = 0;  // bytes
  std::int64_t peak = 0;     // since the start or resetMemoryPeaks()
};

struct MemoryUsage {
  std::array<PartUsage, kMemoryParts> parts;
  PartUsage all;
  std::int64_t reserved = 0;  // bytes mapped for large blocks, in use or cached
  const PartUsage& part(MemoryPart which) const { return parts[static_cast<std::size_t>(which)]; }
};

/// Makes our allocator that of every CPU tensor. Called once, before any tensor exists.
void installAllocator();
MemoryUsage memoryUsage();
void resetMemoryPeaks();
/// Gives cached free blocks back to the system (a model was closed).
void trimMemory();

/// Tensors that this thread allocates while the scope lives are counted under `part` (default: activations).
class MemoryScope {
 public:
  explicit MemoryScope(MemoryPart part);
  ~MemoryScope();
  MemoryScope(const MemoryScope&) = delete;
  MemoryScope& operator=(const MemoryScope&) = delete;

 private:
  MemoryPart m_outer;
};

/// Resident set of this process and its peak, in bytes (Linux: /proc/self/status).
struct ResidentSize {
  std::int64_t current = 0;
  std::int64_t peak = 0;
};
ResidentSize residentSize();

}  // namespace strata
