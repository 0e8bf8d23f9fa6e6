// JSON texts: no crash, and what is accepted is written as one line that reads back as the same value.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "core/base/json.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  const auto json = strata::parseJson(text, "input");
  if (!json) return 0;
  const std::string line = strata::dumpLine(*json);
  const auto again = strata::parseJson(line, "line");
  if (!again || *again != *json || line.find('\n') != std::string::npos) std::abort();
  return 0;
}
