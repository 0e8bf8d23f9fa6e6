#pragma once
// What a template may use. A template comes with a downloaded model and is not trusted: whatever it says, it ends in a
// fraction of a second and in bounded memory.

#include <cstddef>
#include <cstdint>

namespace strata::jinja {

struct Limits {
  std::size_t sourceBytes = 1u << 20;
  std::size_t nodes = 60'000;         // of the parsed template
  int nesting = 150;                  // of expressions and blocks in the source
  std::uint64_t steps = 2'000'000;    // one is about 50 ns of work; grows with the data that is given
  std::size_t bytes = 24u << 20;      // alive at any moment while rendering; grows with the data
  int callDepth = 150;                // macros, recursive loops, call blocks
  int valueDepth = 200;               // lists in lists
  std::int64_t rangeItems = 100'000;  // as Jinja's sandbox has it
};

constexpr std::size_t kFloatDigits = 310;  // that the largest float has before its point: the work of writing one

}  // namespace strata::jinja
