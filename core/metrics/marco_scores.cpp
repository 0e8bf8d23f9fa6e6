#include "core/metrics/marco_scores.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <unordered_map>

#include "core/metrics/answer_metrics.h"
#include "core/metrics/english_words.h"
#include "core/metrics/subsequence.h"

namespace strata {
namespace {

using NGrams = std::map<MarcoTokens, int>;

NGrams nGramsOf(const MarcoTokens& tokens, std::size_t n) {
  NGrams counts;
  for (std::size_t i = 0; i + n <= tokens.size(); ++i) {
    const auto begin = tokens.begin() + static_cast<std::ptrdiff_t>(i);
    ++counts[MarcoTokens(begin, begin + static_cast<std::ptrdiff_t>(n))];
  }
  return counts;
}

/// BLEU's words are split at runs of spaces, so it sees no empty ones.
MarcoTokens withoutEmpty(MarcoTokens tokens) {
  std::erase(tokens, std::string());
  return tokens;
}

/// ROUGE-L's are split at each space, so no text at all is one empty word.
MarcoTokens orOneEmpty(MarcoTokens tokens) {
  if (tokens.empty()) tokens.emplace_back();
  return tokens;
}

double length(const MarcoTokens& tokens) {
  return static_cast<double>(tokens.size());
}

/// How often an answer was given, and withheld, rightly and wrongly.
struct Counts {
  int truePositives = 0, falseNegatives = 0, trueNegatives = 0, falsePositives = 0;
  double f1() const {
    const auto share = [](int part, int whole) { return whole > 0 ? part / static_cast<double>(whole) : 1.0; };
    const double precision = share(truePositives, truePositives + falsePositives);
    const double recall = share(truePositives, truePositives + falseNegatives);
    return precision + recall > 0 ? 2 * precision * recall / (precision + recall) : 0;
  }
};

}  // namespace

double marcoRougeL(const MarcoTokens& candidate, const std::vector<MarcoTokens>& references) {
  constexpr double kBetaSquared = 1.2 * 1.2;
  const MarcoTokens given = orOneEmpty(candidate);
  double precision = 0, recall = 0;
  for (const MarcoTokens& reference : references) {
    const MarcoTokens expected = orOneEmpty(reference);
    const auto shared = static_cast<double>(subsequenceLength(expected, given));
    precision = std::max(precision, shared / length(given));
    recall = std::max(recall, shared / length(expected));
  }
  if (precision == 0 || recall == 0) return 0;
  return (1 + kBetaSquared) * precision * recall / (recall + kBetaSquared * precision);
}

void BleuSum::add(const MarcoTokens& candidate, const std::vector<MarcoTokens>& references) {
  const MarcoTokens given = withoutEmpty(candidate);
  std::vector<MarcoTokens> expected;
  expected.reserve(references.size());
  for (const MarcoTokens& reference : references) expected.push_back(withoutEmpty(reference));
  if (expected.empty()) return;
  // The closest length; of two equally close the shorter.
  const auto distance = [&](const MarcoTokens& tokens) {
    return std::pair(std::abs(length(tokens) - length(given)), tokens.size());
  };
  m_referenceLength += length(*std::min_element(
      expected.begin(), expected.end(), [&](const auto& a, const auto& b) { return distance(a) < distance(b); }));
  m_candidateLength += length(given);
  for (std::size_t n = 1; n <= m_total.size(); ++n) {
    NGrams most;
    for (const MarcoTokens& reference : expected) {
      for (const auto& [words, count] : nGramsOf(reference, n)) most[words] = std::max(most[words], count);
    }
    for (const auto& [words, count] : nGramsOf(given, n)) {
      const auto found = most.find(words);
      if (found != most.end()) m_matched[n - 1] += std::min(count, found->second);
      m_total[n - 1] += count;
    }
  }
}

std::array<double, 4> BleuSum::scores() const {
  // The evaluator's guards against a division by zero, which its figures hold.
  constexpr double kSmall = 1e-9, kTiny = 1e-15;
  const double ratio = (m_candidateLength + kTiny) / (m_referenceLength + kSmall);
  const double brevity = ratio < 1 ? std::exp(1 - 1 / ratio) : 1;
  std::array<double, 4> scores{};
  double product = 1;
  for (std::size_t n = 0; n < scores.size(); ++n) {
    product *= (m_matched[n] + kTiny) / (m_total[n] + kSmall);
    scores[n] = std::pow(product, 1 / static_cast<double>(n + 1)) * brevity;
  }
  return scores;
}

Result<MarcoScores> scoreMarco(const QuestionSet& references, const QuestionSet& candidates) {
  std::unordered_map<std::string_view, const Question*> given;
  for (const Question& candidate : candidates.questions) given.emplace(candidate.id, &candidate);
  MarcoScores scores;
  BleuSum bleu;
  Counts counts;
  for (const Question& reference : references.questions) {
    if (reference.answerable && reference.answers.empty()) continue;  // nobody knows its answer
    const auto found = given.find(reference.id);
    const Question* candidate = found == given.end() ? nullptr : found->second;
    const bool answered = candidate != nullptr && !candidate->answers.empty();
    const bool declined = candidate != nullptr && !candidate->answerable;
    if (!answered && !declined) ++scores.missing;
    if (!reference.answerable) {
      ++scores.unanswerable;
      ++(declined ? counts.trueNegatives : counts.falsePositives);
      continue;
    }
    ++(answered ? counts.truePositives : counts.falseNegatives);
    ++scores.n;
    if (answered && candidate->answers.size() > 1) {
      return fail(ErrorCode::invalidData,
                  "The candidate of the question " + reference.id + " holds more than one answer; keep one.",
                  reference.id);
    }
    const MarcoTokens words = answered ? englishWords(candidate->answers.front()) : MarcoTokens();
    std::vector<MarcoTokens> expected;
    for (const std::string& answer : reference.answers) expected.push_back(englishWords(answer));
    if (answered || declined) {
      const AnswerScore score = scoreAnswer(answered ? candidate->answers.front() : "", reference.answers);
      scores.exact += score.exact;
      scores.f1 += score.f1;
    }
    bleu.add(words, expected);
    scores.rougeL += marcoRougeL(words, expected);
  }
  if (scores.n > 0) {
    scores.rougeL /= scores.n;
    scores.exact /= scores.n;
    scores.f1 /= scores.n;
    scores.bleu = bleu.scores();
  }
  scores.answerableF1 = counts.f1();
  return scores;
}

}  // namespace strata
