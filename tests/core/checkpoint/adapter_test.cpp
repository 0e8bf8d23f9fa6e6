#include "core/checkpoint/adapter.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/full_match.h"
#include "tiny_model.h"

namespace strata {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using namespace ::strata::testing;

const std::vector<std::string> kAttention = {"q_proj", "k_proj", "v_proj", "o_proj"};

ModelConfig tinyModel(bool tied = false) {
  Json config = tinyConfig();
  config["tie_word_embeddings"] = tied;
  return parseModelConfig(config, "config.json").value();
}

/// An adapter folder with a pair of the given rank for each of the modules.
class AdapterFolder {
 public:
  AdapterFolder() {
    m_config = {{"peft_type", "LORA"},          {"r", 2},         {"lora_alpha", 6},
                {"target_modules", {"q_proj"}}, {"bias", "none"}, {"task_type", "CAUSAL_LM"}};
  }
  Json& config() { return m_config; }
  void addPair(const std::string& module, std::int64_t rank, const ModelConfig& model = tinyModel()) {
    for (const auto& [name, shape] : parameterShapes(model)) {
      if (name != module + ".weight") continue;
      m_weights.add("base_model.model." + module + ".lora_A.weight", {rank, shape[1]});
      m_weights.add("base_model.model." + module + ".lora_B.weight", {shape[0], rank});
    }
  }
  void addTensor(const std::string& name, const std::vector<std::int64_t>& shape) { m_weights.add(name, shape); }
  Result<Adapter> read(const ModelConfig& model = tinyModel()) const {
    writeText(m_folder.path() / "adapter_config.json", m_config.dump());
    writeText(m_folder.path() / "adapter_model.safetensors", m_weights.file());
    return readAdapter(m_folder.path(), model);
  }
  std::string refusal(const ModelConfig& model = tinyModel()) const {
    const auto adapter = read(model);
    EXPECT_FALSE(adapter);
    if (adapter) return "";
    EXPECT_EQ(adapter.error().message.back(), '.');
    return adapter.error().message;
  }
  const fs::path& path() const { return m_folder.path(); }

 private:
  TemporaryFolder m_folder;
  Json m_config;
  RawWeights m_weights;
};

std::vector<std::string> modulesOf(const Result<Adapter>& adapter) {
  std::vector<std::string> names;
  EXPECT_TRUE(adapter) << adapter.error().message;
  if (!adapter) return names;
  for (const auto& [name, pair] : adapter->pairs) names.push_back(name);
  return names;
}

TEST(Adapter, ReadsThatOfPeft) {
  STRATA_NEEDS_SHARED_DATA();
  const auto folder = sharedData() / "golden/models/llama2-mha";
  const ModelConfig model = readModelConfig(folder).value();
  const auto adapter = readAdapter(folder / "adapter", model);
  ASSERT_TRUE(adapter) << adapter.error().message;
  EXPECT_EQ(adapter->pairs.size(), 16U);
  const LoraPair& pair = adapter->pairs.at("model.layers.3.self_attn.o_proj");
  EXPECT_EQ(pair.a.shape, (std::vector<std::int64_t>{4, 48}));
  EXPECT_EQ(pair.b.shape, (std::vector<std::int64_t>{48, 4}));
  EXPECT_EQ(pair.scale, 2.0);
  EXPECT_EQ(adapter->config["r"], 4);
}

TEST(Adapter, ReadsWhatItWrote) {
  const TemporaryFolder folder;
  const ModelConfig model = tinyModel();
  LoraSettings settings;
  settings.rank = 3;
  settings.alpha = 4.5;
  std::vector<std::vector<float>> values;
  std::vector<TensorToWrite> tensors;
  values.reserve(200);
  for (const auto& [name, shape] : parameterShapes(model)) {
    const std::string module = name.substr(0, name.rfind('.'));
    if (!module.ends_with("_proj")) continue;
    for (const auto& [part, extents] : {std::pair("lora_A", std::vector<std::int64_t>{3, shape[1]}),
                                        std::pair("lora_B", std::vector<std::int64_t>{shape[0], 3})}) {
      values.emplace_back(static_cast<std::size_t>(extents[0] * extents[1]), 0.5F);
      tensors.push_back(
          {module + "." + part + ".weight", DType::f32, extents, std::as_bytes(std::span(values.back()))});
    }
  }
  ASSERT_TRUE(writeAdapter(folder.path(), settings, "base/model", tensors));
  const auto adapter = readAdapter(folder.path(), model);
  ASSERT_TRUE(adapter) << adapter.error().message;
  EXPECT_EQ(adapter->pairs.size(), 14U);
  EXPECT_EQ(adapter->pairs.begin()->second.scale, 1.5);
  EXPECT_EQ(adapter->config["base_model_name_or_path"], "base/model");
  EXPECT_EQ(adapter->config["lora_alpha"], 4.5);
  const auto stored = readSafetensors(folder.path() / "adapter_model.safetensors");
  EXPECT_TRUE(stored->contains("base_model.model.model.layers.1.mlp.up_proj.lora_B.weight"));
}

TEST(Adapter, FindsTargetsByNameRegexAndAllLinear) {
  for (const Json& targets : {Json::array({"q_proj"}), Json::array({"self_attn.q_proj"}), Json(R"(.*\.q_proj)"),
                              Json(R"(model\.layers\.\d+\.self_attn\.(q|x)_proj)")}) {
    AdapterFolder folder;
    folder.config()["target_modules"] = targets;
    folder.addPair("model.layers.0.self_attn.q_proj", 2);
    folder.addPair("model.layers.1.self_attn.q_proj", 2);
    EXPECT_EQ(modulesOf(folder.read()),
              (std::vector<std::string>{"model.layers.0.self_attn.q_proj", "model.layers.1.self_attn.q_proj"}))
        << targets;
  }
  AdapterFolder all;
  all.config()["target_modules"] = "all-linear";
  for (const std::string layer : {"model.layers.0.", "model.layers.1."}) {
    for (const std::string& name : kAttention) all.addPair(layer + "self_attn." + name, 2);
    for (const char* name : {"gate_proj", "up_proj", "down_proj"}) all.addPair(layer + "mlp." + name, 2);
  }
  EXPECT_EQ(modulesOf(all.read()).size(), 14U);
  EXPECT_EQ(modulesOf(all.read(tinyModel(true))).size(), 14U);
}

TEST(Adapter, MatchesARegexAgainstTheWholeName) {
  AdapterFolder folder;
  folder.config()["target_modules"] = "q_proj";
  folder.addPair("model.layers.0.self_attn.q_proj", 2);
  folder.addPair("model.layers.1.self_attn.q_proj", 2);
  EXPECT_THAT(folder.refusal(), HasSubstr("covers"));
}

TEST(Adapter, KeepsToTheLayersToTransform) {
  for (const Json& layers : {Json(1), Json::array({1})}) {
    AdapterFolder folder;
    folder.config()["layers_to_transform"] = layers;
    folder.addPair("model.layers.1.self_attn.q_proj", 2);
    EXPECT_EQ(modulesOf(folder.read()), (std::vector<std::string>{"model.layers.1.self_attn.q_proj"}));
  }
  AdapterFolder folder;
  folder.config()["layers_to_transform"] = {0};
  folder.config()["target_modules"] = "all-linear";
  EXPECT_THAT(folder.refusal(), HasSubstr("layers_to_transform"));
}

TEST(Adapter, HonoursRankAndAlphaPatterns) {
  AdapterFolder folder;
  folder.config()["target_modules"] = {"q_proj", "v_proj"};
  folder.config()["rank_pattern"] = {{"layers.1.self_attn.q_proj", 4}, {"q_proj", 1}};
  folder.config()["alpha_pattern"] = {{R"(model\.layers\.0\..*_proj)", 8}, {"roj", 99}};
  folder.addPair("model.layers.0.self_attn.q_proj", 1);
  folder.addPair("model.layers.1.self_attn.q_proj", 4);
  folder.addPair("model.layers.0.self_attn.v_proj", 2);
  folder.addPair("model.layers.1.self_attn.v_proj", 2);
  const auto adapter = folder.read();
  ASSERT_TRUE(adapter) << adapter.error().message;
  EXPECT_EQ(adapter->pairs.at("model.layers.0.self_attn.q_proj").scale, 8.0);
  EXPECT_EQ(adapter->pairs.at("model.layers.1.self_attn.q_proj").scale, 1.5);
  EXPECT_EQ(adapter->pairs.at("model.layers.0.self_attn.v_proj").scale, 4.0);
  EXPECT_EQ(adapter->pairs.at("model.layers.1.self_attn.v_proj").scale, 3.0);
}

TEST(Adapter, DividesByTheRootOfTheRankWithRsLora) {
  AdapterFolder folder;
  folder.config()["use_rslora"] = true;
  folder.addPair("model.layers.0.self_attn.q_proj", 2);
  folder.addPair("model.layers.1.self_attn.q_proj", 2);
  const auto adapter = folder.read();
  ASSERT_TRUE(adapter) << adapter.error().message;
  EXPECT_DOUBLE_EQ(adapter->pairs.begin()->second.scale, 6 / std::sqrt(2.0));
}

TEST(Adapter, RefusesByNameEachFieldThatChangesTheResult) {
  const std::pair<const char*, Json> fields[] = {
      {"use_dora", true},
      {"bias", "all"},
      {"bias", "lora_only"},
      {"fan_in_fan_out", true},
      {"modules_to_save", {"lm_head"}},
      {"layer_replication", Json::array({Json::array({0, 2})})},
      {"exclude_modules", {"q_proj"}},
      {"target_parameters", {"x"}},
      {"trainable_token_indices", {1}},
      {"alora_invocation_tokens", {1}},
      {"lora_bias", true},
      {"use_qalora", true},
      {"layers_pattern", "blocks"},
      {"megatron_config", Json{{"a", 1}}},
      {"init_lora_weights", "pissa"},
      {"init_lora_weights", "olora"},
      {"init_lora_weights", "loftq"},
      {"a_field_of_tomorrow", "on"},
      {"peft_type", "IA3"},
  };
  for (const auto& [key, value] : fields) {
    AdapterFolder folder;
    folder.config()[key] = value;
    folder.addPair("model.layers.0.self_attn.q_proj", 2);
    folder.addPair("model.layers.1.self_attn.q_proj", 2);
    const auto adapter = folder.read();
    ASSERT_FALSE(adapter) << key;
    EXPECT_EQ(adapter.error().code, ErrorCode::unsupported) << key;
    EXPECT_THAT(adapter.error().message, HasSubstr("the key \"" + std::string(key) + "\" "));
  }
}

TEST(Adapter, RefusesWrongValuesByTheirKey) {
  const std::pair<const char*, Json> fields[] = {
      {"r", 0},
      {"r", "8"},
      {"lora_alpha", 0},
      {"rank_pattern", Json{{"q_proj", "x"}}},
      {"target_modules", nullptr},
      {"target_modules", Json::array({1})},
      {"layers_to_transform", "1"},
      {"layers_to_transform", Json::array({-1})},
      {"use_rslora", 1},
      {"alpha_pattern", Json::array({1})},
  };
  for (const auto& [key, value] : fields) {
    AdapterFolder folder;
    folder.config()[key] = value;
    EXPECT_THAT(folder.refusal(), HasSubstr(key));
  }
}

TEST(Adapter, RefusesRegexesThatAreWrongOrNeverEnd) {
  AdapterFolder folder;
  folder.addPair("model.layers.0.self_attn.q_proj", 2);
  folder.config()["target_modules"] = "(q_proj";
  EXPECT_THAT(folder.refusal(), HasSubstr("regular expression"));
  folder.config()["target_modules"] = "((\\w+\\.?)+)+[!?]";
  EXPECT_THAT(folder.refusal(), HasSubstr("simpler"));
  folder.config()["target_modules"] = std::string(20'000, '(');
  EXPECT_THAT(folder.refusal(), HasSubstr("longer than"));
  folder.config()["target_modules"] = Json::array({"q_proj"});
  folder.config()["rank_pattern"] = {{"q_proj)", 3}};
  EXPECT_THAT(folder.refusal(), HasSubstr("regular expression"));
}

TEST(Adapter, PatternsOfOneFileShareTheirSteps) {
  const auto left = std::make_shared<std::int64_t>(250);
  const FullMatch first = FullMatch::compile("a.*", "file", left).value();
  const FullMatch second = FullMatch::compile("b.*", "file", left).value();
  EXPECT_TRUE(first.matches("ab").value());
  EXPECT_FALSE(second.matches("ab").value());
  const auto third = first.matches("ab");
  ASSERT_FALSE(third);
  EXPECT_THAT(third.error().message, HasSubstr("too many steps together"));
}

TEST(Adapter, RefusesTheEmbeddingAndATiedHead) {
  AdapterFolder folder;
  folder.config()["target_modules"] = {"embed_tokens"};
  EXPECT_THAT(folder.refusal(), HasSubstr("model.embed_tokens"));
  folder.config()["target_modules"] = {"lm_head"};
  EXPECT_THAT(folder.refusal(tinyModel(true)), HasSubstr("lm_head"));
  folder.addPair("lm_head", 2);
  EXPECT_EQ(modulesOf(folder.read()), (std::vector<std::string>{"lm_head"}));
}

TEST(Adapter, RefusesTensorsThatDoNotFit) {
  AdapterFolder lacking;
  lacking.addPair("model.layers.0.self_attn.q_proj", 2);
  EXPECT_THAT(lacking.refusal(), HasSubstr("model.layers.1.self_attn.q_proj.lora_A.weight' is missing"));

  AdapterFolder wrongRank;
  wrongRank.addPair("model.layers.0.self_attn.q_proj", 2);
  wrongRank.addPair("model.layers.1.self_attn.q_proj", 3);
  EXPECT_THAT(wrongRank.refusal(), HasSubstr("lora_A of 'model.layers.1.self_attn.q_proj'"));

  AdapterFolder more;
  more.addPair("model.layers.0.self_attn.q_proj", 2);
  more.addPair("model.layers.1.self_attn.q_proj", 2);
  more.addPair("model.layers.1.self_attn.v_proj", 2);
  EXPECT_THAT(more.refusal(), HasSubstr("v_proj.lora_A.weight"));

  AdapterFolder dora;
  dora.addPair("model.layers.0.self_attn.q_proj", 2);
  dora.addPair("model.layers.1.self_attn.q_proj", 2);
  dora.addTensor("base_model.model.model.layers.1.self_attn.q_proj.lora_magnitude_vector.weight", {8});
  EXPECT_THAT(dora.refusal(), HasSubstr("lora_magnitude_vector"));

  AdapterFolder none;
  none.config()["target_modules"] = {"c_attn"};
  EXPECT_THAT(none.refusal(), HasSubstr("matches no module"));
}

TEST(Adapter, RefusesFoldersWithoutItsFiles) {
  const TemporaryFolder folder;
  EXPECT_EQ(readAdapter(folder.path(), tinyModel()).error().code, ErrorCode::notFound);
  writeText(folder.path() / "adapter_config.json", R"({"peft_type": "LORA", "target_modules": ["q_proj"]})");
  EXPECT_EQ(readAdapter(folder.path(), tinyModel()).error().code, ErrorCode::notFound);
  writeText(folder.path() / "adapter_model.bin", "x");
  EXPECT_THAT(readAdapter(folder.path(), tinyModel()).error().message, HasSubstr("can run code"));
  writeText(folder.path() / "adapter_config.json", "[]");
  EXPECT_EQ(readAdapter(folder.path(), tinyModel()).error().code, ErrorCode::invalidData);
}

}  // namespace
}  // namespace strata
