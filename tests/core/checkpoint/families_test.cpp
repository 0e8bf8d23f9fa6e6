#include "core/checkpoint/families.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "core/checkpoint/model_config.h"
#include "tiny_model.h"

namespace strata {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using namespace ::strata::testing;

/// The tiny config as another family's, with these keys over it; null erases one.
Json configOf(const std::string& architecture, const std::string& modelType, const Json& keys = Json::object()) {
  Json file = tinyConfig();
  file["architectures"] = Json::array({architecture});
  file["model_type"] = modelType;
  file["num_hidden_layers"] = 4;
  for (const auto& [key, value] : keys.items()) file[key] = value;
  return file;
}

ModelConfig parse(const Json& file) {
  auto parsed = parseModelConfig(file, "config.json");
  EXPECT_TRUE(parsed) << parsed.error().message;
  return parsed ? *parsed : ModelConfig{};
}

std::string refusal(const Json& file) {
  const auto parsed = parseModelConfig(file, "config.json");
  EXPECT_FALSE(parsed) << "was accepted";
  return parsed ? "" : parsed.error().message;
}

bool hasParameter(const ModelConfig& config, const std::string& name) {
  const auto shapes = parameterShapes(config);
  return std::any_of(shapes.begin(), shapes.end(), [&](const auto& shape) { return shape.first == name; });
}

TEST(Families, AnUnknownArchitectureIsRefusedNamingAllThatAreSupported) {
  const std::string message = refusal(configOf("GemmaForCausalLM", "gemma"));
  for (const char* name : {"LlamaForCausalLM", "MistralForCausalLM", "Qwen2ForCausalLM", "Qwen3ForCausalLM"}) {
    EXPECT_THAT(message, HasSubstr(name));
  }
  EXPECT_THAT(refusal(configOf("Qwen2ForCausalLM", "qwen3")), HasSubstr("model_type"));
}

TEST(Families, EachHasTheParametersOfItsOwn) {
  const std::string attention = "model.layers.3.self_attn.";
  const ModelConfig llama = parse(configOf("LlamaForCausalLM", "llama"));
  const ModelConfig mistral = parse(configOf("MistralForCausalLM", "mistral"));
  const ModelConfig qwen2 = parse(configOf("Qwen2ForCausalLM", "qwen2"));
  const ModelConfig qwen3 = parse(configOf("Qwen3ForCausalLM", "qwen3", {{"head_dim", 2}}));
  for (const ModelConfig& config : {llama, mistral, qwen2, qwen3}) {
    EXPECT_EQ(hasParameter(config, attention + "k_proj.bias"), config.architecture == "Qwen2ForCausalLM");
    EXPECT_EQ(hasParameter(config, attention + "q_norm.weight"), config.architecture == "Qwen3ForCausalLM");
    EXPECT_FALSE(hasParameter(config, attention + "o_proj.bias"));
  }
  const ModelConfig biased = parse(configOf("Qwen3ForCausalLM", "qwen3", {{"head_dim", 2}, {"attention_bias", true}}));
  EXPECT_TRUE(hasParameter(biased, attention + "o_proj.bias"));
}

TEST(Families, MissingKeysHaveTheDefaultsOfTheFamilysOwnClass) {
  Json file = configOf("Qwen3ForCausalLM", "qwen3", {{"num_attention_heads", 64}, {"hidden_size", 64}});
  for (const char* key : {"num_key_value_heads", "head_dim", "max_position_embeddings", "bos_token_id", "eos_token_id"})
    file.erase(key);
  const ModelConfig qwen3 = parse(file);
  EXPECT_EQ(qwen3.kvHeads, 32);
  EXPECT_EQ(qwen3.headDim, 128);
  EXPECT_EQ(qwen3.maxPositions, 32768);
  EXPECT_FALSE(qwen3.bosId);
  EXPECT_TRUE(qwen3.eosIds.empty());
  file = configOf("MistralForCausalLM", "mistral", {{"num_attention_heads", 16}, {"hidden_size", 64}});
  file.erase("num_key_value_heads");
  EXPECT_EQ(parse(file).kvHeads, 8);
  file["num_key_value_heads"] = nullptr;
  EXPECT_EQ(parse(file).kvHeads, 16) << "null means as many as query heads in every family";
}

TEST(Families, MistralSlidesInEveryLayer) {
  const auto windows = [](const Json& keys) {
    return parse(configOf("MistralForCausalLM", "mistral", keys)).traits.windows;
  };
  EXPECT_THAT(windows({{"sliding_window", 16}}), ElementsAre(16, 16, 16, 16));
  EXPECT_THAT(windows({{"sliding_window", nullptr}}), Each(0));
  EXPECT_THAT(windows(Json::object()), Each(4096));
  EXPECT_THAT(refusal(configOf("MistralForCausalLM", "mistral", {{"sliding_window", 0}})), HasSubstr("sliding_window"));
}

TEST(Families, QwenSlidesOnlyWhereItSaysSo) {
  const auto windows = [](Json keys, bool use = true) {
    keys["use_sliding_window"] = use;
    return parse(configOf("Qwen2ForCausalLM", "qwen2", keys)).traits.windows;
  };
  const Json types = {"sliding_attention", "full_attention", "full_attention", "sliding_attention"};
  EXPECT_THAT(windows({{"sliding_window", 8}, {"max_window_layers", 3}}), ElementsAre(0, 0, 0, 8));
  EXPECT_THAT(windows({{"sliding_window", 8}, {"max_window_layers", 3}}, false), Each(0));
  EXPECT_THAT(windows({{"sliding_window", 8}}), Each(0)) << "28 layers are whole unless the file says otherwise";
  EXPECT_THAT(windows({{"sliding_window", 8}, {"max_window_layers", 1}, {"layer_types", types}}),
              ElementsAre(8, 0, 0, 8));
  EXPECT_THAT(windows({{"sliding_window", nullptr}, {"max_window_layers", 0}}), Each(0));
  const auto refused = [](Json keys) {
    keys["use_sliding_window"] = true;
    return refusal(configOf("Qwen2ForCausalLM", "qwen2", keys));
  };
  EXPECT_THAT(refused({{"layer_types", {"full_attention"}}}), HasSubstr("layer_types"));
  EXPECT_THAT(refused({{"layer_types", {"full_attention", "full_attention", "full_attention", "chunked_attention"}}}),
              HasSubstr("chunked_attention"));
  EXPECT_THAT(refused({{"sliding_window", nullptr}, {"layer_types", types}}), HasSubstr("layer 0"));
}

}  // namespace
}  // namespace strata
