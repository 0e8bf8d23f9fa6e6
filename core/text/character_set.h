#pragma once
// Sets of characters in a regular expression, written for PCRE2.

#include <string>
#include <string_view>
#include <vector>

namespace strata {

class CharacterSet {
 public:
  void addRange(char32_t first, char32_t last) { m_ranges.push_back({first, last}); }
  /// "\p{…}" for PCRE2.
  void addProperty(std::string property) { m_properties.push_back(std::move(property)); }
  void addSet(CharacterSet set) { m_sets.push_back(std::move(set)); }
  void negate() { m_negated = !m_negated; }
  /// Only what is in all of these as well.
  void intersect(CharacterSet set) { m_intersected.push_back(std::move(set)); }

  /// An expression for one character of the set.
  std::string pcre2() const;

  /// The set of a property's name as Oniguruma reads it, without regard to case, spaces, '-' and '_': a general
  /// category, a POSIX class, a script or a property that PCRE2 knows (which then checks the name).
  static CharacterSet property(std::string_view name);
  static CharacterSet space();        // \s
  static CharacterSet word();         // \w
  static CharacterSet wordInClass();  // \w between [ and ]
  static CharacterSet digit();        // \d
  static CharacterSet hexDigit();
  /// [:name:]; false for an unknown name.
  static bool posix(std::string_view name, CharacterSet& set);

 private:
  struct Range {
    char32_t first, last;
  };
  bool isSimple() const;
  std::string items() const;

  std::vector<Range> m_ranges;
  std::vector<std::string> m_properties;
  std::vector<CharacterSet> m_sets;
  std::vector<CharacterSet> m_intersected;
  bool m_negated = false;
};

}  // namespace strata
