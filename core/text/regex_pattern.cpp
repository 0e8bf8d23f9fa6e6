// Regular expressions of foreign files, run by PCRE2 within limits.
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <ctime>
#include <new>

#include "core/base/cancel_scope.h"
#include "core/text/oniguruma.h"
#include "core/text/pattern.h"
#include "core/text/utf8.h"
#include "core/text/word_scanners.h"

namespace strata {
namespace {

constexpr std::uint32_t kHeapLimitKiB = 32 * 1024;
constexpr std::uint32_t kDepthLimit = 100'000;
constexpr std::uint32_t kFirstLimit = 20'000;  // steps of a match; what a sane expression never needs
constexpr std::uint32_t kLastLimit = 10'000'000;
constexpr std::size_t kJitStackBytes = 1 << 20;

struct Free {
  void operator()(pcre2_code* code) const { pcre2_code_free(code); }
  void operator()(pcre2_match_data* data) const { pcre2_match_data_free(data); }
  void operator()(pcre2_match_context* context) const { pcre2_match_context_free(context); }
  void operator()(pcre2_compile_context* context) const { pcre2_compile_context_free(context); }
  void operator()(pcre2_jit_stack* stack) const { pcre2_jit_stack_free(stack); }
};
template <class T>
using Owned = std::unique_ptr<T, Free>;

template <class T>
Owned<T> owned(T* made) {
  if (made == nullptr) throw std::bad_alloc();
  return Owned<T>(made);
}

/// CPU time that splitting one text may take: what a sane expression never needs. Steps alone do not bound it: a match
/// may succeed in few steps and still look at the whole rest of the text, again for each match.
class CpuBudget {
 public:
  explicit CpuBudget(std::size_t textBytes) : m_end(now() + kBase + kPerByte * static_cast<std::int64_t>(textBytes)) {}
  /// A request that was cancelled has none left. Reads the clock at every 256th call.
  bool isSpent() {
    if (++m_calls % kInterval == 0 && (CancelScope::isCancelled() || now() > m_end)) m_spent = true;
    return m_spent;
  }

 private:
  static constexpr std::int64_t kBase = 1'000'000'000;  // ns
  static constexpr std::int64_t kPerByte = 2'000;
  static constexpr std::uint32_t kInterval = 256;

  static std::int64_t now() {
    timespec time{};
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);  // a loaded machine changes nothing
    return time.tv_sec * std::int64_t{1'000'000'000} + time.tv_nsec;
  }

  std::int64_t m_end;
  std::uint32_t m_calls = 0;
  bool m_spent = false;
};

/// PCRE2 calls it wherever it begins to look for a match; anything but 0 ends the search.
int stopWhereSpent(pcre2_callout_block*, void* budget) {
  return static_cast<CpuBudget*>(budget)->isSpent() ? PCRE2_ERROR_MATCHLIMIT : 0;
}

/// What one search needs beside the expression: so that threads share that alone.
class Search {
 public:
  Search(const pcre2_code* code, std::size_t textBytes)
      : m_budget(textBytes),
        m_code(code),
        m_data(owned(pcre2_match_data_create(1, nullptr))),
        m_context(owned(pcre2_match_context_create(nullptr))) {
    pcre2_set_heap_limit(m_context.get(), kHeapLimitKiB);
    pcre2_set_depth_limit(m_context.get(), kDepthLimit);
    pcre2_set_callout(m_context.get(), stopWhereSpent, &m_budget);
  }

  /// The next match from `at` on; false where there is none, or the search takes too many steps.
  bool next(std::string_view text, std::size_t at, std::size_t& begin, std::size_t& end) {
    int found = PCRE2_ERROR_MATCHLIMIT;
    for (std::uint32_t limit = kFirstLimit; found == PCRE2_ERROR_MATCHLIMIT && limit <= m_left && !m_budget.isSpent();
         limit *= 8) {
      pcre2_set_match_limit(m_context.get(), limit);
      found = match(text, at);
      // A match that took more than the first limit cost its steps, found or not.
      if (found == PCRE2_ERROR_MATCHLIMIT || limit > kFirstLimit) m_left -= limit;
    }
    if (found < 0) return false;
    const PCRE2_SIZE* offsets = pcre2_get_ovector_pointer(m_data.get());
    begin = offsets[0];
    end = offsets[1];
    return true;
  }

 private:
  int match(std::string_view text, std::size_t at) {
    const int found = pcre2_match(m_code, reinterpret_cast<PCRE2_SPTR>(text.data()), text.size(), at,
                                  PCRE2_NO_UTF_CHECK, m_data.get(), m_context.get());
    if (found != PCRE2_ERROR_JIT_STACKLIMIT || m_stack) return found;
    m_stack = owned(pcre2_jit_stack_create(32 * 1024, kJitStackBytes, nullptr));
    pcre2_jit_stack_assign(m_context.get(), nullptr, m_stack.get());
    return match(text, at);
  }

  CpuBudget m_budget;
  const pcre2_code* m_code;
  Owned<pcre2_match_data> m_data;
  Owned<pcre2_match_context> m_context;
  Owned<pcre2_jit_stack> m_stack;
  std::uint32_t m_left = kLastLimit;  // steps that may still be wasted on this text: beyond the first limit
};

class RegexPattern final : public Pattern {
 public:
  explicit RegexPattern(Owned<pcre2_code> code) : m_code(std::move(code)) {}

  void find(std::string_view text, std::vector<Stretch>& stretches) const override {
    if (text.empty()) {
      stretches.push_back({0, 0, false});
      return;
    }
    Search search(m_code.get(), text.size());
    std::size_t done = 0;
    bool matchedBefore = false;
    for (std::size_t at = 0, begin = 0, end = 0; at <= text.size() && search.next(text, at, begin, end);) {
      if (end < begin || begin < done) break;              // \K in a lookaround can do that
      if (begin == end && matchedBefore && end == done) {  // an empty match right behind a match does not count
        at += at < text.size() ? readUtf8(text.substr(at)).length : 1;
        continue;
      }
      if (begin > done) stretches.push_back({done, begin, false});
      stretches.push_back({begin, end, true});
      done = at = end;
      matchedBefore = true;
    }
    if (done < text.size()) stretches.push_back({done, text.size(), false});
  }

 private:
  Owned<pcre2_code> m_code;
};

}  // namespace

Result<std::unique_ptr<Pattern>> regexPattern(const std::string& expression, const std::string& where) {
  if (std::unique_ptr<Pattern> scanner = wordScanner(expression)) return scanner;
  STRATA_TRY(std::string pcre, toPcre2(expression, where));
  pcre.insert(0, "(?C1)");  // so that the clock is read at each place where a match may begin
  const auto context = owned(pcre2_compile_context_create(nullptr));
  pcre2_set_newline(context.get(), PCRE2_NEWLINE_LF);
  int number = 0;
  PCRE2_SIZE at = 0;
  Owned<pcre2_code> code(pcre2_compile(reinterpret_cast<PCRE2_SPTR>(pcre.data()), pcre.size(),
                                       PCRE2_UTF | PCRE2_UCP | PCRE2_MULTILINE | PCRE2_NEVER_BACKSLASH_C, &number, &at,
                                       context.get()));
  if (!code) {
    std::array<PCRE2_UCHAR, 256> message{};
    pcre2_get_error_message(number, message.data(), message.size());
    return fail(ErrorCode::unsupported,
                where + ": the regular expression \"" + toValidUtf8(expression.substr(0, 200)) + "\" cannot be used: " +
                    reinterpret_cast<const char*>(message.data()) + "; use a tokenizer with a simpler one.",
                where);
  }
  pcre2_jit_compile(code.get(), PCRE2_JIT_COMPLETE);  // without it the expression is interpreted
  return std::make_unique<RegexPattern>(std::move(code));
}

}  // namespace strata
