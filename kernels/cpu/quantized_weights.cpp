#include "kernels/quantized_weights.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "kernels/cpu/targets.h"
#include "kernels/elements.h"
#include "kernels/parallel.h"

#undef HWY_TARGET_INCLUDE
#define HWY_TARGET_INCLUDE "kernels/cpu/quantized_weights.cpp"
#include <hwy/foreach_target.h>
#include <hwy/highway.h>

#include "kernels/cpu/vectors.h"

#ifndef STRATA_KERNELS_CPU_QUANTIZED_WEIGHTS_ONCE
#define STRATA_KERNELS_CPU_QUANTIZED_WEIGHTS_ONCE
namespace strata::kernels::cpu {
namespace {

constexpr std::size_t kMostGroup = 128;
/// Scales that are tried for int4: largest / -(7 … 9).
constexpr int kCandidates = 16;

/// Several rows of one matrix, for one instruction set.
struct QuantizedRows {
  WeightFormat format;
  std::size_t group, k;
  Element element;
};

}  // namespace
}  // namespace strata::kernels::cpu
#endif

HWY_BEFORE_NAMESPACE();
namespace strata::kernels::HWY_NAMESPACE {

/// The scale for int4 codes -8 … 7 of n values whose largest (in magnitude) is given. Each candidate's codes have a
/// best scale, Σ vq / Σ q²; the error that it leaves is Σ v² - (Σ vq)² / Σ q².
float int4Scale(const float* values, std::size_t n, float largest) {
  const FloatTag floats;
  HWY_ALIGN float inverse[cpu::kCandidates], products[cpu::kCandidates], squares[cpu::kCandidates];
  for (int c = 0; c < cpu::kCandidates; ++c) {
    inverse[c] = -(7.0f + 2.0f * static_cast<float>(c) / (cpu::kCandidates - 1)) / largest;
  }
  const auto least = hn::Set(floats, -8.0f), most = hn::Set(floats, 7.0f);
  for (std::size_t c = 0; c < cpu::kCandidates; c += lanes()) {
    const auto factor = hn::Load(floats, inverse + c);
    auto product = hn::Zero(floats), square = hn::Zero(floats);
    for (std::size_t i = 0; i < n; ++i) {
      const auto value = hn::Set(floats, values[i]);
      const auto code = hn::Min(hn::Max(hn::Round(hn::Mul(value, factor)), least), most);
      product = hn::MulAdd(value, code, product);
      square = hn::MulAdd(code, code, square);
    }
    hn::Store(product, floats, products + c);
    hn::Store(square, floats, squares + c);
  }
  float best = 0, scale = 0;
  for (int c = 0; c < cpu::kCandidates; ++c) {
    if (squares[c] == 0 || products[c] * products[c] <= best * squares[c]) continue;
    best = products[c] * products[c] / squares[c];
    scale = products[c] / squares[c];
  }
  return scale;
}

/// codes[0 … group-1] of one group, whose values after the first n are 0; returns the scale.
Bfloat16 quantizeGroup(WeightFormat format, const float* values, std::size_t group, std::int8_t* codes) {
  const FloatTag floats;
  float largest = 0;
  for (std::size_t i = 0; i < group; ++i) {
    if (std::abs(values[i]) > std::abs(largest)) largest = values[i];
  }
  const bool isInt8 = format == WeightFormat::int8;
  float wanted = 0;
  if (largest != 0) wanted = isInt8 ? std::abs(largest) / 127.0f : int4Scale(values, group, largest);
  const auto scale = fromFloat<Bfloat16>(wanted);
  const float inverse = toFloat(scale) != 0 ? 1.0f / toFloat(scale) : 0.0f;
  const auto least = hn::Set(floats, isInt8 ? -127.0f : -8.0f), most = hn::Set(floats, isInt8 ? 127.0f : 7.0f);
  const hn::Rebind<std::int32_t, FloatTag> integers;
  HWY_ALIGN std::int32_t wide[cpu::kMostGroup];
  for (std::size_t i = 0; i < group; i += lanes()) {
    const auto code = hn::Round(hn::Mul(hn::Load(floats, values + i), hn::Set(floats, inverse)));
    hn::Store(hn::ConvertTo(integers, hn::Min(hn::Max(code, least), most)), integers, wide + i);
  }
  for (std::size_t i = 0; i < group; ++i) codes[i] = static_cast<std::int8_t>(wide[i]);
  return scale;
}

void quantizeRow(const cpu::QuantizedRows& rows, const void* weight, std::uint8_t* codes, void* scales,
                 double* errors) {
  HWY_ALIGN float values[cpu::kMostGroup];
  std::int8_t groupCodes[cpu::kMostGroup];
  errors[0] = errors[1] = 0;
  for (std::size_t begin = 0; begin < rows.k; begin += rows.group) {
    const std::size_t n = std::min(rows.group, rows.k - begin);
    bool isFinite = true;
    for (std::size_t i = 0; i < n; ++i) {
      const auto at = static_cast<std::int64_t>(begin + i);
      values[i] = rows.element == Element::f32 ? loadElement<float>(weight, at) : loadElement<Bfloat16>(weight, at);
      isFinite &= std::abs(values[i]) <= 3.0e38f;
    }
    std::fill(values + n, values + rows.group, 0.0f);
    if (!isFinite) {
      errors[0] = errors[1] = INFINITY;
      std::fill(values, values + rows.group, 0.0f);
    }
    const Bfloat16 scale = quantizeGroup(rows.format, values, rows.group, groupCodes);
    std::memcpy(static_cast<char*>(scales) + begin / rows.group * sizeof(scale), &scale, sizeof(scale));
    float error = 0, norm = 0;
    for (std::size_t i = 0; i < n; ++i) {
      const float difference = values[i] - static_cast<float>(groupCodes[i]) * toFloat(scale);
      error += difference * difference;
      norm += values[i] * values[i];
    }
    errors[0] += static_cast<double>(error);
    errors[1] += static_cast<double>(norm);
    if (rows.format == WeightFormat::int8) {
      std::memcpy(codes + begin, groupCodes, rows.group);
    } else {
      for (std::size_t i = 0; i < rows.group / 2; ++i) {
        codes[begin / 2 + i] = static_cast<std::uint8_t>((groupCodes[2 * i] & 15) | (groupCodes[2 * i + 1] * 16));
      }
    }
  }
}

/// n values of one group.
template <class T>
void dequantizeGroup(const std::int8_t* codes, float scale, std::size_t n, T* to) {
  const FloatTag floats;
  const hn::Rebind<std::int32_t, FloatTag> integers;
  const hn::Rebind<std::int8_t, FloatTag> bytes;
  const auto factor = hn::Set(floats, scale);
  const auto valuesAt = [&](std::size_t i) HWY_ATTR {
    return hn::Mul(hn::ConvertTo(floats, hn::PromoteTo(integers, hn::LoadU(bytes, codes + i))), factor);
  };
  std::size_t i = 0;
  for (; i + lanes() <= n; i += lanes()) store(valuesAt(i), to + i);
  if (i < n) storeFirst(valuesAt(i), to + i, n - i);
}

void dequantizeRow(const cpu::QuantizedRows& rows, const std::uint8_t* codes, const void* scales, void* out) {
  std::int8_t unpacked[cpu::kMostGroup];
  for (std::size_t begin = 0; begin < rows.k; begin += rows.group) {
    const std::size_t n = std::min(rows.group, rows.k - begin);
    const float scale = loadElement<Bfloat16>(scales, static_cast<std::int64_t>(begin / rows.group));
    const auto* groupCodes = reinterpret_cast<const std::int8_t*>(codes + begin);
    if (rows.format == WeightFormat::int4) {
      for (std::size_t i = 0; i < rows.group / 2; ++i) {
        const std::uint8_t both = codes[begin / 2 + i];
        unpacked[2 * i] = static_cast<std::int8_t>(static_cast<std::int8_t>(both << 4) >> 4);
        unpacked[2 * i + 1] = static_cast<std::int8_t>(static_cast<std::int8_t>(both) >> 4);
      }
      groupCodes = unpacked;
    }
    if (rows.element == Element::f32) {
      dequantizeGroup(groupCodes, scale, n, static_cast<float*>(out) + begin);
    } else {
      dequantizeGroup(groupCodes, scale, n, static_cast<Bfloat16*>(out) + begin);
    }
  }
}

}  // namespace strata::kernels::HWY_NAMESPACE
HWY_AFTER_NAMESPACE();

#if HWY_ONCE
namespace strata::kernels {
HWY_EXPORT(quantizeRow);
HWY_EXPORT(dequantizeRow);

void quantizeWeights(WeightFormat format, std::int64_t group, Element element, const void* weight, std::int64_t n,
                     std::int64_t k, void* codes, void* scales, double* errors, const Stream& stream) {
  const cpu::QuantizedRows rows{format, static_cast<std::size_t>(group), static_cast<std::size_t>(k), element};
  const std::int64_t bytes = codeBytes(format, k, group), groups = groupsOf(k, group);
  forEachPart(stream, n, grainOf(16 * k), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      HWY_DYNAMIC_DISPATCH(quantizeRow)
      (rows, at(element, weight, row * k), static_cast<std::uint8_t*>(codes) + row * bytes,
       static_cast<std::uint16_t*>(scales) + row * groups, errors + 2 * row);
    }
  });
}

void dequantizeWeights(WeightFormat format, std::int64_t group, const void* codes, const void* scales, std::int64_t n,
                       std::int64_t k, Element element, void* out, const Stream& stream) {
  const cpu::QuantizedRows rows{format, static_cast<std::size_t>(group), static_cast<std::size_t>(k), element};
  const std::int64_t bytes = codeBytes(format, k, group), groups = groupsOf(k, group);
  forEachPart(stream, n, grainOf(k * elementBytes(element)), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t row = begin; row < end; ++row) {
      HWY_DYNAMIC_DISPATCH(dequantizeRow)
      (rows, static_cast<const std::uint8_t*>(codes) + row * bytes,
       static_cast<const std::uint16_t*>(scales) + row * groups, at(element, out, row * k));
    }
  });
}

}  // namespace strata::kernels
#endif
