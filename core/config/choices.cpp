#include "core/config/choices.h"

#include "core/routing/numbers.h"

namespace strata {

Result<void> checkDevice(const std::string& device) {
  constexpr std::string_view kNumbered = "cuda:";
  const bool known = device.starts_with(kNumbered) ? parseDigits(device.substr(kNumbered.size())).has_value()
                                                   : device == "cpu" || device == "cuda" || device == "auto";
  if (known) return {};
  return fail(ErrorCode::usage, "device is \"" + device + "\"; give cpu, cuda, cuda:n or auto.", "device");
}

}  // namespace strata
