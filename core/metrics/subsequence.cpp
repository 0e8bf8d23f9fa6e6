#include "core/metrics/subsequence.h"

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <unordered_map>

namespace strata {
namespace {

/// Equal tokens get equal numbers: comparing those is what takes the time.
class TokenNumbers {
 public:
  std::vector<std::uint32_t> of(const std::vector<std::string>& tokens, std::size_t most) {
    std::vector<std::uint32_t> numbers;
    for (std::size_t i = 0; i < std::min(tokens.size(), most); ++i) {
      numbers.push_back(m_numbers.emplace(tokens[i], static_cast<std::uint32_t>(m_numbers.size())).first->second);
    }
    return numbers;
  }

 private:
  std::unordered_map<std::string_view, std::uint32_t> m_numbers;
};

}  // namespace

std::size_t subsequenceLength(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  TokenNumbers numbers;
  const auto rows = numbers.of(a, kMaxSubsequenceTokens), columns = numbers.of(b, kMaxSubsequenceTokens);
  std::vector<std::uint32_t> lengths(columns.size() + 1, 0);  // [j]: with the first j columns
  for (const std::uint32_t token : rows) {
    std::uint32_t diagonal = 0;
    for (std::size_t j = 0; j < columns.size(); ++j) {
      const std::uint32_t above = lengths[j + 1];
      lengths[j + 1] = token == columns[j] ? diagonal + 1 : std::max(above, lengths[j]);
      diagonal = above;
    }
  }
  return lengths.back();
}

std::vector<std::size_t> subsequencePlaces(const std::vector<std::string>& a, const std::vector<std::string>& b) {
  TokenNumbers numbers;
  const auto rows = numbers.of(a, kMaxSentenceTokens), columns = numbers.of(b, kMaxSentenceTokens);
  enum Step : std::uint8_t { take, skipColumn, skipRow };
  std::vector<Step> steps(rows.size() * columns.size());
  std::vector<std::uint32_t> lengths(columns.size() + 1, 0);
  for (std::size_t i = 0; i < rows.size(); ++i) {
    std::uint32_t diagonal = 0;
    for (std::size_t j = 0; j < columns.size(); ++j) {
      const std::uint32_t above = lengths[j + 1], before = lengths[j];
      const bool same = rows[i] == columns[j];
      lengths[j + 1] = same ? diagonal + 1 : std::max(above, before);
      steps[i * columns.size() + j] = same ? take : (before > above ? skipColumn : skipRow);
      diagonal = above;
    }
  }
  std::vector<std::size_t> places;
  for (std::size_t i = rows.size(), j = columns.size(); i > 0 && j > 0;) {
    const Step step = steps[(i - 1) * columns.size() + j - 1];
    if (step == take) places.push_back(i - 1);
    if (step != skipColumn) --i;
    if (step != skipRow) --j;
  }
  std::reverse(places.begin(), places.end());
  return places;
}

}  // namespace strata
