// strata score: negative log-likelihood of a text or of ids under a map or any training routing.

#include "core/model/score.h"

#include <ATen/ATen.h>
#include <fmt/format.h>

#include <cmath>
#include <map>

#include "app/strata/cli.h"

namespace strata {
namespace {

struct ScoreArguments {
  ModelOptions model;
  std::string text;
  std::string ids;
  std::string map;
  std::string logits;
  bool gradNorms = false;
};

using Windows = std::vector<std::vector<TokenId>>;

Result<Windows> windowsFrom(const ScoreArguments& arguments, const Model& model) {
  if (arguments.text.empty()) {
    STRATA_TRY(const std::vector<TokenId> ids, parseIds(arguments.ids));
    return windowsOf(ids, model.context());
  }
  STRATA_TRY(const Tokenizer* tokenizer, model.needTokenizer());
  STRATA_TRY(const std::string text, readUtf8File(arguments.text));
  Windows windows;
  for (const std::string& document : splitDocuments(text)) {
    for (auto& window : windowsOf(*tokenizer, document, model.context())) windows.push_back(std::move(window));
  }
  return windows;
}

/// Window by window, so that a cancel is seen and progress shown; gradients are of the mean over all of them.
Result<ScoreResult> scoreAll(const Model& model, const SharingMap& routing, const Windows& windows,
                             const ScoreOptions& options) {
  if (options.gradNorms || windows.size() < 2) return scoreWindows(model, routing, windows, options);
  Progress progress("Scoring", static_cast<std::int64_t>(windows.size()));
  ScoreResult all;
  std::vector<at::Tensor> logits;
  for (std::size_t i = 0; i < windows.size(); ++i) {
    if (cancelFlag()) return fail(ErrorCode::cancelled, "Scoring was cancelled.");
    if (windows[i].size() < 2 && !options.logits) continue;
    STRATA_TRY(const ScoreResult one, scoreWindows(model, routing, {windows[i]}, options));
    all.nllSum += one.nllSum;
    all.tokens += one.tokens;
    if (options.logits) logits.push_back(one.logits);
    progress.update(static_cast<std::int64_t>(i + 1), fmt::format("nll {:.4f}", all.nll()));
  }
  if (!logits.empty()) all.logits = at::cat(logits);
  return all;
}

Result<void> writeLogits(const at::Tensor& logits, const std::string& path) {
  const at::Tensor host = logits.cpu().contiguous();
  const TensorToWrite tensor{
      "logits", DType::f32, host.sizes().vec(), {static_cast<const std::byte*>(host.const_data_ptr()), host.nbytes()}};
  return writeSafetensors(path, {tensor});
}

Result<int> run(const ScoreArguments& arguments, const Output& out) {
  if (arguments.text.empty() == arguments.ids.empty()) {
    return fail(ErrorCode::usage, "Give what to score either by --text or by --ids.", "--text");
  }
  STRATA_TRY(const OpenedModel opened, openModel(arguments.model));
  const Model& model = *opened.model;
  STRATA_TRY(const NamedMap map, chooseMap(arguments.map, model, MapKind::training));
  STRATA_TRY(const Windows windows, windowsFrom(arguments, model));
  std::int64_t scored = 0, predicted = 0;
  for (const auto& window : windows) {
    const auto length = static_cast<std::int64_t>(window.size());
    scored += length;
    predicted += std::max<std::int64_t>(0, length - 1);
  }
  if (predicted == 0 && (arguments.logits.empty() || scored == 0)) {
    return fail(ErrorCode::usage, "There is nothing to predict: fewer than two tokens were given.",
                arguments.text.empty() ? "--ids" : arguments.text);
  }
  const ScoreOptions options{.logits = !arguments.logits.empty(), .gradNorms = arguments.gradNorms};
  STRATA_TRY(const ScoreResult result, scoreAll(model, map.map, windows, options));
  if (options.logits) STRATA_CHECK(writeLogits(result.logits, arguments.logits));

  const std::optional<std::int64_t> kv =
      map.map.isInference() ? std::optional(kvBytes(map.map, model.config().shape(), scored, model.kvStorage()))
                            : std::nullopt;
  Json json = {{"nll", result.nll()},
               {"tokens", result.tokens},
               {"perplexity", std::exp(result.nll())},
               {"map", map.name},
               {"src", map.map.src()},
               {"kv_bytes", kv ? Json(*kv) : Json(nullptr)},
               {"dtype", configName(fromTorch(model.dtype()))},
               {"kv_dtype", model.kvName()},
               {"windows", windows.size()}};
  std::map<std::string, double> norms;  // adapter weights under the names of PEFT's files
  for (const auto& [name, norm] : result.gradNorms) {
    norms[name.find(".lora_") == std::string::npos ? name : "base_model.model." + name] = norm;
  }
  if (arguments.gradNorms) json["grad_norms"] = norms;
  std::string text = fmt::format("{:.6f} nats per token over {} tokens, perplexity {:.4f}, map {}", result.nll(),
                                 result.tokens, std::exp(result.nll()), map.name);
  text += kv ? ", KV cache " + printBytes(*kv) : ", a training routing";
  for (const auto& [name, norm] : norms) text += fmt::format("\n{:<60} {:.6g}", name, norm);
  out.answer(json, text);
  return 0;
}

}  // namespace

VerbAction addScore(CLI::App& verb, const Output& out) {
  auto arguments = std::make_shared<ScoreArguments>();
  arguments->model.addTo(verb);
  verb.add_option("--text", arguments->text, "UTF-8 text, scored in windows of the context")->type_name("FILE");
  verb.add_option("--ids", arguments->ids, "token ids, taken as given: 1,2,3 or @FILE")->type_name("IDS");
  verb.add_option("--map", arguments->map,
                  "sharing map, or any training routing (default: the model's own, else full)");
  verb.add_option("--logits", arguments->logits, "write all logits, tensor \"logits\" [T, V]")
      ->type_name("OUT.safetensors");
  verb.add_flag("--grad-norms", arguments->gradNorms, "L2 norm of each parameter's gradient of the mean loss");
  return [arguments, &out] { return run(*arguments, out); };
}

}  // namespace strata
