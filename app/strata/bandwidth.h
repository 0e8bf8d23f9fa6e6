#pragma once
// What reading memory can reach on this machine, for the floor of decoding.

namespace strata {

/// The median of several passes in GB/s (1e9 bytes): `threads` threads sum 512 MiB in huge pages, each its own share.
/// 0 where there is no memory for it.
double readBandwidth(int threads);

}  // namespace strata
