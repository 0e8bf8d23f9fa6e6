#include "core/distributed/host_communicator.h"

#include <algorithm>
#include <utility>

namespace strata {

Result<std::unique_ptr<HostCommunicator>> HostCommunicator::open(std::function<Result<std::unique_ptr<Link>>()> open) {
  std::unique_ptr<HostCommunicator> made(new HostCommunicator());
  std::optional<Error> failed;
  made->m_thread = std::thread([own = made.get()] { own->work(); });
  made->wait(made->submit([&] {
    Result<std::unique_ptr<Link>> link = open();
    if (link) {
      made->m_link = std::move(*link);
    } else {
      failed = link.error();
    }
  }));
  if (!failed) return made;
  made->m_closed = true;
  return tl::unexpected(*failed);
}

HostCommunicator::~HostCommunicator() {
  if (!m_closed) m_link->abort(1);
  {
    const std::lock_guard lock(m_mutex);
    m_ending = true;
  }
  m_changed.notify_all();
  m_thread.join();
}

void HostCommunicator::close() {
  m_device.reset();
  wait(submit([this] { m_link->close(); }));
  m_closed = true;
}

Communicator::Ticket HostCommunicator::submit(std::function<void()> work) {
  const std::lock_guard lock(m_mutex);
  m_queue.push_back(std::move(work));
  m_changed.notify_all();
  return ++m_submitted;
}

void HostCommunicator::wait(Ticket ticket) {
  if (ticket == kOnDevice) return m_device->wait();
  std::unique_lock lock(m_mutex);
  m_changed.wait(lock, [&] { return m_done >= ticket; });
}

void HostCommunicator::work() {
  std::unique_lock lock(m_mutex);
  for (;;) {
    m_changed.wait(lock, [this] { return m_ending || !m_queue.empty(); });
    if (m_queue.empty()) return;
    const std::function<void()> next = std::move(m_queue.front());
    m_queue.pop_front();
    lock.unlock();
    next();
    lock.lock();
    ++m_done;
    m_changed.notify_all();
  }
}

float* HostCommunicator::chunkOf(const at::Tensor& whole, int rank) const {
  const int around = (rank % ranks() + ranks()) % ranks();
  return whole.mutable_data_ptr<float>() + around * (whole.numel() / ranks());
}

void HostCommunicator::ringSum(const at::Tensor& whole) {
  const auto count = static_cast<std::size_t>(whole.numel() / ranks());
  m_received.resize(count);
  const int next = (rank() + 1) % ranks(), previous = (rank() + ranks() - 1) % ranks();
  // Chunk c begins at rank c + 1 and takes up a term at each rank until it ends at rank c.
  for (int step = 0; step + 1 < ranks(); ++step) {
    m_link->exchange(chunkOf(whole, rank() - step - 1), count * sizeof(float), next, m_received.data(),
                     count * sizeof(float), previous);
    float* sum = chunkOf(whole, rank() - step - 2);
    for (std::size_t i = 0; i < count; ++i) sum[i] += m_received[i];
  }
}

void HostCommunicator::ringCopy(const at::Tensor& whole) {
  const std::size_t bytes = whole.nbytes() / static_cast<std::size_t>(ranks());
  const int next = (rank() + 1) % ranks(), previous = (rank() + ranks() - 1) % ranks();
  for (int step = 0; step + 1 < ranks(); ++step) {
    m_link->exchange(chunkOf(whole, rank() - step), bytes, next, chunkOf(whole, rank() - step - 1), bytes, previous);
  }
}

DeviceRings& HostCommunicator::deviceRings(const at::Tensor& tensor) {
  if (!m_device) m_device.emplace(tensor, rank(), ranks(), [this](std::string& bytes) { broadcast(bytes, 0); });
  return *m_device;
}

Communicator::Ticket HostCommunicator::reduceScatter(const at::Tensor& whole) {
  m_bytesSent += static_cast<std::int64_t>(whole.nbytes()) / ranks() * (ranks() - 1);
  if (!whole.is_cpu()) {
    deviceRings(whole).reduceScatter(whole);
    return kOnDevice;
  }
  return submit([this, whole] { ringSum(whole); });
}

Communicator::Ticket HostCommunicator::allGather(const at::Tensor& whole) {
  m_bytesSent += static_cast<std::int64_t>(whole.nbytes()) / ranks() * (ranks() - 1);
  if (!whole.is_cpu()) {
    deviceRings(whole).allGather(whole);
    return kOnDevice;
  }
  return submit([this, whole] { ringCopy(whole); });
}

void HostCommunicator::sum(std::vector<double>& values) {
  wait(submit([&] { m_link->sum(values.data(), values.size()); }));
}

void HostCommunicator::broadcastBytes(void* data, std::size_t bytes, int root) {
  if (bytes > 0) wait(submit([=, this] { m_link->broadcast(data, bytes, root); }));
}

void HostCommunicator::broadcast(std::vector<std::int64_t>& values, int root) {
  auto count = static_cast<std::uint64_t>(values.size());
  broadcastBytes(&count, sizeof count, root);
  values.resize(count);
  broadcastBytes(values.data(), count * sizeof(std::int64_t), root);
}

void HostCommunicator::broadcast(std::string& text, int root) {
  auto count = static_cast<std::uint64_t>(text.size());
  broadcastBytes(&count, sizeof count, root);
  text.resize(count);
  broadcastBytes(text.data(), count, root);
}

}  // namespace strata
