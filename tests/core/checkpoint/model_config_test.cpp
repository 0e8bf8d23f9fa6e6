#include "core/checkpoint/model_config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "golden_models.h"
#include "tiny_model.h"

namespace strata {
namespace {

using ::testing::HasSubstr;
using namespace ::strata::testing;

ModelConfig parse(const Json& config) {
  auto parsed = parseModelConfig(config, "config.json");
  EXPECT_TRUE(parsed) << parsed.error().message;
  return parsed ? *parsed : ModelConfig{};
}

/// The tiny config with one key set to a value; null in `value` writes null, a missing one is erased.
Error errorWith(const std::string& key, std::optional<Json> value) {
  Json config = tinyConfig();
  if (value) {
    config[key] = *value;
  } else {
    config.erase(key);
  }
  const auto parsed = parseModelConfig(config, "here/config.json");
  if (parsed) {
    ADD_FAILURE() << key << " was accepted";
    return {};
  }
  EXPECT_THAT(parsed.error().message, HasSubstr("here/config.json"));
  EXPECT_EQ(parsed.error().message.back(), '.');
  return parsed.error();
}

TEST(ModelConfig, ReadsEverySize) {
  const ModelConfig config = parse(tinyConfig());
  EXPECT_EQ(config.architecture, "LlamaForCausalLM");
  EXPECT_EQ(config.layers, 2);
  EXPECT_EQ(config.width, 8);
  EXPECT_EQ(config.ffn, 12);
  EXPECT_EQ(config.heads, 4);
  EXPECT_EQ(config.kvHeads, 2);
  EXPECT_EQ(config.headDim, 2);
  EXPECT_EQ(config.vocab, 10);
  EXPECT_EQ(config.maxPositions, 32);
  EXPECT_DOUBLE_EQ(config.rmsNormEps, 1e-5);
  EXPECT_EQ(config.bosId, 1);
  EXPECT_EQ(config.eosIds, (std::vector<std::int64_t>{2}));
  EXPECT_EQ(config.dtype, DType::f32);
  EXPECT_FALSE(config.tied);
  EXPECT_EQ(config.raw, tinyConfig());
}

TEST(ModelConfig, HasTheDefaultsOfTransformers) {
  Json file = tinyConfig();
  for (const char* key : {"num_key_value_heads", "rope_theta", "max_position_embeddings", "rms_norm_eps", "hidden_act",
                          "tie_word_embeddings", "bos_token_id", "eos_token_id", "torch_dtype"}) {
    file.erase(key);
  }
  const ModelConfig config = parse(file);
  EXPECT_EQ(config.kvHeads, 4);
  EXPECT_EQ(config.headDim, 2);
  EXPECT_EQ(config.rope.theta, 10000.0);
  EXPECT_EQ(config.rope.type, RopeType::standard);
  EXPECT_EQ(config.maxPositions, 2048);
  EXPECT_EQ(config.rmsNormEps, 1e-6);
  EXPECT_FALSE(config.tied);
  EXPECT_EQ(config.bosId, 1);
  EXPECT_EQ(config.eosIds, (std::vector<std::int64_t>{2}));
  EXPECT_FALSE(config.dtype);
  for (const char* key : {"num_key_value_heads", "rope_scaling", "head_dim", "rope_parameters", "dtype"}) {
    file[key] = nullptr;
  }
  EXPECT_EQ(parse(file).kvHeads, 4);
}

TEST(ModelConfig, ReadsTheSameFromOldAndNewSpelling) {
  STRATA_NEEDS_SHARED_DATA();
  for (const std::string& model : kGoldenModels) {
    const auto folder = sharedData() / "golden/models" / model;
    const ModelConfig now = parse(Json::parse(readText(folder / "config.json")));
    const ModelConfig old = parse(Json::parse(readText(folder / "config.legacy.json")));
    EXPECT_EQ(parameterShapes(now), parameterShapes(old)) << model;
    EXPECT_EQ(now.kvGeometry(), old.kvGeometry()) << model;
    EXPECT_EQ(now.rope, old.rope) << model;
    EXPECT_EQ(now.traits.windows, old.traits.windows) << model;
    EXPECT_EQ(now.heads, old.heads);
    EXPECT_EQ(now.rmsNormEps, old.rmsNormEps);
    EXPECT_EQ(now.maxPositions, old.maxPositions);
    EXPECT_EQ(now.dtype, old.dtype);
    EXPECT_EQ(now.eosIds, old.eosIds);
    EXPECT_EQ(now.tied, old.tied);
  }
}

TEST(ModelConfig, ReadsLlama3RopeInEverySpelling) {
  const Json scaling = {
      {"factor", 8.0}, {"low_freq_factor", 1}, {"high_freq_factor", 4.0}, {"original_max_position_embeddings", 64}};
  std::vector<ModelConfig> configs;
  for (const char* typeKey : {"type", "rope_type"}) {
    Json file = tinyConfig();
    file["rope_scaling"] = scaling;
    file["rope_scaling"][typeKey] = "llama3";
    file["rope_theta"] = 500000;
    configs.push_back(parse(file));
  }
  Json file = tinyConfig();
  file.erase("rope_theta");
  file["rope_parameters"] = scaling;
  file["rope_parameters"]["rope_type"] = "llama3";
  file["rope_parameters"]["rope_theta"] = 5e5;
  configs.push_back(parse(file));
  for (const ModelConfig& config : configs) {
    EXPECT_EQ(config.rope.type, RopeType::llama3);
    EXPECT_EQ(config.rope.theta, 500000.0);
    EXPECT_EQ(config.rope.factor, 8.0);
    EXPECT_EQ(config.rope.lowFreqFactor, 1.0);
    EXPECT_EQ(config.rope.highFreqFactor, 4.0);
    EXPECT_EQ(config.rope.originalMaxPositions, 64);
    EXPECT_EQ(config.kvGeometry(), configs.front().kvGeometry());
  }
  EXPECT_NE(configs.front().kvGeometry(), parse(tinyConfig()).kvGeometry());
}

TEST(ModelConfig, ReadsEndIdsAsOneAListOrNone) {
  Json file = tinyConfig();
  file["eos_token_id"] = {7, 8};
  EXPECT_EQ(parse(file).eosIds, (std::vector<std::int64_t>{7, 8}));
  file["eos_token_id"] = nullptr;
  EXPECT_TRUE(parse(file).eosIds.empty());
  file["bos_token_id"] = nullptr;
  EXPECT_FALSE(parse(file).bosId);
  file["bos_token_id"] = 128000;
  EXPECT_FALSE(parse(file).bosId) << "there is no embedding for it";
  file["bos_token_id"] = -1;
  file["eos_token_id"] = -1;
  EXPECT_FALSE(parse(file).bosId);
  EXPECT_TRUE(parse(file).eosIds.empty());
}

TEST(ModelConfig, GoesByTheModelTypeOrTheFirstArchitectureThatIsSupported) {
  Json file = tinyConfig();
  file["architectures"] = Json::array({"LlamaModel", "LlamaForCausalLM"});
  EXPECT_EQ(parse(file).layers, 2);
  file["architectures"] = Json::array();
  file["model_type"] = "llama";
  EXPECT_EQ(parse(file).layers, 2);
}

TEST(ModelConfig, RefusesEachWrongSizeByItsKey) {
  for (const char* key :
       {"num_hidden_layers", "hidden_size", "intermediate_size", "num_attention_heads", "vocab_size"}) {
    EXPECT_THAT(errorWith(key, std::nullopt).message, HasSubstr(key));
    for (const Json& wrong : {Json(0), Json(-4), Json(4.0), Json("4"), Json(true), Json::array({4}), Json::object(),
                              Json(20'000'000), Json(18446744073709551615ULL)}) {
      EXPECT_THAT(errorWith(key, wrong).message, HasSubstr(key)) << wrong;
    }
  }
  EXPECT_THAT(errorWith("num_hidden_layers", 4097).message, HasSubstr("between 1 and 4096"));
  EXPECT_THAT(errorWith("max_position_embeddings", 0).message, HasSubstr("max_position_embeddings"));
  EXPECT_THAT(errorWith("rms_norm_eps", -1e-5).message, HasSubstr("rms_norm_eps"));
  EXPECT_THAT(errorWith("rms_norm_eps", "1e-5").message, HasSubstr("rms_norm_eps"));
  EXPECT_THAT(errorWith("rope_theta", 0).message, HasSubstr("rope_theta"));
  EXPECT_THAT(errorWith("tie_word_embeddings", 1).message, HasSubstr("tie_word_embeddings"));
  EXPECT_THAT(errorWith("attention_bias", "yes").message, HasSubstr("attention_bias"));
  EXPECT_THAT(errorWith("eos_token_id", "2").message, HasSubstr("eos_token_id"));
  EXPECT_THAT(errorWith("eos_token_id", Json::array({2, -1})).message, HasSubstr("eos_token_id"));
}

TEST(ModelConfig, RefusesHeadsThatDoNotFit) {
  EXPECT_THAT(errorWith("num_key_value_heads", 3).message, HasSubstr("not a multiple"));
  EXPECT_THAT(errorWith("num_key_value_heads", 8).message, HasSubstr("not a multiple"));
  EXPECT_THAT(errorWith("head_dim", 3).message, HasSubstr("even"));
  EXPECT_THAT(errorWith("hidden_size", 10).message, HasSubstr("hidden_size"));
  EXPECT_THAT(errorWith("head_dim", 8'000'000).message, HasSubstr("head size"));
}

TEST(ModelConfig, NamesWhatIsSupportedWhereItRefuses) {
  Error error = errorWith("architectures", Json::array({"GPT2LMHeadModel"}));
  EXPECT_EQ(error.code, ErrorCode::unsupported);
  EXPECT_THAT(error.message, HasSubstr("GPT2LMHeadModel"));
  EXPECT_THAT(error.message, HasSubstr("LlamaForCausalLM"));
  EXPECT_THAT(errorWith("architectures", "LlamaForCausalLM").message, HasSubstr("architectures"));
  EXPECT_THAT(errorWith("architectures", Json::array({3})).message, HasSubstr("architectures"));
  EXPECT_THAT(errorWith("model_type", "mistral").message, HasSubstr("model_type"));
  EXPECT_EQ(errorWith("hidden_act", "gelu").code, ErrorCode::unsupported);
  EXPECT_EQ(errorWith("quantization_config", Json{{"quant_method", "gptq"}}).code, ErrorCode::unsupported);
  EXPECT_THAT(errorWith("rope_scaling", Json{{"type", "longrope"}, {"factor", 4}}).message, HasSubstr("llama3"));
  EXPECT_THAT(errorWith("rope_scaling", Json{{"type", 3}}).message, HasSubstr("rope_scaling.type"));
  EXPECT_THAT(errorWith("rope_scaling", "linear").message, HasSubstr("rope_scaling"));
  const Json lacking = {{"rope_type", "llama3"}, {"factor", 8}, {"low_freq_factor", 1}};
  EXPECT_THAT(errorWith("rope_parameters", lacking).message, HasSubstr("rope_parameters.high_freq_factor"));
}

TEST(ModelConfig, ListsTheParametersOfTheStockFiles) {
  STRATA_NEEDS_SHARED_DATA();
  // Sizes in bytes of the safetensors data, from the index or the file's own header.
  const std::pair<const char*, std::int64_t> cases[] = {{"golden/models/llama31-gqa", 397536},
                                                        {"models/stories260K", 260032}};
  for (const auto& [model, parameters] : cases) {
    EXPECT_EQ(parse(Json::parse(readText(sharedData() / model / "config.json"))).shape().parameters, parameters);
  }
}

TEST(ModelConfig, CountsTheLargestAllowedModelWithoutOverflow) {
  Json file = tinyConfig();
  const std::int64_t most = 1 << 24;
  for (const char* key : {"hidden_size", "intermediate_size", "vocab_size"}) file[key] = most;
  file["num_hidden_layers"] = 4096;
  file["num_attention_heads"] = most / 2;
  file["num_key_value_heads"] = most / 2;
  file["attention_bias"] = true;
  file["mlp_bias"] = true;
  EXPECT_GT(parse(file).shape().parameters, std::int64_t{1} << 62);
}

}  // namespace
}  // namespace strata
