// The part of an export's README.md about serving it.

#include "core/report/numbers.h"
#include "core/report/report.h"
#include "core/report/texts.h"

namespace strata {
namespace {

constexpr std::int64_t kGiB = std::int64_t{1} << 30;
constexpr std::int64_t kBlock = 16;  // tokens, vLLM's default on a GPU

/// "layer 1 reads layer 0" for each layer whose owner sees another window.
std::string crossingsOf(const ExportedModel& model) {
  std::string text;
  for (std::size_t layer = 0; layer < model.windows.size(); ++layer) {
    const int source = model.map[static_cast<int>(layer)];
    if (model.windows[layer] == model.windows[static_cast<std::size_t>(source)]) continue;
    text += (text.empty() ? "layer " : ", layer ") + std::to_string(layer) + " reads layer " + std::to_string(source);
  }
  return text;
}

}  // namespace

std::string servingNotes(const ExportedModel& model) {
  const std::int64_t fullTokens = kGiB / (model.layerBytes * model.map.layers());
  const std::int64_t tokens = kGiB / (model.layerBytes * model.map.owners());
  const std::string crossings = crossingsOf(model);
  const std::string warning = "\n**This map crosses sliding and full layers** (" + crossings +
                              "). Strata serves it. transformers keeps every position of every layer for it, so that "
                              "it saves less, and vLLM refuses it.\n";
  const std::string load = "`strata_hf.load(\"" + model.name + "\")`";
  const std::string trusted = "`AutoModelForCausalLM.from_pretrained(\"" + model.name + "\", trust_remote_code=True)`";
  return filledPage(kServingPage, {{"name", model.name},
                                   {"owners", std::to_string(model.map.owners())},
                                   {"layers", std::to_string(model.map.layers())},
                                   {"with", model.remoteCode ? "" : " with `strata-serving`"},
                                   {"transformers", model.remoteCode ? trusted : load},
                                   {"tokens", printCount(tokens)},
                                   {"blocks", printCount(tokens / kBlock)},
                                   {"full_tokens", printCount(fullTokens)},
                                   {"full_blocks", printCount(fullTokens / kBlock)},
                                   {"crossing", crossings.empty() ? "" : warning}});
}

}  // namespace strata
