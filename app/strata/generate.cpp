// strata generate: goes on with a text or with ids.

#include "core/model/generate.h"

#include <fmt/format.h>

#include "app/strata/cli.h"
#include "app/strata/field_options.h"

namespace strata {
namespace {

struct GenerateOptions {
  explicit GenerateOptions(CLI::App& verb) : fields(verb) {}
  ModelOptions model;
  std::optional<std::string> prompt;
  std::string ids;
  std::string map;
  FieldOptions fields;
};

Result<std::vector<TokenId>> promptOf(const GenerateOptions& options, const Model& model) {
  if (!options.prompt) return parseIds(options.ids);
  STRATA_TRY(const Tokenizer* tokenizer, model.needTokenizer());
  return tokenizer->withSpecials(tokenizer->encode(*options.prompt));
}

Result<int> run(const GenerateOptions& options, const Output& out) {
  if (options.prompt.has_value() == !options.ids.empty()) {
    return fail(ErrorCode::usage, "Give the prompt either by --prompt or by --ids.", "--prompt");
  }
  GenerateConfig config;
  STRATA_CHECK(options.fields.applyTo(config));
  STRATA_CHECK(checkRanges(config));
  STRATA_TRY(const OpenedModel opened, openModel(options.model, options.map));
  const Model& model = *opened.model;
  STRATA_TRY(const NamedMap map, chooseMap(options.map, model));
  STRATA_TRY(const std::vector<TokenId> prompt, promptOf(options, model));

  GenerateHooks hooks;
  hooks.cancel = &cancelFlag();
  const bool hasText = model.tokenizer() != nullptr;
  if (!out.json) hooks.onToken = [](std::size_t, TokenId, const std::string& piece) { Output::stream(piece); };
  STRATA_TRY(const GenerateResult result, generate(opened.model, map.map, {prompt}, config, hooks));

  const Generated& answer = result.answers.front();
  if (out.json) {
    Output::line({{"ids", answer.ids},
                  {"text", hasText ? Json(answer.text) : Json(nullptr)},
                  {"finish", toString(answer.finish)},
                  {"kv_bytes", result.kvBytes},
                  {"prefill_s", result.prefillSeconds},
                  {"decode_s", result.decodeSeconds},
                  {"map", map.name},
                  {"src", map.map.src()},
                  {"retention", map.map.retention()},
                  {"prompt_tokens", prompt.size()}});
  } else {
    Output::stream(hasText ? "\n" : printIds(answer.ids) + "\n");
  }
  return answer.finish == Finish::cancel ? 130 : 0;
}

}  // namespace

VerbAction addGenerate(CLI::App& verb, const Output& out) {
  auto options = std::make_shared<GenerateOptions>(verb);
  options->model.addTo(verb);
  verb.add_option("--prompt", options->prompt, "text to go on with; no chat template is applied")->type_name("TEXT");
  verb.add_option("--ids", options->ids, "token ids, taken as given: 1,2,3 or @FILE")->type_name("IDS");
  verb.add_option("--map", options->map, "sharing map (default: the model's own, else full)");
  options->fields.add(GenerateConfig());
  return [options, &out] { return run(*options, out); };
}

}  // namespace strata
