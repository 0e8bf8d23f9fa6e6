#include "core/evaluation/answer_metrics.h"

#include <utf8proc.h>

#include <algorithm>
#include <new>
#include <string>
#include <unordered_map>
#include <utility>

#include "core/base/json.h"
#include "core/text/utf8.h"

namespace strata {
namespace {

constexpr std::uint64_t kMaxFileBytes = 1ull << 30;
constexpr char32_t kCapitalSigma = 0x3A3, kSmallSigma = 0x3C3, kFinalSigma = 0x3C2;
constexpr char32_t kCapitalIWithDot = 0x130, kCombiningDotAbove = 0x307;

std::u32string codePointsOf(std::string_view text) {
  std::u32string points;
  points.reserve(text.size());
  for (std::size_t at = 0; at < text.size();) {
    const Utf8Char next = readUtf8(text.substr(at));
    const bool valid = next.kind == Utf8Char::Kind::valid;
    points.push_back(valid ? next.codePoint : U'\uFFFD');
    at += valid ? next.length : 1;
  }
  return points;
}

utf8proc_category_t categoryOf(char32_t point) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(point));
}

bool isBetween(char32_t point, char32_t first, char32_t last) {
  return point >= first && point <= last;
}

// Unicode's Case_Ignorable: DerivedCoreProperties.txt.
bool isCaseIgnorable(char32_t point) {
  constexpr std::u32string_view kWordBreaks =
      U"\u0027\u002E\u003A\u00B7\u0387\u055F\u05F4\u2018\u2019\u2024\u2027\uFE13\uFE52\uFE55\uFF07\uFF0E\uFF1A";
  switch (categoryOf(point)) {
    case UTF8PROC_CATEGORY_MN:
    case UTF8PROC_CATEGORY_ME:
    case UTF8PROC_CATEGORY_CF:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_SK:
      return true;
    default:
      return kWordBreaks.find(point) != std::u32string_view::npos;
  }
}

// Unicode's Cased for what is not Case_Ignorable: letters with a case, and Other_Lowercase and Other_Uppercase of
// PropList.txt (ordinal indicators, Roman numerals, letters in circles and squares).
bool isCased(char32_t point) {
  switch (categoryOf(point)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
      return true;
    default:
      return point == 0xAA || point == 0xBA || isBetween(point, 0x2160, 0x217F) || isBetween(point, 0x24B6, 0x24E9) ||
             isBetween(point, 0x1F130, 0x1F149) || isBetween(point, 0x1F150, 0x1F169) ||
             isBetween(point, 0x1F170, 0x1F189);
  }
}

// Unicode's Final_Sigma (SpecialCasing.txt): a cased letter before, none after, whatever ignorables lie between.
bool isFinalSigma(std::u32string_view text, std::size_t sigma) {
  std::size_t before = sigma;
  while (before > 0 && isCaseIgnorable(text[before - 1])) --before;
  if (before == 0 || !isCased(text[before - 1])) return false;
  std::size_t after = sigma + 1;
  while (after < text.size() && isCaseIgnorable(text[after])) ++after;
  return after == text.size() || !isCased(text[after]);
}

// Python's str.lower(): the full mapping, which differs from the simple one in two letters.
std::u32string lowered(std::u32string_view text) {
  std::u32string lower;
  lower.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == kCapitalSigma) {
      lower.push_back(isFinalSigma(text, i) ? kFinalSigma : kSmallSigma);
    } else if (text[i] == kCapitalIWithDot) {
      lower.push_back(U'i');
      lower.push_back(kCombiningDotAbove);
    } else {
      lower.push_back(static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(text[i]))));
    }
  }
  return lower;
}

// string.punctuation
bool isPunctuation(char32_t point) {
  return isBetween(point, '!', '/') || isBetween(point, ':', '@') || isBetween(point, '[', '`') ||
         isBetween(point, '{', '~');
}

// str.isspace()
bool isSpace(char32_t point) {
  return isBetween(point, 0x09, 0x0D) || isBetween(point, 0x1C, 0x20) || point == 0x85 || point == 0xA0 ||
         point == 0x1680 || isBetween(point, 0x2000, 0x200A) || point == 0x2028 || point == 0x2029 || point == 0x202F ||
         point == 0x205F || point == 0x3000;
}

// Python's \w: letters, numbers, underscore.
bool isWordCharacter(char32_t point) {
  const utf8proc_category_t category = categoryOf(point);
  return point == '_' || (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_LO) ||
         (category >= UTF8PROC_CATEGORY_ND && category <= UTF8PROC_CATEGORY_NO);
}

bool isArticle(std::u32string_view word) {
  return word == U"a" || word == U"an" || word == U"the";
}

/// get_tokens: what is left of an answer, cut at white space.
std::vector<std::string> tokensOf(std::string_view text) {
  std::u32string points = lowered(codePointsOf(text));
  std::erase_if(points, isPunctuation);
  std::vector<std::string> tokens;
  bool inToken = false;
  for (std::size_t at = 0; at < points.size();) {
    // A run of word characters lies between two word boundaries, so an article is always a whole run.
    std::size_t end = at;
    while (end < points.size() && isWordCharacter(points[end])) ++end;
    const std::u32string_view word = std::u32string_view(points).substr(at, end - at);
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

double tokenF1(const std::vector<std::string>& prediction, const std::vector<std::string>& gold) {
  if (prediction.empty() || gold.empty()) return prediction.empty() && gold.empty() ? 1 : 0;
  std::unordered_map<std::string_view, int> left;
  for (const std::string& token : gold) ++left[token];
  int same = 0;
  for (const std::string& token : prediction) {
    const auto found = left.find(token);
    if (found != left.end() && found->second-- > 0) ++same;
  }
  if (same == 0) return 0;
  const double precision = same / static_cast<double>(prediction.size());
  const double recall = same / static_cast<double>(gold.size());
  return 2 * precision * recall / (precision + recall);
}

struct Sum {
  double exact = 0, f1 = 0;
  int n = 0;
  void add(const AnswerScore& score) {
    exact += score.exact;
    f1 += score.f1;
    ++n;
  }
  AnswerScore mean() const { return n == 0 ? AnswerScore{} : AnswerScore{exact / n, f1 / n}; }
};

}  // namespace

std::string normalizeAnswer(std::string_view text) {
  std::string joined;
  for (const std::string& token : tokensOf(text)) {
    if (!joined.empty()) joined += ' ';
    joined += token;
  }
  return joined;
}

AnswerScore scoreAnswer(std::string_view prediction, const std::vector<std::string>& gold) {
  const std::vector<std::string> predicted = tokensOf(prediction);
  AnswerScore best;
  bool anyGold = false;
  for (const std::string& answer : gold) {
    const std::vector<std::string> tokens = tokensOf(answer);
    if (tokens.empty()) continue;  // the evaluator ignores gold answers that normalise to nothing
    anyGold = true;
    best.exact = std::max(best.exact, tokens == predicted ? 1.0 : 0.0);
    best.f1 = std::max(best.f1, tokenF1(predicted, tokens));
  }
  if (!anyGold) best.exact = best.f1 = predicted.empty() ? 1 : 0;
  return best;
}

SquadScores scoreSquad(const SquadData& data, const std::map<std::string, std::string>& predictions) {
  Sum all, hasAnswer, noAnswer;
  SquadScores scores;
  for (const SquadQuestion& question : data.questions) {
    const auto prediction = predictions.find(question.id);
    AnswerScore score;
    if (prediction != predictions.end()) {
      score = scoreAnswer(prediction->second, question.answers);
    } else {
      ++scores.missing;
    }
    all.add(score);
    (question.answers.empty() ? noAnswer : hasAnswer).add(score);
  }
  const AnswerScore mean = all.mean(), withAnswer = hasAnswer.mean(), withoutAnswer = noAnswer.mean();
  scores.exact = mean.exact;
  scores.f1 = mean.f1;
  scores.n = all.n;
  scores.hasAnswerExact = withAnswer.exact;
  scores.hasAnswerF1 = withAnswer.f1;
  scores.hasAnswer = hasAnswer.n;
  scores.noAnswerExact = withoutAnswer.exact;
  scores.noAnswerF1 = withoutAnswer.f1;
  scores.noAnswer = noAnswer.n;
  return scores;
}

Result<std::map<std::string, std::string>> readPredictions(const std::filesystem::path& path) {
  try {
    STRATA_TRY(const Json root, readJson(path, kMaxFileBytes));
    if (!root.is_object()) {
      return fail(ErrorCode::invalidData, path.string() + " must hold one object, {\"question id\": \"answer\", …}.",
                  path.string());
    }
    std::map<std::string, std::string> predictions;
    for (const auto& [id, answer] : root.items()) {
      if (!answer.is_string()) {
        return fail(ErrorCode::invalidData, path.string() + ": the answer of \"" + id + "\" must be a string.",
                    path.string() + ": " + id);
      }
      predictions.emplace(id, answer.get<std::string>());
    }
    return predictions;
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::outOfMemory, "The predictions " + path.string() + " do not fit into memory.", path.string());
  } catch (const std::exception& exception) {
    return fail(ErrorCode::internal, path.string() + ": the predictions cannot be read: " + exception.what(),
                path.string());
  }
}

}  // namespace strata
