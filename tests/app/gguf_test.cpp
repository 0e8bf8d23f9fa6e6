// A GGUF file wherever a command takes MODEL.

#include <gmock/gmock.h>

#include "gguf_model.h"
#include "program.h"

namespace strata::testing {
namespace {

using ::testing::HasSubstr;

class GgufProgram : public ::testing::Test {
 protected:
  void SetUp() override { writeStoriesGguf(m_model); }
  std::filesystem::path at(const char* name) const { return m_folder.path() / name; }
  static std::string story(const std::string& model) {
    return answerOf({"generate", model, "--prompt", "Once upon a time", "--max-tokens", "24"})["ids"].dump();
  }
  TemporaryFolder m_folder;
  const std::string m_model = m_folder.path() / "stories.gguf";
  const std::string m_original = sourceFolder() / "resources/models/stories260K";
};

TEST_F(GgufProgram, GeneratesWhatTheFolderDoes) {
  EXPECT_EQ(story(m_model), story(m_original));
}

TEST_F(GgufProgram, IsInspectedAndTokenized) {
  const auto json = answerOf({"inspect", m_model, "--check"});
  EXPECT_EQ(json["architecture"], "LlamaForCausalLM");
  EXPECT_EQ(json["tokenizer"], "gguf");
  EXPECT_EQ(json["dtype"], "float32");
  EXPECT_EQ(json["stored"], "float32");
  EXPECT_EQ(json["check"]["tensors"], 47);
  EXPECT_EQ(answerOf({"tokenize", m_model, "Once upon a time"}),
            answerOf({"tokenize", m_original, "Once upon a time"}));
}

TEST_F(GgufProgram, IsEvaluatedAndTimed) {
  writeText(at("text.txt"), "Once upon a time there was a little cat.\n");
  const auto lossesOf = [&](const std::string& model) {
    std::vector<double> losses;
    const auto answer = answerOf({"eval", model, "--task", "nll", "--data", at("text.txt"), "--maps", "full;stride:2"});
    for (const auto& result : answer["results"]) losses.push_back(result["nll"].get<double>());
    return losses;
  };
  EXPECT_EQ(lossesOf(m_model).size(), 2U);
  EXPECT_EQ(lossesOf(m_model), lossesOf(m_original));
  const auto bench = answerOf({"bench", m_model, "--prompt-tokens", "16", "--decode-tokens", "4", "--repeat", "1"});
  EXPECT_TRUE(bench.is_object());
}

TEST_F(GgufProgram, IsTrainedAndExported) {
  writeText(at("text.txt"), "Once upon a time there was a little cat. It ran fast and far.\n");
  const auto run = answerOf({"train", "--model", m_model, "--data", at("text.txt"), "--steps", "2", "--length", "16",
                             "--batch", "2", "--project", at("project")});
  answerOf({"export", run["run"].get<std::string>(), "--project", at("project"), at("trained")});
  EXPECT_TRUE(std::filesystem::exists(at("trained") / "tokenizer.model"));
  EXPECT_EQ(answerOf({"inspect", at("trained")})["layers"], 5);
  answerOf({"export", m_model, at("plain")});
  EXPECT_EQ(story(at("plain")), story(m_original));
}

TEST_F(GgufProgram, ThatIsDamagedEndsInOneSentence) {
  writeText(at("cut.gguf"), readText(m_model).substr(0, 5000));
  for (const std::string verb : {"inspect", "bench", "serve"}) {
    const Answer answer = runProgram({verb, at("cut.gguf").string()});
    EXPECT_EQ(answer.code, 1) << verb;
    EXPECT_THAT(answer.err, HasSubstr("cut.gguf: the file is cut short")) << verb;
    EXPECT_EQ(std::count(answer.err.begin(), answer.err.end(), '\n'), 1) << answer.err;
  }
}

}  // namespace
}  // namespace strata::testing
