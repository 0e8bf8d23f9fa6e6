#pragma once
// ROUGE (Lin 2004) as the reference implementation in Python computes it: lower case, anything but a-z and 0-9 parts
// words, with the Porter stemmer (words of more than three letters) or without.

#include <string_view>

namespace strata {

struct RougeScore {
  double precision = 0, recall = 0, f1 = 0;  // 0 … 1
};

/// Shared n-grams, each counted as often as in both; n of 1 or more.
RougeScore rougeN(std::string_view target, std::string_view prediction, int n, bool stem = false);
/// The longest common subsequence (subsequence.h: of at most 32,768 words).
RougeScore rougeL(std::string_view target, std::string_view prediction, bool stem = false);
/// Summaries, a sentence a line: for each of the target's, the union of its subsequences with all of the prediction's.
RougeScore rougeLsum(std::string_view target, std::string_view prediction, bool stem = false);

}  // namespace strata
