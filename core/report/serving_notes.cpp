// How programs use an export under its map: for its README.md, and for the window.

#include <algorithm>
#include <bit>

#include "core/config/describe.h"
#include "core/report/numbers.h"
#include "core/report/report.h"
#include "core/report/texts.h"

namespace strata {
namespace {

constexpr std::int64_t kGiB = std::int64_t{1} << 30;
constexpr std::int64_t kBlock = 16;           // tokens, vLLM's default on a GPU
constexpr std::uint64_t kPlainLoraRank = 16;  // vLLM's default for --max-lora-rank
constexpr const char* kPackage = "with Strata's package `strata-serving`";

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

void tellOfCrossings(const ExportedModel& model, ServingUse& vllm, ServingUse& transformers) {
  const std::string crossings = crossingsOf(model);
  if (crossings.empty()) return;
  vllm.problem = "vLLM refuses a map that crosses sliding and full layers (" + crossings + ").";
  transformers.problem = "The map crosses sliding and full layers (" + crossings +
                         "): every position of every layer is kept, so that it saves less.";
}

std::string inPython(const std::string& text) {
  std::string quoted = "\"";
  for (const char letter : text) {
    if (letter == '"' || letter == '\\') quoted += '\\';
    quoted += letter;
  }
  return quoted + "\"";
}

std::string sourcesOf(const SharingMap& map) {
  std::string text = "[";
  for (int layer = 0; layer < map.layers(); ++layer) {
    text += (layer == 0 ? "" : ", ") + std::to_string(map[layer]);
  }
  return text + "]";
}

std::string vllmSays(const SharingMap& map) {
  return "its log says `Strata: " + std::to_string(map.owners()) + " of " + std::to_string(map.layers()) +
         " layers keep keys and values`";
}

/// Rows of a table in Markdown.
std::string rowsOf(const std::vector<ServingUse>& uses) {
  std::string rows;
  for (const ServingUse& use : uses) {
    const bool can = !use.command.empty();
    rows += "| " + use.program + (use.needs.empty() ? "" : " " + use.needs) + " | " +
            (can ? "`" + use.command + "`" : "none") + " | " + (can ? use.check : use.problem) + " |\n";
  }
  return rows;
}

}  // namespace

std::vector<ServingUse> servingUses(const ExportedModel& model, const std::string& place) {
  ServingUse strata{.program = "Strata"};
  strata.command = "strata serve " + shellQuoted(place);
  strata.check = "each answer tells `kv_bytes` and `kv_bytes_full`";
  ServingUse vllm{.program = "vLLM", .needs = kPackage};
  vllm.command = "vllm serve " + shellQuoted(place);
  vllm.check = vllmSays(model.map);
  ServingUse transformers{.program = "transformers"};
  if (model.remoteCode) {
    transformers.setup = "from transformers import AutoModelForCausalLM";
    transformers.command =
        "model = AutoModelForCausalLM.from_pretrained(" + inPython(place) + ", trust_remote_code=True)";
  } else {
    transformers.needs = kPackage;
    transformers.setup = "import strata_hf";
    transformers.command = "model = strata_hf.load(" + inPython(place) + ")";
  }
  transformers.check = "`model.shares` is true";
  tellOfCrossings(model, vllm, transformers);
  return {strata, vllm, transformers};
}

std::string servingNotes(const ExportedModel& model) {
  const std::int64_t fullTokens = kGiB / (model.layerBytes * model.map.layers());
  const std::int64_t tokens = kGiB / (model.layerBytes * model.map.owners());
  const std::string crossings = crossingsOf(model);
  const std::string warning = "\n**This map crosses sliding and full layers** (" + crossings +
                              "). Strata serves it. transformers keeps every position of every layer for it, so that "
                              "it saves less, and vLLM refuses it.\n";
  return filledPage(kServingPage, {{"rows", rowsOf(servingUses(model, model.name))},
                                   {"owners", std::to_string(model.map.owners())},
                                   {"layers", std::to_string(model.map.layers())},
                                   {"tokens", printCount(tokens)},
                                   {"blocks", printCount(tokens / kBlock)},
                                   {"full_tokens", printCount(fullTokens)},
                                   {"full_blocks", printCount(fullTokens / kBlock)},
                                   {"crossing", crossings.empty() ? "" : warning}});
}

std::vector<ServingUse> servingUses(const ExportedAdapter& adapter, const std::string& place) {
  const SharingMap& map = adapter.adapter.map;
  ServingUse strata{.program = "Strata"};
  strata.command = "strata serve " + shellQuoted(adapter.base) + " --adapter " + shellQuoted(place);
  strata.check = "ask for `\"model\": \"" + adapter.baseName + "@" + printMap(map) +
                 "\"`; each answer tells `kv_bytes` and `kv_bytes_full`";
  ServingUse vllm{.program = "vLLM", .needs = kPackage};
  ServingUse transformers{.program = "transformers", .needs = kPackage};
  if (adapter.gguf) {
    vllm.problem = transformers.problem =
        "Sharing is not tested there with a GGUF file as base. Export the merged adapter instead.";
    return {strata, vllm, transformers};
  }
  const std::string overrides = R"({"strata": {"map": )" + sourcesOf(map) + "}}";
  const auto rank = std::bit_ceil(static_cast<std::uint64_t>(std::max<std::int64_t>(adapter.rank, 1)));
  vllm.command = "vllm serve " + shellQuoted(adapter.base) + " --hf-overrides " + shellQuoted(overrides) +
                 " --enable-lora " +
                 (rank > kPlainLoraRank ? "--max-lora-rank " + std::to_string(rank) + " " : std::string()) +
                 "--lora-modules " + shellQuoted(adapter.adapter.name + "=" + place);
  vllm.check = vllmSays(map);
  transformers.setup = "import strata_hf, peft";
  transformers.command = "model = peft.PeftModel.from_pretrained(strata_hf.load(" + inPython(adapter.base) +
                         ", map=" + sourcesOf(map) + "), " + inPython(place) + ")";
  transformers.check = "`model.shares` is true";
  tellOfCrossings(adapter.adapter, vllm, transformers);
  return {strata, vllm, transformers};
}

std::string servingNotes(const ExportedAdapter& adapter) {
  const SharingMap& map = adapter.adapter.map;
  return filledPage(kAdapterPage, {{"name", adapter.adapter.name},
                                   {"base", adapter.base},
                                   {"map", printMap(map)},
                                   {"owners", std::to_string(map.owners())},
                                   {"layers", std::to_string(map.layers())},
                                   {"rows", rowsOf(servingUses(adapter, adapter.adapter.name))}});
}

}  // namespace strata
