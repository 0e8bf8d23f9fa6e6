#include "core/search/search_text.h"

#include <algorithm>

#include "core/base/files.h"
#include "core/data/records.h"
#include "core/model/score.h"

namespace strata {
SearchText sampleOf(SearchText text, std::int64_t tokens) {
  if (text.tokens <= tokens) return text;
  const auto count = static_cast<std::int64_t>(text.windows.size());
  const std::int64_t kept = std::clamp<std::int64_t>(count * tokens / text.tokens, 1, count);
  std::vector<std::vector<TokenId>> some;
  text.tokens = 0;
  for (std::int64_t i = 0; i < kept; ++i) {
    some.push_back(std::move(text.windows[static_cast<std::size_t>(i * count / kept)]));
    text.tokens += static_cast<std::int64_t>(some.back().size()) - 1;
  }
  text.windows = std::move(some);
  return text;
}

Result<SearchText> readSearchText(const Model& model, const std::filesystem::path& path, std::int64_t tokens) {
  STRATA_TRY(const Tokenizer* tokenizer, model.needTokenizer());
  SearchText text;
  text.path = path;
  STRATA_TRY(text.hash, sha256OfFile(path));
  STRATA_CHECK(readRecords(path, [&](DataRecord&& record) -> Result<void> {
    if (record.kind != RecordKind::document) {
      return fail(ErrorCode::invalidData, record.where() + " is no text; give a text file, or records with a \"text\".",
                  record.where());
    }
    ++text.documents;
    for (auto& window : windowsOf(*tokenizer, record.text, model.context())) {
      if (window.size() < 2) continue;
      text.tokens += static_cast<std::int64_t>(window.size()) - 1;
      text.windows.push_back(std::move(window));
    }
    return {};
  }));
  if (text.windows.empty()) {
    return fail(ErrorCode::invalidData, path.string() + " has nothing to predict; give a text of two tokens or more.",
                path.string());
  }
  for (const auto& window : text.windows) {
    for (const TokenId id : window) {
      if (id >= 0 && id < model.config().vocab) continue;
      return fail(ErrorCode::invalidData, "The tokenizer gives the id " + std::to_string(id) +
                                              ", but the model's vocabulary is " +
                                              std::to_string(model.config().vocab) + "; they do not belong together.");
    }
  }
  return tokens > 0 ? sampleOf(std::move(text), tokens) : text;
}

}  // namespace strata
