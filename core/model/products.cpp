#include "core/model/products.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "core/model/threads.h"
#include "kernels/gemm.h"

namespace strata::calls {
namespace {

/// In fp32 LibTorch's own products are as fast.
bool usesKernel(const at::Tensor& input) {
  return input.is_cpu() && input.scalar_type() == at::kBFloat16 && kernels::gemmIsFast();
}

kernels::Element elementOf(at::ScalarType dtype) {
  TORCH_INTERNAL_ASSERT(dtype == at::kFloat || dtype == at::kBFloat16);
  return dtype == at::kFloat ? kernels::Element::f32 : kernels::Element::bf16;
}

/// A view whose elements lie side by side along its rows or its columns.
at::Tensor dense(const at::Tensor& matrix) {
  TORCH_INTERNAL_ASSERT(matrix.dim() == 2);
  return matrix.stride(1) == 1 || matrix.stride(0) == 1 ? matrix : matrix.contiguous();
}

bool isTransposed(const at::Tensor& matrix) {
  return matrix.stride(1) != 1;
}

std::int64_t strideOf(const at::Tensor& matrix) {
  return matrix.stride(isTransposed(matrix) ? 1 : 0);
}

at::Tensor resultOf(const Products& sum, const at::Tensor& input, at::ScalarType dtype) {
  if (!sum.into.defined()) return at::empty({input.size(0), sum.factors[0].b.size(0)}, input.options().dtype(dtype));
  TORCH_INTERNAL_ASSERT(sum.into.scalar_type() == dtype && sum.into.is_contiguous());
  return sum.into;
}

/// Into sum.into itself where that has the inputs' dtype.
std::vector<at::Tensor> byLibTorch(const std::vector<at::Tensor>& inputs, const std::vector<Products>& sums,
                                   at::ScalarType dtype) {
  const at::ScalarType compute = inputs[0].scalar_type();
  std::vector<at::Tensor> results;
  for (const Products& sum : sums) {
    const bool direct = sum.into.defined() && sum.into.scalar_type() == compute;
    at::Tensor y = direct ? sum.into : at::Tensor();
    bool holds = direct && sum.adds;
    for (const Factor& factor : sum.factors) {
      const at::Tensor& input = inputs[static_cast<std::size_t>(factor.input)];
      const at::Tensor b = factor.b.to(compute).t();
      if (holds) {
        y.addmm_(input, b);
      } else if (direct) {
        at::mm_out(y, input, b);
      } else {
        y = sum.bias.defined() ? at::addmm(sum.bias.to(compute), input, b) : at::mm(input, b);
      }
      holds = true;
    }
    if (direct && sum.bias.defined()) y.add_(sum.bias.to(compute));
    if (sum.into.defined() && !direct) {
      if (sum.adds) {
        sum.into.add_(y);
      } else {
        sum.into.copy_(y);
      }
      y = sum.into;
    }
    results.push_back(y.to(dtype));
  }
  return results;
}

}  // namespace

std::vector<at::Tensor> products(const std::vector<at::Tensor>& inputs, const std::vector<Products>& sums,
                                 at::ScalarType dtype) {
  if (!usesKernel(inputs[0])) return byLibTorch(inputs, sums, dtype);
  std::vector<at::Tensor> held, results;  // while the kernel reads them
  std::vector<kernels::GemmInput> rows;
  for (const at::Tensor& input : inputs) {
    held.push_back(dense(input));
    const at::Tensor& a = held.back();
    TORCH_INTERNAL_ASSERT(a.scalar_type() == at::kBFloat16 && a.size(0) == inputs[0].size(0));
    rows.push_back({a.const_data_ptr(), strideOf(a), isTransposed(a), a.size(1)});
  }
  std::vector<std::vector<kernels::GemmFactor>> factors;
  std::vector<kernels::GemmTarget> targets;
  for (const Products& sum : sums) {
    auto& own = factors.emplace_back();
    for (const Factor& factor : sum.factors) {
      held.push_back(dense(factor.b));
      const at::Tensor& b = held.back();
      TORCH_INTERNAL_ASSERT(b.size(1) == inputs[static_cast<std::size_t>(factor.input)].size(1));
      own.push_back({factor.input, b.const_data_ptr(), strideOf(b), isTransposed(b), elementOf(b.scalar_type())});
    }
    results.push_back(resultOf(sum, inputs[0], dtype));
    const void* bias = nullptr;
    if (sum.bias.defined()) {
      held.push_back(sum.bias.to(at::kBFloat16).contiguous());
      bias = held.back().const_data_ptr();
    }
    targets.push_back({own.data(), static_cast<int>(own.size()), bias, results.back().mutable_data_ptr(),
                       results.back().size(1), sum.adds});
  }
  kernels::gemm(kernels::Element::bf16, elementOf(dtype), inputs[0].size(0), rows.data(), static_cast<int>(rows.size()),
                targets.data(), static_cast<int>(targets.size()), poolStream());
  return results;
}

at::Tensor product(const at::Tensor& a, const at::Tensor& b, at::ScalarType dtype) {
  return products({a}, {{{{0, b}}, {}}}, dtype)[0];
}

LinearProducts linearProducts(const at::Tensor& x, const std::vector<const Linear*>& layers) {
  const at::ScalarType dtype = x.scalar_type();
  std::vector<at::Tensor> inputs = {x.reshape({-1, x.size(-1)})};
  std::vector<at::Tensor> ranks;
  for (const Linear* layer : layers) {
    if (layer->loraA.defined()) ranks.push_back(layer->loraA.to(dtype));
  }
  at::Tensor reduced;  // of all layers [sum of ranks, rows]
  if (!ranks.empty()) reduced = product(ranks.size() == 1 ? ranks[0] : at::cat(ranks), inputs[0], dtype);
  LinearProducts result;
  std::vector<Products> sums;
  std::int64_t rank = 0;
  for (const Linear* layer : layers) {
    Products sum{{{0, layer->weight}}, layer->bias};
    at::Tensor own;
    if (layer->loraA.defined()) {
      own = reduced.narrow(0, rank, layer->loraA.size(0)).mul_(layer->loraScale);
      rank += own.size(0);
      sum.factors.push_back({static_cast<int>(inputs.size()), layer->loraB});
      inputs.push_back(own.t());
    }
    result.reduced.push_back(own);
    sums.push_back(std::move(sum));
  }
  std::vector<std::int64_t> shape = x.sizes().vec();
  for (const at::Tensor& y : products(inputs, sums, dtype)) {
    shape.back() = y.size(1);
    result.results.push_back(at::_unsafe_view(y, shape));
  }
  return result;
}

}  // namespace strata::calls
