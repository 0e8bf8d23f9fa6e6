// strata data check: the format, rows, dropped and duplicate records of a data set; with a model also its tokens and
// what is trained on; with other data what both have in common.

#include <fmt/format.h>

#include "app/strata/cli.h"
#include "app/strata/field_options.h"
#include "core/base/json.h"
#include "core/config/train_config.h"
#include "core/data/overlap.h"
#include "core/training/data_check.h"
#include "core/training/run_setup.h"

namespace strata {
namespace {

constexpr std::size_t kListedInText = 50;

struct DataArguments {
  std::string file, against, project, config;
  int show = 0;
  FieldOptions fields;

  explicit DataArguments(CLI::App& verb) : fields(verb) {}
};

/// The fields of a training configuration that say what rows become.
struct DataFields {
  TrainConfig config;

  template <class V>
  void visit(V& v) {
    v("model", config.model, "count tokens with this model's tokenizer: a folder or a run");
    v("length", config.length, "tokens a sequence", Range{2, 1e7});
    v("columns", config.columns, "what the records' keys stand for: prompt=q,completion=a.text");
    v("train-on-prompt", config.trainOnPrompt, "loss on prompts too");
    v("question-first", config.questionFirst, "probability that a question stands before its passages", Range{0, 1});
    v("permute-passages", config.permutePassages, "a question's passages in an order drawn per row");
    v("seed", config.seed, "seed of what is drawn");
  }
};

/// What a training configuration says of the data; the command line goes over it.
Result<TrainConfig> configOf(const DataArguments& arguments) {
  DataFields fields;
  if (!arguments.config.empty()) {
    STRATA_TRY(const Json json, readJson(arguments.config));
    STRATA_CHECK(configFromJson(json, arguments.config, fields.config));
    STRATA_CHECK(checkRanges(fields.config));
    if (fields.config.model.empty()) fields.config.model = fields.config.init;
  }
  STRATA_CHECK(arguments.fields.applyTo(fields));
  return fields.config;
}

Json toJson(const std::vector<RowToken>& tokens) {
  Json json = Json::array();
  for (const RowToken& token : tokens) {
    json.push_back({{"id", token.id}, {"text", token.text}, {"trained", token.trained}});
  }
  return json;
}

/// A row's text with what is trained on in brackets: ⟦…⟧. A token without text of its own is shown as <id>.
std::string marked(const std::vector<RowToken>& tokens) {
  std::string text;
  bool inside = false;
  for (const RowToken& token : tokens) {
    if (token.trained != inside) text += token.trained ? "⟦" : "⟧";
    inside = token.trained;
    text += token.text.empty() ? "<" + std::to_string(token.id) + ">" : token.text;
  }
  return inside ? text + "⟧" : text;
}

void addLengths(const DataReport& report, Json& json, std::string& text) {
  if (report.lengths.empty()) return;
  constexpr std::pair<const char*, double> kQuantiles[] = {{"min", 0},  {"p10", .1},  {"p50", .5},
                                                           {"p90", .9}, {"p99", .99}, {"max", 1}};
  Json& lengths = json["lengths"] = Json::object();
  text += "\ntokens a row before it is cut:";
  for (const auto& [name, share] : kQuantiles) {
    const auto at = static_cast<std::size_t>(share * static_cast<double>(report.lengths.size() - 1));
    lengths[name] = report.lengths[at];
    text += fmt::format(" {} {}", name, report.lengths[at]);
  }
}

/// "…and 7 more" after a list that was cut.
void addMore(std::int64_t all, std::size_t shown, std::string& text) {
  if (all > static_cast<std::int64_t>(shown))
    text += fmt::format("\n… and {} more", all - static_cast<std::int64_t>(shown));
}

void addRecords(const DataReport& report, Json& json, std::string& text) {
  json["records"] = report.records;
  json["files"] = report.files;
  json["dropped_rows"] = report.droppedRows;
  json["duplicate_rows"] = report.duplicateRows;
  json["duplicates"] = Json::array();
  std::size_t shown = 0;
  for (const DroppedRow& row : report.dropped) {
    json["dropped"].push_back({{"file", row.file}, {"line", row.line}, {"reason", row.reason}});
    if (shown++ < kListedInText) text += "\n" + row.sentence();
  }
  addMore(report.droppedRows, std::min(shown, kListedInText), text);
  shown = 0;
  for (const DuplicateRow& row : report.duplicates) {
    json["duplicates"].push_back(
        {{"file", row.file}, {"line", row.line}, {"first_file", row.firstFile}, {"first_line", row.firstLine}});
    if (shown++ < kListedInText) {
      text += fmt::format("\n{}: the same as {}", placeOf(row.file, row.line), placeOf(row.firstFile, row.firstLine));
    }
  }
  addMore(report.duplicateRows, std::min(shown, kListedInText), text);
}

void addOverlap(const OverlapReport& overlap, const std::string& against, Json& json, std::string& text) {
  Json& answer =
      json["overlap"] = {{"against", against},
                         {"records", overlap.records},
                         {"against_records", overlap.others},
                         {"dropped_records", overlap.recordsDropped},
                         {"against_dropped_records", overlap.othersDropped},
                         {"against_first_dropped", overlap.firstDropped.empty() ? Json() : Json(overlap.firstDropped)},
                         {"same_rows", overlap.sameRows},
                         {"same_passages", overlap.samePassages},
                         {"same_words", overlap.sameWords},
                         {"words_cut", overlap.wordsCut},
                         {"rows", Json::array()}};
  text +=
      fmt::format("\noverlap with {}: {} of {} records (same row {}, same passage or prompt {}, 13 words in a row {})",
                  against, overlap.sameRows + overlap.samePassages + overlap.sameWords, overlap.records,
                  overlap.sameRows, overlap.samePassages, overlap.sameWords);
  if (overlap.othersDropped > 0) {
    text += fmt::format("\nnot compared: {} records of {} that cannot be read, the first of them {}",
                        overlap.othersDropped, against, overlap.firstDropped);
  }
  if (overlap.recordsDropped > 0) text += fmt::format("\nnot compared: {} dropped records", overlap.recordsDropped);
  std::size_t shown = 0;
  for (const OverlapRow& row : overlap.rows) {
    answer["rows"].push_back({{"file", row.file}, {"line", row.line}, {"kind", toString(row.kind)}});
    if (shown++ < kListedInText) text += fmt::format("\n{}: {}", placeOf(row.file, row.line), toString(row.kind));
  }
  addMore(static_cast<std::int64_t>(overlap.rows.size()), std::min(shown, kListedInText), text);
}

Result<std::optional<DataReader>> readerOf(const std::string& model, const std::string& project) {
  if (model.empty()) return std::optional<DataReader>();
  STRATA_TRY(const ModelLocation location, locate(model, project));
  STRATA_TRY(DataReader reader, DataReader::of(location, model));
  return std::optional(std::move(reader));
}

Result<int> run(const DataArguments& arguments, const Output& out) {
  STRATA_TRY(const TrainConfig config, configOf(arguments));
  if (arguments.show > 0 && config.model.empty()) {
    return fail(ErrorCode::usage, "Rows are shown as a model's tokens; give --model.", "--show");
  }
  STRATA_TRY(const std::optional<DataReader> reader, readerOf(config.model, arguments.project));
  STRATA_TRY(const CheckedData checked, checkDataSet(arguments.file, rowOptions(config), reader ? &*reader : nullptr));
  const DataReport& report = checked.report;
  std::vector<std::vector<RowToken>> shown;
  for (std::size_t i = 0; checked.data && i < checked.data->rows().size(); ++i) {
    if (i == static_cast<std::size_t>(arguments.show)) break;
    shown.push_back(tokensOf(checked.data->rows()[i], *reader->tokenizer));
  }
  Json json = {{"format", report.format}, {"rows", report.rows}, {"dropped", Json::array()}};
  std::string text = fmt::format("{}, {} rows", report.format.empty() ? "unknown format" : report.format, report.rows);
  if (checked.data) {
    json["tokens"] = report.tokens;
    json["trained_tokens"] = report.trainedTokens;
    json["truncated"] = report.truncated;
    text += fmt::format(", {} tokens, {} of them trained on, {} rows truncated at {}", report.tokens,
                        report.trainedTokens, report.truncated, config.length);
    addLengths(report, json, text);
  }
  text +=
      fmt::format("\n{} records, {} dropped, {} duplicates", report.records, report.droppedRows, report.duplicateRows);
  addRecords(report, json, text);
  json["refused"] = checked.refused ? Json(checked.refused->message) : Json();
  if (!arguments.against.empty()) {
    STRATA_TRY(const OverlapReport overlap, findOverlap(arguments.file, arguments.against, config.columns));
    addOverlap(overlap, arguments.against, json, text);
  }
  if (arguments.show > 0) json["shown"] = Json::array();
  for (const std::vector<RowToken>& tokens : shown) {
    json["shown"].push_back(toJson(tokens));
    text += "\n--\n" + marked(tokens);
  }
  if (checked.refused) text += "\ntraining would refuse these data: " + checked.refused->message;
  // Else one answer that is both: what was found, and the error.
  if (checked.failed) json["error"] = errorToJson(*checked.refused);
  out.answer(json, text);
  return checked.failed ? exitCodeOf(*checked.refused) : 0;
}

}  // namespace

VerbAction addData(CLI::App& verb, const Output& out) {
  verb.require_subcommand(1);
  verb.fallthrough();
  CLI::App* check = verb.add_subcommand("check", "Format, rows, and what is wrong with some");
  check->fallthrough();
  auto arguments = std::make_shared<DataArguments>(*check);
  check->add_option("file", arguments->file, "a file of text, JSONL, JSON, CSV or Parquet, or a folder of them")
      ->required()
      ->type_name("FILE");
  check->add_option("--against", arguments->against, "other data, held out say: what both have in common")
      ->type_name("FILE");
  check->add_option("--project", arguments->project, "project folder, so that --model may be a run's id")
      ->type_name("DIR");
  check->add_option("--config", arguments->config, "a training configuration: its model and what it says of the data")
      ->type_name("FILE");
  check->add_option("--show", arguments->show, "show the first N rows with what is trained on marked (needs --model)")
      ->check(CLI::Range(0, 100000))
      ->type_name("N");
  arguments->fields.add(DataFields());
  return [arguments, &out] { return run(*arguments, out); };
}

}  // namespace strata
