#define PCRE2_CODE_UNIT_WIDTH 8
#include "core/checkpoint/full_match.h"

#include <pcre2.h>

#include <array>
#include <new>
#include <utility>

#include "core/checkpoint/safetensors_header.h"

namespace strata {
namespace {

constexpr std::size_t kLongestPattern = 4096;
constexpr std::uint32_t kMatchLimit = 102'400;  // steps of one match; a sane pattern takes dozens
constexpr std::uint32_t kFirstLimit = 100;
constexpr std::uint32_t kHeapLimitKiB = 16 * 1024;

std::string messageOf(int number) {
  std::array<PCRE2_UCHAR, 256> text{};
  pcre2_get_error_message(number, text.data(), text.size());
  return reinterpret_cast<const char*>(text.data());
}

}  // namespace

Result<FullMatch> FullMatch::compile(const std::string& pattern, const std::string& where, Steps left) {
  const auto refuse = [&](const std::string& why) {
    return fail(ErrorCode::invalidData, where + ": the regular expression " + quotedName(pattern) + " " + why, where);
  };
  if (pattern.size() > kLongestPattern) return refuse("is longer than 4096 bytes.");
  FullMatch out;
  int number = 0;
  PCRE2_SIZE at = 0;
  out.m_code.reset(
      pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pattern.data()), pattern.size(),
                    PCRE2_UTF | PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_NEVER_BACKSLASH_C, &number, &at, nullptr),
      pcre2_code_free);
  if (!out.m_code) return refuse("is wrong at byte " + std::to_string(at) + ": " + messageOf(number) + ".");
  out.m_data.reset(pcre2_match_data_create_from_pattern(out.m_code.get(), nullptr), pcre2_match_data_free);
  out.m_context.reset(pcre2_match_context_create(nullptr), pcre2_match_context_free);
  if (!out.m_data || !out.m_context) throw std::bad_alloc();
  pcre2_set_heap_limit(out.m_context.get(), kHeapLimitKiB);
  out.m_pattern = pattern;
  out.m_where = where;
  out.m_left = std::move(left);
  return out;
}

Result<bool> FullMatch::matches(std::string_view text) const {
  // PCRE2 does not say how many steps a match took: it counts as the least limit that sufficed.
  int found = PCRE2_ERROR_MATCHLIMIT;
  for (std::uint32_t limit = kFirstLimit; found == PCRE2_ERROR_MATCHLIMIT && limit <= kMatchLimit; limit *= 4) {
    if ((*m_left -= limit) < 0) {
      return fail(ErrorCode::invalidData,
                  m_where + ": the patterns take too many steps together; write fewer or simpler ones.", m_where);
    }
    pcre2_set_match_limit(m_context.get(), limit);
    found = pcre2_match(m_code.get(), reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), 0, 0, m_data.get(),
                        m_context.get());
  }
  if (found >= 0) return true;
  if (found == PCRE2_ERROR_NOMATCH) return false;
  return fail(ErrorCode::invalidData,
              m_where + ": the regular expression " + quotedName(m_pattern) + " cannot be matched (" +
                  messageOf(found) + "); write a simpler one.",
              m_where);
}

}  // namespace strata
