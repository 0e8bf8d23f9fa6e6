#include "core/model/memory.h"

#include <c10/core/Allocator.h>
#include <c10/core/CPUAllocator.h>
#include <c10/util/Exception.h>
#include <malloc.h>
#include <sys/mman.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <limits>
#include <map>
#include <mutex>
#include <string>
#include <unordered_map>

namespace strata {
namespace {

constexpr std::size_t kHugePage = 2u << 20;
constexpr std::size_t kLargeFrom = 1u << 20;  // smaller blocks come from malloc
constexpr std::size_t kHeader = 64;           // keeps the data of small blocks aligned to a cache line
constexpr int kAllocatorPriority = 100;
constexpr std::size_t kFreeSlack = 64u << 20;
constexpr std::uint64_t kPeriod =
    4096;  // large allocations, after which the highest use of the one before is forgotten

thread_local MemoryPart currentPart = MemoryPart::activations;

struct Counter {
  std::atomic<std::int64_t> current{0};
  std::atomic<std::int64_t> peak{0};

  void add(std::int64_t bytes) {
    const std::int64_t now = current.fetch_add(bytes, std::memory_order_relaxed) + bytes;
    std::int64_t seen = peak.load(std::memory_order_relaxed);
    while (now > seen && !peak.compare_exchange_weak(seen, now, std::memory_order_relaxed)) {
    }
  }
  void reset() { peak.store(current.load(std::memory_order_relaxed), std::memory_order_relaxed); }
  PartUsage usage() const { return {current.load(std::memory_order_relaxed), peak.load(std::memory_order_relaxed)}; }
};

struct SmallHeader {
  std::size_t bytes;
  MemoryPart part;
};

struct LargeBlock {
  std::size_t bytes;   // as requested
  std::size_t mapped;  // multiple of kHugePage
  MemoryPart part;
};

struct FreeBlock {
  void* data;
  std::uint64_t freedAt;  // allocations until then
};

class HugePageAllocator final : public c10::Allocator {
 public:
  c10::DataPtr allocate(std::size_t bytes) override {
    void* data = nullptr;
    if (bytes > 0) data = bytes >= kLargeFrom ? allocateLarge(bytes) : allocateSmall(bytes);
    return {data, data, &release, c10::Device(c10::DeviceType::CPU)};
  }
  c10::DeleterFnPtr raw_deleter() const override { return &release; }
  void copy_data(void* destination, const void* source, std::size_t bytes) const override {
    std::memcpy(destination, source, bytes);
  }

  void trim() {
    const std::lock_guard lock(m_mutex);
    dropFree();
    m_highest = m_highestBefore = m_used;
  }
  MemoryUsage usage() const {
    MemoryUsage result;
    for (int i = 0; i < kMemoryParts; ++i) result.parts[i] = m_parts[i].usage();
    result.all = m_all.usage();
    result.reserved = m_reserved.load();
    return result;
  }
  void resetPeaks() {
    for (Counter& counter : m_parts) counter.reset();
    m_all.reset();
  }

  static HugePageAllocator& instance() {
    static auto* allocator = new HugePageAllocator;  // outlives every tensor
    return *allocator;
  }

 private:
  void count(MemoryPart part, std::int64_t bytes) {
    m_parts[static_cast<std::size_t>(part)].add(bytes);
    m_all.add(bytes);
  }

  void* allocateSmall(std::size_t bytes) {
    void* block = nullptr;
    if (posix_memalign(&block, kHeader, kHeader + bytes) != 0) outOfMemory(bytes);
    *static_cast<SmallHeader*>(block) = {bytes, currentPart};
    count(currentPart, static_cast<std::int64_t>(bytes));
    return static_cast<char*>(block) + kHeader;
  }

  void* allocateLarge(std::size_t bytes) {
    const std::size_t wanted = (bytes + kHugePage - 1) / kHugePage * kHugePage;
    if (wanted < bytes) outOfMemory(bytes);
    const std::lock_guard lock(m_mutex);
    void* data = nullptr;
    std::size_t mapped = wanted;
    // A cached block serves when at most a quarter of it is wasted.
    if (const auto found = m_free.lower_bound(wanted); found != m_free.end() && found->first <= wanted + wanted / 4) {
      mapped = found->first;
      data = found->second.data;
      m_cached -= mapped;
      m_free.erase(found);
    } else {
      data = map(wanted);
      if (data == nullptr) {  // what is cached may be what is missing
        dropFree();
        data = map(wanted);
      }
      if (data == nullptr) outOfMemory(bytes);
    }
    m_large.emplace(data, LargeBlock{bytes, mapped, currentPart});
    count(currentPart, static_cast<std::int64_t>(bytes));
    if (isPassing(currentPart)) use(mapped);
    return data;
  }

  /// Whether tensors of a part come and go in every pass; the others stay for long and come in sizes of their own.
  static bool isPassing(MemoryPart part) { return part == MemoryPart::activations || part == MemoryPart::gradients; }

  void use(std::size_t mapped) {
    m_used += mapped;
    if (++m_allocations % kPeriod == 0) {
      m_highestBefore = m_highest;
      m_highest = 0;
    }
    m_highest = std::max(m_highest, m_used);
    boundFree();
  }

  void keep(void* data, std::size_t mapped) {
    m_used -= mapped;
    m_cached += mapped;
    m_free.emplace_hint(m_free.lower_bound(mapped), mapped, FreeBlock{data, m_allocations});  // before its equals
    boundFree();
  }

  void boundFree() {
    const std::size_t highest = std::max(m_highest, m_highestBefore), most = highest + highest / 2 + kFreeSlack;
    while (!m_free.empty() && m_used + m_cached > most) {
      const auto oldest = std::min_element(m_free.begin(), m_free.end(), [](const auto& a, const auto& b) {
        return a.second.freedAt < b.second.freedAt;
      });
      unmap(oldest->second.data, oldest->first);
      m_cached -= oldest->first;
      m_free.erase(oldest);
    }
  }

  void dropFree() {
    for (const auto& [mapped, block] : m_free) unmap(block.data, mapped);
    m_free.clear();
    m_cached = 0;
  }

  /// A map aligned to a huge page: mapped one page larger, both ends cut off.
  void* map(std::size_t bytes) {
    void* raw = mmap(nullptr, bytes + kHugePage, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (raw == MAP_FAILED) return nullptr;
    const auto start = reinterpret_cast<std::uintptr_t>(raw);
    const std::uintptr_t aligned = (start + kHugePage - 1) / kHugePage * kHugePage;
    if (aligned > start) munmap(raw, aligned - start);
    const std::size_t behind = start + kHugePage - aligned;
    void* data = reinterpret_cast<void*>(aligned);
    if (behind > 0) munmap(static_cast<char*>(data) + bytes, behind);
    madvise(data, bytes, MADV_HUGEPAGE);
    m_reserved += static_cast<std::int64_t>(bytes);
    return data;
  }
  void unmap(void* data, std::size_t bytes) {
    munmap(data, bytes);
    m_reserved -= static_cast<std::int64_t>(bytes);
  }

  static void release(void* data) {
    if (data != nullptr) instance().free(data);
  }
  void free(void* data) {
    if (reinterpret_cast<std::uintptr_t>(data) % kHugePage == 0) {
      const std::lock_guard lock(m_mutex);
      if (const auto found = m_large.find(data); found != m_large.end()) {
        count(found->second.part, -static_cast<std::int64_t>(found->second.bytes));
        if (isPassing(found->second.part)) {
          keep(data, found->second.mapped);
        } else {
          unmap(data, found->second.mapped);
        }
        m_large.erase(found);
        return;
      }
    }
    void* block = static_cast<char*>(data) - kHeader;
    const SmallHeader header = *static_cast<SmallHeader*>(block);
    count(header.part, -static_cast<std::int64_t>(header.bytes));
    std::free(block);
  }

  [[noreturn]] static void outOfMemory(std::size_t bytes) {
    TORCH_CHECK_WITH(OutOfMemoryError, false, "out of memory: ", bytes >> 20, " MiB could not be allocated");
    std::abort();
  }

  std::array<Counter, kMemoryParts> m_parts;
  Counter m_all;
  std::atomic<std::int64_t> m_reserved{0};
  std::mutex m_mutex;
  std::unordered_map<void*, LargeBlock> m_large;
  std::multimap<std::size_t, FreeBlock> m_free;  // by mapped size, of one size the newest first
  std::size_t m_cached = 0;                      // bytes in m_free
  std::size_t m_used = 0;                        // bytes mapped for passing blocks in use
  std::size_t m_highest = 0;                     // of m_used in this period
  std::size_t m_highestBefore = 0;               // in the one before
  std::uint64_t m_allocations = 0;
};

std::int64_t statusField(const std::string& status, const std::string& field) {
  const auto at = status.find(field + ":");
  return at == std::string::npos ? 0 : std::strtoll(status.c_str() + at + field.size() + 1, nullptr, 10) * 1024;
}

}  // namespace

const char* toString(MemoryPart part) {
  constexpr const char* kNames[] = {"weights", "kv", "activations", "gradients", "optimizer"};
  return kNames[static_cast<std::size_t>(part)];
}

void installAllocator() {
  // Small tensors and oneDNN's scratch space come from malloc: without these every block over 128 KiB is mapped, zeroed
  // page by page and unmapped again.
  mallopt(M_MMAP_MAX, 0);
  mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max());
  mallopt(M_TOP_PAD, 64 << 20);

  c10::SetCPUAllocator(&HugePageAllocator::instance(), kAllocatorPriority);
}
MemoryUsage memoryUsage() {
  return HugePageAllocator::instance().usage();
}
void resetMemoryPeaks() {
  HugePageAllocator::instance().resetPeaks();
}
void trimMemory() {
  HugePageAllocator::instance().trim();
  malloc_trim(0);
}

MemoryScope::MemoryScope(MemoryPart part) : m_outer(currentPart) {
  currentPart = part;
}
MemoryScope::~MemoryScope() {
  currentPart = m_outer;
}

ResidentSize residentSize() {
  std::ifstream file("/proc/self/status");
  const std::string status((std::istreambuf_iterator<char>(file)), {});
  return {statusField(status, "VmRSS"), statusField(status, "VmHWM")};
}

}  // namespace strata
