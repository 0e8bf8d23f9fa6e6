// kernels/softmax_cross_entropy.h. A block for each row, in two passes: the largest logit with the sum of exponentials
// below it (each thread rescales its own sum, Milakov & Gimelshein, arXiv 1805.02867), then the gradient.
//
// Roofline: bound by memory, each logit read twice and written once (12 bytes of fp32, 6 of bf16; the second reading
// from L2 where a row of each resident block fits), two exponentials a logit.

#include "kernels/cuda/device.cuh"
#include "kernels/cuda/entries.h"

namespace strata::kernels::cuda {

constexpr int kSoftmaxThreads = 512;

struct SoftmaxArguments {
  void* logits;  // [rows, V]
  const std::int64_t* targets;
  float* losses;
  std::int64_t vocab;
  float scale;
  bool aligned;
};

/// e^(value - largest), where value may be -inf as long as anything is.
STRATA_DEVICE float exponential(float value, float largest) {
  return value == -INFINITY ? 0.0f : expf(value - largest);
}

/// Grid: (rows, 1, 1).
template <class T>
STRATA_KERNEL(kSoftmaxThreads)
softmaxCrossEntropyKernel(SoftmaxArguments a) {
  T* logits = static_cast<T*>(a.logits) + blockIndexX() * a.vocab;
  const std::int64_t step = blockThreads() * 8, target = a.targets[blockIndexX()];
  const bool isKnown = target >= 0 && target < a.vocab;
  const float own = isKnown ? toFloatDevice(logits[target]) : 0.0f;  // before it is overwritten

  float largest = -INFINITY, total = 0;
  for (std::int64_t i = threadIndex() * 8; i < a.vocab; i += step) {
    const int count = eightOf(i, a.vocab);
    float row[8];
    expand(loadWrittenEight(logits + i, count, a.aligned), row);
    float most = largest;
    STRATA_UNROLL
    for (int e = 0; e < 8; ++e) {
      if (e >= count) row[e] = -INFINITY;
      most = fmaxf(most, row[e]);
    }
    float sum = 0;
    STRATA_UNROLL
    for (int e = 0; e < 8; ++e) sum += exponential(row[e], most);
    total = (most == largest ? total : total * exponential(largest, most)) + sum;
    largest = most;
  }
  const float all = blockMax(largest);
  total = blockSum(largest == all ? total : total * exponential(largest, all));
  if (!isKnown || all == -INFINITY) total = NAN;
  if (threadIndex() == 0) a.losses[blockIndexX()] = logf(total) + (all - own);

  const float inverse = 1.0f / total;
  for (std::int64_t i = threadIndex() * 8; i < a.vocab; i += step) {
    const int count = eightOf(i, a.vocab);
    float row[8];
    expand(loadWrittenEight(logits + i, count, a.aligned), row);
    STRATA_UNROLL
    for (int e = 0; e < 8; ++e) {
      row[e] = (expf(row[e] - all) * inverse - (i + e == target ? 1.0f : 0.0f)) * a.scale;
    }
    Eight<T> eight;
    pack(row, eight);
    storeEight(logits + i, eight, count, a.aligned);
  }
}

}  // namespace strata::kernels::cuda

int strata_cuda_softmax_cross_entropy(int element, void* logits, const std::int64_t* targets, float scale,
                                      float* losses, std::int64_t rows, std::int64_t vocab, void* stream) {
  using namespace strata::kernels;
  using namespace strata::kernels::cuda;
  if (!isElement(element) || rows < 0 || rows > kMostBlocks || vocab < 1) return kInvalidValue;
  if (rows == 0) return 0;
  const SoftmaxArguments a{logits, targets, losses, vocab, scale, areAligned(vocab * (element == 0 ? 4 : 2), logits)};
  const Launch how{{static_cast<int>(rows), 1, 1}, threadsFor(vocab, kSoftmaxThreads), stream};
  return element == 0 ? launch(softmaxCrossEntropyKernel<float>, how, a)
                      : launch(softmaxCrossEntropyKernel<Bfloat16>, how, a);
}
