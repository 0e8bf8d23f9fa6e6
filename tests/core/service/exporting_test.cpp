// models/export: what the window exports by, and what it may show of it.

#include <gmock/gmock.h>

#include <fstream>

#include "core/base/json.h"
#include "core/checkpoint/adapter.h"
#include "core/checkpoint/checkpoint.h"
#include "core/checkpoint/tensor_values.h"
#include "project_fixture.h"
#include "small_disk.h"

namespace strata::testing {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
namespace fs = std::filesystem;

class Exporting : public ProjectMethods {
 protected:
  void SetUp() override {
    openNew();
    for (const char* name : {"sample-routed", "stories260K"}) answer("project/add_model", {{"path", model(name)}});
  }
  /// An adapter of rank 32 for stories260K.
  std::string adapter() {
    const Checkpoint base = Checkpoint::open(model("stories260K")).value();
    const int width = base.config().width;
    const std::vector<float> values(static_cast<std::size_t>(32 * width), 0.01F);
    const auto bytes = std::as_bytes(std::span(values));
    std::vector<TensorToWrite> tensors;
    for (int layer = 0; layer < base.config().layers; ++layer) {
      const std::string module = "model.layers." + std::to_string(layer) + ".self_attn.q_proj";
      tensors.push_back({module + ".lora_A.weight", DType::f32, {32, width}, bytes});
      tensors.push_back({module + ".lora_B.weight", DType::f32, {width, 32}, bytes});
    }
    LoraSettings settings;
    settings.rank = 32;
    settings.targets = {"q_proj"};
    const fs::path made = folder() / "adapter";
    fs::create_directory(made);
    const auto written = writeAdapter(made, settings, model("stories260K"), tensors);
    EXPECT_TRUE(written) << written.error().message;
    return made.string();
  }
  static Json use(const Json& answer, const std::string& program) {
    for (const Json& use : answer["uses"]) {
      if (use["program"] == program) return use;
    }
    ADD_FAILURE() << program << " is not in " << answer.dump();
    return Json::object();
  }
  /// What lies in the folder exports, the hidden too.
  std::vector<std::string> exports() const {
    std::vector<std::string> names;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(folder() / "project/exports", none)) {
      names.push_back(entry.path().filename().string());
    }
    return names;
  }
};

TEST_F(Exporting, AFolderOfTheProjectIsNamedByModelAndMapAndSaysHowItIsServed) {
  const Json done = answer("models/export", {{"ref", {{"model", "stories260K"}}}, {"map", "stride:2"}});
  const std::string path = (folder() / "project/exports/stories260K-stride-2").string();
  EXPECT_EQ(done["path"], path);
  EXPECT_EQ(done["map"], "stride:2");
  EXPECT_EQ(done["owners"], 3);
  EXPECT_EQ(done["layers"], 5);
  EXPECT_EQ(done["merged"], false);
  EXPECT_GT(progressCalls, 0);
  EXPECT_EQ(use(done, "Strata")["command"], "strata serve " + path);
  EXPECT_EQ(use(done, "vLLM")["command"], "vllm serve " + path);
  EXPECT_EQ(use(done, "transformers")["command"], "model = strata_hf.load(\"" + path + "\")");
  // 3 of 5 layers · 2 · 4 KV heads · 8 · 512 tokens, in 16 bits and in the weights' 32.
  EXPECT_EQ(use(done, "vLLM")["kv_bytes"], 3 * 2 * 4 * 8 * 512 * 2);
  EXPECT_EQ(use(done, "vLLM")["kv_bytes_full"], 5 * 2 * 4 * 8 * 512 * 2);
  EXPECT_EQ(use(done, "Strata")["kv_bytes"], 3 * 2 * 4 * 8 * 512 * 4);
  std::int64_t bytes = 0;
  for (const auto& file : fs::directory_iterator(path)) bytes += static_cast<std::int64_t>(file.file_size());
  EXPECT_EQ(done["bytes"], bytes);
  const std::string readme = readText(fs::path(path) / "README.md");
  for (const Json& each : done["uses"]) {
    EXPECT_THAT(readme, HasSubstr(each["check"].get<std::string>())) << "README.md and the window say the same";
  }
  EXPECT_EQ(answer("models/export", {{"ref", {{"model", "stories260K"}}}, {"map", "stride:2"}})["path"], path + "-2");
}

TEST_F(Exporting, RemoteCodeIsLoadedByTransformersAlone) {
  const Json done = answer("models/export", {{"ref", {{"model", "stories260K"}}},
                                             {"map", "0,0,2,2,2"},
                                             {"remote_code", true},
                                             {"path", "mine"},
                                             {"context", 128}});
  EXPECT_EQ(done["path"], (folder() / "project/mine").string());
  EXPECT_TRUE(fs::exists(folder() / "project/mine/modeling_strata.py"));
  EXPECT_THAT(use(done, "transformers")["command"].get<std::string>(), HasSubstr("trust_remote_code=True"));
  EXPECT_EQ(use(done, "transformers")["setup"], "from transformers import AutoModelForCausalLM");
  EXPECT_EQ(use(done, "vLLM")["kv_bytes"], 2 * 2 * 4 * 8 * 128 * 2);
}

TEST_F(Exporting, TheDtypeIsThatOfTheWeights) {
  const Json done = answer("models/export", {{"ref", {{"model", "stories260K"}}}, {"dtype", "bfloat16"}});
  EXPECT_EQ(Checkpoint::open(done["path"].get<std::string>()).value().storedDType(), DType::bf16);
  EXPECT_THAT(refusal("models/export", {{"ref", {{"model", "stories260K"}}}, {"dtype", "int4"}}),
              HasSubstr("float32 or bfloat16"));
}

TEST_F(Exporting, AnAdapterIsMergedOrGoesAloneWithTheCommandsThatNameTheMap) {
  const std::string made = adapter();
  const Json ref = {{"model", "stories260K"}, {"adapter", made}};
  const Json merged = answer("models/export", {{"ref", ref}, {"map", "stride:2"}});
  EXPECT_EQ(merged["merged"], true);
  EXPECT_EQ(merged["path"], (folder() / "project/exports/adapter-stride-2").string());
  EXPECT_TRUE(Checkpoint::open(merged["path"].get<std::string>()));

  const Json alone = answer("models/export", {{"ref", ref}, {"map", "stride:2"}, {"adapter_alone", true}});
  const fs::path path = alone["path"].get<std::string>();
  EXPECT_EQ(path, folder() / "project/exports/adapter-adapter");
  EXPECT_EQ(readText(path / "adapter_model.safetensors"), readText(fs::path(made) / "adapter_model.safetensors"));
  EXPECT_FALSE(fs::exists(path / "model.safetensors"));
  const std::string base = fs::absolute(model("stories260K")).string();
  EXPECT_EQ(use(alone, "Strata")["command"], "strata serve " + base + " --adapter " + path.string());
  EXPECT_THAT(use(alone, "Strata")["check"].get<std::string>(), HasSubstr("stories260K@stride:2"));
  const std::string vllm = use(alone, "vLLM")["command"];
  EXPECT_THAT(vllm, HasSubstr("--hf-overrides '{\"strata\": {\"map\": [0, 0, 2, 2, 4]}}'"));
  EXPECT_THAT(vllm, HasSubstr("--max-lora-rank 32"));
  EXPECT_THAT(use(alone, "transformers")["command"].get<std::string>(), HasSubstr("map=[0, 0, 2, 2, 4]"));
  EXPECT_THAT(readText(path / "README.md"), Not(HasSubstr("{{")));
  EXPECT_THAT(readText(path / "README.md"), HasSubstr("3 of 5 layers"));
}

TEST_F(Exporting, WhatCannotBeIsOneSentenceAndLeavesNothing) {
  const Json ref = {{"model", "stories260K"}};
  EXPECT_THAT(refusal("models/export", {{"ref", ref}, {"adapter_alone", true}}), HasSubstr("has no adapter"));
  EXPECT_THAT(refusal("models/export", {{"ref", ref}, {"map", "0,1"}}), HasSubstr("5"));
  fs::create_directory(folder() / "full");
  writeText(folder() / "full/file", "x");
  EXPECT_THAT(refusal("models/export", {{"ref", ref}, {"path", (folder() / "full").string()}}),
              HasSubstr("is not an empty folder"));
  EXPECT_THAT(refusal("models/export", {{"ref", ref}, {"path", (folder() / "full/file/deep").string()}}),
              HasSubstr((folder() / "full/file/deep").string()));
  cancelled = true;
  EXPECT_FALSE(call("models/export", {{"ref", ref}, {"path", (folder() / "stopped").string()}}));
  EXPECT_FALSE(fs::exists(folder() / "stopped"));
  EXPECT_THAT(exports(), ::testing::IsEmpty());
}

TEST_F(Exporting, ADiskWithoutRoomIsToldBeforeAnythingIsWritten) {
  const SmallDisk disk("1M");
  STRATA_NEEDS(disk);
  const std::string sentence =
      refusal("models/export", {{"ref", {{"model", "sample-routed"}}}, {"path", (disk.path() / "out").string()}});
  EXPECT_THAT(sentence, HasSubstr("MiB free"));
  EXPECT_TRUE(fs::is_empty(disk.path()));
}

}  // namespace
}  // namespace strata::testing
