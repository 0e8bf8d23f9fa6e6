#pragma once
// Losses of one map by window (or question), and their means with intervals.

#include <cstdint>
#include <optional>
#include <vector>

#include "core/base/json.h"

namespace strata {

struct WindowLoss {
  double sum = 0;           // nats; of a question 1 - score
  std::int64_t tokens = 0;  // predicted; of a question 1; 0: not measured
};
inline void to_json(Json& json, const WindowLoss& loss) {
  json = {loss.sum, loss.tokens};
}
inline void from_json(const Json& json, WindowLoss& loss) {
  json.at(0).get_to(loss.sum);
  json.at(1).get_to(loss.tokens);
}

using Losses = std::vector<WindowLoss>;  // by window, in the text's order

struct MeanLoss {
  double mean = 0;                  // per token
  std::int64_t tokens = 0;          // 0: nothing was measured
  std::optional<double> halfWidth;  // of the 95 % interval; nothing: fewer than two windows
};

/// Sum over tokens. The interval is that of a ratio estimate (Cochran, Sampling Techniques, 6.3) with windows as the
/// units, by Student's t.
MeanLoss meanOf(const Losses& losses);
/// The same of a - b, over the windows that both have: paired.
MeanLoss meanDifference(const Losses& a, const Losses& b);

}  // namespace strata
