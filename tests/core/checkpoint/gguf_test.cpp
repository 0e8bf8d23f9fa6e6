// GGUF files: what is read, and one sentence for each way in which one can be damaged.

#include "core/checkpoint/gguf.h"

#include <gmock/gmock.h>

#include "core/checkpoint/checkpoint_facts.h"
#include "core/checkpoint/checkpoint_hash.h"
#include "core/checkpoint/export.h"
#include "core/checkpoint/gguf_tokenizer.h"
#include "gguf_model.h"
#include "tiny_model.h"

namespace strata::testing {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::EndsWith;
using ::testing::HasSubstr;

std::string problemOf(const std::string& file) {
  const auto gguf = Gguf::parse(std::as_bytes(std::span(file.data(), file.size())), "model.gguf");
  if (gguf) return "none";
  EXPECT_THAT(gguf.error().message, AllOf(HasSubstr("model.gguf: "), EndsWith(".")));
  return gguf.error().message;
}

std::string twoFloats() {
  return rawFloats({1, 2});
}

TEST(GgufFile, GivesValuesArraysAndTensors) {
  GgufWriter writer;
  writer.text("general.name", "small");
  writer.number("llama.block_count", 2);
  writer.real("llama.attention.layer_norm_rms_epsilon", 1e-5F);
  writer.flag("tokenizer.ggml.add_bos_token", true);
  writer.texts("words", {"a", "", "äb"});
  writer.reals("scores", {0.5F, -1});
  writer.integers("types", {1, -3});
  writer.tensor("a", {1, 2}, GgufWriter::kF32, twoFloats());
  writer.tensor("b", {3, 32}, GgufWriter::kQ8_0, std::string(3 * 34, '\0'));
  for (const std::uint32_t version : {2U, 3U}) {
    writer.version = version;
    const std::string file = writer.file();
    const auto gguf = Gguf::parse(std::as_bytes(std::span(file.data(), file.size())), "model.gguf");
    ASSERT_TRUE(gguf) << gguf.error().message;
    EXPECT_EQ(gguf->fields().text("general.name").value(), "small");
    EXPECT_EQ(gguf->fields().integer("llama.block_count", 1, 10).value(), 2);
    EXPECT_EQ(gguf->fields().number("llama.attention.layer_norm_rms_epsilon").value(), 1e-5) << "as it was written";
    EXPECT_TRUE(gguf->fields().boolean("tokenizer.ggml.add_bos_token", false).value());
    EXPECT_THAT(gguf->texts("words").value(), ElementsAre("a", "", "äb"));
    EXPECT_THAT(gguf->numbers("scores").value(), ElementsAre(0.5, -1));
    EXPECT_THAT(gguf->integers("types").value(), ElementsAre(1, -3));
    EXPECT_THAT(gguf->texts("scores").error().message, HasSubstr("must be an array of texts"));
    EXPECT_THAT(gguf->texts("none").error().message, HasSubstr("is missing"));
    EXPECT_THAT(gguf->tensors().at("b").shape, ElementsAre(3, 32));
    EXPECT_EQ(gguf->tensors().at("b").blocks, Blocks::q8_0);
    EXPECT_EQ(floatsOf(gguf->tensors().at("a")), (std::vector<float>{1, 2}));
  }
}

TEST(GgufFile, CutAnywhereIsRefused) {
  GgufWriter writer;
  writer.texts("words", {"a", "b"});
  writer.number("n", 1);
  writer.tensor("a", {1, 2}, GgufWriter::kF32, twoFloats());
  const std::string file = writer.file();
  for (std::size_t size = 0; size < file.size(); ++size) {
    EXPECT_THAT(problemOf(file.substr(0, size)), EndsWith(".")) << size;
  }
  EXPECT_THAT(problemOf(file.substr(0, 40)), HasSubstr("cut short within its metadata"));
  EXPECT_THAT(problemOf(file.substr(0, file.size() - 1)), HasSubstr("tensor 'a' needs 8 bytes"));
}

TEST(GgufFile, OfAnotherKindIsNamed) {
  EXPECT_THAT(problemOf(""), HasSubstr("is empty"));
  EXPECT_THAT(problemOf("PK\3\4 and more"), HasSubstr("is no GGUF"));
  GgufWriter writer;
  writer.version = 1;
  EXPECT_THAT(problemOf(writer.file()), HasSubstr("version 1"));
  writer.version = 3U << 24;
  EXPECT_THAT(problemOf(writer.file()), HasSubstr("big-endian"));
}

TEST(GgufFile, WithImpossibleCountsAndLengthsIsRefused) {
  const std::string start = "GGUF" + GgufWriter::raw<std::uint32_t>(3);
  EXPECT_THAT(problemOf(start + GgufWriter::raw<std::uint64_t>(1) + GgufWriter::raw(~std::uint64_t{0})),
              HasSubstr("more than any model has"));
  EXPECT_THAT(problemOf(start + GgufWriter::raw(~std::uint64_t{0}) + GgufWriter::raw<std::uint64_t>(0)),
              HasSubstr("more than any model has"));
  GgufWriter text;
  text.value("name", 8, GgufWriter::raw(~std::uint64_t{0}) + "abc");
  EXPECT_THAT(problemOf(text.file()), HasSubstr("cut short"));
  GgufWriter array;
  array.value("list", 9, GgufWriter::raw<std::uint32_t>(10) + GgufWriter::raw(std::uint64_t{1} << 61));
  EXPECT_THAT(problemOf(array.file()), HasSubstr("cut short"));
  GgufWriter texts;
  texts.value("list", 9, GgufWriter::raw<std::uint32_t>(8) + GgufWriter::raw(~std::uint64_t{0}));
  EXPECT_THAT(problemOf(texts.file()), HasSubstr("cut short"));
  GgufWriter nested;
  nested.value("list", 9, GgufWriter::raw<std::uint32_t>(9) + GgufWriter::raw<std::uint64_t>(1));
  EXPECT_THAT(problemOf(nested.file()), HasSubstr("array of arrays"));
  GgufWriter unknown;
  unknown.value("x", 13, "");
  EXPECT_THAT(problemOf(unknown.file()), HasSubstr("unknown type 13"));
}

TEST(GgufFile, WithDoubtfulMetadataIsRefused) {
  GgufWriter twice;
  twice.number("n", 1);
  twice.number("n", 2);
  EXPECT_THAT(problemOf(twice.file()), HasSubstr("key 'n' stands twice"));
  GgufWriter text;
  text.text("name", "\xFF");
  EXPECT_THAT(problemOf(text.file()), HasSubstr("not UTF-8"));
  GgufWriter alignment;
  alignment.number("general.alignment", 24);
  EXPECT_THAT(problemOf(alignment.file()), HasSubstr("power of two"));
  GgufWriter none;
  none.number("general.alignment", 0);
  EXPECT_THAT(problemOf(none.file()), HasSubstr("general.alignment"));
}

TEST(GgufFile, WithAWrongTensorIsRefusedNamingIt) {
  const auto with = [](const std::vector<std::int64_t>& shape, std::uint32_t type) {
    GgufWriter writer;
    writer.tensor("blk.0.x", shape, type, twoFloats());
    return problemOf(writer.file());
  };
  EXPECT_THAT(with({2}, 3), AllOf(HasSubstr("'blk.0.x'"), HasSubstr("Q4_1"), HasSubstr("supported are F32")));
  EXPECT_THAT(with({2}, 999), HasSubstr("number 999"));
  EXPECT_THAT(with({2, 33}, GgufWriter::kQ8_0), HasSubstr("no whole blocks of Q8_0"));
  EXPECT_THAT(with({0}, GgufWriter::kF32), HasSubstr("impossible size"));
  EXPECT_THAT(with({1 << 30, 1 << 30, 1 << 30}, GgufWriter::kF32), HasSubstr("impossible size"));
  EXPECT_THAT(with({}, GgufWriter::kF32), HasSubstr("0 dimensions"));
  EXPECT_THAT(with({1, 1, 1, 1, 2}, GgufWriter::kF32), HasSubstr("5 dimensions"));
  EXPECT_THAT(with({3}, GgufWriter::kF32), HasSubstr("needs 12 bytes"));
  GgufWriter twice;
  twice.tensor("a", {2}, GgufWriter::kF32, twoFloats());
  twice.tensor("a", {2}, GgufWriter::kF32, twoFloats());
  EXPECT_THAT(problemOf(twice.file()), HasSubstr("tensor 'a' stands twice"));
  GgufWriter odd;
  odd.alignment = 8;
  odd.tensor("a", {2}, GgufWriter::kF32, twoFloats());
  odd.tensor("b", {2}, GgufWriter::kF32, twoFloats());
  EXPECT_THAT(problemOf(odd.file()), HasSubstr("tensor 'b' begins at byte 8"));
  GgufWriter over;
  over.tensor("a", {16}, GgufWriter::kF32, twoFloats());
  over.tensor("b", {2}, GgufWriter::kF32, twoFloats() + std::string(64, '\0'));
  EXPECT_THAT(problemOf(over.file()), HasSubstr("overlaps"));
}

class GgufCheckpoint : public ::testing::Test {
 protected:
  std::filesystem::path write(const GgufWriter& writer) const {
    const std::filesystem::path path = m_folder.path() / "model.gguf";
    writeText(path, writer.file());
    return path;
  }
  Checkpoint tiny(const Json& config = tinyConfig()) const {
    writeTinyModel(m_folder.path() / "tiny", config);
    return Checkpoint::open(m_folder.path() / "tiny").value();
  }
  /// What opening says of the tiny model with these values added.
  std::string problemWith(const std::function<void(GgufWriter&)>& add) const {
    GgufWriter writer = ggufOf(tiny());
    add(writer);
    const auto opened = Checkpoint::open(write(writer));
    if (opened) return "none";
    EXPECT_THAT(opened.error().message, AllOf(HasSubstr("model.gguf: "), EndsWith(".")));
    return opened.error().message;
  }
  TemporaryFolder m_folder;
};

TEST_F(GgufCheckpoint, IsTheFolderThatItWasMadeFrom) {
  const Checkpoint folder = tiny();
  const Checkpoint gguf = Checkpoint::open(write(ggufOf(folder))).value();
  EXPECT_TRUE(gguf.isGguf());
  EXPECT_EQ(parameterShapes(gguf.config()), parameterShapes(folder.config()));
  EXPECT_EQ(gguf.config().rope, folder.config().rope);
  EXPECT_EQ(gguf.config().rmsNormEps, folder.config().rmsNormEps);
  EXPECT_EQ(gguf.config().eosIds, folder.config().eosIds);
  EXPECT_EQ(gguf.config().bosId, folder.config().bosId);
  EXPECT_EQ(gguf.storedDType(), DType::f32);
  EXPECT_EQ(gguf.hash().value(), folder.hash().value()) << "the weights are the same";
  EXPECT_TRUE(tensorsWithNonFiniteValues(gguf).value().empty());
  EXPECT_EQ(readModelConfig(gguf.folder()).value().layers, 2);
  EXPECT_EQ(tokenizerKind(gguf.folder()), nullptr);
}

TEST_F(GgufCheckpoint, IsExportedAsAFolder) {
  const Checkpoint gguf = Checkpoint::open(write(ggufOf(tiny()))).value();
  const std::filesystem::path out = m_folder.path() / "out";
  const auto written = exportModel(gguf, SharingMap::full(2), {}, out);
  ASSERT_TRUE(written) << written.error().message;
  const Checkpoint exported = Checkpoint::open(out).value();
  EXPECT_EQ(exported.hash().value(), gguf.hash().value());
  EXPECT_EQ(exported.config().architecture, "LlamaForCausalLM");
}

TEST_F(GgufCheckpoint, WithoutAnOutputMatrixHasATiedHead) {
  Json config = tinyConfig();
  config["tie_word_embeddings"] = true;
  const Checkpoint gguf = Checkpoint::open(write(ggufOf(tiny(config)))).value();
  EXPECT_TRUE(gguf.config().tied);
}

TEST_F(GgufCheckpoint, EndsAnswersAtTheIdsThatItNamesAndAtUsualOnes) {
  GgufWriter writer = ggufOf(tiny());
  writer.number("tokenizer.ggml.eot_token_id", 5);
  writer.texts("tokenizer.ggml.tokens", {"<unk>", "<s>", "</s>", "<|im_end|>", "a", "<|eot_id|>"});
  EXPECT_THAT(Checkpoint::open(write(writer)).value().config().eosIds, ElementsAre(2, 5, 3));
}

TEST_F(GgufCheckpoint, FindsTheParametersOfLlama3sRope) {
  const auto scaled = [&](double factor, double low, double high, std::int64_t original) {
    Json config = tinyConfig();
    config["hidden_size"] = 256;
    config["num_attention_heads"] = 4;
    config["rope_theta"] = 500000.0;
    config["max_position_embeddings"] = 131072;
    config["rope_scaling"] = {{"rope_type", "llama3"},
                              {"factor", factor},
                              {"low_freq_factor", low},
                              {"high_freq_factor", high},
                              {"original_max_position_embeddings", original}};
    const Checkpoint folder = tiny(config);
    const ModelConfig gguf = Checkpoint::open(write(ggufOf(folder))).value().config();
    const auto expected = ropeFrequencies(folder.config().rope, 64, 0).inverse;
    const auto found = ropeFrequencies(gguf.rope, 64, 0).inverse;
    for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_NEAR(found[i] / expected[i], 1, 1e-5) << i;
    return gguf.rope;
  };
  const RopeConfig usual = scaled(32, 1, 4, 8192);
  EXPECT_EQ(usual.factor, 32);
  EXPECT_EQ(usual.originalMaxPositions, 8192);
  EXPECT_EQ(usual.lowFreqFactor, 1);
  EXPECT_EQ(usual.highFreqFactor, 4);
  EXPECT_EQ(scaled(8, 1, 4, 64).originalMaxPositions, 64);
  scaled(8, 2, 9, 4096);
}

TEST_F(GgufCheckpoint, ReadsTheOtherScalings) {
  const auto ropeWith = [&](const std::function<void(GgufWriter&)>& add) {
    GgufWriter writer = ggufOf(tiny());
    add(writer);
    return Checkpoint::open(write(writer)).value().config().rope;
  };
  const RopeConfig linear = ropeWith([](GgufWriter& writer) {
    writer.text("llama.rope.scaling.type", "linear");
    writer.real("llama.rope.scaling.factor", 4);
  });
  EXPECT_EQ(linear.type, RopeType::linear);
  EXPECT_EQ(linear.factor, 4);
  const RopeConfig yarn = ropeWith([](GgufWriter& writer) {
    writer.text("llama.rope.scaling.type", "yarn");
    writer.real("llama.rope.scaling.factor", 2);
    writer.number("llama.rope.scaling.original_context_length", 16);
    writer.real("llama.rope.scaling.yarn_beta_fast", 16);
  });
  EXPECT_EQ(yarn.type, RopeType::yarn);
  EXPECT_EQ(yarn.originalMaxPositions, 16);
  EXPECT_EQ(yarn.betaFast, 16);
  EXPECT_EQ(ropeWith([](GgufWriter& writer) { writer.text("llama.rope.scaling.type", "none"); }).type,
            RopeType::standard);
}

TEST_F(GgufCheckpoint, SaysInOneSentenceWhatItCannotBe) {
  EXPECT_THAT(problemWith([](GgufWriter& writer) { writer.number("llama.expert_count", 8); }),
              HasSubstr("mixtures of experts"));
  EXPECT_THAT(problemWith([](GgufWriter& writer) { writer.number("split.count", 3); }), HasSubstr("one of 3 files"));
  EXPECT_THAT(problemWith([](GgufWriter& writer) { writer.text("llama.rope.scaling.type", "longrope"); }),
              HasSubstr("'longrope'; supported are none, linear and yarn"));
  EXPECT_THAT(problemWith([](GgufWriter& writer) { writer.tensor("blk.0.ffn_gate_inp.weight", {2}, 0, twoFloats()); }),
              HasSubstr("'blk.0.ffn_gate_inp.weight' belongs to no model"));
  EXPECT_THAT(problemWith([](GgufWriter& writer) { writer.tensor("rope_freqs.weight", {2}, 0, twoFloats()); }),
              HasSubstr("rope_freqs.weight"));
  GgufWriter other;
  other.text("general.architecture", "gemma3");
  EXPECT_THAT(Checkpoint::open(write(other)).error().message, HasSubstr("'gemma3'; supported are llama"));
  GgufWriter empty;
  empty.text("general.architecture", "llama");
  EXPECT_THAT(Checkpoint::open(write(empty)).error().message,
              HasSubstr("the key \"llama.embedding_length\" is missing"));
  writeText(m_folder.path() / "broken.gguf", "not one");
  EXPECT_THAT(Checkpoint::open(m_folder.path() / "broken.gguf").error().message, HasSubstr("is no GGUF"));
  writeText(m_folder.path() / "note.txt", "text");
  EXPECT_THAT(Checkpoint::open(m_folder.path() / "note.txt").error().message,
              HasSubstr("is neither a folder nor a GGUF file"));
}

TEST_F(GgufCheckpoint, InBlocksIsReadAsBfloat16UnlessAskedOtherwise) {
  const std::filesystem::path path = m_folder.path() / "stories.gguf";
  writeStoriesGguf(path, GgufWriter::kQ8_0);
  const Checkpoint gguf = Checkpoint::open(path).value();
  EXPECT_EQ(gguf.storedDType(), DType::bf16);
  EXPECT_EQ(storedAs(gguf), "Q8_0");
  EXPECT_STREQ(tokenizerKind(path), "gguf");
  EXPECT_TRUE(tensorsWithNonFiniteValues(gguf).value().empty());
  const std::filesystem::path out = m_folder.path() / "out";
  ASSERT_TRUE(exportModel(gguf, SharingMap::full(5), {}, out));
  const Checkpoint exported = Checkpoint::open(out).value();
  EXPECT_EQ(exported.storedDType(), DType::bf16);
  EXPECT_STREQ(tokenizerKind(out), "sentencepiece");
  const Json config = readJson(out / "tokenizer_config.json").value();
  EXPECT_EQ(config["bos_token"], "<s>");
  EXPECT_EQ(config["add_bos_token"], true);
}

}  // namespace
}  // namespace strata::testing
