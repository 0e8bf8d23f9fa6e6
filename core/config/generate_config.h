#pragma once
// How new tokens are chosen. temperature 0 is greedy: the other choices then do nothing.

#include <cstdint>
#include <string>
#include <vector>

#include "core/config/visit.h"

namespace strata {

struct GenerateConfig {
  int maxTokens = 128;       // new tokens at most
  double temperature = 0;    // 0: greedy
  int topK = 0;              // the k likeliest tokens; 0: off
  double topP = 1;           // the likeliest tokens that together reach this probability; 1: off
  double minP = 0;           // tokens at least this share of the likeliest one's probability; 0: off
  double repeatPenalty = 1;  // divides positive, multiplies negative logits of ids already there; 1: off
  std::uint64_t seed = 1;
  bool ignoreEos = false;         // go on after an end-of-sequence token
  std::vector<std::string> stop;  // texts that end the answer

  template <class V>
  void visit(V& v) {
    v("max-tokens", maxTokens, "new tokens at most", Range{1, 1e7});
    v("temperature", temperature, "0: greedy", Range{0, 100});
    v("top-k", topK, "choose among the k likeliest tokens; 0: off", Range{0, 1e9});
    v("top-p", topP, "choose among the likeliest tokens that reach this probability; 1: off", Range{0, 1});
    v("min-p", minP, "leave out tokens below this share of the likeliest one's probability; 0: off", Range{0, 1});
    v("repeat-penalty", repeatPenalty, "above 1: ids already there become less likely", Range{0.01, 100});
    v("seed", seed, "seed of the sampling");
    v("ignore-eos", ignoreEos, "go on after an end-of-sequence token");
    v("stop", stop, "a text that ends the answer");
  }
};

}  // namespace strata
