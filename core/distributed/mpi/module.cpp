// libstrata_mpi.so: a Link over Open MPI. The one file that is compiled against MPI; the engine opens it at run time,
// so that it runs where there is none.

#include <mpi.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "core/distributed/link.h"

namespace strata {
namespace {

/// MPI waits by asking again and again; a rank that computes on the same cores should not lose them to that.
constexpr int kAsksAtOnce = 100;
constexpr auto kBetweenAsks = std::chrono::microseconds(50);

class MpiLink final : public Link {
 public:
  MpiLink() {
    MPI_Comm_rank(MPI_COMM_WORLD, &m_rank);
    MPI_Comm_size(MPI_COMM_WORLD, &m_ranks);
    MPI_Comm machine;
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, 0, MPI_INFO_NULL, &machine);
    MPI_Comm_rank(machine, &m_localRank);
    MPI_Comm_size(machine, &m_localRanks);
    MPI_Comm_free(&machine);
  }

  int rank() const override { return m_rank; }
  int ranks() const override { return m_ranks; }
  int localRank() const override { return m_localRank; }
  int localRanks() const override { return m_localRanks; }

  void exchange(const void* send, std::size_t sendBytes, int to, void* receive, std::size_t receiveBytes,
                int from) override {
    constexpr std::size_t kMost = std::size_t{1} << 30;  // MPI counts in int
    std::size_t sent = 0, received = 0;
    while (sent < sendBytes || received < receiveBytes) {
      const std::size_t out = std::min(kMost, sendBytes - sent), in = std::min(kMost, receiveBytes - received);
      MPI_Request requests[2];
      MPI_Irecv(static_cast<char*>(receive) + received, static_cast<int>(in), MPI_BYTE, from, 0, MPI_COMM_WORLD,
                &requests[0]);
      MPI_Isend(static_cast<const char*>(send) + sent, static_cast<int>(out), MPI_BYTE, to, 0, MPI_COMM_WORLD,
                &requests[1]);
      complete(2, requests);
      sent += out;
      received += in;
    }
  }

  void sum(double* values, std::size_t count) override {
    MPI_Request request;
    MPI_Iallreduce(MPI_IN_PLACE, values, static_cast<int>(count), MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD, &request);
    complete(1, &request);
  }

  void broadcast(void* data, std::size_t bytes, int root) override {
    MPI_Request request;
    MPI_Ibcast(data, static_cast<int>(bytes), MPI_BYTE, root, MPI_COMM_WORLD, &request);
    complete(1, &request);
  }

  void close() override { MPI_Finalize(); }
  void abort(int code) override { MPI_Abort(MPI_COMM_WORLD, code); }

 private:
  static void complete(int count, MPI_Request* requests) {
    int done = 0;
    for (int asked = 0;; ++asked) {
      MPI_Testall(count, requests, &done, MPI_STATUSES_IGNORE);
      if (done != 0) return;
      if (asked < kAsksAtOnce) {
        std::this_thread::yield();
      } else {
        std::this_thread::sleep_for(kBetweenAsks);
      }
    }
  }

  int m_rank = 0, m_ranks = 1, m_localRank = 0, m_localRanks = 1;
};

}  // namespace
}  // namespace strata

/// Starts MPI on the calling thread, which makes all later calls. The caller owns what it returns; null: MPI did not
/// start.
extern "C" __attribute__((visibility("default"))) strata::Link* strata_mpi_link() {
  int given = 0;
  if (MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &given) != MPI_SUCCESS) return nullptr;
  return new strata::MpiLink();
}
