#pragma once
// A range of a mapped file whose bytes may vanish: reading beyond the end of a file that was cut short raises SIGBUS.
// While one lives, such a read gives zeros instead, and isBroken() says so.
//
//   GuardedRange range(data, size);   // after mmap
//   … read …; if (range.isBroken()) return fail(…);
// The first one installs the handler; faults elsewhere go to the handler before it. Thread-safe.

#include <cstddef>

namespace strata {

struct GuardedSlot;

class GuardedRange {
 public:
  GuardedRange(const std::byte* data, std::size_t size);
  ~GuardedRange();
  GuardedRange(const GuardedRange&) = delete;
  GuardedRange& operator=(const GuardedRange&) = delete;
  bool isBroken() const;

 private:
  GuardedSlot* m_slot;
};

}  // namespace strata
