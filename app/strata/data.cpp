// strata data check: the format, rows and broken lines of a data set; with a model also its tokens.

#include <fmt/format.h>

#include "app/strata/cli.h"
#include "core/base/json.h"
#include "core/config/train_config.h"
#include "core/data/dataset.h"
#include "core/data/records.h"

namespace strata {
namespace {

struct DataArguments {
  std::string file, model, project, config;
  std::optional<int> length;
};

/// What a training configuration says of the data; the command line goes over it.
Result<TrainConfig> configOf(const DataArguments& arguments) {
  TrainConfig config;
  if (!arguments.config.empty()) {
    STRATA_TRY(const Json json, readJson(arguments.config));
    STRATA_CHECK(configFromJson(json, arguments.config, config));
    STRATA_CHECK(checkRanges(config));
  }
  if (!arguments.model.empty()) {
    config.model = arguments.model;
  } else if (config.model.empty()) {
    config.model = config.init;
  }
  if (arguments.length) config.length = *arguments.length;
  return config;
}

Result<DataReport> reportOf(const DataArguments& arguments, const TrainConfig& train) {
  if (train.model.empty()) return checkData(arguments.file);
  STRATA_TRY(const ModelLocation location, locate(train.model, arguments.project));
  STRATA_TRY(const ModelConfig config, readModelConfig(location.folder));
  STRATA_TRY(const auto tokenizer, openTokenizer(location.folder));
  if (!tokenizer) {
    return fail(ErrorCode::notFound, "The model " + train.model + " has no tokenizer files.", "--model");
  }
  STRATA_TRY(const Dataset data,
             Dataset::open(arguments.file, *tokenizer,
                           {.length = train.length, .trainOnPrompt = train.trainOnPrompt, .vocab = config.vocab}));
  return data.report();
}

Result<int> run(const DataArguments& arguments, const Output& out) {
  STRATA_TRY(const TrainConfig config, configOf(arguments));
  STRATA_TRY(const DataReport report, reportOf(arguments, config));
  Json json = {{"format", report.format}, {"rows", report.rows}, {"dropped", Json::array()}};
  std::string text = fmt::format("{}, {} rows", report.format, report.rows);
  if (!config.model.empty()) {
    json["tokens"] = report.tokens;
    json["trained_tokens"] = report.trainedTokens;
    json["truncated"] = report.truncated;
    text += fmt::format(", {} tokens, {} of them trained on, {} rows truncated at {}", report.tokens,
                        report.trainedTokens, report.truncated, config.length);
  }
  for (const DroppedRow& row : report.dropped) {
    json["dropped"].push_back({{"file", row.file}, {"line", row.line}, {"reason", row.reason}});
    text += fmt::format("\n{}:{}: {}", row.file, row.line, row.reason);
  }
  out.answer(json, text);
  return 0;
}

}  // namespace

VerbAction addData(CLI::App& verb, const Output& out) {
  auto arguments = std::make_shared<DataArguments>();
  verb.require_subcommand(1);
  verb.fallthrough();
  CLI::App* check = verb.add_subcommand("check", "Format, rows, and what is wrong with some");
  check->fallthrough();
  check->add_option("file", arguments->file, "text or JSONL file, or a folder of them")->required()->type_name("FILE");
  check->add_option("--model", arguments->model, "count tokens with this model's tokenizer")->type_name("MODEL");
  check->add_option("--project", arguments->project, "project folder, so that --model may be a run's id")
      ->type_name("DIR");
  check->add_option("--length", arguments->length, "tokens a sequence (default 256)")->check(CLI::Range(2, 10000000));
  check->add_option("--config", arguments->config, "a training configuration: its model, length and train-on-prompt")
      ->type_name("FILE");
  return [arguments, &out] { return run(*arguments, out); };
}

}  // namespace strata
