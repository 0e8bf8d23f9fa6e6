#include "core/metrics/answer_metrics.h"

#include <algorithm>
#include <unordered_map>
#include <utility>

#include "core/metrics/characters.h"
#include "core/text/utf8.h"

namespace strata {
namespace {

using Tokens = std::vector<std::string>;

bool isArticle(std::u32string_view word) {
  return word == U"a" || word == U"an" || word == U"the";
}

/// Cuts at white space and leaves articles out.
Tokens withoutArticles(std::u32string_view points) {
  Tokens tokens;
  bool inToken = false;
  for (std::size_t at = 0; at < points.size();) {
    // A run of word characters lies between two word boundaries, so an article is always a whole run.
    std::size_t end = at;
    while (end < points.size() && isWordCharacter(points[end])) ++end;
    const std::u32string_view word = points.substr(at, end - at);
    if (isArticle(word) || (word.empty() && isSpace(points[at]))) {
      inToken = false;
      at = std::max(end, at + 1);
      continue;
    }
    if (word.empty()) end = at + 1;
    if (!std::exchange(inToken, true)) tokens.emplace_back();
    for (; at < end; ++at) appendUtf8(tokens.back(), points[at]);
  }
  return tokens;
}

Tokens tokensOf(std::string_view text) {
  std::u32string points = lowered(codePointsOf(text));
  std::erase_if(points, isPunctuation);
  return withoutArticles(points);
}

Tokens triviaTokensOf(std::string_view text) {
  std::u32string points = lowered(codePointsOf(text));
  for (char32_t& point : points) {
    if (isPunctuation(point) || point == U'‘' || point == U'’' || point == U'´') point = U' ';
  }
  return withoutArticles(points);
}

std::string joined(const Tokens& tokens) {
  std::string text;
  for (const std::string& token : tokens) {
    if (!text.empty()) text += ' ';
    text += token;
  }
  return text;
}

/// Precision, recall and F1 of the tokens that both have, each counted as often as in both; 0 where they share none.
AnswerScore overlap(const Tokens& prediction, const Tokens& gold) {
  std::unordered_map<std::string_view, int> left;
  for (const std::string& token : gold) ++left[token];
  int same = 0;
  for (const std::string& token : prediction) {
    const auto found = left.find(token);
    if (found != left.end() && found->second-- > 0) ++same;
  }
  AnswerScore score;
  if (same == 0) return score;
  score.precision = same / static_cast<double>(prediction.size());
  score.recall = same / static_cast<double>(gold.size());
  score.f1 = 2 * score.precision * score.recall / (score.precision + score.recall);
  return score;
}

bool isVerdict(const Tokens& tokens) {
  return tokens.size() == 1 && (tokens[0] == "yes" || tokens[0] == "no" || tokens[0] == "noanswer");
}

}  // namespace

AnswerScore& AnswerScore::operator+=(const AnswerScore& other) {
  exact += other.exact;
  f1 += other.f1;
  precision += other.precision;
  recall += other.recall;
  return *this;
}

AnswerScore AnswerScore::operator/(double count) const {
  return {exact / count, f1 / count, precision / count, recall / count};
}

std::string normalizeAnswer(std::string_view text) {
  return joined(tokensOf(text));
}

std::string normalizeTriviaAnswer(std::string_view text) {
  return joined(triviaTokensOf(text));
}

AnswerScore scoreAnswer(std::string_view prediction, const std::vector<std::string>& gold) {
  const Tokens predicted = tokensOf(prediction);
  AnswerScore best;
  bool anyGold = false;
  for (const std::string& answer : gold) {
    const Tokens tokens = tokensOf(answer);
    if (tokens.empty()) continue;  // the evaluator ignores gold answers that normalise to nothing
    anyGold = true;
    best.exact = std::max(best.exact, tokens == predicted ? 1.0 : 0.0);
    best.f1 = std::max(best.f1, overlap(predicted, tokens).f1);
  }
  if (!anyGold) best.exact = best.f1 = predicted.empty() ? 1 : 0;
  return best;
}

AnswerScore scoreHotpotAnswer(std::string_view prediction, std::string_view gold) {
  const Tokens predicted = tokensOf(prediction), expected = tokensOf(gold);
  const bool same = predicted == expected;
  AnswerScore score;
  if (same || (!isVerdict(predicted) && !isVerdict(expected))) score = overlap(predicted, expected);
  score.exact = same ? 1 : 0;
  return score;
}

double scoreSubspan(std::string_view prediction, const std::vector<std::string>& gold) {
  const std::string said = normalizeAnswer(prediction);
  const auto stands = [&](const std::string& answer) {
    return said.find(normalizeAnswer(answer)) != std::string::npos;
  };
  return std::any_of(gold.begin(), gold.end(), stands) ? 1 : 0;
}

AnswerScore scoreTriviaAnswer(std::string_view prediction, const std::vector<std::string>& aliases) {
  const Tokens predicted = triviaTokensOf(prediction);
  AnswerScore best;
  for (const std::string& alias : aliases) {
    const Tokens tokens = triviaTokensOf(alias);
    best.exact = std::max(best.exact, tokens == predicted ? 1.0 : 0.0);
    best.f1 = std::max(best.f1, overlap(predicted, tokens).f1);
  }
  return best;
}

}  // namespace strata
