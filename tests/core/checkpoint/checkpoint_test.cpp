#include "core/checkpoint/checkpoint.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <limits>

#include "golden_models.h"
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

TEST(Checkpoint, OpensTheGoldenModels) {
  STRATA_NEEDS_SHARED_DATA();
  const auto golden = sharedData() / "golden/models";
  for (const std::string& model : kGoldenModels) {
    const Checkpoint checkpoint = opened(golden / model);
    EXPECT_EQ(checkpoint.tensors().size(), parameterShapes(checkpoint.config()).size()) << model;
    EXPECT_FALSE(checkpoint.map());
    EXPECT_EQ(tensorsWithNonFiniteValues(checkpoint).value(), std::vector<std::string>{}) << model;
  }
  EXPECT_EQ(opened(golden / "llama31-gqa").storedDType(), DType::bf16);
  EXPECT_EQ(opened(golden / "llama2-mha").storedDType(), DType::f32);
}

TEST(Checkpoint, AnswersATiedHeadWithTheEmbedding) {
  const TemporaryFolder folder;
  Json config = tinyConfig();
  config["tie_word_embeddings"] = true;
  writeTinyModel(folder.path(), config);
  const Checkpoint checkpoint = opened(folder.path());
  EXPECT_EQ(checkpoint.tensor("lm_head.weight").bytes.data(),
            checkpoint.tensor("model.embed_tokens.weight").bytes.data());
}

TEST(Checkpoint, HashesTheSameWhateverTheShards) {
  const TemporaryFolder folder;
  writeTinyModel(folder.path() / "one");
  Json config = tinyConfig();
  writeShardedTinyModel(folder.path() / "two", config);
  // The shards hold other values: rewrite them with the values of the single file.
  const Checkpoint one = opened(folder.path() / "one");
  for (const char* shard : {"model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"}) {
    const fs::path path = folder.path() / "two" / shard;
    std::vector<TensorToWrite> tensors;
    const TensorMap shardTensors = readSafetensors(path).value();
    for (const auto& [name, view] : shardTensors) {
      const TensorView& source = one.tensor(name);
      tensors.push_back({name, source.dtype, source.shape, source.bytes});
    }
    ASSERT_TRUE(writeSafetensors(path, tensors));
  }
  const Checkpoint two = opened(folder.path() / "two");
  EXPECT_EQ(one.hash().value(), two.hash().value());
  EXPECT_EQ(one.hash().value().size(), 64U);

  std::string changed = readText(folder.path() / "one/model.safetensors");
  changed.back() = static_cast<char>(changed.back() ^ 1);
  writeText(folder.path() / "three/model.safetensors", changed);
  writeText(folder.path() / "three/config.json", config.dump());
  EXPECT_NE(opened(folder.path() / "three").hash().value(), one.hash().value());
}

TEST(Checkpoint, PrefersTheSingleFileToAnIndex) {
  const TemporaryFolder folder;
  writeTinyModel(folder.path());
  writeText(folder.path() / "model.safetensors.index.json", "not JSON");
  EXPECT_TRUE(Checkpoint::open(folder.path()));
}

TEST(Checkpoint, KeepsTensorsThatItDoesNotKnowAndSkipsIntegers) {
  const TemporaryFolder folder;
  writeTinyModel(folder.path());
  RawWeights weights = tinyWeights();
  weights.add("model.layers.0.self_attn.rotary_emb.inv_freq", {1});
  weights.header["model.layers.0.self_attn.bias"] = {
      {"dtype", "U8"}, {"shape", {3}}, {"data_offsets", {weights.data.size(), weights.data.size() + 3}}};
  weights.data += "abc";
  writeText(folder.path() / "model.safetensors", weights.file());
  const Checkpoint checkpoint = opened(folder.path());
  EXPECT_TRUE(checkpoint.tensors().contains("model.layers.0.self_attn.rotary_emb.inv_freq"));
  EXPECT_FALSE(checkpoint.tensors().contains("model.layers.0.self_attn.bias"));
}

TEST(Checkpoint, ReadsTheMapThatLiesBesideTheWeights) {
  const TemporaryFolder folder;
  writeTinyModel(folder.path());
  writeText(folder.path() / "strata_map.json", mapToJson(SharingMap::create({0, 0}).value()).dump());
  const Checkpoint checkpoint = opened(folder.path());
  ASSERT_TRUE(checkpoint.map());
  EXPECT_EQ(checkpoint.map()->src(), (std::vector<int>{0, 0}));
}

TEST(Checkpoint, TakesEndIdsFromTheGenerationConfigFirst) {
  const TemporaryFolder folder;
  writeTinyModel(folder.path());
  const auto ids = [&] { return eosIds(opened(folder.path())).value(); };
  EXPECT_EQ(ids(), (std::vector<std::int64_t>{2}));
  writeText(folder.path() / "generation_config.json", R"({"eos_token_id": [5, 6]})");
  EXPECT_EQ(ids(), (std::vector<std::int64_t>{5, 6}));
  writeText(folder.path() / "generation_config.json", R"({"eos_token_id": 7})");
  EXPECT_EQ(ids(), (std::vector<std::int64_t>{7}));
  writeText(folder.path() / "generation_config.json", R"({"temperature": 1})");
  EXPECT_EQ(ids(), (std::vector<std::int64_t>{2}));
  for (const char* wrong : {R"({"eos_token_id": "x"})", "[]", "{", R"({"eos_token_id": 1, "eos_token_id": 2})"}) {
    writeText(folder.path() / "generation_config.json", wrong);
    const auto failed = eosIds(opened(folder.path()));
    ASSERT_FALSE(failed) << wrong;
    EXPECT_THAT(failed.error().message, HasSubstr("generation_config.json"));
  }
}

TEST(Checkpoint, NamesTensorsWithNonFiniteValues) {
  const TemporaryFolder folder;
  writeTinyModel(folder.path());
  RawWeights weights = tinyWeights();
  for (const auto& [name, value] : {std::pair("model.norm.weight", std::numeric_limits<float>::quiet_NaN()),
                                    std::pair("lm_head.weight", -std::numeric_limits<float>::infinity())}) {
    const auto end = weights.header[name]["data_offsets"][1].get<std::size_t>();
    std::memcpy(weights.data.data() + end - 4, &value, 4);
  }
  writeText(folder.path() / "model.safetensors", weights.file());
  EXPECT_EQ(tensorsWithNonFiniteValues(opened(folder.path())).value(),
            (std::vector<std::string>{"lm_head.weight", "model.norm.weight"}));
}

TEST(Checkpoint, OpensASnapshotOfTheHubCache) {
  const TemporaryFolder folder;
  const fs::path cache = folder.path() / "models--a--b";
  writeShardedTinyModel(cache / "snapshots/rev");
  fs::create_directories(cache / "blobs");
  int blob = 0;
  std::vector<fs::path> files;
  for (const auto& entry : fs::directory_iterator(cache / "snapshots/rev")) files.push_back(entry.path());
  for (const fs::path& file : files) {
    const std::string name = "sha" + std::to_string(blob++);
    fs::rename(file, cache / "blobs" / name);
    fs::create_symlink("../../blobs/" + name, file);
  }
  EXPECT_TRUE(Checkpoint::open(cache / "snapshots/rev"));
  // Through a link to the snapshot too, where "../../blobs" read from the link's own place would be another folder.
  fs::create_directory_symlink(cache / "snapshots/rev", folder.path() / "link");
  EXPECT_TRUE(Checkpoint::open(folder.path() / "link"));
}

TEST(Checkpoint, FollowsALinkFromShardToShardInsideTheFolder) {
  const TemporaryFolder folder;
  writeShardedTinyModel(folder.path());
  const fs::path shard = folder.path() / "model-00002-of-00002.safetensors";
  fs::rename(shard, folder.path() / "real.bytes");
  fs::create_symlink("real.bytes", shard);
  EXPECT_TRUE(Checkpoint::open(folder.path()));
}

/// Llama-3.2-1B's sizes over a sparse file: 2.5 GB of holes.
TEST(Checkpoint, OpensALargeModelWithoutReadingItsWeights) {
  const TemporaryFolder folder;
  Json config = tinyConfig();
  config["hidden_size"] = 2048;
  config["intermediate_size"] = 8192;
  config["num_hidden_layers"] = 16;
  config["num_attention_heads"] = 32;
  config["num_key_value_heads"] = 8;
  config["vocab_size"] = 128256;
  config["tie_word_embeddings"] = true;
  writeText(folder.path() / "config.json", config.dump());
  std::vector<TensorToWrite> tensors;
  std::int64_t elements = 0;
  for (const auto& [name, shape] : parameterShapes(parseModelConfig(config, "config.json").value())) {
    tensors.push_back({name, DType::bf16, shape, {}});
    std::int64_t count = 1;
    for (const std::int64_t extent : shape) count *= extent;
    elements += count;
  }
  EXPECT_EQ(elements, 1'235'814'400);
  const std::string header = makeSafetensorsHeader(tensors).value();
  writeText(folder.path() / "model.safetensors", header);
  fs::resize_file(folder.path() / "model.safetensors", header.size() + 2 * static_cast<std::uint64_t>(elements));

  const Checkpoint checkpoint = opened(folder.path());
  EXPECT_EQ(checkpoint.storedDType(), DType::bf16);
  EXPECT_EQ(checkpoint.config().shape().parameters, elements);
  const auto bytes = checkpoint.tensor("model.norm.weight").file->bytes();
  EXPECT_EQ(checkpoint.bytesOnDisk(), static_cast<std::int64_t>(bytes.size()));
  const std::size_t page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  std::vector<unsigned char> resident((bytes.size() + page - 1) / page);
  ASSERT_EQ(::mincore(const_cast<std::byte*>(bytes.data()), bytes.size(), resident.data()), 0);
  const auto count = std::count_if(resident.begin(), resident.end(), [](unsigned char flags) { return flags & 1; });
  EXPECT_LT(count, 2048) << "more than the header and what the kernel reads ahead of it";
}

}  // namespace
}  // namespace strata
