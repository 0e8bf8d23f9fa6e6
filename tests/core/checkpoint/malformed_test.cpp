// A folder is spoilt in one way at a time; opening it must give one sentence and no crash.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "core/checkpoint/checkpoint.h"
#include "tiny_model.h"

namespace strata {
namespace {

namespace fs = std::filesystem;
using ::testing::AnyOf;
using ::testing::HasSubstr;
using namespace ::strata::testing;

constexpr const char* kWeights = "model.safetensors";
constexpr const char* kIndex = "model.safetensors.index.json";
constexpr const char* kShard1 = "model-00001-of-00002.safetensors";
constexpr const char* kShard2 = "model-00002-of-00002.safetensors";
constexpr const char* kQ = "model.layers.1.self_attn.q_proj.weight";

struct Case {
  std::string name;
  std::function<void(const fs::path&)> spoil;  // the folder holds the tiny model in one file
  std::vector<std::string> expected;           // parts of the message
};

void PrintTo(const Case& one, std::ostream* out) {
  *out << one.name;
}

Case truncatedAt(const std::string& name, const std::function<std::size_t(const std::string&)>& length) {
  return {name,
          [length](const fs::path& folder) {
            const std::string file = readText(folder / kWeights);
            writeText(folder / kWeights, file.substr(0, length(file)));
          },
          {kWeights}};
}

std::uint64_t headerLength(const std::string& file) {
  std::uint64_t length = 0;
  std::memcpy(&length, file.data(), 8);
  return length;
}

Case weightsText(const std::string& name, const std::string& text, const std::string& expected) {
  return {name, [text](const fs::path& folder) { writeText(folder / kWeights, text); }, {kWeights, expected}};
}

Case entryWith(const std::string& name, const std::string& key, const Json& value, const std::string& expected) {
  return {name,
          [key, value](const fs::path& folder) { editHeader(folder, [&](Json& header) { header[kQ][key] = value; }); },
          {kWeights, kQ, expected}};
}

Case configWith(const std::string& key, const Json& value, const std::string& expected) {
  std::string name = "config " + key + " " + value.dump();
  return {name,
          [key, value](const fs::path& folder) {
            editJson(folder / "config.json", [&](Json& config) { config[key] = value; });
          },
          {"config.json", key, expected}};
}

Case configWithout(const std::string& key) {
  return {"config without " + key,
          [key](const fs::path& folder) { editJson(folder / "config.json", [&](Json& config) { config.erase(key); }); },
          {"config.json", key, "missing"}};
}

Case fileText(const std::string& name, const std::string& file, const std::string& text, const std::string& expected) {
  return {name, [file, text](const fs::path& folder) { writeText(folder / file, text); }, {file, expected}};
}

void makeSharded(const fs::path& folder) {
  fs::remove(folder / kWeights);
  writeShardedTinyModel(folder);
}

Case sharded(const std::string& name, const std::function<void(const fs::path&)>& spoil,
             const std::vector<std::string>& expected) {
  return {name,
          [spoil](const fs::path& folder) {
            makeSharded(folder);
            spoil(folder);
          },
          expected};
}

/// The index says that the last tensor lies in `shard`.
Case shardNamed(const std::string& name, const std::string& shard, const std::string& expected) {
  return sharded(name,
                 [shard](const fs::path& folder) {
                   editJson(folder / kIndex, [&](Json& index) { index["weight_map"]["lm_head.weight"] = shard; });
                 },
                 {kIndex, expected});
}

std::vector<Case> weightFileCases() {
  std::string bomb = R"({"a":)" + std::string(200'000, '[');
  std::string hugeLength = "\xff\xff\xff\xff\xff\xff\xff\xff{}";
  return {
      truncatedAt("empty file", [](const std::string&) { return 0; }),
      truncatedAt("cut in the length", [](const std::string&) { return 5; }),
      truncatedAt("cut after the length", [](const std::string&) { return 8; }),
      truncatedAt("cut in the header", [](const std::string& file) { return 8 + headerLength(file) / 2; }),
      truncatedAt("cut at the header's last byte", [](const std::string& file) { return 7 + headerLength(file); }),
      truncatedAt("cut after the header", [](const std::string& file) { return 8 + headerLength(file); }),
      truncatedAt("cut in the data", [](const std::string& file) { return file.size() / 2; }),
      truncatedAt("cut at the last byte", [](const std::string& file) { return file.size() - 1; }),
      {"bytes after the data",
       [](const fs::path& folder) { writeText(folder / kWeights, readText(folder / kWeights) + "x"); },
       {kWeights, "no tensor"}},
      weightsText("huge header length", hugeLength, "100 MB"),
      weightsText("header longer than the file", std::string("\xff\0\0\0\0\0\0\0{}", 10), "cut short"),
      weightsText("header is no JSON", safetensorsFile("{hello}", ""), "not valid JSON"),
      weightsText("header is a list", safetensorsFile("[]", ""), "not a JSON object"),
      weightsText("header of length zero", safetensorsFile("", ""), "not a JSON object"),
      weightsText("header with text after it", safetensorsFile("{}{}", ""), "not valid JSON"),
      weightsText("header is a nesting bomb", safetensorsFile(bomb, ""), "a list"),
      weightsText("header without tensors", safetensorsFile("{}", ""), "missing"),
      weightsText("duplicate names",
                  safetensorsFile(R"({"a":{"dtype":"F32","shape":[0],"data_offsets":[0,0]},"a":{}})", ""), "twice"),
      weightsText("duplicate keys in an entry",
                  safetensorsFile(R"({"a":{"dtype":"F32","shape":[0],"shape":[0],"data_offsets":[0,0]}})", ""),
                  "twice"),
      weightsText("pickle under a safetensors name", std::string("\x80\x02}q\0.", 6), "can run code"),
      weightsText("torch zip under a safetensors name", "PK\x03\x04" + std::string(60, '\0'), "convert"),
      weightsText("NumPy file under a safetensors name", "\x93NUMPY" + std::string(60, '\0'), "NumPy"),
      weightsText("Git LFS pointer", "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n", "git lfs"),
      entryWith("wrong shape", "shape", {4, 16}, "config.json"),
      entryWith("shape and offsets differ", "shape", {4, 8}, "128 bytes"),
      entryWith("negative shape", "shape", {-8, 8}, "negative"),
      entryWith("shape overflows", "shape", {std::int64_t{1} << 40, std::int64_t{1} << 40}, "overflows"),
      entryWith("shape is no list", "shape", 64, "shape"),
      entryWith("unknown dtype", "dtype", "Q4_K", "Q4_K"),
      entryWith("F64 weights", "dtype", "F64", "F64"),
      entryWith("smaller dtype", "dtype", "BF16", "bytes"),
      entryWith("integer weights", "dtype", "I32", "unquantised"),
      entryWith("dtype is a number", "dtype", 7, "dtype"),
      entryWith("offsets reversed", "data_offsets", {256, 0}, "reverse"),
      entryWith("offsets as floats", "data_offsets", {0.0, 256.0}, "data_offsets"),
      entryWith("offsets as texts", "data_offsets", {"0", "256"}, "data_offsets"),
      entryWith("offsets beyond the file", "data_offsets", {0, 1'000'000'000}, "bytes of data"),
      entryWith("offsets overlap", "data_offsets", {4, 260}, "overlaps"),
      {"gap between tensors",
       [](const fs::path& folder) {
         RawWeights weights = tinyWeights();
         weights.data += "gap!";
         weights.add("late", {1});
         writeText(folder / kWeights, weights.file());
       },
       {kWeights, "late", "gap"}},
      {"missing tensor",
       [](const fs::path& folder) {
         RawWeights weights = tinyWeights();
         weights.header["other"] = weights.header[kQ];
         weights.header.erase(kQ);
         writeText(folder / kWeights, weights.file());
       },
       {kWeights, kQ, "missing"}},
      {"weights are a folder",
       [](const fs::path& folder) {
         fs::remove(folder / kWeights);
         fs::create_directory(folder / kWeights);
       },
       {kWeights, "folder"}},
      {"weights are a FIFO",
       [](const fs::path& folder) {
         fs::remove(folder / kWeights);
         ASSERT_EQ(::mkfifo((folder / kWeights).c_str(), 0600), 0);
       },
       {kWeights, "pipe"}},
      {"weights are a link to nothing",
       [](const fs::path& folder) {
         fs::remove(folder / kWeights);
         fs::create_symlink("nowhere", folder / kWeights);
       },
       {kWeights, "leads nowhere"}},
      {"no weights", [](const fs::path& folder) { fs::remove(folder / kWeights); }, {kWeights, "has no"}},
      {"pickle weights only",
       [](const fs::path& folder) { fs::rename(folder / kWeights, folder / "pytorch_model.bin"); },
       {"pytorch_model.bin", "can run code"}},
      {"checkpoint weights only",
       [](const fs::path& folder) { fs::rename(folder / kWeights, folder / "model.CKPT"); },
       {"model.CKPT", "can run code"}},
      {"weights of another name",
       [](const fs::path& folder) { fs::rename(folder / kWeights, folder / "consolidated.safetensors"); },
       {"consolidated.safetensors", "has no"}},
  };
}

std::vector<Case> shardCases() {
  return {
      shardNamed("shard above the folder", "../model.safetensors", "plain file name"),
      shardNamed("shard is the parent", "..", "plain file name"),
      shardNamed("shard is absolute", "/etc/passwd", "plain file name"),
      shardNamed("shard in a subfolder", "sub/model.safetensors", "plain file name"),
      shardNamed("shard name is empty", "", "plain file name"),
      shardNamed("shard name holds a zero byte", std::string(kShard1) + '\0' + "x", "plain file name"),
      shardNamed("shard name is very long", std::string(5000, 'a'), "plain file name"),
      shardNamed("shard is missing", "model-00003-of-00003.safetensors", "missing"),
      shardNamed("tensor in another shard", kShard1, "is not in"),
      sharded("shard gone", [](const fs::path& folder) { fs::remove(folder / kShard2); }, {kShard2, "missing"}),
      sharded("tensor in two shards",
              [](const fs::path& folder) {
                fs::copy_file(folder / kShard1, folder / "copy.safetensors");
                editJson(folder / kIndex, [](Json& index) { index["weight_map"]["extra"] = "copy.safetensors"; });
              },
              {kShard1, "also in"}),
      sharded("shard is a link that leaves the folder",
              [](const fs::path& folder) {
                fs::rename(folder / kShard2, folder.parent_path() / "outside.safetensors");
                fs::create_symlink("../outside.safetensors", folder / kShard2);
              },
              {kShard2, "leaves the folder"}),
      sharded("shard is a link into blobs that are not the cache's",
              [](const fs::path& folder) {
                fs::create_directories(folder.parent_path() / "blobs");
                fs::rename(folder / kShard2, folder.parent_path() / "blobs/sha");
                fs::create_symlink("../blobs/sha", folder / kShard2);
              },
              {kShard2, "leaves the folder"}),
      sharded("shard is a link to a folder of a like name",
              [](const fs::path& folder) {
                const fs::path like = folder.string() + "-evil";
                fs::create_directories(like);
                fs::rename(folder / kShard2, like / "x");
                fs::create_symlink(like / "x", folder / kShard2);
              },
              {kShard2, "leaves the folder"}),
      sharded("shard links go round",
              [](const fs::path& folder) {
                fs::remove(folder / kShard2);
                fs::create_symlink(kShard2, folder / kShard2);
              },
              {kShard2, "leads nowhere"}),
      sharded("shard is a FIFO",
              [](const fs::path& folder) {
                fs::remove(folder / kShard2);
                ASSERT_EQ(::mkfifo((folder / kShard2).c_str(), 0600), 0);
              },
              {kShard2, "pipe"}),
      sharded("shard is a device",
              [](const fs::path& folder) {
                fs::remove(folder / kShard2);
                fs::create_symlink("/dev/zero", folder / kShard2);
              },
              {kShard2, "leaves the folder"}),
      sharded("shard is a folder",
              [](const fs::path& folder) {
                fs::remove(folder / kShard2);
                fs::create_directory(folder / kShard2);
              },
              {kShard2, "folder"}),
      sharded("index is a list", [](const fs::path& folder) { writeText(folder / kIndex, "[]"); }, {kIndex, "object"}),
      sharded("index is no JSON", [](const fs::path& folder) { writeText(folder / kIndex, "{"); }, {kIndex}),
      sharded("index without a map", [](const fs::path& folder) { writeText(folder / kIndex, "{}"); },
              {kIndex, "weight_map"}),
      sharded("index with an empty map",
              [](const fs::path& folder) { writeText(folder / kIndex, R"({"weight_map":{}})"); },
              {kIndex, "weight_map"}),
      sharded("index with a number for a file",
              [](const fs::path& folder) { writeText(folder / kIndex, R"({"weight_map":{"a":1}})"); }, {kIndex, "'a'"}),
      sharded("index with a tensor twice",
              [](const fs::path& folder) { writeText(folder / kIndex, R"({"weight_map":{"a":"x","a":"y"}})"); },
              {kIndex, "twice"}),
  };
}

std::vector<Case> configCases() {
  std::vector<Case> cases = {
      {"no config", [](const fs::path& folder) { fs::remove(folder / "config.json"); }, {"config.json"}},
      {"config is a folder",
       [](const fs::path& folder) {
         fs::remove(folder / "config.json");
         fs::create_directory(folder / "config.json");
       },
       {"config.json", "folder"}},
      {"config is a FIFO",
       [](const fs::path& folder) {
         fs::remove(folder / "config.json");
         ASSERT_EQ(::mkfifo((folder / "config.json").c_str(), 0600), 0);
       },
       {"config.json", "pipe"}},
      fileText("config is empty", "config.json", "", "JSON"),
      fileText("config is a list", "config.json", "[1]", "object"),
      fileText("config is cut short", "config.json", R"({"hidden_size": 8,)", "JSON"),
      fileText("config with a key twice", "config.json", R"({"hidden_size": 8, "hidden_size": 16})", "twice"),
      fileText("config is a nesting bomb", "config.json", std::string(100'000, '['), "nested"),
      fileText("config is not UTF-8", "config.json", "{\"a\": \"\xff\"}", "JSON"),
      fileText("map is no JSON", "strata_map.json", "{", "JSON"),
      fileText("map is not a map", "strata_map.json", R"({"src": [0, 1]})", "map"),
      fileText("map of another model", "strata_map.json",
               R"({"format": "strata-map", "version": 1, "layers": 3, "src": [0, 1, 2]})", "layers"),
      fileText("map reads a later layer", "strata_map.json",
               R"({"format": "strata-map", "version": 1, "layers": 2, "src": [1, 1]})", "0"),
      configWith("num_hidden_layers", 0, "between"),
      configWith("num_hidden_layers", -2, "between"),
      configWith("num_hidden_layers", 1'000'000, "between"),
      configWith("num_hidden_layers", "2", "whole number"),
      configWith("hidden_size", 8.5, "whole number"),
      configWith("vocab_size", std::int64_t{1} << 40, "between"),
      configWith("num_attention_heads", 3, "multiple"),
      configWith("head_dim", 5, "even"),
      configWith("hidden_act", "relu", "silu"),
      configWith("rope_scaling", Json{{"type", "longrope"}}, "longrope"),
      configWith("architectures", Json::array({"BertModel"}), "LlamaForCausalLM"),
      configWith("quantization_config", Json{{"bits", 4}}, "quantised"),
      configWith("rms_norm_eps", Json::array(), "number"),
  };
  for (const char* key : {"hidden_size", "num_hidden_layers", "architectures"}) {
    if (std::string(key) != "architectures") cases.push_back(configWithout(key));
  }
  cases.push_back({"config of another width",
                   [](const fs::path& folder) {
                     editJson(folder / "config.json", [](Json& config) { config["intermediate_size"] = 24; });
                   },
                   {kWeights, "mlp.gate_proj", "different models"}});
  cases.push_back({"config with more layers",
                   [](const fs::path& folder) {
                     editJson(folder / "config.json", [](Json& config) { config["num_hidden_layers"] = 3; });
                   },
                   {kWeights, "model.layers.2", "missing"}});
  cases.push_back({"head that is neither stored nor tied",
                   [](const fs::path& folder) {
                     Json config = tinyConfig();
                     config["tie_word_embeddings"] = true;
                     writeTinyModel(folder, config);
                     writeText(folder / "config.json", tinyConfig().dump());
                   },
                   {kWeights, "lm_head.weight", "tie_word_embeddings"}});
  return cases;
}

class MalformedCheckpoint : public ::testing::TestWithParam<Case> {};

TEST_P(MalformedCheckpoint, IsRefusedWithOneSentence) {
  const TemporaryFolder temporary;
  const fs::path folder = temporary.path() / "model";
  writeTinyModel(folder);
  ASSERT_TRUE(Checkpoint::open(folder));
  GetParam().spoil(folder);
  const auto checkpoint = Checkpoint::open(folder);
  ASSERT_FALSE(checkpoint);
  const Error& error = checkpoint.error();
  EXPECT_THAT(error.code, AnyOf(ErrorCode::notFound, ErrorCode::invalidData, ErrorCode::unsupported));
  for (const std::string& part : GetParam().expected) EXPECT_THAT(error.message, HasSubstr(part));
  EXPECT_EQ(error.message.find('\n'), std::string::npos) << error.message;
  EXPECT_EQ(error.message.back(), '.') << error.message;
  EXPECT_LT(error.message.size(), 700U) << error.message;
}

std::vector<Case> allCases() {
  std::vector<Case> all = weightFileCases();
  for (const std::vector<Case>& more : {shardCases(), configCases()}) all.insert(all.end(), more.begin(), more.end());
  return all;
}

INSTANTIATE_TEST_SUITE_P(All, MalformedCheckpoint, ::testing::ValuesIn(allCases()), [](const auto& info) {
  std::string name;
  for (const char c : info.param.name) name += std::isalnum(static_cast<unsigned char>(c)) != 0 ? c : '_';
  return name + "_" + std::to_string(info.index);
});

TEST(MalformedCheckpoint, CasesAreManyEnough) {
  EXPECT_GE(allCases().size(), 90U);
}

TEST(MalformedCheckpoint, ThatIsNoFolderIsRefused) {
  const TemporaryFolder folder;
  EXPECT_EQ(Checkpoint::open(folder.path() / "none").error().code, ErrorCode::notFound);
  writeText(folder.path() / "model.pt", "PK");
  EXPECT_THAT(Checkpoint::open(folder.path() / "model.pt").error().message, HasSubstr("can run code"));
  writeText(folder.path() / "notes.txt", "PK");
  EXPECT_THAT(Checkpoint::open(folder.path() / "notes.txt").error().message,
              HasSubstr("neither a folder nor a GGUF file"));
  EXPECT_FALSE(Checkpoint::open(folder.path()));
  EXPECT_FALSE(Checkpoint::open(""));
}

}  // namespace
}  // namespace strata
