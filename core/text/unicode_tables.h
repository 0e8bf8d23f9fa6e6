#pragma once
// Where the character classes of the `tokenizers` library differ from utf8proc's. Each part of the library follows an
// edition of Unicode of its own: its regular expressions 16, its normalisation and punctuation much older ones.

#include <cstdint>
#include <span>

#include "core/text/unicode.h"

namespace strata::unicode {

struct CodePointRange {
  char32_t first, last;
};
struct CategoryRange {
  char32_t first, last;
  Category category;
};
struct LowercaseRange {
  char32_t first, last;
  std::int32_t offset;  // from a letter to its lower case
};

extern const std::span<const CategoryRange> kCategoryChanges;

extern const std::span<const CodePointRange> kAlphabeticBeyondLettersAndLetterNumbers;
extern const std::span<const CodePointRange> kUppercaseMore;  // than Lu
extern const std::span<const CodePointRange> kLowercaseMore;  // than Ll

extern const std::span<const CodePointRange> kPunctuationMore;  // than P and the ASCII symbols
extern const std::span<const CodePointRange> kPunctuationLess;
extern const std::span<const CodePointRange> kNumericMore;         // than N
extern const std::span<const CodePointRange> kCombiningMarksMore;  // than M
extern const std::span<const CodePointRange> kCombiningMarksLess;
extern const std::span<const CodePointRange> kNonspacingMarksMore;  // than Mn
extern const std::span<const CodePointRange> kNonspacingMarksLess;
extern const std::span<const CodePointRange> kControlLess;  // than Cc, Cf, Co

extern const std::span<const LowercaseRange> kLowercaseChanges;
extern const std::span<const CodePointRange> kCombiningClassZero;
extern const std::span<const CodePointRange> kNoCompatibilityDecomposition;

}  // namespace strata::unicode
