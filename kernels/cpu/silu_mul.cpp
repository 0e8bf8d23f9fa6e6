#include "kernels/silu_mul.h"

#include "kernels/cpu/targets.h"
#include "kernels/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/silu_mul.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/vectors.h"

HWY_BEFORE_NAMESPACE();
namespace strata::kernels::HWY_NAMESPACE {

/// Below a = -88 the quotient is less than 1e-36 |a| whether e^-a is right or e^88.
inline FloatVector gated(FloatVector a, FloatVector b) {
  return hn::Mul(hn::Div(a, hn::Add(hn::Set(FloatTag(), 1.0f), exponential(hn::Neg(a)))), b);
}

template <class T>
void gateValues(const T* gate, const T* up, T* y, std::size_t n) {
  const std::size_t step = lanes();
  std::size_t i = 0;
  for (; i + step <= n; i += step) store(gated(load(gate + i), load(up + i)), y + i);
  if (i < n) storeFirst(gated(loadFirst(gate + i, n - i), loadFirst(up + i, n - i)), y + i, n - i);
}

void siluMulPart(Element element, const void* gate, const void* up, void* y, std::size_t n) {
  if (element == Element::f32) {
    gateValues(static_cast<const float*>(gate), static_cast<const float*>(up), static_cast<float*>(y), n);
  } else {
    gateValues(static_cast<const Bfloat16*>(gate), static_cast<const Bfloat16*>(up), static_cast<Bfloat16*>(y), n);
  }
}

}  // namespace strata::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace strata::kernels {
HWY_EXPORT(siluMulPart);

void siluMul(Element element, const void* gate, const void* up, void* y, std::int64_t n, const Stream& stream) {
  constexpr std::int64_t kBlock = 64;  // values a task: parts keep whole vectors
  forEachPart(stream, (n + kBlock - 1) / kBlock, 256, [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t from = begin * kBlock;
    const std::int64_t to = end * kBlock < n ? end * kBlock : n;
    HWY_DYNAMIC_DISPATCH(siluMulPart)
    (element, at(element, gate, from), at(element, up, from), at(element, y, from),
     static_cast<std::size_t>(to - from));
  });
}

}  // namespace strata::kernels
#endif
