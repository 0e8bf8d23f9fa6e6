#pragma once
// Where and how a kernel runs. Kernels know neither torch nor threads: the caller hands them a way to split work.

#include <cstdint>

namespace strata::kernels {

enum class Element { f32, bf16 };  // storage; sums are always kept in fp32

struct Stream {
  /// Calls body(context, begin, end) over disjoint parts of 0 … tasks-1, possibly on several threads, and returns when
  /// all are done. nullptr: the caller's thread does all. `grain`: tasks worth a thread of their own.
  using Body = void (*)(void* context, std::int64_t begin, std::int64_t end);
  void (*parallelFor)(std::int64_t tasks, std::int64_t grain, Body body, void* context) = nullptr;
  void* native = nullptr;  // cudaStream_t for cuda/
  int threads = 1;         // that parallelFor has; says how finely to split work, never what the result is
};

}  // namespace strata::kernels
