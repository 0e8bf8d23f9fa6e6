#pragma once
// What the affix rules of english_words.h would cut wrongly: contractions, abbreviations, clock times.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace strata {

/// The parts of a word that has its own rule; nothing where it has none.
std::optional<std::vector<std::u32string>> exceptionParts(std::u32string_view word);

/// A web address or host name, which stays whole.
bool isAddress(std::u32string_view word);

}  // namespace strata
