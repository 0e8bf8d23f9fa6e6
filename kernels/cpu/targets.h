#pragma once
// Include before Highway: the instruction sets that each cpu/ file is compiled for (x86: AVX2 and AVX-512; elsewhere
// what Highway has). Older x86 machines take Highway's scalar code.
#define HWY_DISABLED_TARGETS (HWY_SSSE3 | HWY_SSE4)
