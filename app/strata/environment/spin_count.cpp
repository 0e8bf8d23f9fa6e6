// Threads of a parallel region wait for one another by spinning. libgomp's own choice is to spin for milliseconds,
// which makes a chat beside a training run on the same cores several times slower; a short spin costs nothing
// measurable when alone. libgomp reads its environment once, when it is loaded. This library has no dependencies and is
// named last on the program's link line, libgomp first, so that the loader initialises it before libgomp (tests/app
// checks that it does).

#include <cstdlib>

namespace {

constexpr const char* kSpinCount = "10000";  // about 20 µs

[[gnu::constructor]] void chooseSpinCount() {
  if (std::getenv("OMP_WAIT_POLICY") == nullptr) setenv("GOMP_SPINCOUNT", kSpinCount, 0);
}

}  // namespace
