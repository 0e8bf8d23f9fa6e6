#include "core/service/memory_watch.h"

#include <cstdlib>

#include "core/base/system_memory.h"
#include "core/model/memory.h"

namespace strata {
namespace {

constexpr auto kInterval = std::chrono::milliseconds(250);
constexpr std::int64_t kNoticeable = 4 << 20;  // bytes; of what changes all the time

bool differs(const protocol::Memory& a, const protocol::Memory& b) {
  const auto far = [](std::int64_t x, std::int64_t y) { return std::abs(x - y) >= kNoticeable; };
  return a.weights != b.weights || a.kv != b.kv || far(a.other, b.other) || far(a.reserved, b.reserved) ||
         far(a.resident, b.resident) || std::abs(a.available - b.available) > a.total / 100 || a.models != b.models;
}

}  // namespace

protocol::Memory memoryOf(const ModelHost& host) {
  const MemoryUsage usage = memoryUsage();
  protocol::Memory memory;
  memory.device = "cpu";
  memory.weights = host.weightBytes();  // mapped files, which no allocator counts, among them
  memory.kv = usage.part(MemoryPart::kv).current;
  memory.other = usage.all.current - memory.kv - usage.part(MemoryPart::weights).current;
  memory.reserved = usage.reserved;
  memory.resident = residentSize().current;
  memory.total = systemMemory("MemTotal");
  memory.available = systemMemory("MemAvailable");
  memory.models = host.memory();
  return memory;
}

MemoryWatch::MemoryWatch(const ModelHost& host, Notifier notify)
    : m_thread([this, &host, notify = std::move(notify)] { work(host, notify); }) {}

MemoryWatch::~MemoryWatch() {
  {
    const std::lock_guard lock(m_mutex);
    m_ending = true;
  }
  m_changed.notify_one();
  m_thread.join();
}

void MemoryWatch::work(const ModelHost& host, const Notifier& notify) {
  protocol::Memory told;
  std::unique_lock lock(m_mutex);
  while (!m_ending) {
    lock.unlock();
    if (const protocol::Memory now = memoryOf(host); differs(now, told)) {
      notify(now);
      told = now;
    }
    lock.lock();
    m_changed.wait_for(lock, kInterval, [this] { return m_ending; });
  }
}

}  // namespace strata
