#include "core/metrics/english_words.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "core/metrics/characters.h"
#include "core/metrics/english_exceptions.h"

namespace strata {
namespace {

using View = std::u32string_view;

constexpr View kMarks = U"…,:;!?¿؟¡()[]{}<>_#*&。？！，、；：～·।،۔؛٪";
constexpr View kQuotes = U"'\"”“`‘´’‚„»«「」『』（）〔〕【】《》〈〉⟦⟧";
constexpr View kCurrency = U"$£€¥฿₽﷼₴";
constexpr std::array<View, 44> kUnits = {
    U"km",  U"km²", U"km³", U"m",  U"m²",   U"m³", U"dm", U"dm²", U"dm³", U"cm", U"cm²", U"cm³", U"mm", U"mm²", U"mm³",
    U"ha",  U"µm",  U"nm",  U"yd", U"in",   U"ft", U"kg", U"g",   U"mg",  U"µg", U"t",   U"lb",  U"oz", U"m/s", U"km/h",
    U"kmh", U"mph", U"hPa", U"Pa", U"mbar", U"mb", U"MB", U"kb",  U"KB",  U"gb", U"GB",  U"tb",  U"TB", U"%"};
constexpr View kLetterUnits = U"TGMK";

bool isIn(View set, char32_t point) {
  return set.find(point) != View::npos;
}
bool isDigit(char32_t point) {
  return point >= U'0' && point <= U'9';
}
bool isMark(char32_t point) {
  return isIn(kMarks, point) || isIn(kQuotes, point) || isSymbol(point);
}
bool isCurrency(char32_t point) {
  return isIn(kCurrency, point) || (point >= 0x20A0 && point <= 0x20BF);
}
// Letters without a case stand on both sides.
bool isLower(char32_t point) {
  return isLowerCase(point) || (isLetter(point) && !isUpperCase(point));
}
bool isUpper(char32_t point) {
  return isUpperCase(point) || (isLetter(point) && !isLowerCase(point));
}

/// How much of the word's beginning is a token of its own.
std::size_t prefixLength(View word) {
  const char32_t first = word[0];
  if (isMark(first) || isCurrency(first) || isIn(U"§%=—–", first)) return 1;
  if (first == U'+') return word.size() > 1 && isDigit(word[1]) ? 0 : 1;
  const std::size_t dots = std::min(word.find_first_not_of(U'.'), word.size());
  if (dots >= 2) return dots;
  for (const View dollar : {View(U"US$"), View(U"C$"), View(U"A$")}) {
    if (word.starts_with(dollar)) return dollar.size();
  }
  return 0;
}

bool endsWithPeriod(View word) {
  if (word.size() < 2 || word.back() != U'.') return false;
  const char32_t before = word[word.size() - 2];
  if (isDigit(before) || isLower(before) || isIn(U"%²-+|", before) || isIn(kMarks, before) || isIn(kQuotes, before)) {
    return true;
  }
  if (word.size() < 3) return false;
  const char32_t second = word[word.size() - 3];
  return (isUpper(before) && isUpper(second)) || (second == U'°' && isIn(U"FfCcKk", before));
}

/// How much of its end; of several rules the one that takes most.
std::size_t suffixLength(View word) {
  std::size_t most = 0;
  const auto take = [&](std::size_t length) { most = std::max(most, length); };
  const char32_t last = word.back();
  if (isMark(last) || last == U'—' || last == U'–' || endsWithPeriod(word)) take(1);
  for (const View ending : {View(U"'s"), View(U"'S"), View(U"’s"), View(U"’S"), View(U"……")}) {
    if (word.ends_with(ending)) take(ending.size());
  }
  const std::size_t beforeDots = word.find_last_not_of(U'.');
  const std::size_t dots = word.size() - (beforeDots == View::npos ? 0 : beforeDots + 1);
  if (dots >= 2) take(dots);
  const auto followsDigit = [&](std::size_t length) {
    return word.size() > length && isDigit(word[word.size() - length - 1]);
  };
  if (followsDigit(1) && (last == U'+' || isCurrency(last) || isIn(kLetterUnits, last))) take(1);
  for (const View dollar : {View(U"US$"), View(U"C$"), View(U"A$")}) {
    if (word.ends_with(dollar) && followsDigit(dollar.size())) take(dollar.size());
  }
  for (const View unit : kUnits) {
    if (word.ends_with(unit) && followsDigit(unit.size())) take(unit.size());
  }
  return most;
}

/// How long the mark is that stands inside the word at `at` and parts it; 0: none does.
std::size_t infixLength(View word, std::size_t at) {
  const char32_t point = word[at];
  const View rest = word.substr(at);
  if (point == U'.') {
    const std::size_t dots = std::min(rest.find_first_not_of(U'.'), rest.size());
    if (dots >= 2) return dots;
  }
  if (point == U'…' || isSymbol(point)) return 1;
  if (at == 0) return 0;
  const char32_t before = word[at - 1];
  const auto after = [&](std::size_t length) { return length < rest.size() ? rest[length] : U'\0'; };
  const bool betweenNumbers = isDigit(before) && (isDigit(after(1)) || after(1) == U'-');
  if (isIn(U"+-*^", point) && betweenNumbers) return 1;
  if (point == U'.' && (isLower(before) || isIn(kQuotes, before)) && (isUpper(after(1)) || isIn(kQuotes, after(1)))) {
    return 1;
  }
  if (point == U',' && isLetter(before) && isLetter(after(1))) return 1;
  if (isIn(U":<>=/", point) && (isLetter(before) || isDigit(before)) && isLetter(after(1))) return 1;
  if (isIn(U"-–—~", point) && (isLetter(before) || isDigit(before))) {
    const std::size_t longest = point == U'-' ? 3 : point == U'—' ? 2 : 1;
    const std::size_t run = std::min(rest.find_first_not_of(point), rest.size());
    if (run <= longest && isLetter(after(run))) return run;
  }
  return 0;
}

class Splitter {
 public:
  explicit Splitter(std::vector<std::string>& tokens) : m_tokens(tokens) {}

  /// A run without white space: marks off both ends, then what is left of the middle.
  void takeRun(View word) {
    const std::size_t first = m_tokens.size();
    std::vector<View> suffixes;
    while (!word.empty() && !exceptionParts(word)) {
      const std::size_t before = prefixLength(word);
      const View withoutPrefix = word.substr(before);
      if (before > 0 && exceptionParts(withoutPrefix)) {
        takeToken(word.substr(0, before));
        word = withoutPrefix;
        break;
      }
      const std::size_t after = withoutPrefix.empty() ? 0 : suffixLength(withoutPrefix);
      if (before == 0 && after == 0) break;
      if (after > 0) suffixes.push_back(word.substr(word.size() - after));
      if (after > 0 && exceptionParts(word.substr(0, word.size() - after))) {
        word.remove_suffix(after);
        break;
      }
      if (before > 0) takeToken(word.substr(0, before));
      word.remove_suffix(after);
      word.remove_prefix(before);
    }
    takeMiddle(word);
    for (auto suffix = suffixes.rbegin(); suffix != suffixes.rend(); ++suffix) takeToken(*suffix);
    joinEmoticons(first);
  }

  void takeToken(View token) { m_tokens.push_back(utf8Of(lowered(token))); }

 private:
  /// Two pairs of marks are emoticons wherever they touch, even at the end of a word.
  void joinEmoticons(std::size_t first) {
    for (std::size_t i = first; i + 1 < m_tokens.size(); ++i) {
      const std::string pair = m_tokens[i] + m_tokens[i + 1];
      if (pair != "):" && pair != "(=") continue;
      m_tokens[i] = pair;
      m_tokens.erase(m_tokens.begin() + static_cast<std::ptrdiff_t>(i) + 1);
    }
  }

  void takeMiddle(View word) {
    if (word.empty()) return;
    if (const auto parts = exceptionParts(word)) {
      for (const std::u32string& part : *parts) takeToken(part);
    } else if (isAddress(word)) {
      takeToken(word);
    } else {
      takeParts(word);
    }
  }

  void takeParts(View word) {
    std::size_t start = 0;
    for (std::size_t at = 0; at < word.size();) {
      const std::size_t length = infixLength(word, at);
      if (length == 0) {
        ++at;
        continue;
      }
      if (at > start) {  // a mark that follows another stays with what comes after it
        takeToken(word.substr(start, at - start));
        takeToken(word.substr(at, length));
        start = at + length;
      }
      at += length;
    }
    if (start < word.size()) takeToken(word.substr(start));
  }

  std::vector<std::string>& m_tokens;
};

}  // namespace

std::vector<std::string> englishWords(std::string_view text) {
  const std::u32string points = codePointsOf(text);
  const View all = points;
  std::vector<std::string> tokens;
  Splitter splitter(tokens);
  for (std::size_t at = 0; at < all.size();) {
    std::size_t end = at;
    const bool space = isSpace(all[at]);
    while (end < all.size() && isSpace(all[end]) == space) ++end;
    if (space) {
      tokens.emplace_back();
    } else {
      splitter.takeRun(all.substr(at, end - at));
      if (end < all.size() && all[end] == U' ') ++end;  // the one space that parts words
    }
    at = end;
  }
  return tokens;
}

}  // namespace strata
