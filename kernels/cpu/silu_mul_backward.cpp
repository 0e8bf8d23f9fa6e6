#include "kernels/silu_mul_backward.h"

#include "kernels/cpu/targets.h"
#include "kernels/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/silu_mul_backward.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/vectors.h"

HWY_BEFORE_NAMESPACE();
namespace strata::kernels::HWY_NAMESPACE {

struct GateGradients {
  FloatVector gate, up;
};

/// 1 - s is taken as e^-gate s: the difference would lose its digits where s is near 1.
inline GateGradients gateGradients(FloatVector gate, FloatVector up, FloatVector dy) {
  const auto one = hn::Set(FloatTag(), 1.0f);
  const auto power = exponential(hn::Neg(gate));
  const auto s = hn::Div(one, hn::Add(one, power));
  const auto share = hn::Mul(dy, s);
  const auto slope = hn::MulAdd(gate, hn::Mul(power, s), one);
  return {hn::Mul(hn::Mul(share, up), slope), hn::Mul(share, gate)};
}

template <class T>
void gateGradientValues(const T* gate, const T* up, const T* dy, T* dGate, T* dUp, std::size_t n) {
  const std::size_t step = lanes();
  std::size_t i = 0;
  for (; i + step <= n; i += step) {
    const GateGradients gradients = gateGradients(load(gate + i), load(up + i), load(dy + i));
    store(gradients.gate, dGate + i);
    store(gradients.up, dUp + i);
  }
  if (i == n) return;
  const GateGradients gradients =
      gateGradients(loadFirst(gate + i, n - i), loadFirst(up + i, n - i), loadFirst(dy + i, n - i));
  storeFirst(gradients.gate, dGate + i, n - i);
  storeFirst(gradients.up, dUp + i, n - i);
}

void siluMulBackwardPart(Element element, const void* gate, const void* up, const void* dy, void* dGate, void* dUp,
                         std::size_t n) {
  withElement(element, [&](auto type) {
    using T = decltype(type);
    gateGradientValues(static_cast<const T*>(gate), static_cast<const T*>(up), static_cast<const T*>(dy),
                       static_cast<T*>(dGate), static_cast<T*>(dUp), n);
  });
}

}  // namespace strata::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace strata::kernels {
HWY_EXPORT(siluMulBackwardPart);

void siluMulBackward(Element element, const void* gate, const void* up, const void* dy, void* dGate, void* dUp,
                     std::int64_t n, const Stream& stream) {
  constexpr std::int64_t kBlock = 64;  // values a task: parts keep whole vectors
  forEachPart(stream, (n + kBlock - 1) / kBlock, 128, [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t from = begin * kBlock;
    const std::int64_t to = end * kBlock < n ? end * kBlock : n;
    HWY_DYNAMIC_DISPATCH(siluMulBackwardPart)
    (element, at(element, gate, from), at(element, up, from), at(element, dy, from), at(element, dGate, from),
     at(element, dUp, from), static_cast<std::size_t>(to - from));
  });
}

}  // namespace strata::kernels
#endif
