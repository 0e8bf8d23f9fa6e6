#pragma once
// A regular expression that must match a whole text, as Python's re.fullmatch. Patterns come from foreign files: PCRE2
// with a match limit, so that none can overflow the stack or run for ever.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/error.h"

struct pcre2_real_code_8;
struct pcre2_real_match_data_8;
struct pcre2_real_match_context_8;

namespace strata {

class FullMatch {
 public:
  /// Steps that all patterns of one file may take together.
  static constexpr std::int64_t kStepsOfAFile = 400'000'000;
  using Steps = std::shared_ptr<std::int64_t>;

  /// `where` names the file and key in errors; `left` are the steps that the patterns of the file may still take.
  static Result<FullMatch> compile(const std::string& pattern, const std::string& where,
                                   Steps left = std::make_shared<std::int64_t>(kStepsOfAFile));
  /// Fails where the pattern needs more steps than the limit, or the file's patterns more than theirs. Not to be called
  /// from two threads at once.
  Result<bool> matches(std::string_view text) const;

 private:
  FullMatch() = default;
  std::shared_ptr<pcre2_real_code_8> m_code;
  std::shared_ptr<pcre2_real_match_data_8> m_data;
  std::shared_ptr<pcre2_real_match_context_8> m_context;
  Steps m_left;
  std::string m_pattern;
  std::string m_where;
};

}  // namespace strata
