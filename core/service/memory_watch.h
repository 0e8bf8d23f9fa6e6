#pragma once
// Tells the window the engine's memory when it changes, at most four times a second.
//
//   MemoryWatch watch(host, notify);   // as long as it lives

#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>
#include <thread>

#include "core/service/methods.h"
#include "core/service/model_host.h"

namespace strata {

/// What is in use now on the CPU.
protocol::Memory memoryOf(const ModelHost& host);

class MemoryWatch {
 public:
  MemoryWatch(const ModelHost& host, Notifier notify);
  ~MemoryWatch();
  MemoryWatch(const MemoryWatch&) = delete;
  MemoryWatch& operator=(const MemoryWatch&) = delete;

 private:
  void work(const ModelHost& host, const Notifier& notify);

  std::mutex m_mutex;
  std::condition_variable m_changed;
  bool m_ending = false;
  std::thread m_thread;
};

}  // namespace strata
