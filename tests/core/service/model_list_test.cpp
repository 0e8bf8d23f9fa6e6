// Which models there are: a made-up Hugging Face cache, folders, runs, and what is broken among them.

#include <gmock/gmock.h>

#include "core/project/project.h"
#include "core/project/run_checkpoint.h"
#include "project_fixture.h"

namespace strata::testing {
namespace {

using ::testing::HasSubstr;
namespace fs = std::filesystem;

struct ModelLists : ProjectMethods {
  fs::path copyModel(const fs::path& where) {
    fs::create_directories(where);
    fs::copy(model("stories260K"), where, fs::copy_options::recursive | fs::copy_options::overwrite_existing);
    return where;
  }
  /// The entry whose path ends so.
  static Json entry(const Json& list, const std::string& end) {
    for (const Json& each : list["models"]) {
      if (each["path"].get<std::string>().ends_with(end)) return each;
    }
    ADD_FAILURE() << "no model " << end << " in " << list.dump();
    return {{"problem", ""}, {"name", ""}, {"source", ""}, {"model", ""}, {"layers", 0}};
  }
};

TEST_F(ModelLists, FindTheNewestSnapshotOfEachRepositoryInTheHub) {
  const fs::path hub = folder() / "hub";
  copyModel(hub / "models--org--tiny-model/snapshots/aaa");
  copyModel(hub / "models--org--tiny-model/snapshots/bbb");
  const auto now = fs::file_time_type::clock::now();
  fs::last_write_time(hub / "models--org--tiny-model/snapshots/aaa", now - std::chrono::hours(1));
  fs::last_write_time(hub / "models--org--tiny-model/snapshots/bbb", now);
  copyModel(hub / "datasets--org--data/snapshots/ccc");
  fs::create_directories(hub / "models--org--empty/snapshots");
  const Json list = answer("models/list");
  EXPECT_EQ(list["hub"], hub.string());
  ASSERT_EQ(list["models"].size(), 1u) << list.dump();
  const Json found = entry(list, "snapshots/bbb");
  EXPECT_EQ(found["name"], "org/tiny-model");
  EXPECT_EQ(found["source"], "hub");
  EXPECT_EQ(found["layers"], 5);
  EXPECT_EQ(found["problem"], "");
  EXPECT_GT(found["parameters"], 200000);
  answer("models/inspect", {{"ref", {{"model", found["model"]}}}});
}

TEST_F(ModelLists, SayWhyAFolderCannotBeOpened) {
  const fs::path models = folder() / "models";
  copyModel(models / "good");
  fs::remove(copyModel(models / "unweighted") / "model.safetensors");
  const fs::path pickled = copyModel(models / "pickled");
  fs::rename(pickled / "model.safetensors", pickled / "pytorch_model.bin");
  const fs::path sharded = copyModel(models / "sharded");
  fs::remove(sharded / "model.safetensors");
  writeText(sharded / "model.safetensors.index.json",
            R"({"weight_map": {"model.norm.weight": "model-00001-of-00002.safetensors"}})");
  const fs::path unknown = copyModel(models / "deep/unknown");
  writeText(unknown / "config.json", R"({"architectures": ["MambaForCausalLM"], "model_type": "mamba"})");
  copyModel(models / "one/two/three");  // too deep
  const Json list = answer("models/list", {{"folders", {models.string()}}});
  EXPECT_EQ(list["models"].size(), 5u) << list.dump();
  EXPECT_EQ(entry(list, "models/good")["problem"], "");
  EXPECT_THAT(entry(list, "unweighted")["problem"].get<std::string>(), HasSubstr("safetensors"));
  EXPECT_THAT(entry(list, "pickled")["problem"].get<std::string>(), HasSubstr("pickle"));
  EXPECT_THAT(entry(list, "sharded")["problem"].get<std::string>(), HasSubstr("model-00001-of-00002.safetensors"));
  EXPECT_THAT(entry(list, "deep/unknown")["problem"].get<std::string>(), HasSubstr("Mamba"));
  EXPECT_EQ(entry(list, "deep/unknown")["name"], "deep/unknown");
}

TEST_F(ModelLists, NameTheProjectsModelsFirstAndEachFolderOnce) {
  answer("project/open");
  const Json list = answer("models/list", {{"folders", {(sourceFolder() / "resources/models").string()}}});
  ASSERT_EQ(list["models"].size(), 3u) << list.dump();
  for (const Json& each : list["models"]) EXPECT_EQ(each["source"], "project");
  EXPECT_EQ(list["models"][0]["model"], "base");
  EXPECT_EQ(list["models"][2]["name"], "stories");
  EXPECT_GT(progressCalls, 0);
}

TEST_F(ModelLists, HangAnAdapterUnderTheModelItIsFor) {
  answer("project/open");
  const fs::path models = folder() / "models";
  const auto adapter = [&](const char* name, const std::string& base) {
    fs::create_directories(models / name);
    writeText(models / name / "adapter_config.json", Json({{"peft_type", "LORA"},
                                                           {"r", 2},
                                                           {"lora_alpha", 4},
                                                           {"target_modules", {"q_proj"}},
                                                           {"base_model_name_or_path", base}})
                                                         .dump());
  };
  adapter("by-path", model("sample-base"));
  adapter("by-id", "someone/stories260K");
  adapter("orphan", "org/not-here");
  adapter("nameless", "");
  const Json list = answer("models/list", {{"folders", {models.string()}}});
  const Json byPath = entry(list, "models/by-path");
  EXPECT_EQ(byPath["source"], "adapter");
  EXPECT_EQ(byPath["model"], "base");
  EXPECT_EQ(byPath["parent"], "base");
  EXPECT_EQ(byPath["adapter"], (models / "by-path").string());
  EXPECT_THAT(byPath["problem"].get<std::string>(), HasSubstr("adapter_model.safetensors"));
  EXPECT_EQ(entry(list, "models/by-id")["model"], "stories");
  EXPECT_THAT(entry(list, "models/orphan")["problem"].get<std::string>(), HasSubstr("org/not-here"));
  EXPECT_THAT(entry(list, "models/nameless")["problem"].get<std::string>(), HasSubstr("base_model_name_or_path"));
}

TEST_F(ModelLists, OneBadRunHidesNeitherTheOthersNorItself) {
  openNew();
  answer("project/add_model", {{"path", model("stories260K")}, {"name", "base"}});
  const Project project = *Project::open(folder() / "project");
  const auto makeRun = [&](const Json& config, const char* file) {
    const fs::path run = strata::Run::create(project, "train", config)->folder();
    EXPECT_TRUE(saveCheckpoint(run, 1, [&](const fs::path& staged) -> Result<void> {
      if (std::string(file) == "config.json") {
        fs::copy(model("stories260K"), staged, fs::copy_options::recursive);
      } else {
        writeText(staged / file, "{}");
      }
      return {};
    }));
    return run;
  };
  const auto setModel = [](const fs::path& run, const std::string& name) {
    ASSERT_TRUE(strata::Run::reopen(run)->setConfig(Json{{"model", name}}));
  };
  const fs::path good = makeRun({{"model", "base"}}, "config.json");
  const fs::path itself = makeRun(Json::object(), "adapter_config.json");
  const fs::path first = makeRun(Json::object(), "adapter_config.json"),
                 second = makeRun(Json::object(), "adapter_config.json");
  setModel(itself, itself.filename());
  setModel(first, second);
  setModel(second, first);
  const fs::path unlisted = makeRun({{"model", "base"}}, "config.json");
  writeText(unlisted / "checkpoints/step-1/more.txt", "x");
  writeText(makeRun(Json::object(), "config.json") / "run.json", "{]");

  const Json list = answer("models/list");
  EXPECT_EQ(entry(list, good.filename())["problem"], "");
  EXPECT_EQ(entry(list, good.filename())["layers"], 5);
  for (const fs::path& ring : {itself, first, second}) {
    EXPECT_THAT(entry(list, ring.filename())["problem"].get<std::string>(), HasSubstr("go in a ring"));
    EXPECT_THAT(refusal("models/inspect", {{"ref", {{"model", ring.filename().string()}}}}), HasSubstr("go in a ring"));
  }
  EXPECT_THAT(entry(list, unlisted.filename())["problem"].get<std::string>(), HasSubstr("more.txt"));
  EXPECT_EQ(entry(list, "stories260K")["problem"], "");
}

TEST_F(ModelLists, ACardOfADamagedCheckpointIsRefused) {
  openNew();
  const Project project = *Project::open(folder() / "project");
  const fs::path run = strata::Run::create(project, "train", Json::object())->folder();
  ASSERT_TRUE(saveCheckpoint(run, 1, [&](const fs::path& staged) -> Result<void> {
    fs::copy(model("stories260K"), staged, fs::copy_options::recursive);
    return {};
  }));
  const Json params = {{"ref", {{"model", run.filename().string()}}}};
  answer("models/inspect", params);
  const fs::path weights = checkpointFolder(run, 1) / "model.safetensors";
  std::fstream(weights, std::ios::in | std::ios::out | std::ios::binary).seekp(100000).write("zzzz", 4);
  EXPECT_THAT(refusal("models/inspect", params), HasSubstr("model.safetensors is damaged"));
}

TEST_F(ModelLists, StayResponsiveWithHundredsOfFoldersAndCanBeCancelled) {
  for (int i = 0; i < 300; ++i) {
    const fs::path each = folder() / "many" / std::to_string(i);
    fs::create_directories(each);
    for (const char* name : {"config.json", "model.safetensors"}) {
      fs::create_symlink(fs::path(model("stories260K")) / name, each / name);
    }
  }
  const Json params = {{"folders", {(folder() / "many").string()}}};
  const auto started = std::chrono::steady_clock::now();
  EXPECT_EQ(answer("models/list", params)["models"].size(), 300u);
  EXPECT_LT(std::chrono::steady_clock::now() - started, std::chrono::seconds(5));
  cancelled = true;
  const auto stopped = call("models/list", params);
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().code, ErrorCode::cancelled);
}

TEST_F(ModelLists, ACardSaysWhatTheModelIs) {
  const Json card = answer("models/inspect", {{"ref", {{"model", model("sample-routed")}}}});
  EXPECT_EQ(card["name"], "sample-routed");
  EXPECT_EQ(card["tokenizer"], "sentencepiece");
  EXPECT_EQ(card["template_text"], readText(fs::path(model("sample-routed")) / "chat_template.jinja"));
  EXPECT_EQ(card["problem"], "");
  std::vector<int> owners;
  for (const Json& map : card["maps"]) owners.push_back(map["owners"]);
  const int layers = card["layers"];
  EXPECT_EQ(card["maps"].back()["map"], "retention:0.25");
  for (const Json& map : card["maps"]) {
    EXPECT_EQ(map["kv_bytes_per_token"].get<std::int64_t>() * layers,
              card["kv_bytes_per_token"].get<std::int64_t>() * map["owners"].get<int>());
  }
  const Json plain = answer("models/inspect", {{"ref", {{"model", model("stories260K")}}}});
  EXPECT_EQ(plain["template_text"], "");
  EXPECT_THAT(plain["template_origin"].get<std::string>(), HasSubstr("built in"));
  fs::remove(copyModel(folder() / "mute") / "tokenizer.model");
  EXPECT_THAT(
      answer("models/inspect", {{"ref", {{"model", (folder() / "mute").string()}}}})["problem"].get<std::string>(),
      HasSubstr("tokenizer"));
  EXPECT_THAT(refusal("models/inspect", {{"ref", {{"model", model("sample-routed")}, {"dtype", "int4"}}}}),
              HasSubstr("int4"));
}

TEST_F(ModelLists, AnEstimateHalvesTheCacheWithTheMap) {
  const auto estimate = [&](const char* map) {
    return answer(
        "models/estimate",
        {{"side", {{"ref", {{"model", model("sample-base")}}}, {"map", map}}}, {"context", 512}, {"users", 3}});
  };
  const Json full = estimate("full"), half = estimate("retention:.5");
  EXPECT_EQ(full["kv"].get<std::int64_t>(), 2 * half["kv"].get<std::int64_t>());
  EXPECT_EQ(full["total"].get<std::int64_t>(), full["weights"].get<std::int64_t>() + full["kv"].get<std::int64_t>() +
                                                   full["activations"].get<std::int64_t>());
  EXPECT_GT(full["available"], 0);
  EXPECT_GE(full["device_total"], full["available"]);
}

}  // namespace
}  // namespace strata::testing
