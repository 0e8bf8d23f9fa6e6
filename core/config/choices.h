#pragma once
// Words that fields of several configs take.

#include <array>
#include <string>

#include "core/config/visit.h"

namespace strata {

inline constexpr std::array kDeviceChoices = {Choice{"cpu", "Processor"}, Choice{"cuda", "GPU"},
                                              Choice{"cuda:0", "One GPU of several", "cuda:n"},
                                              Choice{"auto", "GPU if there is one"}};

/// One of the words, and after "cuda:" a number.
Result<void> checkDevice(const std::string& device);

}  // namespace strata
