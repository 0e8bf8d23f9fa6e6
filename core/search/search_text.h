#pragma once
// The text that maps are measured on, cut into windows as scoring cuts it.
//
//   STRATA_TRY(const SearchText text, readSearchText(model, "novels.txt", 0));

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/model/model.h"

namespace strata {

struct SearchText {
  std::filesystem::path path;
  std::string hash;  // SHA-256 of the file
  std::int64_t documents = 0;
  std::vector<std::vector<TokenId>> windows;  // of two tokens or more
  std::int64_t tokens = 0;                    // predicted in them
};

/// Text, or JSONL and the like with {"text"}. `tokens` > 0: only windows of about so many tokens in all, spread evenly
/// over the text. Refused: a model without a tokenizer, other data, nothing to predict.
Result<SearchText> readSearchText(const Model& model, const std::filesystem::path& path, std::int64_t tokens);

/// Windows of a text with about so many tokens in all, spread evenly over it; the whole of a shorter one.
SearchText sampleOf(SearchText text, std::int64_t tokens);

}  // namespace strata
