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
    constexpr auto kAnswer = "Answer", kSampling = "Sampling";
    v("max-tokens", maxTokens,
      Meta{.label = "Longest answer",
           .group = kAnswer,
           .unit = "tokens",
           .range = {1, 1e7},
           .why = "An answer that reaches this length is cut off.",
           .help = "new tokens at most"});
    v("temperature", temperature,
      Meta{.label = "Temperature",
           .group = kSampling,
           .range = {0, 100},
           .why = "At 0 the likeliest token is always taken; higher values give more varied answers.",
           .help = "0: greedy"});
    v("top-k", topK,
      Meta{.label = "Top k",
           .group = kSampling,
           .unit = "tokens",
           .range = {0, 1e9},
           .why = "Leaves out all but the likeliest tokens; 0 leaves none out.",
           .help = "choose among the k likeliest tokens; 0: off"});
    v("top-p", topP,
      Meta{.label = "Top p",
           .group = kSampling,
           .range = {0, 1},
           .why = "Leaves out the unlikely tokens beyond this total probability; 1 leaves none out.",
           .help = "choose among the likeliest tokens that reach this probability; 1: off"});
    v("min-p", minP,
      Meta{.label = "Min p",
           .group = kSampling,
           .range = {0, 1},
           .more = true,
           .why = "Leaves out tokens that are far less likely than the likeliest one; 0 leaves none out.",
           .help = "leave out tokens below this share of the likeliest one's probability; 0: off"});
    v("repeat-penalty", repeatPenalty,
      Meta{.label = "Repeat penalty",
           .group = kSampling,
           .range = {0.01, 100},
           .more = true,
           .why = "Values above 1 make the model repeat itself less.",
           .help = "above 1: ids already there become less likely"});
    v("seed", seed,
      Meta{.label = "Random seed",
           .group = kSampling,
           .why = "The same seed gives the same answer again.",
           .help = "seed of the sampling"});
    v("ignore-eos", ignoreEos,
      Meta{.label = "Ignore end token",
           .group = kAnswer,
           .more = true,
           .why = "Goes on writing after the model has ended its answer, for measurements of a fixed length.",
           .help = "go on after an end-of-sequence token"});
    v("stop", stop,
      Meta{.label = "Stop texts",
           .group = kAnswer,
           .open = "none",
           .why = "The answer ends where one of these texts begins.",
           .help = "a text that ends the answer"});
  }
};

}  // namespace strata
