#include "core/text/character_set.h"

#include <algorithm>
#include <array>
#include <cstdio>
#include <utility>

#include "core/text/unicode_tables.h"

namespace strata {
namespace {

using unicode::Category;

constexpr std::array<std::string_view, 30> kCategoryNames = {
    "Cn", "Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Mc", "Me", "Nd", "Nl", "No", "Pc", "Pd", "Ps",
    "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So", "Zs", "Zl", "Zp", "Cc", "Cf", "Cs", "Co"};

constexpr std::array<std::pair<std::string_view, std::string_view>, 38> kLongNames = {{
    {"other", "C"},
    {"control", "Cc"},
    {"format", "Cf"},
    {"unassigned", "Cn"},
    {"privateuse", "Co"},
    {"surrogate", "Cs"},
    {"letter", "L"},
    {"lowercaseletter", "Ll"},
    {"modifierletter", "Lm"},
    {"otherletter", "Lo"},
    {"titlecaseletter", "Lt"},
    {"uppercaseletter", "Lu"},
    {"mark", "M"},
    {"combiningmark", "M"},
    {"spacingmark", "Mc"},
    {"enclosingmark", "Me"},
    {"nonspacingmark", "Mn"},
    {"number", "N"},
    {"decimalnumber", "Nd"},
    {"letternumber", "Nl"},
    {"othernumber", "No"},
    {"punctuation", "P"},
    {"punct", "P"},
    {"connectorpunctuation", "Pc"},
    {"dashpunctuation", "Pd"},
    {"closepunctuation", "Pe"},
    {"finalpunctuation", "Pf"},
    {"initialpunctuation", "Pi"},
    {"otherpunctuation", "Po"},
    {"openpunctuation", "Ps"},
    {"symbol", "S"},
    {"currencysymbol", "Sc"},
    {"modifiersymbol", "Sk"},
    {"mathsymbol", "Sm"},
    {"othersymbol", "So"},
    {"separator", "Z"},
    {"lineseparator", "Zl"},
    {"spaceseparator", "Zs"},
}};

std::string plainName(std::string_view name) {
  std::string plain;
  for (const char c : name) {
    if (c == ' ' || c == '_' || c == '-') continue;
    plain += static_cast<char>(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
  }
  return plain;
}

bool isIn(Category category, std::string_view group) {
  return kCategoryNames[static_cast<std::size_t>(category)].starts_with(group);
}

/// The short name of a general category or of a group of them; "" for any other name.
std::string categoryOf(const std::string& plain) {
  for (const auto& [longName, shortName] : kLongNames) {
    if (plain == longName) return std::string(shortName);
  }
  if (plain == "paragraphseparator") return "Zp";
  for (const std::string_view name : kCategoryNames) {
    if (plain == plainName(name)) return std::string(name);
    if (plain == plainName(name.substr(0, 1))) return std::string(name.substr(0, 1));
  }
  return {};
}

void addRanges(CharacterSet& set, std::span<const unicode::CodePointRange> ranges) {
  for (const auto& range : ranges) set.addRange(range.first, range.last);
}

/// PCRE2's tables know fewer characters than Oniguruma's; what became of them is in kCategoryChanges.
void addCategory(CharacterSet& set, std::string_view group) {
  CharacterSet known;
  known.addProperty("\\p{" + std::string(group) + "}");
  CharacterSet changed;
  bool loses = false;
  for (const auto& range : unicode::kCategoryChanges) {
    if (isIn(range.category, group)) {
      set.addRange(range.first, range.last);
    } else {
      changed.addRange(range.first, range.last);
      loses = true;
    }
  }
  // Only unassigned characters became something else, and one Mn.
  if (loses && (group == "C" || group == "Cn" || group == "Mn")) {
    changed.negate();
    known.intersect(std::move(changed));
    set.addSet(std::move(known));
  } else {
    set.addProperty("\\p{" + std::string(group) + "}");
  }
}

std::string escaped(char32_t c) {
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "\\x{%X}", static_cast<unsigned>(c));
  return text.data();
}

void addAlphabetic(CharacterSet& set) {
  addCategory(set, "L");
  addCategory(set, "Nl");
  addRanges(set, unicode::kAlphabeticBeyondLettersAndLetterNumbers);
}

void addWord(CharacterSet& set) {
  for (const char* group : {"L", "Nl", "M", "Nd", "Pc"}) addCategory(set, group);
  for (const auto& range : unicode::kAlphabeticBeyondLettersAndLetterNumbers) {
    // The circled and squared letters; the marks are there already.
    if (isIn(unicode::category(range.first), "S")) set.addRange(range.first, range.last);
  }
}

void addSpace(CharacterSet& set) {
  set.addRange('\t', '\r');
  set.addRange(0x85, 0x85);
  addCategory(set, "Z");
}

}  // namespace

bool CharacterSet::isSimple() const {
  return m_intersected.empty() && std::all_of(m_sets.begin(), m_sets.end(),
                                              [](const CharacterSet& set) { return !set.m_negated && set.isSimple(); });
}

std::string CharacterSet::items() const {
  std::string text;
  for (const Range& range : m_ranges) {
    text += escaped(range.first);
    if (range.last != range.first) text += "-" + escaped(range.last);
  }
  for (const std::string& property : m_properties) text += property;
  return text;
}

std::string CharacterSet::pcre2() const {
  const std::string nothing = "(?!)", anything = "(?s:.)";
  if (isSimple()) {
    std::string all = items();
    for (const CharacterSet& set : m_sets) {
      std::string inner = set.pcre2();  // "[…]"
      if (inner != nothing) all += inner.substr(1, inner.size() - 2);
    }
    if (all.empty()) return m_negated ? anything : nothing;
    return (m_negated ? "[^" : "[") + all + "]";
  }
  std::string either = items().empty() ? "" : "[" + items() + "]";
  for (const CharacterSet& set : m_sets) {
    if (!either.empty()) either += '|';
    either += set.pcre2();
  }
  std::string one = either.empty() ? nothing : "(?:" + either + ")";
  for (const CharacterSet& set : m_intersected) one.insert(0, "(?:(?=" + set.pcre2() + ")").append(")");
  return m_negated ? "(?:(?!" + one + ")" + anything + ")" : one;
}

CharacterSet CharacterSet::property(std::string_view name) {
  CharacterSet set;
  const std::string plain = plainName(name);
  if (const std::string group = categoryOf(plain); !group.empty()) {
    addCategory(set, group);
  } else if (plain == "any") {
    set.addRange(0, 0x10FFFF);
  } else if (plain == "alphabetic") {
    addAlphabetic(set);
  } else if (plain == "uppercase") {
    addCategory(set, "Lu");
    addRanges(set, unicode::kUppercaseMore);
  } else if (plain == "lowercase") {
    addCategory(set, "Ll");
    addRanges(set, unicode::kLowercaseMore);
  } else if (!posix(plain, set)) {
    // A script by its own characters, not by its extensions, if it is one.
    constexpr std::array<std::string_view, 12> kScripts = {"han",    "hiragana", "katakana",   "hangul",
                                                           "latin",  "cyrillic", "greek",      "arabic",
                                                           "hebrew", "thai",     "devanagari", "bengali"};
    const bool script = std::find(kScripts.begin(), kScripts.end(), plain) != kScripts.end();
    set.addProperty((script ? "\\p{sc:" : "\\p{") + plain + "}");
  }
  return set;
}

CharacterSet CharacterSet::space() {
  CharacterSet set;
  addSpace(set);
  return set;
}

CharacterSet CharacterSet::word() {
  CharacterSet set;
  addWord(set);
  for (const char32_t c : {0xB2, 0xB3, 0xB9, 0xBC, 0xBD, 0xBE})
    set.addRange(c, c);  // Oniguruma's \w has Latin-1's numbers
  return set;
}

CharacterSet CharacterSet::wordInClass() {
  CharacterSet set;
  addWord(set);
  return set;
}

CharacterSet CharacterSet::digit() {
  CharacterSet set;
  addCategory(set, "Nd");
  return set;
}

CharacterSet CharacterSet::hexDigit() {
  CharacterSet set;
  set.addRange('0', '9');
  set.addRange('A', 'F');
  set.addRange('a', 'f');
  return set;
}

bool CharacterSet::posix(std::string_view name, CharacterSet& set) {
  const auto notPrinting = [&](bool withSpace) {
    for (const char* group : {"Cc", "Cn", "Cs"}) addCategory(set, group);
    if (withSpace) addSpace(set);
    set.negate();
  };
  if (name == "alpha") {
    addAlphabetic(set);
  } else if (name == "digit") {
    addCategory(set, "Nd");
  } else if (name == "alnum") {
    addAlphabetic(set);
    addCategory(set, "Nd");
  } else if (name == "upper") {
    set.addSet(property("uppercase"));
  } else if (name == "lower") {
    set.addSet(property("lowercase"));
  } else if (name == "space") {
    addSpace(set);
  } else if (name == "blank") {
    set.addRange('\t', '\t');
    addCategory(set, "Zs");
  } else if (name == "punct") {
    addCategory(set, "P");
    addCategory(set, "S");
  } else if (name == "cntrl") {
    addCategory(set, "Cc");
  } else if (name == "graph") {
    notPrinting(true);
  } else if (name == "print") {
    notPrinting(false);
  } else if (name == "xdigit") {
    set = hexDigit();
  } else if (name == "word") {
    addWord(set);
  } else if (name == "ascii") {
    set.addRange(0, 0x7F);
  } else {
    return false;
  }
  return true;
}

}  // namespace strata
