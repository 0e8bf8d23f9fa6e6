#include "core/checkpoint/safetensors.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <array>
#include <random>

#include "tiny_model.h"

namespace strata {
namespace {

using ::testing::HasSubstr;
using namespace ::strata::testing;

Result<TensorMap> parse(const std::string& file, SkippedTensors* skipped = nullptr) {
  return parseSafetensors(std::as_bytes(std::span(file)), "x.safetensors", skipped);
}

std::string messageFor(const std::string& header, std::size_t dataBytes) {
  const auto parsed = parse(safetensorsFile(header, std::string(dataBytes, 'x')));
  if (parsed) return "";
  EXPECT_THAT(parsed.error().message, HasSubstr("x.safetensors"));
  EXPECT_EQ(parsed.error().message.back(), '.');
  return parsed.error().message;
}

std::string entry(const std::string& dtype, const std::string& shape, const std::string& offsets) {
  return R"({"dtype":")" + dtype + R"(","shape":)" + shape + R"(,"data_offsets":)" + offsets + "}";
}

TEST(Safetensors, ReadsWhatItWrote) {
  const TemporaryFolder folder;
  const std::vector<float> values = {1, 2, 3, 4, 5, 6};
  const std::vector<std::byte> halves = convertFromFloat(values, DType::f16);
  const std::vector<TensorToWrite> tensors = {
      {"z", DType::f32, {2, 3}, std::as_bytes(std::span(values))},
      {"empty", DType::bf16, {0, 7}, {}},
      {"schöne \"Gewichte\"", DType::f16, {6}, halves},
      {"scalar", DType::f32, {}, std::as_bytes(std::span(values)).first(4)},
  };
  ASSERT_TRUE(writeSafetensors(folder.path() / "a.safetensors", tensors));
  const auto read = readSafetensors(folder.path() / "a.safetensors");
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_EQ(read->size(), 4U);
  for (const TensorToWrite& tensor : tensors) {
    const TensorView& view = read->at(tensor.name);
    EXPECT_EQ(view.dtype, tensor.dtype);
    EXPECT_EQ(view.shape, tensor.shape);
    EXPECT_TRUE(std::equal(view.bytes.begin(), view.bytes.end(), tensor.bytes.begin(), tensor.bytes.end()));
    EXPECT_EQ(view.file->path(), folder.path() / "a.safetensors");
  }
  EXPECT_EQ(read->at("z").elements(), 6);
  EXPECT_EQ(read->at("empty").elements(), 0);
  EXPECT_EQ(read->at("scalar").elements(), 1);
  EXPECT_LT(read->at("z").bytes.data(), read->at("scalar").bytes.data());
}

TEST(Safetensors, PadsTheHeaderAndSaysTheFormat) {
  const auto header = makeSafetensorsHeader({{"a", DType::f32, {3}, {}}});
  ASSERT_TRUE(header);
  EXPECT_EQ(header->size() % 8, 0U);
  EXPECT_EQ(Json::parse(header->substr(8))["__metadata__"]["format"], "pt");
}

TEST(Safetensors, RefusesToWriteImpossibleTensors) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "a.safetensors";
  const std::array<std::byte, 8> bytes{};
  EXPECT_FALSE(writeSafetensors(path, {{"a", DType::f32, {3}, bytes}}));
  EXPECT_FALSE(writeSafetensors(path, {{"a", DType::f32, {-2}, bytes}}));
  EXPECT_FALSE(writeSafetensors(path, {{"a", DType::f32, {2}, bytes}, {"a", DType::f32, {2}, bytes}}));
  EXPECT_FALSE(writeSafetensors(path, {{"\xff", DType::f32, {2}, bytes}}));
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(Safetensors, TakesAHeaderWhoseLengthLooksLikeAPickle) {
  // 640 = 0x280: the file starts with the bytes 80 02, the mark of pickle protocol 2.
  std::string header = R"({"a":)" + entry("F32", "[1]", "[0,4]") + "}";
  header.resize(640, ' ');
  const auto parsed = parse(safetensorsFile(header, "abcd"));
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_EQ(parsed->at("a").elements(), 1);
}

TEST(Safetensors, KeepsTheFileMappedAsLongAsAViewLives) {
  const TemporaryFolder folder;
  writeTinyModel(folder.path());
  TensorView view;
  {
    const auto read = readSafetensors(folder.path() / "model.safetensors");
    ASSERT_TRUE(read);
    view = read->at("model.norm.weight");
  }
  std::filesystem::remove(folder.path() / "model.safetensors");
  std::vector<float> values(8);
  convertToFloat(view.bytes, view.dtype, values);
  EXPECT_NE(values[0], values[1]);
}

TEST(Safetensors, LeavesIntegerTensorsOutAndSaysSo) {
  const std::string header =
      R"({"i":)" + entry("I64", "[1]", "[0,8]") + R"(,"b":)" + entry("BOOL", "[2]", "[8,10]") + "}";
  SkippedTensors skipped;
  const auto parsed = parse(safetensorsFile(header, std::string(10, 'x')), &skipped);
  ASSERT_TRUE(parsed) << parsed.error().message;
  EXPECT_TRUE(parsed->empty());
  EXPECT_EQ(skipped, (SkippedTensors{{"i", "I64"}, {"b", "BOOL"}}));
  EXPECT_THAT(messageFor(R"({"i":)" + entry("I64", "[2]", "[0,8]") + "}", 8), HasSubstr("'i'"));
}

TEST(Safetensors, RefusesOtherTypesByName) {
  for (const char* type : {"F64", "F8_E4M3", "F8_E5M2", "f32", "float32", ""}) {
    const std::string message = messageFor(R"({"w":)" + entry(type, "[1]", "[0,4]") + "}", 4);
    EXPECT_THAT(message, HasSubstr("'w'"));
    EXPECT_THAT(message, HasSubstr(std::string("'").append(type).append("'")));
  }
}

TEST(Safetensors, RefusesNamesAndKeysThatComeTwice) {
  const std::string a = R"("a":)" + entry("F32", "[1]", "[0,4]");
  EXPECT_THAT(messageFor("{" + a + "," + a + "}", 4), HasSubstr("twice"));
  EXPECT_THAT(messageFor(R"({"a":{"dtype":"F32","dtype":"F32","shape":[1],"data_offsets":[0,4]}})", 4),
              HasSubstr("'dtype' twice"));
  EXPECT_THAT(messageFor(R"({"__metadata__":{"x":"1","x":"2"}})", 0), HasSubstr("twice"));
  EXPECT_THAT(messageFor(R"({"__metadata__":{},"__metadata__":{}})", 0), HasSubstr("twice"));
}

TEST(Safetensors, RefusesSpacesThatNoTensorOwns) {
  EXPECT_THAT(messageFor(R"({"a":)" + entry("F32", "[1]", "[4,8]") + "}", 8), HasSubstr("gap"));
  EXPECT_THAT(messageFor(R"({"a":)" + entry("F32", "[1]", "[0,4]") + "}", 8), HasSubstr("belong to no tensor"));
  EXPECT_THAT(messageFor("{}", 1), HasSubstr("belong to no tensor"));
  EXPECT_TRUE(parse(safetensorsFile("{}", "")));
}

TEST(Safetensors, NamesTheTensorOfEachWrongEntry) {
  const struct {
    std::string entry;
    std::string expected;
  } cases[] = {
      {entry("F32", "[-1]", "[0,4]"), "negative number -1 in its shape"},
      {entry("F32", "[1.0]", "[0,4]"), "in its shape"},
      {entry("F32", "[\"1\"]", "[0,4]"), "in its shape"},
      {entry("F32", "[[1]]", "[0,4]"), "a list in its shape"},
      {entry("F32", "[9223372036854775808]", "[0,4]"), "too large"},
      {entry("F32", "[99999999999999999999999]", "[0,4]"), "in its shape"},
      {entry("F32", "[4294967296,4294967296]", "[0,4]"), "overflows"},
      {entry("F32", "[2]", "[0,4]"), "is 8 bytes"},
      {entry("F32", "[1]", "[4,0]"), "in reverse"},
      {entry("F32", "[1]", "[0,400]"), "only 4 bytes of data"},
      {entry("F32", "[1]", "[0,18446744073709551615]"), "only 4 bytes of data"},
      {entry("F32", "[1]", "[0]"), "two data_offsets"},
      {entry("F32", "[1]", "[0,4,8]"), "two data_offsets"},
      {entry("F32", "[1]", "[0.0,4.0]"), "in its data_offsets"},
      {entry("F32", "[1]", "[\"0\",\"4\"]"), "in its data_offsets"},
      {entry("F32", "[1]", "[-4,0]"), "in its data_offsets"},
      {entry("F32", "1", "[0,4]"), "for 'shape'"},
      {entry("F32", "[1]", "4"), "for 'data_offsets'"},
      {R"({"dtype":4,"shape":[1],"data_offsets":[0,4]})", "for 'dtype'"},
      {R"({"dtype":"F32","shape":[1]})", "lacks the key data_offsets"},
      {R"({"dtype":"F32","data_offsets":[0,4]})", "lacks the key shape"},
      {R"({"shape":[1],"data_offsets":[0,4]})", "lacks the key dtype"},
      {R"({"dtype":"F32","shape":[1],"data_offsets":[0,4],"more":1})", "unknown key 'more'"},
      {"null", "null"},
      {"[]", "a list"},
      {"true", "a boolean"},
  };
  for (const auto& [text, expected] : cases) {
    const std::string message = messageFor(R"({"bad one":)" + text + "}", 4);
    EXPECT_THAT(message, HasSubstr("bad one")) << text;
    EXPECT_THAT(message, HasSubstr(expected)) << text;
  }
}

TEST(Safetensors, StopsAtDeepNestingWithoutBuildingIt) {
  const std::string deep(5'000'000, '[');
  EXPECT_THAT(messageFor(R"({"a":)" + deep, 0), HasSubstr("a list"));
  EXPECT_THAT(messageFor(R"({"a":{"shape":)" + deep, 0), HasSubstr("a list in its shape"));
}

TEST(Safetensors, RefusesATextAfterTheHeadersEnd) {
  EXPECT_THAT(messageFor("{} {}", 0), HasSubstr("not valid JSON"));
  EXPECT_THAT(messageFor(std::string("{}\0{", 4), 0), HasSubstr("not valid JSON at byte 2"));
  EXPECT_THAT(messageFor("{\"\xff\":1}", 0), HasSubstr("not valid JSON"));
}

TEST(Safetensors, NamesOtherKindsOfFiles) {
  const auto kind = [](std::string start) {
    start.resize(200, '\0');
    return parse(start).error().message;
  };
  for (const char protocol : {2, 3, 4, 5}) {
    EXPECT_THAT(kind(std::string("\x80") + protocol), HasSubstr("can run code"));
  }
  EXPECT_THAT(kind("PK\x03\x04"), HasSubstr("zip"));
  EXPECT_THAT(kind("\x93NUMPY"), HasSubstr("NumPy"));
  EXPECT_THAT(kind("GGUF"), HasSubstr("GGUF"));
  EXPECT_THAT(kind("version https://git-lfs.github.com/spec/v1"), HasSubstr("Git LFS"));
}

TEST(Safetensors, RefusesEveryTruncation) {
  RawWeights weights;
  weights.add("a", {3, 2});
  weights.add("b", {4});
  const std::string file = weights.file();
  ASSERT_TRUE(parse(file));
  for (std::size_t length = 0; length < file.size(); ++length) EXPECT_FALSE(parse(file.substr(0, length))) << length;
}

TEST(Safetensors, SurvivesRandomDamage) {
  const std::string file = tinyWeights().file();
  std::mt19937 random(7);
  for (int round = 0; round < 2000; ++round) {
    std::string damaged = file;
    for (int i = 0; i < 3; ++i) damaged[random() % 1500] = static_cast<char>(random());
    const auto parsed = parse(damaged);
    EXPECT_TRUE(parsed || !parsed.error().message.empty());
  }
}

TEST(Safetensors, ReadsTheFilesOfTheStockLibrary) {
  STRATA_NEEDS_SHARED_DATA();
  const auto read = readSafetensors(sharedData() / "models/stories260K/model.safetensors");
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->at("model.embed_tokens.weight").shape, (std::vector<std::int64_t>{512, 64}));
}

}  // namespace
}  // namespace strata
