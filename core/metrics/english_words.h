#pragma once
// English text cut into words and marks as the tokenizer of MS MARCO's official evaluator does (spaCy's English rules:
// affixes, marks inside words, contractions, abbreviations, addresses). Emoticons beyond the commonest are not known.

#include <string>
#include <string_view>
#include <vector>

namespace strata {

/// "You don't." gives you, do, n't, "."; in lower case. White space beyond one space between words is a token of its
/// own, the empty string, as the evaluator strips it: it counts in ROUGE-L, not in BLEU.
std::vector<std::string> englishWords(std::string_view text);

}  // namespace strata
