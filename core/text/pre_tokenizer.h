#pragma once
// What cuts a text into the words that the model merges: tokenizer.json's pre_tokenizer.

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/text/component.h"

namespace strata {

struct Word {
  std::size_t begin, end;  // in Words::text
  std::size_t fromStart;   // how many of its first bytes come from the very start of the whole given text
};

struct Words {
  std::string text;  // valid UTF-8
  std::vector<Word> words;
  std::size_t most = 16u << 20;  // beyond so many bytes nothing changes the words any more
  bool bytes = false;            // the words are to be read as byte-level characters that stand for their bytes
};

/// Immutable and shared between threads.
class PreTokenizer {
 public:
  virtual ~PreTokenizer() = default;
  virtual void apply(Words& words) const = 0;

  /// Whether words keep the text as it is and whether a word begins somewhere depends on nothing beyond the word after
  /// it: then a text's words up to there are those of the text cut anywhere behind.
  virtual bool looksOneWordAhead() const { return false; }
  /// Whether it leaves the words as they are and has them read as bytes.
  virtual bool onlyMarksBytes() const { return false; }
};

Result<std::unique_ptr<PreTokenizer>> makePreTokenizer(const Component& component);

}  // namespace strata
