#pragma once
// tokenizer.json's regular expressions are Oniguruma's, in its Ruby syntax; PCRE2 runs them here.

#include <string>
#include <string_view>

#include "core/base/error.h"

namespace strata {

/// The same expression for PCRE2 (with UTF, UCP, MULTILINE and LF as its newline). What differs between the two is
/// spelled out: \s, \w, \b, \h, \p of Unicode 16, nested and intersected classes, (?m), {n,m}+, the reach of (?i).
/// Refused by name: what PCRE2 lacks (absent operator, text segment boundaries, conditions, extended mode).
Result<std::string> toPcre2(std::string_view pattern, const std::string& where);

}  // namespace strata
