#pragma once
// Rings of host tensors over a Link, on a thread of their own: what computes goes on meanwhile. Tensors on a GPU go
// through NCCL, and only what ranks tell one another over the link.

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "core/distributed/communicator.h"
#include "core/distributed/device_rings.h"
#include "core/distributed/link.h"

namespace strata {

class HostCommunicator : public Communicator {
 public:
  /// `open` is called on the thread that makes every later call of the link, as MPI wants it of a program that has
  /// others (MPI_THREAD_FUNNELED).
  static Result<std::unique_ptr<HostCommunicator>> open(std::function<Result<std::unique_ptr<Link>>()> open);
  ~HostCommunicator() override;

  int rank() const override { return m_link->rank(); }
  int ranks() const override { return m_link->ranks(); }
  int localRank() const override { return m_link->localRank(); }
  int localRanks() const override { return m_link->localRanks(); }

  Ticket reduceScatter(const at::Tensor& whole) override;
  Ticket allGather(const at::Tensor& whole) override;
  void wait(Ticket ticket) override;
  void sum(std::vector<double>& values) override;
  void broadcast(std::vector<std::int64_t>& values, int root) override;
  void broadcast(std::string& text, int root) override;
  void close() override;
  void end(int code) override { m_link->abort(code); }

 private:
  HostCommunicator() = default;
  Ticket submit(std::function<void()> work);
  void broadcastBytes(void* data, std::size_t bytes, int root);
  /// The thread's loop, until there is nothing to do after the end was asked for.
  void work();
  /// The first tensor of a GPU opens them.
  DeviceRings& deviceRings(const at::Tensor& tensor);
  float* chunkOf(const at::Tensor& whole, int rank) const;
  void ringSum(const at::Tensor& whole);
  void ringCopy(const at::Tensor& whole);

  static constexpr Ticket kOnDevice = -1;

  std::unique_ptr<Link> m_link;
  std::optional<DeviceRings> m_device;
  std::thread m_thread;
  std::mutex m_mutex;
  std::condition_variable m_changed;
  std::deque<std::function<void()>> m_queue;
  Ticket m_submitted = 0, m_done = 0;
  bool m_ending = false, m_closed = false;
  std::vector<float> m_received;  // of the thread
};

}  // namespace strata
