#include "core/checkpoint/export.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "small_disk.h"
#include "tiny_model.h"

namespace strata {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using namespace ::strata::testing;

Checkpoint opened(const fs::path& folder) {
  auto checkpoint = Checkpoint::open(folder);
  EXPECT_TRUE(checkpoint) << checkpoint.error().message;
  return std::move(checkpoint).value();
}

SharingMap shared() {
  return SharingMap::create({0, 0}).value();
}

/// Every element of every tensor is 1.
Result<std::vector<std::byte>> ones(const Checkpoint& original, const std::string& name, DType dtype) {
  const std::vector<float> values(static_cast<std::size_t>(original.tensor(name).elements()), 1.0F);
  return convertFromFloat(values, dtype);
}

std::vector<std::string> namesIn(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::directory_iterator(folder)) names.push_back(entry.path().filename().string());
  std::sort(names.begin(), names.end());
  return names;
}

TEST(Export, KeepsTheStockFilesAndAddsTheMap) {
  STRATA_NEEDS_SHARED_DATA();
  for (const char* model : {"golden/models/llama2-mha", "golden/models/llama31-gqa", "models/stories260K"}) {
    const TemporaryFolder folder;
    const fs::path from = sharedData() / model;
    const fs::path out = folder.path() / "out";
    const Checkpoint original = opened(from);
    const SharingMap map = parseMap("stride:2", original.config().layers).value();
    const auto exported = exportModel(original, map, {}, out);
    ASSERT_TRUE(exported) << exported.error().message;
    for (const std::string& name : namesIn(out)) {
      if (name == "config.json" || name == "strata_map.json") continue;
      EXPECT_EQ(readText(out / name), readText(from / name)) << model << " " << name;
    }
    Json config = Json::parse(readText(out / "config.json"));
    EXPECT_EQ(config["strata"]["version"], 1);
    EXPECT_EQ(config["strata"]["map"], map.src());
    EXPECT_EQ(config["strata"]["retention"], map.retention());
    config.erase("strata");
    EXPECT_EQ(config.dump(), Json::parse(readText(from / "config.json")).dump());
    const Checkpoint again = opened(out);
    EXPECT_EQ(again.map(), map);
    EXPECT_EQ(again.hash().value(), original.hash().value());
    EXPECT_EQ(namesIn(folder.path()), std::vector<std::string>{"out"});
  }
}

TEST(Export, WritesTheWeightsThatItIsGivenOnceATensorInFileOrder) {
  const TemporaryFolder folder;
  writeShardedTinyModel(folder.path() / "in");
  const Checkpoint original = opened(folder.path() / "in");
  std::vector<std::string> asked;
  const TensorSource source = [&](const std::string& name, DType dtype) {
    asked.push_back(name);
    return ones(original, name, dtype);
  };
  ASSERT_TRUE(exportModel(original, shared(), source, folder.path() / "out"));
  std::vector<std::string> inOrder;
  for (const bool first : {true, false}) {
    for (const auto& [name, shape] : parameterShapes(original.config())) {
      const bool isFirst = name.find("layers.0") != std::string::npos || name.find("embed") != std::string::npos;
      if (isFirst == first) inOrder.push_back(name);
    }
  }
  EXPECT_EQ(asked, inOrder);
  const Checkpoint again = opened(folder.path() / "out");
  for (const auto& [name, view] : again.tensors()) {
    EXPECT_EQ(view.shape, original.tensor(name).shape);
    EXPECT_EQ(view.file->path().filename(), original.tensor(name).file->path().filename());
    std::vector<float> values(static_cast<std::size_t>(view.elements()));
    convertToFloat(view.bytes, view.dtype, values);
    EXPECT_EQ(values, std::vector<float>(values.size(), 1.0F)) << name;
  }
}

TEST(Export, WritesRemoteCodeAndNamesItsClassAndDropsBothWithoutIt) {
  const TemporaryFolder folder;
  writeTinyModel(folder.path() / "in");
  const fs::path with = folder.path() / "with", without = folder.path() / "without";
  const Checkpoint original = opened(folder.path() / "in");
  ASSERT_TRUE(exportModel(original, shared(), {}, with, {.remoteCode = "class LlamaForCausalLM: pass\n"}));
  EXPECT_EQ(readText(with / "modeling_strata.py"), "class LlamaForCausalLM: pass\n");
  EXPECT_EQ(readJson(with / "config.json")->at("auto_map"),
            (Json{{"AutoModelForCausalLM", "modeling_strata.LlamaForCausalLM"}}));
  ASSERT_TRUE(exportModel(opened(with), shared(), {}, without));
  EXPECT_FALSE(fs::exists(without / "modeling_strata.py"));
  EXPECT_FALSE(readJson(without / "config.json")->contains("auto_map"));
}

TEST(Export, StoresTheWeightsInTheDtypeThatIsAskedFor) {
  const TemporaryFolder folder;
  writeShardedTinyModel(folder.path() / "in");
  const Checkpoint original = opened(folder.path() / "in");
  for (const DType dtype : {DType::f32, DType::bf16}) {
    const fs::path out = folder.path() / configName(dtype);
    const TensorSource source = [&](const std::string& name, DType asked) {
      EXPECT_EQ(asked, dtype);
      return ones(original, name, asked);
    };
    ASSERT_TRUE(exportModel(original, shared(), source, out, {.dtype = dtype}));
    const Checkpoint again = opened(out);
    for (const auto& [name, view] : again.tensors()) EXPECT_EQ(view.dtype, dtype) << name;
    EXPECT_EQ(again.config().dtype, dtype);
    EXPECT_FALSE(readJson(out / "model.safetensors.index.json")->contains("metadata"));
  }
}

TEST(Export, KeepsATiedHeadThatIsStoredEqualToTheEmbedding) {
  const TemporaryFolder folder;
  writeTinyModel(folder.path() / "in");
  editJson(folder.path() / "in/config.json", [](Json& config) { config["tie_word_embeddings"] = true; });
  const Checkpoint original = opened(folder.path() / "in");
  const TensorSource source = [&](const std::string& name, DType dtype) { return ones(original, name, dtype); };
  ASSERT_TRUE(exportModel(original, shared(), source, folder.path() / "out"));
  const Checkpoint again = opened(folder.path() / "out");
  const auto head = again.tensors().at("lm_head.weight").bytes;
  const auto embedding = again.tensor("model.embed_tokens.weight").bytes;
  EXPECT_TRUE(std::equal(head.begin(), head.end(), embedding.begin(), embedding.end()));
}

TEST(Export, CopiesTokenizerFilesAndNoPickles) {
  const TemporaryFolder folder;
  for (const char* name : {"tokenizer.json", "tokenizer.model", "tokenizer_config.json", "vocab.json", "merges.txt",
                           "spiece.model", "chat_template.jinja", "generation_config.json", "special_tokens_map.json",
                           "added_tokens.json", "tokenizer.pkl", "tokenizer.bin", "README.md", "optimizer.pt"}) {
    writeText(folder.path() / "in" / name, std::string(name) + "\0\r\n");
  }
  fs::create_directories(folder.path() / "in/tokenizer_folder");
  fs::create_directories(folder.path() / "out");
  ASSERT_TRUE(copyTokenizerFiles(folder.path() / "in", folder.path() / "out"));
  EXPECT_EQ(namesIn(folder.path() / "out"),
            (std::vector<std::string>{"added_tokens.json", "chat_template.jinja", "generation_config.json",
                                      "merges.txt", "special_tokens_map.json", "spiece.model", "tokenizer.json",
                                      "tokenizer.model", "tokenizer_config.json", "vocab.json"}));
  EXPECT_EQ(readText(folder.path() / "out/merges.txt"), readText(folder.path() / "in/merges.txt"));
  EXPECT_FALSE(copyTokenizerFiles(folder.path() / "none", folder.path() / "out"));
}

TEST(Export, CopiesNothingThroughALinkThatLeavesTheFolder) {
  for (const char* name : {"tokenizer_x.txt", "chat_template.jinja", "generation_config.json", "spiece.model",
                           "config.json", "model.safetensors"}) {
    const TemporaryFolder folder;
    const fs::path in = folder.path() / "in", secret = folder.path() / "secret";
    writeTinyModel(in);
    if (fs::exists(in / name)) {
      fs::rename(in / name, secret);
    } else {
      writeText(secret, "{}");
    }
    for (const fs::path& target : {fs::path("../secret"), secret}) {
      fs::create_symlink(target, in / name);
      const auto exported = exportModel(opened(in), shared(), {}, folder.path() / "out");
      ASSERT_FALSE(exported) << name;
      EXPECT_THAT(exported.error().message,
                  HasSubstr(std::string(name) + " is a symbolic link that leaves the folder"));
      EXPECT_FALSE(fs::exists(folder.path() / "out"));
      fs::remove(in / name);
    }
  }
}

TEST(Export, CopiesThroughALinkThatStaysInTheFolder) {
  const TemporaryFolder folder;
  const fs::path in = folder.path() / "in";
  writeTinyModel(in);
  writeText(in / "shared.txt", "text");
  fs::create_symlink("shared.txt", in / "tokenizer_x.txt");
  ASSERT_TRUE(exportModel(opened(in), shared(), {}, folder.path() / "out"));
  EXPECT_EQ(readText(folder.path() / "out/tokenizer_x.txt"), "text");
  EXPECT_FALSE(fs::is_symlink(folder.path() / "out/tokenizer_x.txt"));
}

TEST(Export, RefusesAFolderWithSomethingInIt) {
  const TemporaryFolder folder;
  writeTinyModel(folder.path() / "in");
  writeText(folder.path() / "out/mine.txt", "keep");
  const Checkpoint original = opened(folder.path() / "in");
  EXPECT_THAT(exportModel(original, shared(), {}, folder.path() / "out").error().message, HasSubstr("not an empty"));
  EXPECT_FALSE(exportModel(original, shared(), {}, folder.path() / "in"));
  EXPECT_FALSE(exportModel(original, shared(), {}, folder.path() / "out/mine.txt"));
  EXPECT_EQ(namesIn(folder.path() / "out"), std::vector<std::string>{"mine.txt"});
  fs::create_directory(folder.path() / "empty");
  EXPECT_TRUE(exportModel(original, shared(), {}, folder.path() / "empty"));
}

TEST(Export, LeavesNothingWhereTheWeightsFail) {
  const TemporaryFolder folder;
  writeTinyModel(folder.path() / "in");
  const Checkpoint original = opened(folder.path() / "in");
  int calls = 0;
  const TensorSource failing = [&](const std::string& name, DType dtype) -> Result<std::vector<std::byte>> {
    if (++calls == 5) return fail(ErrorCode::cancelled, "Cancelled.");
    return ones(original, name, dtype);
  };
  EXPECT_EQ(exportModel(original, shared(), failing, folder.path() / "out").error().code, ErrorCode::cancelled);
  const TensorSource shortOnes = [](const std::string&, DType) -> Result<std::vector<std::byte>> {
    return std::vector<std::byte>(3);
  };
  EXPECT_FALSE(exportModel(original, shared(), shortOnes, folder.path() / "out"));
  const TensorSource throwing = [](const std::string&, DType) -> Result<std::vector<std::byte>> {
    throw std::bad_alloc();
  };
  EXPECT_EQ(exportModel(original, shared(), throwing, folder.path() / "out").error().code, ErrorCode::outOfMemory);
  EXPECT_EQ(namesIn(folder.path()), std::vector<std::string>{"in"});
}

TEST(Export, LeavesNothingWhereItIsCancelled) {
  const TemporaryFolder folder;
  writeTinyModel(folder.path() / "model");
  const Checkpoint original = opened(folder.path() / "model");
  std::atomic<bool> cancel = false;
  const auto cancelling = [&](const std::string& name, DType dtype) {
    cancel = true;
    return ones(original, name, dtype);
  };
  const auto exported = exportModel(original, shared(), cancelling, folder.path() / "out", {.cancel = &cancel});
  ASSERT_FALSE(exported);
  EXPECT_EQ(exported.error().code, ErrorCode::cancelled);
  EXPECT_EQ(namesIn(folder.path()), std::vector<std::string>{"model"});
  const auto checked = tensorsWithNonFiniteValues(original, &cancel);
  ASSERT_FALSE(checked);
  EXPECT_EQ(checked.error().code, ErrorCode::cancelled);
}

TEST(Export, RefusesAMapOfAnotherModel) {
  const TemporaryFolder folder;
  writeTinyModel(folder.path() / "in");
  const Checkpoint original = opened(folder.path() / "in");
  EXPECT_FALSE(exportModel(original, SharingMap::full(3), {}, folder.path() / "out"));
  EXPECT_FALSE(fs::exists(folder.path() / "out"));
}

TEST(Export, LeavesNothingOnAFullDisk) {
  const TemporaryFolder folder;
  Json config = tinyConfig();
  config["vocab_size"] = 4000;  // 128 KB for the embedding
  writeTinyModel(folder.path() / "in", config);
  const SmallDisk disk("64k");
  STRATA_NEEDS(disk);
  const auto exported = exportModel(opened(folder.path() / "in"), shared(), {}, disk.path() / "out");
  const std::vector<std::string> left = namesIn(disk.path());
  ASSERT_FALSE(exported);
  EXPECT_EQ(exported.error().code, ErrorCode::diskFull);
  EXPECT_EQ(left, std::vector<std::string>{});
}

}  // namespace
}  // namespace strata
