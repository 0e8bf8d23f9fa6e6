#include "core/model/cuda_calls.h"

#include <ATen/ATen.h>
#include <c10/core/DeviceGuard.h>
#include <c10/core/Stream.h>
#include <c10/core/impl/VirtualGuardImpl.h>

#include "core/model/device.h"
#include "kernels/cuda/entries.h"

namespace strata::calls::cuda {
namespace {

template <class Entry>
Entry* find(Entry*, const char* name) {
  return reinterpret_cast<Entry*>(cudaKernel(name));
}
/// An entry point's address, looked up once; null where the module is not loaded.
#define STRATA_CUDA(entry)                                                               \
  [] {                                                                                   \
    static auto* const address = find(static_cast<decltype(&(entry))>(nullptr), #entry); \
    return address;                                                                      \
  }()

bool isKnown(const at::Tensor& x) {
  return x.scalar_type() == at::kFloat || x.scalar_type() == at::kBFloat16;
}
int elementOf(at::ScalarType dtype) {
  return dtype == at::kFloat ? 0 : 1;
}
int elementOf(const at::Tensor& x) {
  return elementOf(x.scalar_type());
}

/// Lengths on the device. All layers of a step give the same: they are copied once.
at::Tensor onDevice(const std::vector<std::int64_t>& lengths, c10::Device device) {
  thread_local std::vector<std::int64_t> last;
  thread_local at::Tensor copy;
  if (!copy.defined() || copy.device() != device || last != lengths) {
    copy = at::tensor(lengths, at::kLong).to(device);
    last = lengths;
  }
  return copy;
}

}  // namespace

void* streamOf(const at::Tensor& x) {
  if (x.is_cpu()) return nullptr;  // the emulation of the tests
  return c10::impl::VirtualGuardImpl(x.device().type()).getStream(x.device()).native_handle();
}

at::Tensor rmsNorm(const at::Tensor& x, const at::Tensor& weight, double eps) {
  const auto run = STRATA_CUDA(strata_cuda_add_rms_norm);
  if (run == nullptr || !isKnown(x) || weight.scalar_type() != x.scalar_type()) return {};
  const c10::DeviceGuard guard(x.device());
  const at::Tensor input = x.contiguous(), scale = weight.contiguous();
  at::Tensor y = at::empty_like(input);
  const std::int64_t width = input.size(-1);
  const int status = run(elementOf(x), const_cast<void*>(input.const_data_ptr()), nullptr, scale.const_data_ptr(),
                         static_cast<float>(eps), y.mutable_data_ptr(), input.numel() / width, width, streamOf(x));
  return launched("add_rms_norm", status) ? y : at::Tensor();
}

bool rotate(at::Tensor& x, const at::Tensor& cos, const at::Tensor& sin) {
  const auto run = STRATA_CUDA(strata_cuda_rope);
  if (run == nullptr || !isKnown(x) || !x.is_contiguous()) return false;
  const c10::DeviceGuard guard(x.device());
  return launched("rope", run(elementOf(x), x.mutable_data_ptr(), cos.const_data_ptr<float>(),
                              sin.const_data_ptr<float>(), x.size(0) * x.size(1), x.size(2), x.size(3), streamOf(x)));
}

at::Tensor siluMul(const at::Tensor& gate, const at::Tensor& up) {
  const auto run = STRATA_CUDA(strata_cuda_silu_mul);
  if (run == nullptr || !isKnown(gate) || up.scalar_type() != gate.scalar_type()) return {};
  const c10::DeviceGuard guard(gate.device());
  const at::Tensor g = gate.contiguous(), u = up.contiguous();
  at::Tensor y = at::empty_like(g);
  const int status =
      run(elementOf(g), g.const_data_ptr(), u.const_data_ptr(), y.mutable_data_ptr(), g.numel(), streamOf(g));
  return launched("silu_mul", status) ? y : at::Tensor();
}

bool matvec(const at::Tensor& x, at::ScalarType out, const std::vector<kernels::MatvecTarget>& targets) {
  const auto run = STRATA_CUDA(strata_cuda_matvec);
  const std::int64_t k = x.size(-1), rows = x.numel() / k;
  if (run == nullptr || !isKnown(x) || rows < 1 || rows > kernels::cuda::kMostRows ||
      targets.size() > static_cast<std::size_t>(kernels::cuda::kMostTargets)) {
    return false;
  }
  const c10::DeviceGuard guard(x.device());
  const at::Tensor input = x.contiguous();
  return launched("matvec", run(elementOf(x), elementOf(out), input.const_data_ptr(), rows, k, targets.data(),
                                static_cast<int>(targets.size()), streamOf(x)));
}

at::Tensor softmaxCrossEntropy(at::Tensor& logits, const at::Tensor& targets, double scale) {
  const auto run = STRATA_CUDA(strata_cuda_softmax_cross_entropy);
  if (run == nullptr || !isKnown(logits) || !logits.is_contiguous()) return {};
  const c10::DeviceGuard guard(logits.device());
  at::Tensor losses = at::empty({logits.size(0)}, logits.options().dtype(at::kFloat));
  const at::Tensor index = targets.contiguous();
  const int status =
      run(elementOf(logits), logits.mutable_data_ptr(), index.const_data_ptr<std::int64_t>(), static_cast<float>(scale),
          losses.mutable_data_ptr<float>(), logits.size(0), logits.size(1), streamOf(logits));
  return launched("softmax_cross_entropy", status) ? losses : at::Tensor();
}

bool appendOne(const at::Tensor& k, const at::Tensor& v, at::Tensor& kCache, at::Tensor& vCache,
               const std::vector<std::int64_t>& positions) {
  const auto run = STRATA_CUDA(strata_cuda_rope_append);
  if (run == nullptr || !isKnown(kCache) || !kCache.is_contiguous() || !vCache.is_contiguous()) return false;
  const c10::DeviceGuard guard(kCache.device());
  std::vector<std::int64_t> lengths = positions;
  for (std::int64_t& length : lengths) ++length;
  const at::Tensor keys = k.contiguous(), values = v.contiguous(), ends = onDevice(lengths, kCache.device());
  return launched("rope_append",
                  run(elementOf(kCache), nullptr, keys.const_data_ptr(), values.const_data_ptr(), nullptr, nullptr,
                      kCache.mutable_data_ptr(), vCache.mutable_data_ptr(), ends.const_data_ptr<std::int64_t>(),
                      kCache.size(0), 0, kCache.size(1), kCache.size(2), kCache.size(3), streamOf(kCache)));
}

at::Tensor cacheAttention(const at::Tensor& q, const at::Tensor& kCache, const at::Tensor& vCache, std::int64_t start,
                          std::int64_t window, double scale) {
  const auto run = STRATA_CUDA(strata_cuda_attention);
  const std::int64_t batch = q.size(0), count = q.size(1), heads = q.size(2), d = q.size(3);
  const std::int64_t most =
      q.scalar_type() == at::kFloat ? kernels::cuda::kMostHeadSize : kernels::cuda::kMostPrefillHeadSize;
  if (run == nullptr || !isKnown(q) || d > most || !kCache.is_contiguous() || !vCache.is_contiguous()) return {};
  const c10::DeviceGuard guard(q.device());
  const at::Tensor query = q.contiguous();
  const at::Tensor ends = onDevice(std::vector(static_cast<std::size_t>(batch), start + count), q.device());
  at::Tensor out = at::empty({batch, count, heads * d}, q.options());
  const int status = run(elementOf(q), query.const_data_ptr(), kCache.const_data_ptr(), vCache.const_data_ptr(),
                         ends.const_data_ptr<std::int64_t>(), window, static_cast<float>(scale), out.mutable_data_ptr(),
                         batch, count, heads, kCache.size(1), kCache.size(2), d, streamOf(q));
  return launched("attention", status) ? out : at::Tensor();
}

at::Tensor decodeAttention(const at::Tensor& q, const at::Tensor& kCache, const at::Tensor& vCache,
                           const std::vector<std::int64_t>& lengths, std::int64_t window, std::int64_t most,
                           double scale) {
  const auto run = STRATA_CUDA(strata_cuda_decode_attention);
  const auto workspaceBytes = STRATA_CUDA(strata_cuda_decode_attention_workspace);
  if (run == nullptr || workspaceBytes == nullptr || !isKnown(q) || q.size(3) > kernels::cuda::kMostHeadSize) return {};
  const c10::DeviceGuard guard(q.device());
  const std::int64_t batch = q.size(0), heads = q.size(2), kvHeads = kCache.size(1), d = q.size(3);
  const at::Tensor query = q.contiguous(), ends = onDevice(lengths, q.device());
  const at::Tensor workspace =
      at::empty({workspaceBytes(batch, heads, kvHeads, d, most)}, q.options().dtype(at::kByte));
  at::Tensor out = at::empty({batch, 1, heads * d}, q.options());
  const int status =
      run(elementOf(q), query.const_data_ptr(), kCache.const_data_ptr(), vCache.const_data_ptr(),
          ends.const_data_ptr<std::int64_t>(), window, static_cast<float>(scale), out.mutable_data_ptr(), batch, heads,
          kvHeads, kCache.size(2), d, most, nullptr, 0, workspace.mutable_data_ptr(), workspace.numel(), streamOf(q));
  return launched("decode_attention", status) ? out : at::Tensor();
}

}  // namespace strata::calls::cuda
