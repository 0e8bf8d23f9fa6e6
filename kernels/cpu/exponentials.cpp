#include "kernels/exponentials.h"

#include "kernels/cpu/targets.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/exponentials.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include <cstddef>
#include <cstring>

#include "kernels/cpu/vectors.h"

HWY_BEFORE_NAMESPACE();
namespace strata::kernels::HWY_NAMESPACE {

double exponentials(const float* x, std::int64_t n, double scale, float most, double* out) {
  const hn::ScalableTag<double> doubles;
  const hn::Rebind<float, hn::ScalableTag<double> > floats;
  const std::size_t step = hn::Lanes(doubles), size = static_cast<std::size_t>(n);
  const auto largest = hn::Set(doubles, most), by = hn::Set(doubles, scale), least = hn::Set(doubles, -700.0);
  const auto of = [&](const float* from) HWY_ATTR {
    const auto value = hn::PromoteTo(doubles, hn::LoadU(floats, from));
    return hn::Exp(doubles, hn::Max(hn::Mul(hn::Sub(value, largest), by), least));
  };
  auto sum = hn::Zero(doubles);
  std::size_t i = 0;
  for (; i + step <= size; i += step) {
    const auto value = of(x + i);
    hn::StoreU(value, doubles, out + i);
    sum = hn::Add(sum, value);
  }
  double total = hn::GetLane(hn::SumOfLanes(doubles, sum));
  if (i < size) {
    HWY_ALIGN float rest[hn::MaxLanes(floats)] = {};
    HWY_ALIGN double values[hn::MaxLanes(doubles)];
    std::memcpy(rest, x + i, (size - i) * sizeof(float));
    hn::StoreU(of(rest), doubles, values);
    for (std::size_t j = 0; i < size; ++i, ++j) total += out[i] = values[j];
  }
  return total;
}

}  // namespace strata::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace strata::kernels {
HWY_EXPORT(exponentials);

double exponentials(const float* x, std::int64_t n, double scale, float most, double* out) {
  return HWY_DYNAMIC_DISPATCH(exponentials)(x, n, scale, most, out);
}

}  // namespace strata::kernels
#endif
