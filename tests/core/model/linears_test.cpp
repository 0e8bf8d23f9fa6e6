// Linear layers of one input as one autograd function: its gradients are those of the plain formula, and what nobody
// reads is not computed.

#include <ATen/record_function.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>

#include <cstring>

#include "core/model/decoder.h"
#include "core/model/differentiable.h"
#include "core/routing/sharing_map.h"
#include "golden_sessions.h"

namespace strata::testing {
namespace {

at::Tensor leaf(at::IntArrayRef shape, at::ScalarType dtype, bool trains) {
  return (0.3 * at::randn(shape)).to(dtype).requires_grad_(trains);
}

/// Three layers that differ: a bias, a LoRA of rank 3, a bias and a LoRA of rank 1.
std::vector<Linear> threeLayers(at::ScalarType frozen, bool lora) {
  std::vector<Linear> layers(3);
  const std::int64_t sizes[] = {11, 6, 9}, ranks[] = {0, 3, 1};
  for (std::size_t i = 0; i < 3; ++i) {
    layers[i].weight = leaf({sizes[i], 8}, frozen, !lora);
    if (i != 1) layers[i].bias = leaf({sizes[i]}, frozen, !lora);
    if (!lora || ranks[i] == 0) continue;
    layers[i].loraA = leaf({ranks[i], 8}, at::kFloat, true);
    layers[i].loraB = leaf({sizes[i], ranks[i]}, at::kFloat, true);
    layers[i].loraScale = 0.5 + static_cast<double>(i);
  }
  return layers;
}

at::Tensor plainLinear(const at::Tensor& x, const Linear& layer) {
  const auto wide = [](const at::Tensor& tensor) { return tensor.defined() ? tensor.to(at::kDouble) : tensor; };
  const at::Tensor y = at::linear(x, wide(layer.weight), wide(layer.bias));
  if (!layer.loraA.defined()) return y;
  return y + layer.loraScale * at::linear(at::linear(x, wide(layer.loraA)), wide(layer.loraB));
}

std::vector<at::Tensor> trainedOf(const at::Tensor& x, const std::vector<Linear>& layers) {
  std::vector<at::Tensor> trained = {x};
  for (const Linear& layer : layers) {
    for (const at::Tensor& each : {layer.weight, layer.bias, layer.loraA, layer.loraB}) {
      if (each.defined() && each.requires_grad()) trained.push_back(each);
    }
  }
  return trained;
}

/// The second layer's result is used only where `all`, as keys that nobody reads.
void expectTheGradientsOfThePlainFormula(at::ScalarType dtype, bool lora, bool all) {
  SCOPED_TRACE(std::string(lora ? "LoRA" : "full") + (all ? "" : ", one result unused"));
  at::manual_seed(3);
  const at::Tensor x = leaf({2, 5, 8}, dtype, true);
  const std::vector<Linear> layers = threeLayers(lora ? dtype : at::kFloat, lora);
  const std::vector<at::Tensor> trained = trainedOf(x, layers);
  at::Tensor sum = at::zeros({}, at::kDouble), plainSum = at::zeros({}, at::kDouble);
  const std::vector<at::Tensor> results = linears(x, {&layers[0], &layers[1], &layers[2]});
  for (std::size_t i = 0; i < 3; ++i) {
    const at::Tensor plain = plainLinear(x.to(at::kDouble), layers[i]);
    const double unit = dtype == at::kFloat ? 1e-6 : 8e-3;
    EXPECT_LE((results[i].to(at::kDouble) - plain).norm().item<double>(), 2 * unit * plain.norm().item<double>());
    if (i == 1 && !all) continue;
    const at::Tensor weights = at::randn(plain.sizes(), at::kDouble);
    sum = sum + (results[i].to(at::kDouble) * weights).sum();
    plainSum = plainSum + (plain * weights).sum();
  }
  const auto gradients = torch::autograd::grad({sum}, trained, {}, false, false, true);
  const auto plain = torch::autograd::grad({plainSum}, trained, {}, false, false, true);
  for (std::size_t i = 0; i < trained.size(); ++i) {
    ASSERT_EQ(gradients[i].defined(), plain[i].defined()) << i;
    if (!plain[i].defined()) continue;
    EXPECT_EQ(gradients[i].scalar_type(), trained[i].scalar_type());
    EXPECT_TRUE(gradients[i].is_contiguous());
    const double unit = dtype == at::kFloat ? 1e-6 : 1.2e-2;
    EXPECT_LE((gradients[i] - plain[i]).to(at::kDouble).norm().item<double>(),
              2 * unit * plain[i].to(at::kDouble).norm().item<double>())
        << i;
  }
}

TEST(Linears, HaveTheGradientsOfThePlainFormula) {
  for (const at::ScalarType dtype : {at::kFloat, at::kBFloat16}) {
    for (const bool lora : {false, true}) {
      for (const bool all : {true, false}) expectTheGradientsOfThePlainFormula(dtype, lora, all);
    }
  }
}

TEST(Linears, GiveTheSameBitsWithAndWithoutGradients) {
  const at::Tensor x = leaf({2, 5, 8}, at::kBFloat16, true);
  const std::vector<Linear> layers = threeLayers(at::kBFloat16, true);
  const auto with = linears(x, {&layers[0], &layers[1], &layers[2]});
  const c10::NoGradGuard guard;
  const auto without = linears(x, {&layers[0], &layers[1], &layers[2]});
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_TRUE(with[i].requires_grad());
    EXPECT_TRUE(at::equal(with[i], without[i]));
  }
}

thread_local int productsSeen = 0;

/// Products of a layer's input with a weight while it lives.
class CountedProducts {
 public:
  CountedProducts() { productsSeen = 0; }
  ~CountedProducts() { at::removeCallback(m_handle); }
  CountedProducts(const CountedProducts&) = delete;
  CountedProducts& operator=(const CountedProducts&) = delete;
  int count() const { return productsSeen; }

 private:
  static std::unique_ptr<at::ObserverContext> see(const at::RecordFunction& function) {
    for (const char* name : {"aten::mm", "aten::addmm"})
      productsSeen += std::strcmp(function.name(), name) == 0 ? 1 : 0;
    return nullptr;
  }
  at::CallbackHandle m_handle =
      at::addThreadLocalCallback(at::RecordFunctionCallback(&see).scopes({at::RecordScope::FUNCTION}));
};

TEST(Linears, OfKeysAndValuesThatNobodyReadAreNotComputed) {
  const auto model = golden("llama31-gqa");
  const at::Tensor ids = at::arange(6, at::kLong).unsqueeze(0);
  LayerContext context;
  context.config = &model->config();
  context.rotation = rotationOf(model->rope(), at::arange(6, at::kLong));
  const int layers = model->config().layers;
  for (const bool trains : {false, true}) {
    Weights weights = model->weights();
    visitParameters(weights, model->config().tied, [&](const std::string&, at::Tensor& tensor) {
      tensor = tensor.detach().clone().requires_grad_(trains);
    });
    const auto productsUnder = [&](const SharingMap& map) {
      const CountedProducts counted;
      (void)forwardHidden(weights, at::kFloat, ids, map, context);
      return counted.count();
    };
    EXPECT_EQ(productsUnder(SharingMap::full(layers)), 7 * layers);
    for (const char* text : {"stride:2", "even:1", "prefix:2"}) {
      const SharingMap map = *parseMap(text, layers);
      EXPECT_EQ(productsUnder(map), 7 * layers - 2 * (layers - map.owners())) << text;
    }
  }
}

}  // namespace
}  // namespace strata::testing
