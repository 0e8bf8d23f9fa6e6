#pragma once
// Products of many rows: prefill and training, forward and backward. Both sides of a product are packed on the fly (the
// right one by each thread for the columns it computes), so weights lie in memory once, as stored. An element of y is
// one sum in the order of its contraction: it depends neither on the number of rows, nor on the threads.
//
//   y = x Wᵀ           inputs {x, K}, factors {0, W, K}
//   dx = dq Wq + dk Wk inputs {dq, …}, {dk, …}, factors {0, Wq, …, transposed}, {1, Wk, …, transposed}
//   dW = dyᵀ x         inputs {dy, …, transposed}, factors {0, x, …, transposed}

#include <cstdint>

#include "kernels/stream.h"

namespace strata::kernels {

/// [rows, K]: element (i, s) lies at i · stride + s, of a transposed one at s · stride + i.
struct GemmInput {
  const void* data = nullptr;
  std::int64_t stride = 0;
  bool transposed = false;
  std::int64_t k = 0;
};

/// [n, K of its input], laid out as inputs are. fp32 values of a bf16 product are rounded as they are packed: the
/// masters of a full fine-tune need no copy.
struct GemmFactor {
  int input = 0;
  const void* data = nullptr;
  std::int64_t stride = 0;
  bool transposed = false;
  Element element = Element::bf16;  // of data; read where the product is bf16
};

/// y = sum over factors of input · factorᵀ, plus bias, plus what y holds where `adds`.
struct GemmTarget {
  const GemmFactor* factors = nullptr;
  int factorCount = 0;
  const void* bias = nullptr;  // [n] or nullptr, in `element`
  void* y = nullptr;           // [rows, n], in `outElement`
  std::int64_t n = 0;
  bool adds = false;
};

/// Any sizes and alignment. bf16 is multiplied exactly and summed in fp32.
void gemm(Element element, Element outElement, std::int64_t rows, const GemmInput* inputs, int inputCount,
          const GemmTarget* targets, int targetCount, const Stream& stream);

/// Whether gemm() is the fast way on this processor: on x86 without a matrix unit.
bool gemmIsFast();

namespace reference {
void gemm(Element element, Element outElement, std::int64_t rows, const GemmInput* inputs, int inputCount,
          const GemmTarget* targets, int targetCount, const Stream& stream);
}

}  // namespace strata::kernels
