#pragma once
// The rotary position embedding that a config.json asks for (Su et al., arXiv 2104.09864), with the ways to stretch it
// over longer contexts that transformers' modeling_rope_utils knows, and the frequencies that follow.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/checkpoint/json_fields.h"

namespace strata {

enum class RopeType { standard, linear, dynamic, yarn, llama3 };

/// "default", "linear", "dynamic", "yarn", "llama3": as config.json spells them.
const char* toString(RopeType type);

struct RopeConfig {
  RopeType type = RopeType::standard;
  double theta = 10000.0;
  double factor = 1.0;                    // linear, dynamic, yarn, llama3
  std::int64_t originalMaxPositions = 0;  // yarn, llama3: the context before stretching
  std::int64_t maxPositions = 0;          // dynamic: the context up to which nothing is stretched
  // llama3
  double lowFreqFactor = 1.0;
  double highFreqFactor = 4.0;
  // yarn (Peng et al., arXiv 2309.00071); the scaling factor of cos and sin follows from the mscales unless it is given
  double betaFast = 32.0;
  double betaSlow = 1.0;
  std::optional<double> attentionFactor;
  double mscale = 0;  // 0: not given
  double mscaleAllDim = 0;
  bool truncate = true;  // the ramp begins and ends at whole dimensions

  bool operator==(const RopeConfig&) const = default;
};

/// From a whole config.json, in the spelling of transformers 4 (rope_theta, rope_scaling with type, rope_type or both)
/// or 5 (rope_parameters). Refused, naming the key: unknown types, missing or impossible parameters, heads that are
/// rotated in part, layers with RoPE of their own.
Result<RopeConfig> readRope(const JsonFields& config, std::int64_t maxPositions);

struct RopeFrequencies {
  std::vector<double> inverse;  // [D/2], radians per position
  double attentionScaling = 1;  // multiplies cos and sin
};
/// `context`: what `dynamic` (NTK-aware scaling with a base that grows with the sequence) stretches to where it is over
/// maxPositions; the other types do not depend on it. headDim is even, over 2 for `dynamic`.
RopeFrequencies ropeFrequencies(const RopeConfig& rope, int headDim, std::int64_t context);

/// One line that is equal for equal rotations.
std::string describeRope(const RopeConfig& rope);

}  // namespace strata
