// Makes a module of the emulated kernels: libstrata_cuda.so for tests of what calls it.

#include "simt.h"

namespace {
strata::simt::Session session(11);
}

#pragma GCC visibility push(default)
/// The first mistake that the emulation met, or "".
extern "C" const char* strata_simt_problem() {
  return session.problems().empty() ? "" : session.problems().front().c_str();
}
extern "C" long strata_simt_launches() {
  return static_cast<long>(session.launches);
}
extern "C" long strata_simt_replays() {
  return static_cast<long>(session.replays);
}
#pragma GCC visibility pop
