#include "core/checkpoint/rope_config.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <numbers>

#include "core/checkpoint/safetensors_header.h"

namespace strata {
namespace {

constexpr std::int64_t kMostPositions = 1 << 24;
constexpr std::array kTypes = {RopeType::standard, RopeType::linear, RopeType::dynamic, RopeType::yarn,
                               RopeType::llama3};

Result<RopeType> readType(const JsonFields& fields) {
  const char* key = fields.has("rope_type") ? "rope_type" : "type";
  STRATA_TRY(const std::string name, fields.text(key, "default"));
  std::string known;
  for (const RopeType type : kTypes) {
    if (name == toString(type)) return type;
    known += (known.empty() ? "" : ", ") + std::string(toString(type));
  }
  return fields.refuse(key, "says " + quotedName(name) + "; supported are " + known + ".", ErrorCode::unsupported);
}

Result<void> readLlama3(const JsonFields& fields, RopeConfig& rope) {
  STRATA_TRY(rope.lowFreqFactor, fields.positive("low_freq_factor"));
  STRATA_TRY(rope.highFreqFactor, fields.positive("high_freq_factor"));
  if (rope.highFreqFactor <= rope.lowFreqFactor) {
    return fields.refuse("high_freq_factor", "must be larger than low_freq_factor.");
  }
  return {};
}

Result<void> readYarn(const JsonFields& fields, RopeConfig& rope) {
  const auto optional = [&](const char* key, double missing) -> Result<double> {
    STRATA_TRY(const double value, fields.number(key, 0));
    if (value < 0) return fields.refuse(key, "must not be negative.");
    return value == 0 ? missing : value;  // transformers takes 0 for not given
  };
  STRATA_TRY(rope.betaFast, optional("beta_fast", rope.betaFast));
  STRATA_TRY(rope.betaSlow, optional("beta_slow", rope.betaSlow));
  STRATA_TRY(rope.mscale, optional("mscale", 0));
  STRATA_TRY(rope.mscaleAllDim, optional("mscale_all_dim", 0));
  STRATA_TRY(rope.truncate, fields.boolean("truncate", true));
  if (fields.has("attention_factor")) {
    STRATA_TRY(rope.attentionFactor, fields.positive("attention_factor"));
  }
  if (rope.theta <= 1) return fields.refuse("rope_theta", "must be over 1 for the type yarn.");
  return {};
}

double yarnScale(double factor, double mscale) {
  return factor <= 1 ? 1.0 : 0.1 * mscale * std::log(factor) + 1.0;
}

/// Between `low` and `high` of the dimension pairs, frequencies go over from kept to divided by the factor.
void applyYarn(const RopeConfig& rope, int headDim, RopeFrequencies& frequencies) {
  const auto dimensionOf = [&](double rotations) {
    const auto original = static_cast<double>(rope.originalMaxPositions);
    return headDim * std::log(original / (rotations * 2 * std::numbers::pi)) / (2 * std::log(rope.theta));
  };
  double low = dimensionOf(rope.betaFast), high = dimensionOf(rope.betaSlow);
  if (rope.truncate) {
    low = std::floor(low);
    high = std::ceil(high);
  }
  low = std::max(low, 0.0);
  high = std::min(high, headDim - 1.0);
  if (low == high) high += 0.001;
  for (std::size_t i = 0; i < frequencies.inverse.size(); ++i) {
    const double divided = std::clamp((static_cast<double>(i) - low) / (high - low), 0.0, 1.0);
    double& frequency = frequencies.inverse[i];
    frequency = divided * frequency / rope.factor + (1 - divided) * frequency;
  }
  if (rope.attentionFactor) {
    frequencies.attentionScaling = *rope.attentionFactor;
  } else if (rope.mscale > 0 && rope.mscaleAllDim > 0) {
    frequencies.attentionScaling = yarnScale(rope.factor, rope.mscale) / yarnScale(rope.factor, rope.mscaleAllDim);
  } else {
    frequencies.attentionScaling = yarnScale(rope.factor, 1);
  }
}

/// Long wavelengths are divided by the factor, short ones kept, those between blended.
double llama3Frequency(const RopeConfig& rope, double frequency) {
  const double turns = static_cast<double>(rope.originalMaxPositions) * frequency / (2 * std::numbers::pi);
  if (turns < rope.lowFreqFactor) return frequency / rope.factor;
  if (turns > rope.highFreqFactor) return frequency;
  const double kept = (turns - rope.lowFreqFactor) / (rope.highFreqFactor - rope.lowFreqFactor);
  return (1 - kept) * frequency / rope.factor + kept * frequency;
}

}  // namespace

const char* toString(RopeType type) {
  switch (type) {
    case RopeType::linear:
      return "linear";
    case RopeType::dynamic:
      return "dynamic";
    case RopeType::yarn:
      return "yarn";
    case RopeType::llama3:
      return "llama3";
    case RopeType::standard:
      break;
  }
  return "default";
}

Result<RopeConfig> readRope(const JsonFields& config, std::int64_t maxPositions) {
  RopeConfig rope;
  STRATA_TRY(rope.theta, config.positive("rope_theta", rope.theta));
  const auto wholeHeads = [](const JsonFields& fields) -> Result<void> {
    STRATA_TRY(const double rotated, fields.positive("partial_rotary_factor", 1.0));
    if (rotated == 1.0) return {};
    return fields.refuse("partial_rotary_factor", "is not 1; only whole heads are rotated here.",
                         ErrorCode::unsupported);
  };
  STRATA_CHECK(wholeHeads(config));
  // Where both stand there, transformers takes rope_scaling and, of the two types, rope_type.
  const auto isSet = [&](const char* key) {
    const Json* value = config.find(key);
    return value != nullptr && !(value->is_object() && value->empty());
  };
  const char* key = isSet("rope_scaling") ? "rope_scaling" : isSet("rope_parameters") ? "rope_parameters" : nullptr;
  if (key == nullptr) return rope;
  if (!config.find(key)->is_object()) return config.refuse(key, "must be an object or null.");
  const JsonFields fields(*config.find(key), config.where(), key);
  for (const char* layerType : {"full_attention", "sliding_attention"}) {
    if (fields.has(layerType)) {
      return fields.refuse(layerType, "gives some layers a RoPE of their own, which is not supported.",
                           ErrorCode::unsupported);
    }
  }
  STRATA_TRY(rope.theta, fields.positive("rope_theta", rope.theta));
  STRATA_CHECK(wholeHeads(fields));
  STRATA_TRY(rope.type, readType(fields));
  if (rope.type == RopeType::standard) return rope;
  rope.maxPositions = rope.type == RopeType::dynamic ? maxPositions : 0;
  const bool stretches = rope.type == RopeType::yarn || rope.type == RopeType::llama3;
  if (stretches) {
    const char* original = "original_max_position_embeddings";
    STRATA_TRY(rope.originalMaxPositions, fields.integer(original, 1, kMostPositions, maxPositions));
    // Beside the scaling it wins over the one inside, as in transformers' standardize_rope_params.
    STRATA_TRY(rope.originalMaxPositions, config.integer(original, 1, kMostPositions, rope.originalMaxPositions));
  }
  std::optional<double> impliedFactor;
  if (rope.type == RopeType::yarn && !fields.isMissing("factor")) {  // null: as the two contexts say
    impliedFactor = static_cast<double>(maxPositions) / static_cast<double>(rope.originalMaxPositions);
  }
  STRATA_TRY(rope.factor, fields.positive("factor", impliedFactor));
  if (rope.type == RopeType::llama3) STRATA_CHECK(readLlama3(fields, rope));
  if (rope.type == RopeType::yarn) STRATA_CHECK(readYarn(fields, rope));
  return rope;
}

RopeFrequencies ropeFrequencies(const RopeConfig& rope, int headDim, std::int64_t context) {
  double theta = rope.theta;
  if (rope.type == RopeType::dynamic && context > rope.maxPositions) {
    const double longer = static_cast<double>(context) / static_cast<double>(rope.maxPositions);
    theta *= std::pow(rope.factor * longer - (rope.factor - 1), headDim / (headDim - 2.0));
  }
  RopeFrequencies frequencies;
  frequencies.inverse.reserve(static_cast<std::size_t>(headDim / 2));
  for (int i = 0; i < headDim / 2; ++i) {
    double frequency = std::pow(theta, -2.0 * i / headDim);
    if (rope.type == RopeType::linear) frequency /= rope.factor;
    if (rope.type == RopeType::llama3) frequency = llama3Frequency(rope, frequency);
    frequencies.inverse.push_back(frequency);
  }
  if (rope.type == RopeType::yarn) applyYarn(rope, headDim, frequencies);
  return frequencies;
}

std::string describeRope(const RopeConfig& rope) {
  std::array<char, 512> text{};
  std::snprintf(text.data(), text.size(),
                "%s theta=%.17g factor=%.17g original=%lld max=%lld low=%.17g high=%.17g beta=%.17g,%.17g "
                "attention=%.17g mscale=%.17g,%.17g truncate=%d",
                toString(rope.type), rope.theta, rope.factor, static_cast<long long>(rope.originalMaxPositions),
                static_cast<long long>(rope.maxPositions), rope.lowFreqFactor, rope.highFreqFactor, rope.betaFast,
                rope.betaSlow, rope.attentionFactor.value_or(0), rope.mscale, rope.mscaleAllDim, rope.truncate ? 1 : 0);
  return text.data();
}

}  // namespace strata
