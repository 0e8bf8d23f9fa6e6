// Bad input: one sentence on stderr that says what is wrong, an exit code, {"error": …} with --json, and nothing
// written.

#include "program.h"

namespace strata::testing {
namespace {

namespace fs = std::filesystem;

struct Bad {
  const char* name;
  std::vector<std::string> arguments;  // "@M" story model, "@T" temporary folder
  int code;
  const char* says;  // part of the sentence
};

const std::vector<Bad>& badInputs() {
  static const std::vector<Bad> all = {
      {"NoVerb", {}, 2, "subcommand"},
      {"UnknownVerb", {"fly"}, 2, "--help"},
      {"UnknownOption", {"inspect", "@M", "--fast"}, 2, "--fast"},
      {"MissingModel", {"inspect", "@T/none"}, 1, "none"},
      {"FolderWithoutConfig", {"inspect", "@T"}, 1, "config.json"},
      {"MapReadsALaterLayer", {"generate", "@M", "--prompt", "a", "--map", "0,1,1,4,4"}, 2, "layer 3"},
      {"MapReadsAFollower", {"generate", "@M", "--prompt", "a", "--map", "0,0,1,3,4"}, 2, "layer 2"},
      {"MapOfOtherLength", {"score", "@M", "--ids", "1,2", "--map", "0,0,2"}, 2, "5"},
      {"MapIsNoPattern", {"score", "@M", "--ids", "1,2", "--map", "zigzag"}, 2, "zigzag"},
      {"MapFileForOtherLayers", {"score", "@M", "--ids", "1,2", "--map", "file:@T/map.json"}, 1, "2 layers"},
      {"TrainingRoutingInEval",
       {"eval", "@M", "--task", "nll", "--data", "@T/text.txt", "--maps", "0,0,1,3,4"},
       2,
       "layer 2"},
      {"BadDtype", {"score", "@M", "--ids", "1,2", "--dtype", "int8"}, 2, "int8"},
      {"BadKv", {"generate", "@M", "--prompt", "a", "--kv", "int4"}, 2, "\"int4\" is unknown; give int8 or fp8"},
      {"BadKvOfInspect", {"inspect", "@M", "--kv", "q8_0"}, 2, "\"q8_0\""},
      {"BadKvOfEstimate", {"estimate", "@M", "--kv", "fp16"}, 2, "\"fp16\""},
      {"BadKvOfEval", {"eval", "@M", "--task", "nll", "--data", "@T/text.txt", "--kv", "8"}, 2, "\"8\""},
      {"GradientsThroughKv", {"score", "@M", "--ids", "1,2", "--kv", "int8", "--grad-norms"}, 2, "--kv"},
      {"BadDevice", {"score", "@M", "--ids", "1,2", "--device", "tpu"}, 2, "tpu"},
      {"IdOutOfRange", {"score", "@M", "--ids", "1,512"}, 2, "512"},
      {"IdIsNoNumber", {"generate", "@M", "--ids", "1,x"}, 2, "\"x\""},
      {"OneIdIsNothingToPredict", {"score", "@M", "--ids", "1"}, 2, "predict"},
      {"MissingText", {"score", "@M", "--text", "@T/none.txt"}, 1, "none.txt"},
      {"EmptyText", {"score", "@M", "--text", "@T/empty.txt"}, 2, "predict"},
      {"TextIsNotUtf8", {"score", "@M", "--text", "@T/latin1.txt"}, 1, "latin1.txt:2"},
      {"TextIsAFolder", {"score", "@M", "--text", "@T"}, 1, "@T"},
      {"TextAndIds", {"score", "@M", "--ids", "1,2", "--text", "@T/text.txt"}, 2, "--text"},
      {"NoPrompt", {"generate", "@M"}, 2, "--prompt"},
      {"PromptLongerThanContext", {"generate", "@M", "--ids", "1,2,3,4", "--context", "3"}, 2, "--context"},
      {"NumberIsNone", {"generate", "@M", "--prompt", "a", "--top-p", "half"}, 2, "--top-p"},
      {"NumberOutOfRange", {"generate", "@M", "--prompt", "a", "--top-p", "1.5"}, 2, "top-p"},
      {"MissingAdapter", {"score", "@M", "--ids", "1,2", "--adapter", "@T/none"}, 1, "none"},
      {"UnknownTask", {"eval", "@M", "--task", "chess", "--data", "@T/text.txt"}, 2, "chess"},
      {"SquadIsNoJson", {"eval", "@M", "--task", "squad", "--data", "@T/text.txt"}, 1, "text.txt"},
      {"ExportIntoAFullFolder", {"export", "@M", "@T"}, 2, "empty"},
      {"RunNotFound", {"train", "--resume", "none", "--project", "@T/project"}, 1, "none"},
      {"RunsOfNoProject", {"runs", "list", "--project", "@T/none"}, 1, "none"},
      {"ModelAndInit",
       {"train", "--model", "@M", "--init", "@M", "--data", "@T/text.txt", "--project", "@T/project"},
       2,
       "init"},
      {"TrainingWithoutAProject", {"train", "--model", "@M", "--data", "@T/text.txt"}, 2, "--project"},
      {"ConfigWithUnknownKey", {"train", "--config", "@T/config.json", "--project", "@T/project"}, 2, "\"step\""},
      {"UnknownPreset", {"train", "--preset", "none", "--project", "@T/project"}, 2, "paper"},
      {"UnknownSampler",
       {"train", "--model", "@M", "--data", "@T/text.txt", "--project", "@T/project", "--sampler", "dice"},
       2,
       "dice"},
      {"BatchNotDivided",
       {"train", "--model", "@M", "--data", "@T/text.txt", "--project", "@T/project", "--batch", "4", "--micro-batch",
        "3"},
       2,
       "3"},
      {"TokenizerMissing", {"tokenize", "@T", "hello"}, 1, "tokenizer"},
      {"DecodedIdOutOfRange", {"tokenize", "@M", "--ids", "99999"}, 1, "99999"},
  };
  return all;
}

class BadInput : public ::testing::TestWithParam<Bad> {};

std::vector<std::string> namesIn(const fs::path& folder) {
  std::vector<std::string> names;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) names.push_back(entry.path().string());
  std::sort(names.begin(), names.end());
  return names;
}

TEST_P(BadInput, IsOneSentenceACodeAndNothingWritten) {
  const TemporaryFolder folder;
  writeText(folder.path() / "text.txt", kStory);
  writeText(folder.path() / "empty.txt", "");
  writeText(folder.path() / "latin1.txt", "good\nbad \xE9\n");
  writeText(folder.path() / "map.json", R"({"format": "strata-map", "version": 1, "layers": 2, "src": [0, 0]})");
  writeText(folder.path() / "config.json", R"({"step": 3})");
  const auto filled = [&](std::string text) {
    if (const auto at = text.find("@M"); at != std::string::npos) text.replace(at, 2, storyModel());
    if (const auto at = text.find("@T"); at != std::string::npos) text.replace(at, 2, folder.path().string());
    return text;
  };
  std::vector<std::string> arguments;
  for (const std::string& argument : GetParam().arguments) arguments.push_back(filled(argument));
  arguments.push_back("--json");
  const auto before = namesIn(folder.path());
  const Answer answer = runProgram(arguments);
  EXPECT_EQ(answer.code, GetParam().code) << answer.err;
  EXPECT_TRUE(answer.err.starts_with("strata: ")) << answer.err;
  EXPECT_EQ(std::count(answer.err.begin(), answer.err.end(), '\n'), 1) << answer.err;
  EXPECT_NE(answer.err.find(filled(GetParam().says)), std::string::npos) << answer.err;
  const auto json = answer.json();
  ASSERT_TRUE(json.is_object() && json.contains("error")) << answer.out;
  expectKeys(json["error"], {"code", "message", "context"});
  EXPECT_EQ(namesIn(folder.path()), before);
}

INSTANTIATE_TEST_SUITE_P(Program, BadInput, ::testing::ValuesIn(badInputs()),
                         [](const auto& info) { return info.param.name; });

// Broken rows are what a check is there to tell; a file that breaks off cannot be told whole.
TEST(Program, DataCheckSaysWhatTrainingWouldRefuseAndFailsWhereAFileBreaksOff) {
  const TemporaryFolder folder;
  const std::string row = R"({"prompt": "Once upon a", "completion": " time there was a girl."})";
  std::string list = "[", lines;
  for (int i = 0; i < 30; ++i) list += row + ",";
  for (int i = 0; i < 5; ++i) lines += row + "\n";
  writeText(folder.path() / "list.json", list + "]");
  writeText(folder.path() / "lines.jsonl", lines + "broken\n");
  for (const char* file : {"list.json", "lines.jsonl"}) {
    for (const std::vector<std::string>& more : {std::vector<std::string>{}, {"--model", storyModel()}}) {
      std::vector<std::string> arguments = {"data", "check", folder.path() / file};
      arguments.insert(arguments.end(), more.begin(), more.end());
      const Answer shown = runProgram(arguments);
      EXPECT_EQ(shown.code, std::string(file) == "list.json" ? 1 : 0) << file;
      EXPECT_NE(shown.out.find("training would refuse these data: "), std::string::npos) << shown.out;
      arguments.push_back("--json");
      const Answer answer = runProgram(arguments);
      EXPECT_EQ(answer.code, shown.code) << file;
      EXPECT_NE(shown.out.find(answer.json()["refused"].get<std::string>()), std::string::npos) << answer.out;
      EXPECT_EQ(answer.json().contains("error"), answer.code == 1) << answer.out;
    }
  }
}

TEST(Program, AFullDiskIsAnError) {
  if (!fs::exists("/dev/full")) GTEST_SKIP() << "no /dev/full";
  const std::string command =
      std::string(STRATA_BINARY_DIR) + "/bin/strata inspect " + storyModel() + " --json >/dev/full 2>/dev/null";
  EXPECT_EQ(WEXITSTATUS(std::system(command.c_str())), 1);
}

TEST(Program, WeightsThatAreNotFiniteAreFoundByCheckAndByTheFirstLogits) {
  const TemporaryFolder folder;
  for (const auto& entry : fs::directory_iterator(storyModel()))
    fs::copy_file(entry.path(), folder.path() / entry.path().filename());
  std::string weights = readText(folder.path() / "model.safetensors");
  weights.replace(weights.size() - 4, 4, std::string("\x00\x00\xC0\x7F", 4));  // NaN in the last tensor's last value
  writeText(folder.path() / "model.safetensors", weights);
  const Answer check = runProgram({"inspect", folder.path(), "--check", "--json"});
  EXPECT_EQ(check.code, 1);
  EXPECT_EQ(check.json()["check"]["non_finite"].size(), 1u);
  EXPECT_TRUE(check.json().contains("error"));
  EXPECT_EQ(runProgram({"score", folder.path(), "--ids", "1,403,407"}).code, 1);
  EXPECT_EQ(runProgram({"generate", folder.path(), "--ids", "1,403,407"}).code, 1);
}

}  // namespace
}  // namespace strata::testing
