#pragma once
// What a pre-tokenizer splits at and a normalizer replaces: strings, regular expressions, kinds of characters.

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/error.h"

namespace strata {

/// A stretch of a text that matched, or one between matches. Stretches cover the text in order.
struct Stretch {
  std::size_t begin, end;
  bool matched;
};

class Pattern {
 public:
  virtual ~Pattern() = default;
  /// An empty text is one empty stretch that did not match.
  virtual void find(std::string_view text, std::vector<Stretch>& stretches) const = 0;
  /// Whether where a stretch ends depends on nothing before it and nothing beyond the stretch after it.
  virtual bool looksOneStretchAhead() const { return false; }
};

/// The bytes of `content` themselves; an empty one matches before every character.
std::unique_ptr<Pattern> stringPattern(std::string content);

/// An expression in Oniguruma's Ruby syntax. `where` names file and key. A match that takes more steps than the limit
/// (catastrophic backtracking), a text that takes more CPU time than its share, or a request that is cancelled
/// (CancelScope) ends the search: the rest of the text is one stretch that did not match.
Result<std::unique_ptr<Pattern>> regexPattern(const std::string& expression, const std::string& where);

/// Every single character of a kind.
std::unique_ptr<Pattern> characterPattern(bool (*isMatch)(char32_t));
std::unique_ptr<Pattern> characterPattern(char32_t c);

enum class SplitBehavior { removed, isolated, mergedWithPrevious, mergedWithNext, contiguous };

/// Turns stretches into pieces; of removed ones `matched` stays true.
void applyBehavior(SplitBehavior behavior, std::vector<Stretch>& stretches);

}  // namespace strata
