#pragma once
// A tokenizer.json as it stands in the file: vocabulary and merges read straight into tables, the rest as JSON.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/text/vocabulary.h"

namespace strata {

struct TokenizerFile {
  Json rest;  // everything but model.vocab and model.merges where these are a map of ids and a list of pairs
  Vocabulary vocabulary;
  bool hasVocabulary = false, hasMerges = false;
  /// Of each merge the left part's end and the right part's end in `mergeText`; the left begins where the merge before
  /// ends. For "a b" merges the text holds both parts without the space.
  std::vector<std::pair<std::uint32_t, std::uint32_t>> mergeEnds;
  std::string mergeText;

  std::vector<std::pair<std::string_view, std::string_view>> merges() const;
};

/// `name` is the file's in errors. Refused with line or key: what is no JSON, keys given twice, nesting deeper than
/// 128, ids far beyond the number of tokens, a vocabulary or merges of another shape.
Result<TokenizerFile> parseTokenizerFile(std::string_view text, const std::string& name);

}  // namespace strata
