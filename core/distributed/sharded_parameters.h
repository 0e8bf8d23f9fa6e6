#pragma once
// Parameters whose gradients are summed over ranks in buckets while the backward pass runs, and of which each rank
// updates its own share (ZeRO: Rajbhandari et al., arXiv 1910.02054, stages 1 and 2; buckets: Li et al., "PyTorch
// Distributed", VLDB 2020).
//
//   ShardedParameters sharded(parameters, *ranks);          // they now lie in one flat memory
//   AdamW optimizer(over sharded.pieces());                  // moments of this rank's share alone
//   sharded.begin();
//   for (micro-batch) { if (last) sharded.arm(reached); backward(); }
//   sharded.finish(1);                                        // pieces' gradients are the sums over ranks
//   optimizer.step(); sharded.gather();                       // every rank has all new values
// The flat memory, from the last parameter to the first, as gradients come, is cut into buckets and each bucket into a
// chunk for each rank. A gradient is copied into its buckets and given back, so that beside this rank's share only two
// buckets are held of what was sent. One thread, that of the backward pass.

#include <ATen/core/Tensor.h>

#include <array>
#include <cstdint>
#include <vector>

#include "core/distributed/communicator.h"

namespace strata {

class ShardedParameters {
 public:
  static constexpr std::int64_t kBucketElements = 6'553'600;  // 25 MiB, as PyTorch's

  /// Elements `begin` … `end` of a parameter that lie in this rank's chunks.
  struct Piece {
    std::size_t parameter = 0;
    std::int64_t begin = 0, end = 0;
    at::Tensor value, gradient;  // F32 [end - begin]
  };

  /// F32 leaves that require gradients, in the order of the forward pass. `ranks` lives longer than this.
  ShardedParameters(std::vector<at::Tensor> parameters, Communicator& ranks,
                    std::int64_t bucketElements = kBucketElements);
  ~ShardedParameters();
  ShardedParameters(const ShardedParameters&) = delete;
  ShardedParameters& operator=(const ShardedParameters&) = delete;

  const std::vector<Piece>& pieces() const { return m_pieces; }

  /// A step begins: no gradient is there.
  void begin();
  /// The next backward pass is this step's last before reduce(): what it completes is sent at once. reached[i]:
  /// whether it gives parameter i a gradient; one that is not reached is as complete as it will be.
  void arm(const std::vector<bool>& reached);
  /// Sends what was not sent and waits. More than once in a step: sums add up.
  void reduce();
  /// reduce() until this step has had so many: ranks with fewer micro-batches, or an error, take part too.
  void finish(int reductions);
  /// L2 norm of this rank's share: a scalar F32.
  at::Tensor gradientNorm() const;
  /// used()[i]: whether this rank had a gradient of parameter i in this step.
  const std::vector<bool>& used() const { return m_used; }
  /// Every rank's values for all.
  void gather();

  /// Bytes that a rank sends in a step of one reduce(): (N-1)/N of the flat memory, twice.
  std::int64_t bytesPerStep() const;

 private:
  struct Bucket {
    std::int64_t first = 0, last = 0;                   // elements of the flat memory
    std::size_t firstParameter = 0, lastParameter = 0;  // that it overlaps, in the flat order: [first, last)
    std::int64_t offset = 0;                            // of this rank's chunk in m_gradient
    int waitsFor = 0;
  };
  struct InFlight {
    at::Tensor memory;
    Communicator::Ticket ticket = 0;
    std::size_t bucket = 0;
    bool used = false;
  };

  std::int64_t chunkSize(const Bucket& bucket) const { return (bucket.last - bucket.first) / m_ranks.ranks(); }
  void arrived(std::size_t parameter);
  void launchReady();
  void launch(std::size_t bucket);
  void land(InFlight& flight);

  Communicator& m_ranks;
  std::vector<at::Tensor> m_parameters;  // in the flat order: the last first
  std::vector<std::int64_t> m_offsets;   // in the flat memory
  std::vector<Bucket> m_buckets;
  std::vector<std::vector<std::size_t>> m_bucketsOf;  // of a parameter
  at::Tensor m_flat;                                  // the values
  at::Tensor m_gradient;                              // this rank's chunks of all buckets
  std::vector<Piece> m_pieces;
  std::array<InFlight, 2> m_flights;
  std::size_t m_nextFlight = 0;
  std::size_t m_launched = 0;  // buckets, in order
  bool m_armed = false;
  int m_reductions = 0;  // of this step
  std::vector<bool> m_used;
};

}  // namespace strata
