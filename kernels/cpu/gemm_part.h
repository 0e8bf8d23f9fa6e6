#pragma once
// What the instruction sets of cpu/gemm share: one step of a product, and how a thread computes a range of its tasks.

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "kernels/gemm.h"

namespace strata::kernels::cpu {

constexpr std::int64_t kGemmBlock = 16;    // rows or columns whose words lie side by side
constexpr std::int64_t kGemmColumns = 48;  // of a task: three blocks
constexpr int kMostGemmParts = 32;

/// Elements from … from+k-1 of an input's K, as words: those of the packed rows begin at word `at` of each block.
struct GemmSlice {
  int input = 0;
  std::int64_t from = 0, k = 0;
  std::size_t at = 0, words = 0;
};

/// Tasks that threads take as they come: the more are left, the more at once.
class GemmTasks {
 public:
  GemmTasks(std::int64_t count, int threads) : m_count(count), m_threads(threads < 1 ? 1 : threads) {}
  /// The next tasks begin … end-1, at most `most`; false where none are left.
  bool take(std::int64_t most, std::int64_t& begin, std::int64_t& end) {
    begin = m_next.load(std::memory_order_relaxed);
    do {
      if (begin >= m_count) return false;
      const std::int64_t share = (m_count - begin + 2 * m_threads - 1) / (2 * m_threads);
      end = begin + (share < most ? share : most);
    } while (!m_next.compare_exchange_weak(begin, end, std::memory_order_relaxed));
    return true;
  }

 private:
  std::int64_t m_count, m_threads;
  std::atomic<std::int64_t> m_next{0};
};

/// Some rows times some of K. A word is one fp32 value, or two neighbouring bf16 of K for the dot product.
struct GemmStep {
  const GemmInput* inputs = nullptr;
  const GemmTarget* targets = nullptr;
  int targetCount = 0;
  Element outElement = Element::f32;
  std::int64_t firstRow = 0, rows = 0;
  const GemmSlice* slices = nullptr;
  int sliceCount = 0;
  void* packed = nullptr;    // words [blocks of rows][words of all slices][16]
  std::size_t words = 0;     // of all slices
  float* partial = nullptr;  // [rows, columns of all targets] where K takes several steps
  std::int64_t columns = 0;  // of all targets
  bool first = true, last = true;
  std::int64_t tiles = 0;     // of kGemmColumns columns, of all targets
  std::int64_t rowParts = 1;  // tasks are tiles of each part of the rows
  GemmTasks* tasks = nullptr;
};

/// For one instruction set and element: packs blocks begin … end-1 of the rows; computes tasks until none are left.
struct GemmEngine {
  int valuesPerWord = 1;
  void (*pack)(const GemmStep& step, std::int64_t begin, std::int64_t end) = nullptr;
  void (*run)(const GemmStep& step) = nullptr;
};

/// bf16 by AVX-512-BF16's dot product (where hasBf16Dot(), matvec_part.h).
GemmEngine bf16DotGemm();
/// The dot product where it does more than fp32 multiply-adds in the same time: on some processors it takes four times
/// as long as one of these.
bool bf16DotIsFaster();

}  // namespace strata::kernels::cpu
