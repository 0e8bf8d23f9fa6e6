#include "core/config/presets.h"

#include <set>

#include "core/config/train_config.h"
#include "support.h"

namespace strata {
namespace {

using testing::readText;
using testing::sourceFolder;
using testing::TemporaryFolder;
using testing::writeText;

std::filesystem::path shipped() {
  return sourceFolder() / "resources/presets";
}

TEST(Presets, ThoseShippedAreConfigurationsThatTrain) {
  const auto presets = readPresets(shipped());
  ASSERT_TRUE(presets) << presets.error().message;
  std::vector<std::string> names;
  for (const Preset& preset : *presets) {
    SCOPED_TRACE(preset.name);
    names.push_back(preset.name);
    TrainConfig config;
    config.model = "model";
    config.data = "data.txt";
    const auto filled = configFromJson(preset.config, preset.name, config);
    ASSERT_TRUE(filled) << filled.error().message;
    const auto checked = checkTrainConfig(config);
    EXPECT_TRUE(checked) << checked.error().message;
  }
  EXPECT_EQ(names, (std::vector<std::string>{"sample", "lora", "full", "paper", "distill", "baseline"}));
}

TEST(Presets, EachHasATitleAndOneSentence) {
  std::set<std::string> titles;
  const std::vector<Preset> presets = readPresets(shipped()).value();
  for (const Preset& preset : presets) {
    SCOPED_TRACE(preset.name);
    EXPECT_FALSE(preset.title.empty());
    EXPECT_TRUE(titles.insert(preset.title).second);
    ASSERT_FALSE(preset.description.empty());
    EXPECT_EQ(preset.description.back(), '.');
    EXPECT_EQ(preset.description.find(". "), std::string::npos) << "one sentence";
  }
}

TEST(Presets, OnlyTheSampleNamesFiles) {
  const std::vector<Preset> presets = readPresets(shipped()).value();
  for (const Preset& preset : presets) {
    for (const char* file : {"model", "data", "eval-data"}) {
      EXPECT_EQ(preset.config.contains(file), preset.name == "sample") << preset.name << " " << file;
    }
  }
}

TEST(Presets, FilesOfTheSampleAreThoseOfTheProject) {
  const Json options = optionsIn(findPreset(shipped(), "sample").value(), "/p");
  EXPECT_EQ(options["data"], "/p/train.txt");
  EXPECT_EQ(options["eval-data"], "/p/heldout.txt");
  EXPECT_EQ(options["model"], "base");
}

TEST(Presets, AnUnknownNameIsToldThoseThereAre) {
  const auto found = findPreset(shipped(), "../presets/paper");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().code, ErrorCode::usage);
  EXPECT_NE(found.error().message.find("give one of: sample, lora, full"), std::string::npos) << found.error().message;
  EXPECT_EQ(findPreset(shipped(), "paper")->config["p-cross"], 0.5);
}

TEST(Presets, AFileThatIsNoneIsNamed) {
  const TemporaryFolder folder;
  writeText(folder.path() / "mine.json", R"({"steps": 3})");
  const auto presets = readPresets(folder.path());
  ASSERT_FALSE(presets);
  EXPECT_NE(presets.error().message.find("mine.json"), std::string::npos) << presets.error().message;
  EXPECT_FALSE(readPresets(folder.path() / "nothing"));
}

}  // namespace
}  // namespace strata
