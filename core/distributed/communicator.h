#pragma once
// Sums and copies among the ranks of one run. Every call is collective: all ranks make the same calls in the same
// order.
//
//   STRATA_TRY(std::unique_ptr<Communicator> ranks, openRanks());  // under mpirun or srun
//   const auto ticket = ranks->reduceScatter(bucket);              // goes on beside what this thread computes
//   ranks->wait(ticket);                                           // bucket's chunk rank() now holds the sum
// A tensor that is scattered or gathered is F32, contiguous, and a multiple of ranks() long: chunk r of it is rank r's.
// One thread calls.

#include <ATen/core/Tensor.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/error.h"

namespace strata {

class Communicator {
 public:
  using Ticket = std::int64_t;

  virtual ~Communicator() = default;
  Communicator() = default;
  Communicator(const Communicator&) = delete;
  Communicator& operator=(const Communicator&) = delete;

  virtual int rank() const = 0;
  virtual int ranks() const = 0;
  /// Among those of this machine.
  virtual int localRank() const = 0;
  virtual int localRanks() const = 0;
  bool leads() const { return rank() == 0; }

  /// Chunk rank() of `whole` becomes the sum of that chunk over all ranks; the others' chunks are lost. `whole` may
  /// not be touched before wait().
  virtual Ticket reduceScatter(const at::Tensor& whole) = 0;
  /// Every chunk of `whole` becomes what its rank has there.
  virtual Ticket allGather(const at::Tensor& whole) = 0;
  virtual void wait(Ticket ticket) = 0;

  /// Sums over all ranks, the same on each. Order of summation: by the library, the same in every call of one length.
  virtual void sum(std::vector<double>& values) = 0;
  /// What rank `root` has, on every rank.
  virtual void broadcast(std::vector<std::int64_t>& values, int root) = 0;
  virtual void broadcast(std::string& text, int root) = 0;

  /// Bytes that this rank has sent by reduceScatter and allGather. A ring of N ranks sends (N-1)/N of a tensor's bytes
  /// for each (Patarasuk and Yuan, "Bandwidth optimal all-reduce algorithms", 2009).
  std::int64_t bytesSent() const { return m_bytesSent; }

  /// All ranks have done their work. Without it the destructor ends all of them, since others may wait for this one.
  virtual void close() = 0;
  /// Ends all ranks with this exit code.
  virtual void end(int code) = 0;
  /// Says why, with this rank's name, and ends all.
  void abort(const std::string& why);

  /// "Rank 1 of 4 on node7".
  std::string name() const;

 protected:
  std::int64_t m_bytesSent = 0;
};

/// Whether this process decides and writes: rank 0, or one without ranks.
inline bool leads(const Communicator* ranks) {
  return ranks == nullptr || ranks->leads();
}

/// Cores that this process may use: a rank its part of the machine's, and no more than mpirun has bound it to.
int coresOf(const Communicator* ranks);

/// Of the GPUs that a process may use, as CUDA_VISIBLE_DEVICES lists them (empty: all), the one of a machine's rank;
/// the list itself where it has no more than one or too few.
std::string visibleDevice(const std::string& visible, int localRank);

/// `own` where no rank has an error; else, on every rank, the error of the lowest rank that has one, with its name.
Result<void> agree(Communicator* ranks, const Result<void>& own);

/// Consecutive items of 0 … count-1 that are this rank's: [first, last).
struct Share {
  std::int64_t first = 0, last = 0;
};
Share shareOf(std::int64_t count, int rank, int ranks);

/// The ranks that mpirun or srun started this process among, over MPI; one rank where nothing started it so. Errors: no
/// Open MPI.
Result<std::unique_ptr<Communicator>> openRanks();

}  // namespace strata
