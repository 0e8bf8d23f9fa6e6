#pragma once
// The one notification of a window. A connection that is cut without a word (a laptop asleep, a lost network) never
// reaches the end of the engine's input, and the engine would keep its project's lock for ever.

#include "core/config/visit.h"

namespace strata::protocol {

struct Alive {
  static constexpr const char* kName = "alive";
  static constexpr const char* kHelp =
      "the window sends something at least this often from now on; an engine that hears nothing for that long while it "
      "answers nothing ends";
  int silenceMs = 0;
  template <class V>
  void visit(V& v) {
    v("silence_ms", silenceMs, "longest silence, in milliseconds", Range{1, 86'400'000});
  }
};

}  // namespace strata::protocol
