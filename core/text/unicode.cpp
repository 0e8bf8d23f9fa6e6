#include "core/text/unicode.h"

#include <utf8proc.h>

#include <algorithm>
#include <array>
#include <memory>
#include <span>
#include <vector>

#include "core/text/unicode_tables.h"
#include "core/text/utf8.h"

namespace strata::unicode {
namespace {

constexpr std::size_t kCodePoints = 0x110000;

template <class Range>
const Range* find(std::span<const Range> ranges, char32_t c) {
  const auto after = std::upper_bound(ranges.begin(), ranges.end(), c,
                                      [](char32_t at, const Range& range) { return at < range.first; });
  if (after == ranges.begin() || c > std::prev(after)->last) return nullptr;
  return &*std::prev(after);
}

bool contains(std::span<const CodePointRange> ranges, char32_t c) {
  return find(ranges, c) != nullptr;
}

std::unique_ptr<std::uint8_t[]> makeClassTable() {
  auto table = std::make_unique<std::uint8_t[]>(kCodePoints);
  for (char32_t c = 0; c < kCodePoints; ++c) {
    table[c] = static_cast<std::uint8_t>(utf8proc_category(static_cast<utf8proc_int32_t>(c)));
  }
  for (const CategoryRange& range : kCategoryChanges) {
    std::fill(&table[range.first], &table[range.last] + 1, static_cast<std::uint8_t>(range.category));
  }
  for (char32_t c = 0; c < kCodePoints; ++c) {
    const auto kind = static_cast<Category>(table[c]);
    if (kind >= Category::Zs && kind <= Category::Zp) table[c] |= kSpaceBit;
    if ((kind >= Category::Lu && kind <= Category::Lo) || kind == Category::Nl) table[c] |= kAlphabeticBit;
  }
  for (const char32_t c : {U'\t', U'\n', U'\v', U'\f', U'\r', U'\x85'}) table[c] |= kSpaceBit;
  for (const CodePointRange& range : kAlphabeticBeyondLettersAndLetterNumbers) {
    for (char32_t c = range.first; c <= range.last; ++c) table[c] |= kAlphabeticBit;
  }
  return table;
}

bool between(Category kind, Category first, Category last) {
  return kind >= first && kind <= last;
}

int combiningClass(char32_t c) {
  if (c < 0x300 || contains(kCombiningClassZero, c)) return 0;
  return utf8proc_get_property(static_cast<utf8proc_int32_t>(c))->combining_class;
}

constexpr char32_t kDivesAkuruO = 0x11938;  // decomposes since Unicode 13, which the library's normalisation precedes
constexpr char32_t kDivesAkuruAa = 0x11930;

void appendDecomposed(std::vector<char32_t>& out, char32_t c, bool compatible) {
  if (c < 0xA0 || c == kDivesAkuruO || (compatible && contains(kNoCompatibilityDecomposition, c))) {
    out.push_back(c);
    return;
  }
  std::array<utf8proc_int32_t, 32> buffer{};
  int boundary = 0;
  const int options = UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | (compatible ? UTF8PROC_COMPAT : 0);
  const auto count = utf8proc_decompose_char(static_cast<utf8proc_int32_t>(c), buffer.data(), buffer.size(),
                                             static_cast<utf8proc_option_t>(options), &boundary);
  if (count <= 0 || static_cast<std::size_t>(count) > buffer.size()) {
    out.push_back(c);
    return;
  }
  for (utf8proc_ssize_t i = 0; i < count; ++i) {
    out.push_back(static_cast<char32_t>(buffer[static_cast<std::size_t>(i)]));
  }
}

void orderMarks(std::vector<char32_t>& text) {
  for (std::size_t at = 0; at < text.size();) {
    if (combiningClass(text[at]) == 0) {
      ++at;
      continue;
    }
    std::size_t end = at;
    while (end < text.size() && combiningClass(text[end]) != 0) ++end;
    std::stable_sort(text.begin() + static_cast<std::ptrdiff_t>(at), text.begin() + static_cast<std::ptrdiff_t>(end),
                     [](char32_t a, char32_t b) { return combiningClass(a) < combiningClass(b); });
    at = end;
  }
}

/// utf8proc composes in runs between characters that its tables, but not the library's, let a composition reach across.
void compose(std::vector<char32_t>& text) {
  std::vector<char32_t> out;
  out.reserve(text.size());
  std::vector<utf8proc_int32_t> run;
  const auto flush = [&] {
    const auto count = utf8proc_normalize_utf32(run.data(), static_cast<utf8proc_ssize_t>(run.size()),
                                                static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
    out.insert(out.end(), run.begin(), run.begin() + std::max<utf8proc_ssize_t>(count, 0));
    run.clear();
  };
  for (const char32_t c : text) {
    if (c == kDivesAkuruAa || (c >= 0x300 && contains(kCombiningClassZero, c))) flush();
    run.push_back(static_cast<utf8proc_int32_t>(c));
  }
  flush();
  text.swap(out);
}

void normalizeRun(Form form, std::string_view text, std::string& out) {
  std::vector<char32_t> points;
  points.reserve(text.size());
  const bool compatible = form == Form::nfkc || form == Form::nfkd;
  for (const char* at = text.data(); at != text.data() + text.size();) {
    appendDecomposed(points, nextCodePoint(at), compatible);
  }
  orderMarks(points);
  if (form == Form::nfc || form == Form::nfkc) compose(points);
  for (const char32_t c : points) appendUtf8(out, c);
}

}  // namespace

const std::uint8_t* classTable() {
  static const std::unique_ptr<std::uint8_t[]> table = makeClassTable();
  return table.get();
}

Category category(char32_t c) {
  return static_cast<Category>(classTable()[c] & kCategoryBits);
}

bool isLetter(char32_t c) {
  return between(category(c), Category::Lu, Category::Lo);
}

bool isNumber(char32_t c) {
  return between(category(c), Category::Nd, Category::No);
}

bool isSpace(char32_t c) {
  return (classTable()[c] & kSpaceBit) != 0;
}

bool isWord(char32_t c) {
  const Category kind = category(c);
  return (classTable()[c] & kAlphabeticBit) != 0 || between(kind, Category::Mn, Category::Nd) || kind == Category::Pc;
}

bool isPunctuation(char32_t c) {
  if (c < 0x80) return (c > ' ' && c < '0') || (c > '9' && c < 'A') || (c > 'Z' && c < 'a') || (c > 'z' && c < 0x7F);
  if (between(category(c), Category::Pc, Category::Po)) return !contains(kPunctuationLess, c);
  return contains(kPunctuationMore, c);
}

bool isNumeric(char32_t c) {
  return isNumber(c) || contains(kNumericMore, c);
}

bool isCombiningMark(char32_t c) {
  if (between(category(c), Category::Mn, Category::Me)) return !contains(kCombiningMarksLess, c);
  return contains(kCombiningMarksMore, c);
}

bool isNonspacingMark(char32_t c) {
  if (category(c) == Category::Mn) return !contains(kNonspacingMarksLess, c);
  return contains(kNonspacingMarksMore, c);
}

bool isControl(char32_t c) {
  const Category kind = category(c);
  return (kind == Category::Cc || kind == Category::Cf || kind == Category::Co) && !contains(kControlLess, c);
}

void appendLower(std::string& text, char32_t c) {
  if (c == 0x130) {  // the only letter whose lower case is two characters
    text += "i\xCC\x87";
  } else if (const LowercaseRange* range = find(kLowercaseChanges, c)) {
    appendUtf8(text, static_cast<char32_t>(static_cast<std::int32_t>(c) + range->offset));
  } else {
    appendUtf8(text, static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(c))));
  }
}

std::string normalize(Form form, std::string_view text) {
  // Characters below these change under no form and compose with nothing before them, so that runs end at them.
  const char32_t still = form == Form::nfc ? 0x300 : 0xA0;
  std::string out;
  out.reserve(text.size());
  const char* const end = text.data() + text.size();
  const char* kept = text.data();  // what stands before it is written
  const char* previous = kept;     // the last still character, which what follows may compose with
  for (const char* at = kept; at != end;) {
    const char* const start = at;
    if (nextCodePoint(at) < still) {
      previous = start;
      continue;
    }
    const char* const runStart = previous;
    out.append(kept, runStart);
    const char* runEnd = at;
    while (runEnd != end) {
      const char* next = runEnd;
      if (nextCodePoint(next) < still) break;
      runEnd = next;
    }
    normalizeRun(form, std::string_view(runStart, static_cast<std::size_t>(runEnd - runStart)), out);
    kept = previous = at = runEnd;
  }
  out.append(kept, end);
  return out;
}

}  // namespace strata::unicode
