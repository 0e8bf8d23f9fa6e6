#pragma once
// How bytes come from one rank to another. What a module that is loaded at run time offers (mpi/module.cpp), so plain
// C types; a test has one of its own.

#include <cstddef>

namespace strata {

class Link {
 public:
  virtual ~Link() = default;
  virtual int rank() const = 0;
  virtual int ranks() const = 0;
  virtual int localRank() const = 0;
  virtual int localRanks() const = 0;

  /// Sends to one rank while it receives from another; returns when both are done.
  virtual void exchange(const void* send, std::size_t sendBytes, int to, void* receive, std::size_t receiveBytes,
                        int from) = 0;
  virtual void sum(double* values, std::size_t count) = 0;
  virtual void broadcast(void* data, std::size_t bytes, int root) = 0;

  /// Together with all others.
  virtual void close() = 0;
  /// Ends all ranks with this exit code.
  virtual void abort(int code) = 0;
};

}  // namespace strata
