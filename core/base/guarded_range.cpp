#include "core/base/guarded_range.h"

#include <sys/mman.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <mutex>

namespace strata {

/// Slots are reused and never freed: the handler may walk the list at any time.
struct GuardedSlot {
  std::atomic<std::uintptr_t> begin{0}, end{0};  // 0: unused
  std::atomic<bool> broken{false};
  GuardedSlot* next = nullptr;
};

namespace {

std::atomic<GuardedSlot*> firstSlot{nullptr};
std::mutex slotMutex;  // of who takes or leaves a slot
struct sigaction actionBefore {};
std::uintptr_t pageSize = 4096;

/// Zeros from the page that was not there to the end of the range: what follows is gone too.
void onBusError(int, siginfo_t* info, void*) {
  const int errorBefore = errno;
  const auto address = reinterpret_cast<std::uintptr_t>(info->si_addr);
  for (GuardedSlot* slot = firstSlot.load(); slot != nullptr; slot = slot->next) {
    const std::uintptr_t begin = slot->begin.load(), end = slot->end.load();
    if (address < begin || address >= end) continue;
    const std::uintptr_t page = address / pageSize * pageSize;
    void* zeros = mmap(reinterpret_cast<void*>(page), end - page, PROT_READ,  // NOLINT: the address is what is given
                       MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1, 0);
    if (zeros == MAP_FAILED) break;
    slot->broken = true;
    errno = errorBefore;
    return;
  }
  sigaction(SIGBUS, &actionBefore, nullptr);  // the fault comes again, to whom it belongs
}

void installHandler() {
  static std::once_flag once;
  std::call_once(once, [] {
    pageSize = static_cast<std::uintptr_t>(sysconf(_SC_PAGESIZE));
    struct sigaction action {};
    action.sa_sigaction = &onBusError;
    action.sa_flags = SA_SIGINFO | SA_ONSTACK;
    sigemptyset(&action.sa_mask);
    sigaction(SIGBUS, &action, &actionBefore);
  });
}

GuardedSlot* unusedSlot() {
  for (GuardedSlot* slot = firstSlot.load(); slot != nullptr; slot = slot->next) {
    if (slot->end.load() == 0) return slot;
  }
  auto* slot = new GuardedSlot;
  slot->next = firstSlot.load();
  firstSlot = slot;
  return slot;
}

}  // namespace

GuardedRange::GuardedRange(const std::byte* data, std::size_t size) {
  installHandler();
  const std::lock_guard lock(slotMutex);
  m_slot = unusedSlot();
  const auto begin = reinterpret_cast<std::uintptr_t>(data);
  m_slot->broken = false;
  m_slot->begin = begin;
  m_slot->end = begin + size;
}

GuardedRange::~GuardedRange() {
  const std::lock_guard lock(slotMutex);
  m_slot->end = 0;
  m_slot->begin = 0;
}

bool GuardedRange::isBroken() const {
  return m_slot->broken;
}

}  // namespace strata
