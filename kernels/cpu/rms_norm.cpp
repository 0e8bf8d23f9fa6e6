#include "kernels/rms_norm.h"

#include "kernels/cpu/targets.h"
#include "kernels/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/rms_norm.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <cmath>

#include "kernels/cpu/vectors.h"

HWY_BEFORE_NAMESPACE();
namespace strata::kernels::HWY_NAMESPACE {

/// One row: x += delta where delta is given, then the norm. Sums the squares of what was stored.
template <class T>
void normRow(T* x, const T* delta, const T* weight, float eps, T* y, std::size_t c) {
  const std::size_t step = lanes();
  auto squares = hn::Zero(FloatTag());
  for (std::size_t i = 0; i < c; i += step) {
    const bool whole = i + step <= c;
    auto value = whole ? load(x + i) : loadFirst(x + i, c - i);
    if (delta != nullptr) {
      value = hn::Add(value, whole ? load(delta + i) : loadFirst(delta + i, c - i));
      if (whole) {
        store(value, x + i);
        value = load(x + i);
      } else {
        storeFirst(value, x + i, c - i);
        value = loadFirst(x + i, c - i);
      }
    }
    squares = hn::MulAdd(value, value, squares);
  }
  const auto factor = hn::Set(FloatTag(), 1.0f / std::sqrt(sumLanes(squares) / static_cast<float>(c) + eps));
  for (std::size_t i = 0; i < c; i += step) {
    if (i + step <= c) {
      store(hn::Mul(hn::Mul(load(x + i), factor), load(weight + i)), y + i);
    } else {
      storeFirst(hn::Mul(hn::Mul(loadFirst(x + i, c - i), factor), loadFirst(weight + i, c - i)), y + i, c - i);
    }
  }
}

template <class T>
void normRows(void* x, const void* delta, const void* weight, float eps, void* y, std::int64_t begin, std::int64_t end,
              std::int64_t c) {
  for (std::int64_t row = begin; row < end; ++row) {
    normRow<T>(static_cast<T*>(x) + row * c, delta == nullptr ? nullptr : static_cast<const T*>(delta) + row * c,
               static_cast<const T*>(weight), eps, static_cast<T*>(y) + row * c, static_cast<std::size_t>(c));
  }
}

void rmsNormPart(Element element, void* x, const void* delta, const void* weight, float eps, void* y,
                 std::int64_t begin, std::int64_t end, std::int64_t c) {
  if (element == Element::f32) {
    normRows<float>(x, delta, weight, eps, y, begin, end, c);
  } else {
    normRows<Bfloat16>(x, delta, weight, eps, y, begin, end, c);
  }
}

}  // namespace strata::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace strata::kernels {
HWY_EXPORT(rmsNormPart);

void addRmsNorm(Element element, void* x, const void* delta, const void* weight, float eps, void* y, std::int64_t rows,
                std::int64_t c, const Stream& stream) {
  forEachPart(stream, rows, grainOf(3 * c * elementBytes(element)), [&](std::int64_t begin, std::int64_t end) {
    HWY_DYNAMIC_DISPATCH(rmsNormPart)(element, x, delta, weight, eps, y, begin, end, c);
  });
}

void rmsNorm(Element element, const void* x, const void* weight, float eps, void* y, std::int64_t rows, std::int64_t c,
             const Stream& stream) {
  // Without a delta x is only read.
  addRmsNorm(element, const_cast<void*>(x), nullptr, weight, eps, y, rows, c, stream);
}

}  // namespace strata::kernels
#endif
