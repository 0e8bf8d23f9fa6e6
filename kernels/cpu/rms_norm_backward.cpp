#include "kernels/rms_norm_backward.h"

#include "kernels/cpu/targets.h"
#include "kernels/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/rms_norm_backward.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "kernels/cpu/vectors.h"

HWY_BEFORE_NAMESPACE();
namespace strata::kernels::HWY_NAMESPACE {

/// r = (mean(x²) + eps)^-1/2 and r² mean(dy w x) of one row.
struct RowFactors {
  float factor, along;
};

template <class T>
RowFactors rowFactors(const T* x, const float* weight, const T* dy, float eps, std::size_t c) {
  const std::size_t step = lanes();
  auto squares = hn::Zero(FloatTag()), moreSquares = squares, products = squares, moreProducts = squares;
  std::size_t i = 0;
  for (; i + 2 * step <= c; i += 2 * step) {
    const auto first = load(x + i), second = load(x + i + step);
    squares = hn::MulAdd(first, first, squares);
    moreSquares = hn::MulAdd(second, second, moreSquares);
    products = hn::MulAdd(hn::Mul(load(dy + i), load(weight + i)), first, products);
    moreProducts = hn::MulAdd(hn::Mul(load(dy + i + step), load(weight + i + step)), second, moreProducts);
  }
  for (; i < c; i += step) {
    const bool whole = i + step <= c;
    const auto value = whole ? load(x + i) : loadFirst(x + i, c - i);
    const auto gradient = whole ? load(dy + i) : loadFirst(dy + i, c - i);
    const auto scale = whole ? load(weight + i) : loadFirst(weight + i, c - i);
    squares = hn::MulAdd(value, value, squares);
    products = hn::MulAdd(hn::Mul(gradient, scale), value, products);
  }
  const float count = static_cast<float>(c);
  const float factor = 1.0f / std::sqrt(sumLanes(hn::Add(squares, moreSquares)) / count + eps);
  return {factor, factor * factor * (sumLanes(hn::Add(products, moreProducts)) / count)};
}

/// One row; its share of dw is added to `sums` [C] where that is given.
template <class T>
void rowGradient(const T* x, const float* weight, const T* dy, float eps, T* dx, float* sums, std::size_t c) {
  const std::size_t step = lanes();
  const RowFactors row = rowFactors(x, weight, dy, eps, c);
  const auto factor = hn::Set(FloatTag(), row.factor), along = hn::Set(FloatTag(), row.along);
  std::size_t i = 0;
  for (; i + step <= c; i += step) {
    const auto value = load(x + i), gradient = load(dy + i);
    if (sums != nullptr) store(hn::MulAdd(hn::Mul(gradient, value), factor, load(sums + i)), sums + i);
    store(hn::Mul(factor, hn::NegMulAdd(value, along, hn::Mul(gradient, load(weight + i)))), dx + i);
  }
  if (i == c) return;
  const auto value = loadFirst(x + i, c - i), gradient = loadFirst(dy + i, c - i);
  if (sums != nullptr) {
    storeFirst(hn::MulAdd(hn::Mul(gradient, value), factor, loadFirst(sums + i, c - i)), sums + i, c - i);
  }
  const auto scaled = hn::Mul(gradient, loadFirst(weight + i, c - i));
  storeFirst(hn::Mul(factor, hn::NegMulAdd(value, along, scaled)), dx + i, c - i);
}

void rmsNormBackwardRows(Element element, const void* x, const float* weight, const void* dy, float eps, void* dx,
                         float* sums, std::int64_t begin, std::int64_t end, std::int64_t c) {
  withElement(element, [&](auto type) {
    using T = decltype(type);
    for (std::int64_t row = begin; row < end; ++row) {
      rowGradient(static_cast<const T*>(x) + row * c, weight, static_cast<const T*>(dy) + row * c, eps,
                  static_cast<T*>(dx) + row * c, sums, static_cast<std::size_t>(c));
    }
  });
}

}  // namespace strata::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace strata::kernels {
HWY_EXPORT(rmsNormBackwardRows);

void rmsNormBackward(Element element, const void* x, const float* weight, const void* dy, float eps, void* dx,
                     float* dWeight, std::int64_t rows, std::int64_t c, const Stream& stream) {
  const std::int64_t rowGrain = grainOf(3 * c * elementBytes(element));
  if (dWeight == nullptr) {
    forEachPart(stream, rows, rowGrain, [&](std::int64_t begin, std::int64_t end) {
      HWY_DYNAMIC_DISPATCH(rmsNormBackwardRows)(element, x, weight, dy, eps, dx, nullptr, begin, end, c);
    });
    return;
  }
  // The blocks follow from the number of rows alone: at most 128 partial sums, of at least 16 rows each.
  const std::int64_t blockRows = std::max<std::int64_t>(16, (rows + 127) / 128);
  const std::int64_t blocks = (rows + blockRows - 1) / blockRows;
  std::vector<float> partial(static_cast<std::size_t>(blocks * c));  // [blocks, C]
  forEachPart(stream, blocks, (rowGrain + blockRows - 1) / blockRows, [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t block = begin; block < end; ++block) {
      HWY_DYNAMIC_DISPATCH(rmsNormBackwardRows)
      (element, x, weight, dy, eps, dx, partial.data() + block * c, block * blockRows,
       std::min(rows, (block + 1) * blockRows), c);
    }
  });
  forEachPart(stream, c, grainOf(blocks * 4), [&](std::int64_t begin, std::int64_t end) {
    std::fill(dWeight + begin, dWeight + end, 0.0f);
    for (std::int64_t block = 0; block < blocks; ++block) {
      for (std::int64_t i = begin; i < end; ++i) dWeight[i] += partial[static_cast<std::size_t>(block * c + i)];
    }
  });
}

}  // namespace strata::kernels
#endif
