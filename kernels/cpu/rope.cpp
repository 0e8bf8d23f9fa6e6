#include "kernels/rope.h"

#include "kernels/cpu/targets.h"
#include "kernels/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/rope.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/vectors.h"

HWY_BEFORE_NAMESPACE();
namespace strata::kernels::HWY_NAMESPACE {

template <class T>
void rotateHead(T* x, const float* cos, const float* sin, std::size_t half) {
  const std::size_t step = lanes();
  for (std::size_t i = 0; i < half; i += step) {
    const std::size_t n = half - i;
    const bool whole = n >= step;
    const auto c = whole ? load(cos + i) : loadFirst(cos + i, n);
    const auto s = whole ? load(sin + i) : loadFirst(sin + i, n);
    const auto first = whole ? load(x + i) : loadFirst(x + i, n);
    const auto second = whole ? load(x + half + i) : loadFirst(x + half + i, n);
    const auto newFirst = hn::NegMulAdd(second, s, hn::Mul(first, c));
    const auto newSecond = hn::MulAdd(first, s, hn::Mul(second, c));
    if (whole) {
      store(newFirst, x + i);
      store(newSecond, x + half + i);
    } else {
      storeFirst(newFirst, x + i, n);
      storeFirst(newSecond, x + half + i, n);
    }
  }
}

template <class T>
void rotateRows(void* x, const float* cos, const float* sin, std::int64_t begin, std::int64_t end, std::int64_t heads,
                std::int64_t d) {
  const std::int64_t half = d / 2;
  for (std::int64_t row = begin; row < end; ++row) {
    for (std::int64_t head = 0; head < heads; ++head) {
      rotateHead(static_cast<T*>(x) + (row * heads + head) * d, cos + row * half, sin + row * half,
                 static_cast<std::size_t>(half));
    }
  }
}

void ropePart(Element element, void* x, const float* cos, const float* sin, std::int64_t begin, std::int64_t end,
              std::int64_t heads, std::int64_t d) {
  if (element == Element::f32) {
    rotateRows<float>(x, cos, sin, begin, end, heads, d);
  } else {
    rotateRows<Bfloat16>(x, cos, sin, begin, end, heads, d);
  }
}

}  // namespace strata::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace strata::kernels {
HWY_EXPORT(ropePart);

void rope(Element element, void* x, const float* cos, const float* sin, std::int64_t rows, std::int64_t heads,
          std::int64_t d, const Stream& stream) {
  forEachPart(stream, rows, grainOf(2 * heads * d * elementBytes(element)), [&](std::int64_t begin, std::int64_t end) {
    HWY_DYNAMIC_DISPATCH(ropePart)(element, x, cos, sin, begin, end, heads, d);
  });
}

}  // namespace strata::kernels
#endif
