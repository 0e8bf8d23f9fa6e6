#pragma once
// Include before Highway: the instruction sets that each cpu/ file is compiled for (x86: AVX2 and AVX-512; elsewhere
// what Highway has). Older x86 machines take Highway's scalar code.
// SVE's vectors have no size at compile time, so they cannot be members of a struct or an array: Arm runs NEON.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4 | HWY_SVE | HWY_SVE2 | HWY_SVE_256 | HWY_SVE2_128)
