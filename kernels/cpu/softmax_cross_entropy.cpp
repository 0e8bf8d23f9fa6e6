#include "kernels/softmax_cross_entropy.h"

#include "kernels/cpu/targets.h"
#include "kernels/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/softmax_cross_entropy.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <type_traits>
#include <vector>

#include "kernels/cpu/vectors.h"

HWY_BEFORE_NAMESPACE();
namespace strata::kernels::HWY_NAMESPACE {

/// The first n < lanes() logits, -inf after them: a probability of zero.
template <class T>
FloatVector loadLogits(const T* p, std::size_t n) {
  const FloatTag floats;
  return hn::IfThenElse(hn::FirstN(floats, n), loadFirst(p, n),
                        hn::Set(floats, -std::numeric_limits<float>::infinity()));
}

/// The largest logit; a NaN among them may go unseen here, the sum finds it.
template <class T>
float largest(const T* logits, std::size_t n) {
  const std::size_t step = lanes();
  auto a = hn::Set(FloatTag(), -std::numeric_limits<float>::infinity()), b = a, c = a, d = a;
  std::size_t i = 0;
  for (; i + 4 * step <= n; i += 4 * step) {
    a = hn::Max(a, load(logits + i));
    b = hn::Max(b, load(logits + i + step));
    c = hn::Max(c, load(logits + i + 2 * step));
    d = hn::Max(d, load(logits + i + 3 * step));
  }
  for (; i + step <= n; i += step) a = hn::Max(a, load(logits + i));
  if (i < n) a = hn::Max(a, loadLogits(logits + i, n - i));
  return hn::GetLane(hn::MaxOfLanes(FloatTag(), hn::Max(hn::Max(a, b), hn::Max(c, d))));
}

/// exps[i] = e^(logits[i] - most), and their sum. The four accumulators are emptied every 1024 values, so that a long
/// row adds no small value to a large sum. `exps` may be the logits.
template <class T>
float exponentials(const T* logits, float most, float* exps, std::size_t n) {
  constexpr std::size_t kBlock = 1024;
  const std::size_t step = lanes();
  const auto shift = hn::Set(FloatTag(), most), zero = hn::Zero(FloatTag());
  auto total = zero;
  for (std::size_t i = 0; i < n;) {
    const std::size_t end = std::min(i + kBlock, n);
    auto a = zero, b = zero, c = zero, d = zero;
    for (; i + 4 * step <= end; i += 4 * step) {
      const auto first = exponential(hn::Sub(load(logits + i), shift));
      const auto second = exponential(hn::Sub(load(logits + i + step), shift));
      const auto third = exponential(hn::Sub(load(logits + i + 2 * step), shift));
      const auto fourth = exponential(hn::Sub(load(logits + i + 3 * step), shift));
      store(first, exps + i);
      store(second, exps + i + step);
      store(third, exps + i + 2 * step);
      store(fourth, exps + i + 3 * step);
      a = hn::Add(a, first);
      b = hn::Add(b, second);
      c = hn::Add(c, third);
      d = hn::Add(d, fourth);
    }
    for (; i + step <= end; i += step) {
      const auto value = exponential(hn::Sub(load(logits + i), shift));
      store(value, exps + i);
      a = hn::Add(a, value);
    }
    if (i < end) {
      const auto value = exponential(hn::Sub(loadLogits(logits + i, end - i), shift));
      storeFirst(value, exps + i, end - i);
      a = hn::Add(a, value);
      i = end;
    }
    total = hn::Add(total, hn::Add(hn::Add(a, b), hn::Add(c, d)));
  }
  return sumLanes(total);
}

/// Returns the loss. `exps` [V]: memory for the exponentials, or the logits themselves where they are fp32.
template <class T>
float crossEntropyRow(T* logits, std::int64_t target, float scale, float* exps, std::size_t n) {
  constexpr float kNaN = std::numeric_limits<float>::quiet_NaN();
  const bool inRange = target >= 0 && target < static_cast<std::int64_t>(n);
  const float logit = inRange ? loadElement<T>(logits, target) : kNaN;
  const float most = largest(logits, n);
  const float sum = exponentials(logits, most, exps, n);
  const float factor = inRange ? scale / sum : kNaN;
  const float atTarget = inRange ? (loadElement<float>(exps, target) / sum - 1.0f) * scale : kNaN;
  const auto factors = hn::Set(FloatTag(), factor);
  const std::size_t step = lanes();
  std::size_t i = 0;
  for (; i + step <= n; i += step) store(hn::Mul(load(exps + i), factors), logits + i);
  if (i < n) storeFirst(hn::Mul(loadFirst(exps + i, n - i), factors), logits + i, n - i);
  if (inRange) storeElement<T>(logits, target, atTarget);
  return std::log(sum) + (most - logit);
}

void softmaxCrossEntropyPart(Element element, void* logits, const std::int64_t* targets, float scale, float* losses,
                             std::int64_t begin, std::int64_t end, std::int64_t vocab) {
  withElement(element, [&](auto type) {
    using T = decltype(type);
    const auto n = static_cast<std::size_t>(vocab);
    std::vector<float> scratch(std::is_same_v<T, float> ? 0 : n);
    for (std::int64_t row = begin; row < end; ++row) {
      T* const values = static_cast<T*>(logits) + row * vocab;
      float* exps = scratch.data();
      if constexpr (std::is_same_v<T, float>) exps = values;
      losses[row] = crossEntropyRow(values, targets[row], scale, exps, n);
    }
  });
}

}  // namespace strata::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace strata::kernels {
HWY_EXPORT(softmaxCrossEntropyPart);

void softmaxCrossEntropy(Element element, void* logits, const std::int64_t* targets, float scale, float* losses,
                         std::int64_t rows, std::int64_t vocab, const Stream& stream) {
  forEachPart(stream, rows, grainOf(4 * vocab * elementBytes(element)), [&](std::int64_t begin, std::int64_t end) {
    HWY_DYNAMIC_DISPATCH(softmaxCrossEntropyPart)(element, logits, targets, scale, losses, begin, end, vocab);
  });
}

}  // namespace strata::kernels
#endif
