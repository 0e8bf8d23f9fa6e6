#include "core/checkpoint/rope_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/base/files.h"
#include "core/checkpoint/model_config.h"
#include "tiny_model.h"

namespace strata {
namespace {

using ::testing::HasSubstr;
using namespace ::strata::testing;

/// What a tiny config with these RoPE keys says.
Result<RopeConfig> ropeOf(const Json& keys) {
  Json file = tinyConfig();
  for (const auto& [key, value] : keys.items()) file[key] = value;
  STRATA_TRY(const ModelConfig config, parseModelConfig(file, "config.json"));
  return config.rope;
}

std::string refusal(const Json& keys) {
  const auto rope = ropeOf(keys);
  EXPECT_FALSE(rope) << keys << " was accepted";
  return rope ? "" : rope.error().message;
}

double relativeError(double actual, double expected) {
  return std::abs(actual - expected) / std::abs(expected);
}

TEST(RopeConfig, GivesTheFrequenciesAndScalingOfEveryTypeInEverySpelling) {
  STRATA_NEEDS_SHARED_DATA();
  const Json golden = readJson(sharedData() / "golden/rope.json").value();
  std::size_t runs = 0;
  for (const Json& entry : golden["cases"]) {
    for (const auto& [spelling, file] : entry["configs"].items()) {
      SCOPED_TRACE(entry["name"].get<std::string>() + ", " + spelling);
      const auto config = parseModelConfig(file, "config.json");
      ASSERT_TRUE(config) << config.error().message;
      for (const Json& run : entry["runs"]) {
        const auto context = run["seq_len"].is_null() ? config->maxPositions : run["seq_len"].get<std::int64_t>();
        const RopeFrequencies actual = ropeFrequencies(config->rope, config->headDim, context);
        const auto expected = run["inv_freq"].get<std::vector<double>>();
        ASSERT_EQ(actual.inverse.size(), expected.size());
        for (std::size_t i = 0; i < expected.size(); ++i) {
          EXPECT_LT(relativeError(actual.inverse[i], expected[i]), 1e-6) << "pair " << i;
        }
        EXPECT_LT(relativeError(actual.attentionScaling, run["attention_scaling"].get<double>()), 1e-6);
        ++runs;
      }
    }
  }
  EXPECT_GT(runs, 100U);
}

TEST(RopeConfig, StretchesDynamicOnlyBeyondTheModelsContext) {
  const RopeConfig rope = ropeOf({{"rope_scaling", {{"type", "dynamic"}, {"factor", 2.0}}}, {"head_dim", 8}}).value();
  EXPECT_EQ(rope.maxPositions, 32);
  const auto plain = ropeFrequencies(RopeConfig{}, 8, 32).inverse;
  EXPECT_EQ(ropeFrequencies(rope, 8, 16).inverse, plain);
  EXPECT_EQ(ropeFrequencies(rope, 8, 32).inverse, plain);
  EXPECT_LT(ropeFrequencies(rope, 8, 33).inverse[1], plain[1]);
}

TEST(RopeConfig, DescribesEqualRotationsEqually) {
  const Json yarn = {{"rope_type", "yarn"}, {"factor", 4.0}, {"original_max_position_embeddings", 8}};
  const RopeConfig a = ropeOf({{"rope_scaling", yarn}, {"rope_theta", 500.0}}).value();
  Json with = yarn;
  with["rope_theta"] = 500;
  const RopeConfig b = ropeOf({{"rope_parameters", with}, {"rope_scaling", nullptr}}).value();
  EXPECT_EQ(describeRope(a), describeRope(b));
  with["beta_fast"] = 16;
  EXPECT_NE(describeRope(a), describeRope(ropeOf({{"rope_parameters", with}}).value()));
}

TEST(RopeConfig, TakesTheOriginalContextFromBesideTheScalingFirst) {
  const Json llama3 = {{"rope_type", "llama3"}, {"factor", 8.0}, {"low_freq_factor", 1.0}, {"high_freq_factor", 4.0}};
  EXPECT_EQ(ropeOf({{"rope_scaling", llama3}, {"original_max_position_embeddings", 16}})->originalMaxPositions, 16);
  Json inside = llama3;
  inside["original_max_position_embeddings"] = 8;
  EXPECT_EQ(ropeOf({{"rope_scaling", inside}})->originalMaxPositions, 8);
  EXPECT_EQ(ropeOf({{"rope_scaling", inside}, {"original_max_position_embeddings", 16}})->originalMaxPositions, 16);
}

TEST(RopeConfig, RefusesWhatItCannotRotateByItsKey) {
  const auto scaling = [](Json keys) { return Json{{"rope_scaling", std::move(keys)}}; };
  EXPECT_THAT(refusal(scaling({{"type", "longrope"}})), HasSubstr("default, linear, dynamic, yarn, llama3"));
  EXPECT_THAT(refusal(scaling({{"type", "linear"}})), HasSubstr("rope_scaling.factor"));
  EXPECT_THAT(refusal(scaling({{"type", "linear"}, {"factor", 0}})), HasSubstr("rope_scaling.factor"));
  EXPECT_THAT(refusal(scaling({{"type", "yarn"}})), HasSubstr("rope_scaling.factor"));
  EXPECT_THAT(refusal(scaling({{"type", "yarn"}, {"factor", 2}, {"beta_slow", -1}})), HasSubstr("beta_slow"));
  EXPECT_THAT(refusal(scaling({{"type", "yarn"}, {"factor", 2}, {"truncate", "no"}})), HasSubstr("truncate"));
  EXPECT_THAT(refusal(scaling({{"type", "yarn"}, {"factor", 2}, {"rope_theta", 1}})), HasSubstr("rope_theta"));
  EXPECT_THAT(refusal(scaling({{"type", "dynamic"}, {"factor", 2}})), HasSubstr("head_dim")) << "a head size of 2";
  EXPECT_THAT(refusal({{"partial_rotary_factor", 0.5}}), HasSubstr("partial_rotary_factor"));
  EXPECT_THAT(refusal({{"rope_parameters", {{"full_attention", {{"rope_theta", 1e4}}}}}}),
              HasSubstr("rope_parameters.full_attention"));
}

}  // namespace
}  // namespace strata
