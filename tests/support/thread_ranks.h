#pragma once
// Ranks that are threads of the test: the same rings and orders as over MPI, without processes.

#include <condition_variable>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <thread>
#include <vector>

#include "core/distributed/host_communicator.h"
#include "support.h"

namespace strata::testing {

/// What the ranks of one test share.
struct Wires {
  explicit Wires(int ranks) : ranks(ranks) {}
  const int ranks;
  std::mutex mutex;
  std::condition_variable changed;
  std::map<std::pair<int, int>, std::deque<std::vector<char>>> messages;  // by sender and receiver
  bool aborted = false;

  void send(int from, int to, const void* data, std::size_t bytes) {
    const auto* first = static_cast<const char*>(data);
    const std::lock_guard lock(mutex);
    messages[{from, to}].emplace_back(first, first + bytes);
    changed.notify_all();
  }
  std::vector<char> receive(int from, int to) {
    std::unique_lock lock(mutex);
    auto& queue = messages[{from, to}];
    changed.wait(lock, [&] { return aborted || !queue.empty(); });
    if (queue.empty()) return {};
    std::vector<char> message = std::move(queue.front());
    queue.pop_front();
    return message;
  }
};

class ThreadLink final : public Link {
 public:
  ThreadLink(std::shared_ptr<Wires> wires, int rank) : m_wires(std::move(wires)), m_rank(rank) {}
  int rank() const override { return m_rank; }
  int ranks() const override { return m_wires->ranks; }
  int localRank() const override { return m_rank; }
  int localRanks() const override { return m_wires->ranks; }
  void exchange(const void* send, std::size_t sendBytes, int to, void* receive, std::size_t receiveBytes,
                int from) override {
    m_wires->send(m_rank, to, send, sendBytes);
    take(receive, receiveBytes, from);
  }
  void sum(double* values, std::size_t count) override {
    std::vector<double> own(values, values + count), other(count);
    for (int to = 0; to < ranks(); ++to) {
      if (to != m_rank) m_wires->send(m_rank, to, own.data(), count * sizeof(double));
    }
    std::fill(values, values + count, 0);
    for (int from = 0; from < ranks(); ++from) {  // in the same order everywhere
      other = own;
      if (from != m_rank) take(other.data(), count * sizeof(double), from);
      for (std::size_t i = 0; i < count; ++i) values[i] += other[i];
    }
  }
  void broadcast(void* data, std::size_t bytes, int root) override {
    if (m_rank != root) return take(data, bytes, root);
    for (int to = 0; to < ranks(); ++to) {
      if (to != root) m_wires->send(root, to, data, bytes);
    }
  }
  void close() override {}
  void abort(int) override {
    const std::lock_guard lock(m_wires->mutex);
    m_wires->aborted = true;
    m_wires->changed.notify_all();
  }

 private:
  void take(void* data, std::size_t bytes, int from) {
    const std::vector<char> message = m_wires->receive(from, m_rank);
    if (message.size() == bytes) std::copy(message.begin(), message.end(), static_cast<char*>(data));
  }
  std::shared_ptr<Wires> m_wires;
  int m_rank;
};

/// Calls work(rank) on a thread for each rank, and returns when all have come back.
inline void onRanks(int count, const std::function<void(Communicator&)>& work) {
  const auto wires = std::make_shared<Wires>(count);
  std::vector<std::thread> threads;
  for (int rank = 0; rank < count; ++rank) {
    threads.emplace_back([&, rank] {
      auto ranks = HostCommunicator::open(
          [&]() -> Result<std::unique_ptr<Link>> { return std::make_unique<ThreadLink>(wires, rank); });
      ASSERT_TRUE(ranks);
      work(**ranks);
      (*ranks)->close();
    });
  }
  for (std::thread& thread : threads) thread.join();
}

}  // namespace strata::testing
