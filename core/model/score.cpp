#include "core/model/score.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <torch/csrc/autograd/autograd.h>

#include <algorithm>

#include "core/model/decoder.h"
#include "core/model/loss.h"
#include "core/model/memory.h"

namespace strata {
namespace {

LayerContext contextOf(const Model& model, std::int64_t tokens) {
  LayerContext context;
  context.config = &model.config();
  context.kv = model.kvFormat();
  context.rotation = rotationOf(model.rope(), at::arange(tokens, at::TensorOptions(at::kLong).device(model.device())));
  return context;
}

/// L2 norms of the gradient of the mean loss over all windows, in fp32.
std::map<std::string, double> gradientNorms(const Model& model, const SharingMap& routing,
                                            const std::vector<std::vector<TokenId>>& windows, std::int64_t tokens) {
  const c10::AutoGradMode enable(true);
  Weights weights = model.weights();
  const bool tied = model.config().tied;
  std::map<std::string, at::Tensor> leaves;
  visitParameters(weights, tied, [&](const std::string& name, at::Tensor& tensor) {
    tensor = tensor.detach().to(at::kFloat).requires_grad_(true);
    leaves[name] = tensor;
  });
  for (const auto& window : windows) {
    if (window.size() < 2) continue;
    const at::Tensor ids = at::tensor(window, at::kInt).to(model.device(), at::kLong).unsqueeze(0);
    const at::Tensor hidden =
        forwardHidden(weights, at::kFloat, ids, routing, contextOf(model, ids.size(1)), {.checkpointing = true});
    const at::Tensor predicting = hidden[0].narrow(0, 0, ids.size(1) - 1);
    const at::Tensor loss = vocabularyLoss(predicting, {}, weights.head.weight, ids[0].narrow(0, 1, ids.size(1) - 1),
                                           1.0 / static_cast<double>(tokens));
    torch::autograd::backward({loss}, {});
  }
  std::map<std::string, double> norms;
  for (const auto& [name, tensor] : leaves) {
    norms[name] = tensor.grad().defined() ? tensor.grad().to(at::kDouble).norm().item<double>() : 0.0;
  }
  return norms;
}

}  // namespace

Result<ScoreResult> scoreWindows(const Model& model, const SharingMap& routing,
                                 const std::vector<std::vector<TokenId>>& windows, const ScoreOptions& options) {
  ScoreResult result;
  for (const auto& window : windows) {
    for (const TokenId id : window) {
      if (id < 0 || id >= model.config().vocab) {
        return fail(ErrorCode::usage, "The token id " + std::to_string(id) + " is outside the vocabulary of " +
                                          std::to_string(model.config().vocab) + ".");
      }
    }
  }
  if (options.gradNorms && model.weights().head.quantized) {
    return fail(ErrorCode::usage, "Gradients are of the weights as they are stored; open the model so.", "--weights");
  }
  if (options.gradNorms && model.kvFormat() != KvFormat::plain) {
    return fail(ErrorCode::usage,
                "Gradients do not pass through a KV cache in 8 bits; open the model with a plain one.", "--kv");
  }
  STRATA_CHECK(model.checkFiles());
  try {
    std::vector<at::Tensor> logits;
    for (const auto& window : windows) {
      const c10::NoGradGuard guard;
      const auto length = static_cast<std::int64_t>(window.size());
      if (length == 0 || (length < 2 && !options.logits)) continue;
      const at::Tensor ids = at::tensor(window, at::kInt).to(model.device(), at::kLong).unsqueeze(0);
      const at::Tensor hidden =
          forwardHidden(model.weights(), model.dtype(), ids, routing, contextOf(model, length))[0];
      if (options.logits) logits.push_back(headLogits(hidden, model.weights().head).to(at::kFloat));
      if (length < 2) continue;
      const at::Tensor losses =
          tokenLosses(hidden.narrow(0, 0, length - 1), model.weights().head, ids[0].narrow(0, 1, length - 1));
      result.nllSum += losses.to(at::kDouble).sum().item<double>();
      result.tokens += length - 1;
    }
    STRATA_CHECK(model.checkMapped());
    if (options.logits && !logits.empty()) result.logits = at::cat(logits);
    if (result.tokens == 0 && !options.logits) {
      return fail(ErrorCode::usage,
                  "There is nothing to predict: the text has fewer than two tokens; give a longer one.");
    }
    if (!std::isfinite(result.nllSum)) {
      return fail(ErrorCode::invalidData,
                  "The model's logits are not finite numbers; check the model for broken weights.", "logits");
    }
    if (options.gradNorms) result.gradNorms = gradientNorms(model, routing, windows, result.tokens);
    return result;
  } catch (const std::exception& exception) {
    return tl::unexpected(errorFromException(exception));
  }
}

std::vector<std::vector<TokenId>> windowsOf(const std::vector<TokenId>& ids, std::int64_t context) {
  std::vector<std::vector<TokenId>> windows;
  for (std::size_t begin = 0; begin < ids.size(); begin += static_cast<std::size_t>(context)) {
    const std::size_t end = std::min(ids.size(), begin + static_cast<std::size_t>(context));
    windows.emplace_back(ids.begin() + static_cast<std::ptrdiff_t>(begin),
                         ids.begin() + static_cast<std::ptrdiff_t>(end));
  }
  return windows;
}

std::vector<std::vector<TokenId>> windowsOf(const Tokenizer& tokenizer, std::string_view text, std::int64_t context) {
  const std::vector<TokenId> ids = tokenizer.encode(text);
  const std::vector<TokenId> around = tokenizer.withSpecials({});  // BOS, where the tokenizer adds one
  const auto bos = tokenizer.bosId();
  const bool addsBos = bos && !around.empty() && around.front() == *bos;
  auto windows = windowsOf(ids, std::max<std::int64_t>(1, addsBos ? context - 1 : context));
  if (addsBos) {
    for (auto& window : windows) window.insert(window.begin(), *bos);
  }
  return windows;
}

}  // namespace strata
