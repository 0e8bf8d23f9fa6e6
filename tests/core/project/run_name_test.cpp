#include "core/project/run_name.h"

#include <gtest/gtest.h>

#include "core/project/job.h"
#include "support.h"

namespace strata {
namespace {

using testing::TemporaryFolder;
namespace fs = std::filesystem;

struct RunNames : ::testing::Test {
  TemporaryFolder temporary;
  Project project = *Project::openOrCreate(temporary.path() / "project");
  std::string nameOf(const std::string& kind, const Json& config) const { return plainRunName(project, kind, config); }
};

TEST_F(RunNames, SayMethodModelAndRouting) {
  EXPECT_EQ(nameOf("train", {{"model", "/m/base"}, {"lora", 16}, {"p-cross", .5}}), "LoRA of base, p 0.5");
  EXPECT_EQ(nameOf("train", {{"model", "/m/base/"}, {"lora", 0}, {"p-cross", .25}}), "Fine-tune of base, p 0.25");
  EXPECT_EQ(nameOf("train", {{"init", "/m/tiny"}, {"p-cross", nullptr}}), "Training of tiny from scratch");
  EXPECT_EQ(nameOf("eval", {{"model", "/m/base"}, {"task", "squad"}}), "squad of base");
  EXPECT_EQ(nameOf("search", {{"model", "/m/base"}}), "Search of base");
  EXPECT_EQ(nameOf("train", Json::object()), "Fine-tune");
}

TEST_F(RunNames, CallAModelAsTheProjectDoes) {
  fs::create_directories(temporary.path() / "checkpoint-v3");
  ASSERT_TRUE(project.addModel(temporary.path() / "checkpoint-v3", "base"));
  EXPECT_EQ(nameOf("eval", {{"model", (temporary.path() / "checkpoint-v3").string()}, {"task", "nll"}}), "nll of base");
  EXPECT_EQ(nameOf("eval", {{"model", "/hub/models--org--tiny/snapshots/c1fa"}, {"task", "nll"}}), "nll of org/tiny");
  const auto run = strata::Run::create(project, "train", Json{{"model", "base"}, {"lora", 8}});
  ASSERT_TRUE(run);
  EXPECT_EQ(nameOf("eval", {{"model", run->info().id}, {"task", "squad"}}), "squad of LoRA of base");
}

TEST_F(RunNames, GetANumberWhereOneIsTakenAlsoInTheTrash) {
  const Json config = {{"model", "/m/base"}, {"lora", 8}};
  const auto made = [&] {
    const auto run = strata::Run::create(project, "train", config);
    return run ? run->info() : RunInfo();
  };
  const RunInfo first = made();
  EXPECT_EQ(first.name, "LoRA of base");
  ASSERT_TRUE(trashRun(project, first.id));
  EXPECT_EQ(made().name, "LoRA of base (2)");
  EXPECT_EQ(made().name, "LoRA of base (3)");
  ASSERT_TRUE(restoreRun(project, first.id));
  EXPECT_EQ(readRun(project.runsFolder() / first.id)->name, "LoRA of base");
}

}  // namespace
}  // namespace strata
