#include "core/metrics/rouge.h"

#include <libstemmer.h>

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <unordered_map>
#include <vector>

#include "core/metrics/characters.h"
#include "core/metrics/subsequence.h"

namespace strata {
namespace {

using Tokens = std::vector<std::string>;
constexpr std::size_t kStemmedLength = 4;  // shorter words stay

class Stemmer {
 public:
  Stemmer() : m_stemmer(sb_stemmer_new("porter", "UTF_8"), sb_stemmer_delete) {}
  void stem(std::string& word) const {
    if (m_stemmer == nullptr) return;
    const auto* bytes = reinterpret_cast<const sb_symbol*>(word.data());
    const sb_symbol* stemmed = sb_stemmer_stem(m_stemmer.get(), bytes, static_cast<int>(word.size()));
    if (stemmed != nullptr) word.resize(static_cast<std::size_t>(sb_stemmer_length(m_stemmer.get())));
    if (stemmed != nullptr) std::copy_n(stemmed, word.size(), word.begin());
  }

 private:
  std::unique_ptr<sb_stemmer, void (*)(sb_stemmer*)> m_stemmer;
};

Tokens tokensOf(std::string_view text, bool stem) {
  Tokens tokens(1);
  for (const char32_t point : lowered(codePointsOf(text))) {
    if ((point >= U'a' && point <= U'z') || (point >= U'0' && point <= U'9')) {
      tokens.back() += static_cast<char>(point);
    } else if (!tokens.back().empty()) {
      tokens.emplace_back();
    }
  }
  if (tokens.back().empty()) tokens.pop_back();
  if (!stem) return tokens;
  const Stemmer stemmer;
  for (std::string& token : tokens) {
    if (token.size() >= kStemmedLength) stemmer.stem(token);
  }
  return tokens;
}

RougeScore scoreOf(std::size_t shared, std::size_t target, std::size_t prediction) {
  RougeScore score;
  if (shared == 0) return score;
  score.precision = static_cast<double>(shared) / static_cast<double>(prediction);
  score.recall = static_cast<double>(shared) / static_cast<double>(target);
  score.f1 = 2 * score.precision * score.recall / (score.precision + score.recall);
  return score;
}

std::map<Tokens, std::size_t> nGramsOf(const Tokens& tokens, std::size_t n) {
  std::map<Tokens, std::size_t> counts;
  for (std::size_t i = 0; i + n <= tokens.size(); ++i) {
    const auto begin = tokens.begin() + static_cast<std::ptrdiff_t>(i);
    ++counts[Tokens(begin, begin + static_cast<std::ptrdiff_t>(n))];
  }
  return counts;
}

std::vector<Tokens> sentencesOf(std::string_view text, bool stem) {
  std::vector<Tokens> sentences;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    if (end > 0) sentences.push_back(tokensOf(text.substr(0, end), stem));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return sentences;
}

/// How often each token may still be matched.
std::unordered_map<std::string_view, std::size_t> countsOf(const std::vector<Tokens>& sentences, std::size_t& all) {
  std::unordered_map<std::string_view, std::size_t> counts;
  for (const Tokens& sentence : sentences) {
    all += sentence.size();
    for (const std::string& token : sentence) ++counts[token];
  }
  return counts;
}

}  // namespace

RougeScore rougeN(std::string_view target, std::string_view prediction, int n, bool stem) {
  const auto size = static_cast<std::size_t>(std::max(n, 1));
  const auto expected = nGramsOf(tokensOf(target, stem), size), given = nGramsOf(tokensOf(prediction, stem), size);
  std::size_t shared = 0, inTarget = 0, inPrediction = 0;
  for (const auto& [words, count] : expected) {
    inTarget += count;
    if (const auto found = given.find(words); found != given.end()) shared += std::min(count, found->second);
  }
  for (const auto& [words, count] : given) inPrediction += count;
  return scoreOf(shared, inTarget, inPrediction);
}

RougeScore rougeL(std::string_view target, std::string_view prediction, bool stem) {
  const Tokens expected = tokensOf(target, stem), given = tokensOf(prediction, stem);
  return scoreOf(subsequenceLength(expected, given), expected.size(), given.size());
}

RougeScore rougeLsum(std::string_view target, std::string_view prediction, bool stem) {
  const auto expected = sentencesOf(target, stem), given = sentencesOf(prediction, stem);
  std::size_t inTarget = 0, inPrediction = 0, shared = 0;
  auto leftInTarget = countsOf(expected, inTarget), leftInPrediction = countsOf(given, inPrediction);
  for (const Tokens& sentence : expected) {
    std::set<std::size_t> places;
    for (const Tokens& other : given) {
      for (const std::size_t place : subsequencePlaces(sentence, other)) places.insert(place);
    }
    for (const std::size_t place : places) {
      std::size_t& here = leftInTarget[sentence[place]];
      std::size_t& there = leftInPrediction[sentence[place]];
      if (here == 0 || there == 0) continue;
      --here, --there, ++shared;
    }
  }
  return scoreOf(shared, inTarget, inPrediction);
}

}  // namespace strata
