#include "core/training/data_check.h"

#include "core/checkpoint/checkpoint.h"
#include "core/data/template_renderer.h"

namespace strata {
namespace {

std::optional<Error> refusalOf(const DataReport& report, const std::filesystem::path& path) {
  if (report.refusal.empty()) return std::nullopt;
  return Error{ErrorCode::invalidData, report.refusal, path.string()};
}

}  // namespace

Result<DataReader> DataReader::of(const ModelLocation& location, const std::string& name) {
  DataReader reader;
  STRATA_TRY(const ModelConfig config, readModelConfig(location.folder));
  reader.vocab = config.vocab;
  STRATA_TRY(reader.tokenizer, openTokenizer(location.folder));
  if (!reader.tokenizer) {
    return fail(ErrorCode::notFound, "The model " + name + " has no tokenizer files.", "--model");
  }
  STRATA_TRY(ChatTemplate chat, ChatTemplate::open(location.folder, location.chatTemplate));
  reader.chat = std::make_unique<TemplateRenderer>(std::move(chat));
  return reader;
}

Result<CheckedData> checkDataSet(const std::filesystem::path& path, DataOptions options, const DataReader* reader) {
  options.keepGoing = true;
  CheckedData checked;
  if (reader != nullptr) {
    options.vocab = reader->vocab;
    options.chat = reader->chat.get();
    Result<Dataset> data = Dataset::open(path, *reader->tokenizer, options);
    if (data) {
      checked.report = data->report();
      checked.refused = refusalOf(checked.report, path);
      checked.failed = !checked.report.readToTheEnd;
      checked.data = std::move(*data);
      return checked;
    }
    if (data.error().code != ErrorCode::invalidData && data.error().code != ErrorCode::unsupported) {
      return tl::unexpected(std::move(data).error());
    }
    checked.refused = std::move(data).error();
  }
  STRATA_TRY(checked.report, checkData(path, options));
  checked.failed = checked.refused || !checked.report.readToTheEnd || checked.report.rows == 0;
  if (!checked.refused) checked.refused = refusalOf(checked.report, path);
  return checked;
}

std::vector<RowToken> tokensOf(const Row& row, const Tokenizer& tokenizer) {
  std::vector<RowToken> tokens;
  TokenStream stream(tokenizer);
  for (std::size_t i = 0; i < row.ids.size(); ++i) {
    tokens.push_back({row.ids[i], stream.push(row.ids[i]), static_cast<bool>(row.trained[i])});
  }
  if (!tokens.empty()) tokens.back().text += stream.finish();
  return tokens;
}

}  // namespace strata
