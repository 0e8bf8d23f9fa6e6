#pragma once
// How long ago this process began, for STRATA_TIMING=1.

namespace strata {

/// Milliseconds since exec, by the kernel's clock (its ticks are 10 ms); -1 where it cannot be read.
int millisecondsSinceStart();

}  // namespace strata
