#include "core/model/kernel_calls.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include <algorithm>
#include <cmath>

#include "core/model/cuda_calls.h"
#include "core/model/products.h"
#include "core/model/threads.h"
#include "kernels/attention.h"
#include "kernels/decode_attention.h"
#include "kernels/kv_append.h"
#include "kernels/kv_codes.h"
#include "kernels/matvec.h"
#include "kernels/rms_norm.h"
#include "kernels/rms_norm_backward.h"
#include "kernels/rope.h"
#include "kernels/silu_mul.h"
#include "kernels/silu_mul_backward.h"
#include "kernels/softmax_cross_entropy.h"

namespace strata::calls {
namespace {

/// Up to this many rows a product is bound by reading the weights, and the kernel beats a general matrix product.
constexpr std::int64_t kFewRows = 8;

bool hasKernel(const at::Tensor& x) {
  return x.device().is_cpu() && (x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16);
}

kernels::Element elementOf(const at::Tensor& x) {
  return x.scalar_type() == at::kFloat ? kernels::Element::f32 : kernels::Element::bf16;
}

/// cos or sin for x [B, T, …]: one row for each row of x.
at::Tensor rowsOf(const at::Tensor& table, const at::Tensor& x) {
  const std::int64_t half = table.size(-1);
  return table.expand({x.size(0), x.size(1), half}).contiguous();
}

kernels::AttentionShape attentionShape(const at::Tensor& q, const at::Tensor& k) {
  TORCH_INTERNAL_ASSERT(q.dim() == 4 && k.dim() == 4 && q.size(1) == k.size(1) && q.size(2) % k.size(2) == 0);
  return {q.size(0), q.size(1), q.size(2), k.size(2), q.size(3)};
}

float attentionScale(const at::Tensor& q) {
  return static_cast<float>(1 / std::sqrt(static_cast<double>(q.size(3))));
}

kernels::KvFormat kernelFormat(KvFormat format) {
  switch (format) {
    case KvFormat::int8:
      return kernels::KvFormat::int8;
    case KvFormat::fp8:
      return kernels::KvFormat::fp8;
    case KvFormat::plain:
      break;
  }
  return kernels::KvFormat::plain;
}

/// Codes [B, Hkv, capacity, D] of the positions 0 … n-1 in `dtype`: [B, Hkv, n, D].
at::Tensor readCodes(const at::Tensor& codes, const at::Tensor& scales, KvFormat format, std::int64_t n,
                     at::ScalarType dtype) {
  TORCH_INTERNAL_ASSERT(codes.is_contiguous() && scales.is_contiguous());
  at::Tensor out = at::empty({codes.size(0), codes.size(1), n, codes.size(3)}, codes.options().dtype(dtype));
  kernels::kvReadCodes(kernelFormat(format), elementOf(out), codes.const_data_ptr(), scales.const_data_ptr(),
                       out.mutable_data_ptr(), codes.size(0) * codes.size(1), n, codes.size(2), codes.size(3),
                       poolStream());
  return out;
}

at::Tensor addLora(at::Tensor y, const at::Tensor& x, const Linear& layer) {
  if (!layer.loraA.defined()) return y;
  return y.add_(at::linear(at::linear(x, layer.loraA), layer.loraB), layer.loraScale);
}

}  // namespace

at::Tensor selectRows(const at::Tensor& table, const at::Tensor& index) {
  // index_select and embedding have no meta kernel in C++
  if (table.is_meta()) return table.index({index});
  return index.dim() == 1 ? table.index_select(0, index) : at::embedding(table, index);
}

at::Tensor rmsNorm(const at::Tensor& x, const at::Tensor& weight, double eps) {
  if (!hasKernel(x) || weight.scalar_type() != x.scalar_type()) {
    if (at::Tensor y = x.is_cuda() ? cuda::rmsNorm(x, weight, eps) : at::Tensor(); y.defined()) return y;
    const at::Tensor wide = x.to(at::kFloat);
    return (wide * at::rsqrt(wide.square().mean(-1, true) + eps) * weight.to(at::kFloat)).to(x.scalar_type());
  }
  const at::Tensor input = x.contiguous();
  at::Tensor y = at::empty_like(input);
  const std::int64_t width = input.size(-1);
  kernels::rmsNorm(elementOf(input), input.const_data_ptr(), weight.contiguous().const_data_ptr(),
                   static_cast<float>(eps), y.mutable_data_ptr(), input.numel() / width, width, poolStream());
  return y;
}

void rotate(at::Tensor& x, const Rotation& rotation, bool inverse) {
  TORCH_INTERNAL_ASSERT(x.dim() == 4 && x.size(3) == 2 * rotation.cos.size(-1));
  const at::Tensor cos = rowsOf(rotation.cos, x);
  const at::Tensor sin = inverse ? rowsOf(rotation.sin, x).neg() : rowsOf(rotation.sin, x);
  if (hasKernel(x) && x.is_contiguous()) {
    kernels::rope(elementOf(x), x.mutable_data_ptr(), cos.const_data_ptr<float>(), sin.const_data_ptr<float>(),
                  x.size(0) * x.size(1), x.size(2), x.size(3), poolStream());
    return;
  }
  if (x.is_cuda() && cuda::rotate(x, cos, sin)) return;
  const auto halves = x.to(at::kFloat).chunk(2, -1);
  const at::Tensor c = cos.unsqueeze(2), s = sin.unsqueeze(2);
  x.copy_(at::cat({halves[0] * c - halves[1] * s, halves[1] * c + halves[0] * s}, -1));
}

at::Tensor siluMul(const at::Tensor& gate, const at::Tensor& up) {
  if (at::Tensor y = gate.is_cuda() ? cuda::siluMul(gate, up) : at::Tensor(); y.defined()) return y;
  if (!hasKernel(gate)) return at::silu(gate.to(at::kFloat)).mul_(up).to(gate.scalar_type());
  const at::Tensor g = gate.contiguous(), u = up.contiguous();
  at::Tensor y = at::empty_like(g);
  kernels::siluMul(elementOf(g), g.const_data_ptr(), u.const_data_ptr(), y.mutable_data_ptr(), g.numel(), poolStream());
  return y;
}

RmsNormGradients rmsNormBackward(const at::Tensor& x, const at::Tensor& weight, const at::Tensor& dy, double eps,
                                 bool withWeight) {
  const std::int64_t width = x.size(-1);
  const at::Tensor wide = weight.to(at::kFloat).contiguous();
  if (hasKernel(x)) {
    const at::Tensor input = x.contiguous(), upstream = dy.contiguous();
    RmsNormGradients result{at::empty_like(input), withWeight ? at::empty({width}, at::kFloat) : at::Tensor()};
    kernels::rmsNormBackward(elementOf(input), input.const_data_ptr(), wide.const_data_ptr<float>(),
                             upstream.const_data_ptr(), static_cast<float>(eps), result.dx.mutable_data_ptr(),
                             withWeight ? result.dWeight.mutable_data_ptr<float>() : nullptr, input.numel() / width,
                             width, poolStream());
    return result;
  }
  const at::Tensor xf = x.to(at::kFloat), g = dy.to(at::kFloat);
  const at::Tensor r = at::rsqrt(xf.square().mean(-1, true) + eps), normed = xf * r, gw = g * wide;
  return {((gw - normed * (gw * normed).mean(-1, true)) * r).to(x.scalar_type()),
          withWeight ? (g * normed).flatten(0, -2).sum(0) : at::Tensor()};
}

SiluMulGradients siluMulBackward(const at::Tensor& gate, const at::Tensor& up, const at::Tensor& dy) {
  if (!hasKernel(gate)) return {at::silu_backward(dy * up, gate), dy * at::silu(gate)};
  const at::Tensor g = gate.contiguous(), u = up.contiguous(), upstream = dy.contiguous();
  SiluMulGradients result{at::empty_like(g), at::empty_like(u)};
  kernels::siluMulBackward(elementOf(g), g.const_data_ptr(), u.const_data_ptr(), upstream.const_data_ptr(),
                           result.dGate.mutable_data_ptr(), result.dUp.mutable_data_ptr(), g.numel(), poolStream());
  return result;
}

at::Tensor softmaxCrossEntropy(at::Tensor& logits, const at::Tensor& targets, double scale) {
  if (hasKernel(logits) && logits.is_contiguous()) {
    at::Tensor losses = at::empty({logits.size(0)}, at::kFloat);
    const at::Tensor index = targets.contiguous();
    kernels::softmaxCrossEntropy(elementOf(logits), logits.mutable_data_ptr(), index.const_data_ptr<std::int64_t>(),
                                 static_cast<float>(scale), losses.mutable_data_ptr<float>(), logits.size(0),
                                 logits.size(1), poolStream());
    return losses;
  }
  if (logits.is_cuda()) {
    if (at::Tensor losses = cuda::softmaxCrossEntropy(logits, targets, scale); losses.defined()) return losses;
  }
  const at::Tensor logProbability = at::log_softmax(logits.to(at::kFloat), -1), index = targets.unsqueeze(1);
  at::Tensor gradient = logProbability.exp() * scale;
  gradient.scatter_add_(1, index, at::full(index.sizes(), -scale, gradient.options()));
  logits.copy_(gradient);
  return logProbability.gather(1, index).squeeze(1).neg();
}

/// Many rows: each layer's weights are unpacked, multiplied with and forgotten.
static std::vector<at::Tensor> unpackedLinears(const at::Tensor& x, std::initializer_list<const Linear*> layers) {
  std::vector<at::Tensor> results;
  for (const Linear* layer : layers) {
    const Linear unpacked = layer->plain(x.scalar_type());
    results.push_back(linears(x, {&unpacked})[0]);
  }
  return results;
}

std::vector<at::Tensor> linears(const at::Tensor& x, std::initializer_list<const Linear*> layers) {
  std::vector<at::Tensor> results;
  const std::int64_t k = x.size(-1);
  const std::int64_t rows = x.numel() / k;
  if (rows > kFewRows && (*layers.begin())->quantized) return unpackedLinears(x, layers);
  const bool few = (hasKernel(x) || x.is_cuda()) && rows <= kFewRows;
  if (!few) return linearProducts(x, layers).results;
  const at::Tensor input = x.contiguous();
  std::vector<kernels::MatvecTarget> targets;
  for (const Linear* layer : layers) {
    TORCH_INTERNAL_ASSERT((layer->quantized || layer->weight.scalar_type() == x.scalar_type()) && layer->inputs() == k);
    std::vector<std::int64_t> shape = x.sizes().vec();
    shape.back() = layer->outputs();
    results.push_back(at::empty(shape, x.options()));
    targets.push_back(targetOf(*layer, results.back().mutable_data_ptr()));
  }
  if (hasKernel(x)) {
    kernels::matvec(elementOf(input), elementOf(input), input.const_data_ptr(), rows, k, targets.data(),
                    static_cast<int>(targets.size()), poolStream());
  } else if (!cuda::matvec(input, x.scalar_type(), targets)) {
    std::size_t i = 0;
    for (const Linear* layer : layers) {
      results[i++] = at::linear(x, layer->plain(x.scalar_type()).weight, layer->bias);
    }
  }
  std::size_t i = 0;
  for (const Linear* layer : layers) {
    results[i] = addLora(results[i], x, *layer);
    ++i;
  }
  return results;
}

kernels::MatvecTarget targetOf(const Linear& layer, void* y) {
  kernels::MatvecTarget target;
  if (layer.quantized) {
    const QuantizedWeight& quantized = *layer.quantized;
    target.weight = quantized.codes.const_data_ptr();
    target.scales = quantized.scales.const_data_ptr();
    target.format = quantized.as.bits == 8 ? kernels::WeightFormat::int8 : kernels::WeightFormat::int4;
    target.group = quantized.as.group;
  } else {
    target.weight = layer.weight.const_data_ptr();
  }
  target.bias = layer.bias.defined() ? layer.bias.const_data_ptr() : nullptr;
  target.y = y;
  target.n = layer.outputs();
  return target;
}

at::Tensor logits(const at::Tensor& x, const Linear& head) {
  if (x.is_cuda() && x.size(0) <= kFewRows) {
    at::Tensor y = at::empty({x.size(0), head.outputs()}, x.options().dtype(at::kFloat));
    if (cuda::matvec(x, at::kFloat, {targetOf(head, y.mutable_data_ptr())})) return y;
  }
  if (!hasKernel(x)) return at::linear(x, head.plain(x.scalar_type()).weight).to(at::kFloat);
  const at::Tensor input = x.contiguous();
  at::Tensor y = at::empty({x.size(0), head.outputs()}, x.options().dtype(at::kFloat));
  for (std::int64_t begin = 0; begin < x.size(0);
       begin += kFewRows) {  // so that a row's bits do not depend on the batch
    const std::int64_t rows = std::min(kFewRows, x.size(0) - begin);
    const kernels::MatvecTarget target = targetOf(head, y.narrow(0, begin, rows).mutable_data_ptr());
    kernels::matvec(elementOf(input), kernels::Element::f32, input.narrow(0, begin, rows).const_data_ptr(), rows,
                    input.size(1), &target, 1, poolStream());
  }
  return y;
}

at::Tensor attention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& mask) {
  const std::int64_t group = q.size(1) / k.size(1);
  if (q.is_meta()) {  // LibTorch's own has no meta kernel in C++
    const at::Tensor scores = at::matmul(q, k.repeat_interleave(group, 1).transpose(2, 3));
    return at::matmul(at::softmax(mask.defined() ? scores + mask : scores, -1), v.repeat_interleave(group, 1));
  }
  const bool causal = !mask.defined();
  return at::scaled_dot_product_attention(q, k, v, causal ? std::nullopt : std::optional(mask), 0.0, causal,
                                          std::nullopt, group > 1);
}

bool hasRangeAttention(at::ScalarType dtype, c10::Device device) {
  return device.is_cpu() && (dtype == at::kFloat || dtype == at::kBFloat16);
}

RangeAttention rangeAttention(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v, const at::Tensor& first) {
  const at::Tensor query = q.contiguous(), key = k.contiguous(), value = v.contiguous();
  const at::Tensor from = first.defined() ? first.contiguous() : first;
  RangeAttention result{at::empty_like(query),
                        at::empty({q.size(0), q.size(2), q.size(1)}, q.options().dtype(at::kFloat))};
  kernels::attention(elementOf(query), query.const_data_ptr(), key.const_data_ptr(), value.const_data_ptr(),
                     from.defined() ? from.const_data_ptr<std::int32_t>() : nullptr, attentionScale(q),
                     result.out.mutable_data_ptr(), result.lse.mutable_data_ptr<float>(), attentionShape(q, k),
                     poolStream());
  return result;
}

RangeAttentionGradients rangeAttentionBackward(const at::Tensor& q, const at::Tensor& k, const at::Tensor& v,
                                               const at::Tensor& first, const RangeAttention& result,
                                               const at::Tensor& dOut) {
  const at::Tensor query = q.contiguous(), key = k.contiguous(), value = v.contiguous(), upstream = dOut.contiguous();
  const at::Tensor from = first.defined() ? first.contiguous() : first;
  RangeAttentionGradients gradients{at::empty_like(query), at::empty_like(key), at::empty_like(value)};
  kernels::attentionBackward(
      elementOf(query), query.const_data_ptr(), key.const_data_ptr(), value.const_data_ptr(),
      from.defined() ? from.const_data_ptr<std::int32_t>() : nullptr, attentionScale(q),
      {result.out.const_data_ptr(), result.lse.const_data_ptr<float>(), upstream.const_data_ptr()},
      {gradients.dq.mutable_data_ptr(), gradients.dk.mutable_data_ptr(), gradients.dv.mutable_data_ptr()},
      attentionShape(q, k), poolStream());
  return gradients;
}

void appendOne(const at::Tensor& k, const at::Tensor& v, at::Tensor& kCache, at::Tensor& vCache,
               const std::vector<std::int64_t>& positions) {
  const std::int64_t batch = kCache.size(0), kvHeads = kCache.size(1), capacity = kCache.size(2), d = kCache.size(3);
  TORCH_INTERNAL_ASSERT(static_cast<std::int64_t>(positions.size()) == batch && k.size(0) == batch &&
                        k.size(2) == kvHeads);
  if (hasKernel(kCache)) {
    kernels::kvAppend(elementOf(kCache), k.contiguous().const_data_ptr(), v.contiguous().const_data_ptr(),
                      kCache.mutable_data_ptr(), vCache.mutable_data_ptr(), positions.data(), batch, kvHeads, capacity,
                      d, poolStream());
    return;
  }
  if (kCache.is_cuda() && cuda::appendOne(k, v, kCache, vCache, positions)) return;
  for (std::int64_t b = 0; b < batch; ++b) {
    const std::int64_t at = positions[static_cast<std::size_t>(b)];
    kCache.select(0, b).select(1, at).copy_(k.select(0, b).select(0, 0));
    vCache.select(0, b).select(1, at).copy_(v.select(0, b).select(0, 0));
  }
}

void append(const at::Tensor& k, const at::Tensor& v, CachedKeyValue& cache, const std::vector<std::int64_t>& starts) {
  const std::int64_t batch = cache.k.size(0), tokens = k.size(1);
  TORCH_INTERNAL_ASSERT(static_cast<std::int64_t>(starts.size()) == batch && k.size(0) == batch);
  if (cache.format != KvFormat::plain) {
    TORCH_INTERNAL_ASSERT(hasKernel(k) && k.scalar_type() == v.scalar_type());
    kernels::kvAppendCodes(
        kernelFormat(cache.format), elementOf(k), k.contiguous().const_data_ptr(), v.contiguous().const_data_ptr(),
        {cache.k.mutable_data_ptr(), cache.v.mutable_data_ptr(), cache.kScales.mutable_data_ptr(),
         cache.vScales.mutable_data_ptr()},
        starts.data(), batch, tokens, cache.k.size(1), cache.k.size(2), cache.k.size(3), poolStream());
    return;
  }
  if (tokens == 1) return appendOne(k, v, cache.k, cache.v, starts);
  TORCH_INTERNAL_ASSERT(std::all_of(starts.begin(), starts.end(), [&](auto start) { return start == starts[0]; }));
  cache.k.narrow(2, starts[0], tokens).copy_(k.transpose(1, 2));
  cache.v.narrow(2, starts[0], tokens).copy_(v.transpose(1, 2));
}

at::Tensor throughCodes(const at::Tensor& x, KvFormat format) {
  TORCH_INTERNAL_ASSERT(hasKernel(x) && !x.requires_grad());
  const at::Tensor input = x.contiguous();
  const std::int64_t rows = x.numel() / x.size(3);
  const at::Tensor codes = at::empty({rows, 1, 1, x.size(3)}, x.options().dtype(at::kByte));
  const at::Tensor scales = at::empty({rows, 1, 1}, x.options().dtype(at::kBFloat16));
  const std::vector<std::int64_t> starts(static_cast<std::size_t>(rows), 0);
  CachedKeyValue cache{format, codes, codes, scales, scales};
  append(input.view({rows, 1, 1, x.size(3)}), input.view({rows, 1, 1, x.size(3)}), cache, starts);
  return readCodes(codes, scales, format, 1, x.scalar_type()).view(x.sizes());
}

kernels::SequenceCache sequenceOf(const CachedKeyValue& cache, std::int64_t sequence) {
  const auto at = [&](const at::Tensor& tensor) -> const void* {
    return tensor.defined() ? static_cast<const std::byte*>(tensor.const_data_ptr()) +
                                  sequence * tensor.stride(0) * static_cast<std::int64_t>(tensor.element_size())
                            : nullptr;
  };
  return {at(cache.k), at(cache.v), cache.k.size(2), kernelFormat(cache.format), at(cache.kScales), at(cache.vScales)};
}

std::int64_t firstKeySeen(std::int64_t length, std::int64_t window) {
  return kernels::firstKeySeen(length, window);
}

at::Tensor cacheAttention(const at::Tensor& q, const at::Tensor& kCache, const at::Tensor& vCache, std::int64_t start,
                          std::int64_t window) {
  const std::int64_t batch = q.size(0), count = q.size(1), heads = q.size(2), d = q.size(3), end = start + count;
  TORCH_INTERNAL_ASSERT(kCache.dim() == 4 && kCache.size(2) >= end && heads % kCache.size(1) == 0);
  const bool windowed = window > 0 && window < end;
  if (hasKernel(q)) {
    TORCH_INTERNAL_ASSERT(kCache.is_contiguous() && vCache.is_contiguous());
    at::Tensor first;  // int32 [B, T]
    if (windowed) {
      const at::TensorOptions options(at::kInt);
      first = (at::arange(start, end, options) - (window - 1)).clamp_min(0).expand({batch, count}).contiguous();
    }
    const at::Tensor query = q.contiguous();
    at::Tensor out = at::empty({batch, count, heads * d}, q.options());
    kernels::attention(elementOf(q), query.const_data_ptr(), kCache.const_data_ptr(), vCache.const_data_ptr(),
                       windowed ? first.const_data_ptr<std::int32_t>() : nullptr, attentionScale(q),
                       out.mutable_data_ptr(), nullptr, {batch, count, heads, kCache.size(1), d, start, kCache.size(2)},
                       poolStream());
    return out;
  }
  if (q.is_cuda()) {
    if (at::Tensor out = cuda::cacheAttention(q, kCache, vCache, start, window, attentionScale(q)); out.defined())
      return out;
  }
  const std::int64_t from = firstKeySeen(start + 1, window);
  at::Tensor mask;  // [T, keys]; undefined: causal
  if (start > 0 || windowed) {
    const at::TensorOptions options = at::TensorOptions(at::kInt).device(q.device());
    const at::Tensor own = at::arange(start, end, options).unsqueeze(1), key = at::arange(from, end, options);
    at::Tensor seen = key <= own;
    if (windowed) seen = seen & (key > own - window);
    mask = seen.to(q.scalar_type()).log_();
  }
  const at::Tensor out =
      attention(q.transpose(1, 2), kCache.narrow(2, from, end - from), vCache.narrow(2, from, end - from), mask);
  return out.transpose(1, 2).reshape({batch, count, heads * d});
}

at::Tensor cacheAttention(const at::Tensor& q, const CachedKeyValue& cache, std::int64_t start, std::int64_t window) {
  if (cache.format == KvFormat::plain) return cacheAttention(q, cache.k, cache.v, start, window);
  TORCH_INTERNAL_ASSERT(hasKernel(q));
  const auto read = [&](const at::Tensor& codes, const at::Tensor& scales) {
    return readCodes(codes, scales, cache.format, start + q.size(1), q.scalar_type());
  };
  return cacheAttention(q, read(cache.k, cache.kScales), read(cache.v, cache.vScales), start, window);
}

at::Tensor decodeAttention(const at::Tensor& q, const CachedKeyValue& cache, const std::vector<std::int64_t>& lengths,
                           std::int64_t window) {
  if (cache.format == KvFormat::plain) return decodeAttention(q, cache.k, cache.v, lengths, window);
  TORCH_INTERNAL_ASSERT(hasKernel(q));
  const std::int64_t batch = q.size(0), heads = q.size(2), d = q.size(3);
  std::vector<kernels::SequenceCache> caches;
  for (std::int64_t b = 0; b < batch; ++b) caches.push_back(sequenceOf(cache, b));
  at::Tensor out = at::empty({batch, 1, heads * d}, q.options());
  kernels::DecodeAttentionPlan plan;
  plan.cut(lengths.data(), window, batch, heads, cache.k.size(1), d);
  plan.attend(elementOf(q), q.contiguous().const_data_ptr(), caches.data(), attentionScale(q), poolStream());
  plan.merge(elementOf(q), out.mutable_data_ptr(), poolStream());
  return out;
}

at::Tensor decodeAttention(const at::Tensor& q, const at::Tensor& kCache, const at::Tensor& vCache,
                           const std::vector<std::int64_t>& lengths, std::int64_t window) {
  const std::int64_t batch = q.size(0), heads = q.size(2), d = q.size(3);
  const double scale = 1 / std::sqrt(static_cast<double>(d));
  if (hasKernel(q)) {
    at::Tensor out = at::empty({batch, 1, heads * d}, q.options());
    kernels::decodeAttention(elementOf(q), q.contiguous().const_data_ptr(), kCache.const_data_ptr(),
                             vCache.const_data_ptr(), lengths.data(), window, static_cast<float>(scale),
                             out.mutable_data_ptr(), batch, heads, kCache.size(1), kCache.size(2), d, poolStream());
    return out;
  }
  const std::int64_t longest = *std::max_element(lengths.begin(), lengths.end());
  if (q.is_cuda()) {
    if (at::Tensor out =
            cuda::decodeAttention(q, kCache, vCache, lengths, window, longest - firstKeySeen(longest, window), scale);
        out.defined())
      return out;
  }
  const at::Tensor ends = at::tensor(lengths, at::kLong).to(q.device()).view({batch, 1, 1, 1});
  const at::Tensor behind =
      ends - 1 - at::arange(longest, at::TensorOptions(at::kLong).device(q.device())).view({1, 1, 1, longest});
  at::Tensor seen = behind >= 0;
  if (window > 0) seen = seen & (behind < window);
  const at::Tensor mask = seen.to(q.scalar_type()).log_();
  const at::Tensor out = attention(q.transpose(1, 2), kCache.narrow(2, 0, longest), vCache.narrow(2, 0, longest), mask);
  return out.transpose(1, 2).reshape({batch, 1, heads * d});
}

}  // namespace strata::calls
