// The models that come with Strata, as a person meets them: what they are, and that the routed one stands a halved
// cache.

#include <gmock/gmock.h>

#include "program.h"

namespace strata::testing {
namespace {

namespace fs = std::filesystem;

std::string sampleProject() {
  return (sourceFolder() / "projects/tiny-stories").string();
}

std::uintmax_t bytesIn(const fs::path& folder) {
  std::uintmax_t bytes = 0;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (entry.is_regular_file()) bytes += entry.file_size();
  }
  return bytes;
}

/// F1 of the first `limit` recall questions under a map.
double recall(const char* model, const std::string& map, int limit) {
  const Answer answer =
      runProgram({"eval", sampleModel("sample-" + std::string(model)), "--task", "squad", "--data",
                  sampleProject() + "/recall.json", "--maps", map, "--limit", std::to_string(limit), "--json"});
  EXPECT_EQ(answer.code, 0) << answer.err;
  return answer.json()["results"][0].value("f1", -1.0);
}

TEST(SampleModels, AreSmallGroupedQueryLlamasOfTwelveLayers) {
  for (const char* name : {"base", "routed"}) {
    const auto about = runProgram({"inspect", sampleModel("sample-" + std::string(name)), "--check", "--json"}).json();
    EXPECT_EQ(about["architecture"], "LlamaForCausalLM");
    EXPECT_EQ(about["layers"], 12);
    EXPECT_EQ(about["heads"], 6);
    EXPECT_EQ(about["kv_heads"], 2);
    EXPECT_EQ(about["vocab"], 4096);
    EXPECT_EQ(about["dtype"], "bfloat16");
    EXPECT_GE(about["parameters"], 5'000'000);
    EXPECT_LE(about["bytes_on_disk"], 25'000'000);
  }
  EXPECT_LE(bytesIn(sourceFolder() / "resources/models"), 60'000'000u);
}

TEST(SampleModels, StandOnTheSidesOfTheSampleProject) {
  const auto base = runProgram({"inspect", "base", "--project", sampleProject(), "--json"});
  EXPECT_EQ(base.json()["layers"], 12) << base.err;
  const auto stories = runProgram({"inspect", "stories", "--project", sampleProject(), "--json"});
  EXPECT_EQ(stories.json()["layers"], 5) << stories.err;
}

TEST(SampleModels, AskAsTheyWereTaught) {
  TemporaryFolder folder;
  const auto messages = folder.path() / "messages.json";
  writeText(messages, R"([{"role": "user", "content": "Context: a\nQuestion: b ____"},
    {"role": "assistant", "content": "c"}, {"role": "user", "content": "Question: d ____"}])");
  const Answer answer =
      runProgram({"template", sampleModel("sample-routed"), "--messages", messages.string(), "--generation-prompt"});
  EXPECT_EQ(answer.out, "<s>Context: a\nQuestion: b ____\nAnswer: c\nQuestion: d ____\nAnswer:");
}

// The whole of it, with intervals, is in the models' cards; here only what no noise of 60 questions can turn round.
TEST(SampleModels, RoutedStillFindsNamesWithHalfTheCacheAndBaseDoesNot) {
  constexpr int kQuestions = 60;
  EXPECT_GT(recall("base", "full", kQuestions), 0.8);
  EXPECT_GT(recall("routed", "full", kQuestions), 0.8);
  EXPECT_LT(recall("base", "retention:.5", kQuestions), 0.15);
  EXPECT_GT(recall("routed", "retention:.5", kQuestions), 0.65);
}

TEST(SampleModels, AtAQuarterOfTheCacheItMattersWhichLayersKeepTheirs) {
  constexpr int kQuestions = 60;
  EXPECT_GT(recall("routed", "0,0,0,0,0,0,6,6,6,9,9,9", kQuestions), 0.7);
  EXPECT_LT(recall("routed", "retention:.25", kQuestions), 0.1);
}

TEST(SampleModels, RoutedAnswersUnderEveryMapThatTheSampleProjectStores) {
  constexpr int kQuestions = 60;
  for (const char* name : {"three-quarters", "half", "quarter"}) {
    EXPECT_GT(recall("routed", "file:" + sampleProject() + "/maps/" + name + ".json", kQuestions), 0.75) << name;
  }
}

// What text that comes twice had once taught them: to say every sentence twice.
TEST(SampleModels, SayNoSentenceTwice) {
  for (const char* name : {"base", "routed"}) {
    const Answer answer =
        runProgram({"generate", sampleModel("sample-" + std::string(name)), "--prompt", "It was late when",
                    "--max-tokens", "150", "--temperature", "0.8", "--seed", "3", "--json"});
    ASSERT_EQ(answer.code, 0) << answer.err;
    const std::string text = answer.json()["text"];
    constexpr std::size_t kLong = 40;  // characters: longer than a turn of phrase
    ASSERT_GT(text.size(), 3 * kLong);
    for (std::size_t i = 0; i + 2 * kLong <= text.size(); ++i) {
      EXPECT_EQ(text.find(text.substr(i, kLong), i + kLong), std::string::npos) << text;
    }
  }
}

}  // namespace
}  // namespace strata::testing
