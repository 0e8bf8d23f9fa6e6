#pragma once
// The longest common subsequence of two token lists: what ROUGE-L counts.

#include <string>
#include <vector>

namespace strata {

/// Longer lists are compared by their first this many tokens, which bounds the time at about a second.
inline constexpr std::size_t kMaxSubsequenceTokens = 1u << 15;

/// Its length. Time a.size() · b.size(), memory b.size().
std::size_t subsequenceLength(const std::vector<std::string>& a, const std::vector<std::string>& b);

/// A table of all pairs of places is kept: lists are compared by their first this many tokens (16 MiB).
inline constexpr std::size_t kMaxSentenceTokens = 1u << 12;

/// Where in `a` its tokens stand, ascending; of several such subsequences the one that rouge_score finds.
std::vector<std::size_t> subsequencePlaces(const std::vector<std::string>& a, const std::vector<std::string>& b);

}  // namespace strata
