// strata.json changed by the engine, the lock of a project, the user's copy of a shipped one, and runs in the trash.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/json.h"
#include "core/project/job.h"
#include "core/project/project.h"
#include "support.h"

namespace strata {
namespace {

using strata::testing::readText;
using strata::testing::TemporaryFolder;
using strata::testing::writeText;
using ::testing::HasSubstr;
namespace fs = std::filesystem;

struct ProjectChanges : ::testing::Test {
  TemporaryFolder temporary;
  fs::path folder() const { return temporary.path() / "project"; }
  Project project = *Project::openOrCreate(temporary.path() / "project");
  Json file() const { return *readJson(folder() / "strata.json"); }
};

TEST_F(ProjectChanges, SidesAreStoredAndUnknownMembersKept) {
  Json json = file();
  json["presets"] = {{"mine", 1}};
  json["sides"] = {{"a", {{"model", "old"}, {"note", "kept"}, {"dtype", "float32"}}}};
  writeText(folder() / "strata.json", json.dump());
  const ProjectSide a{.model = "base", .map = "stride:2"};
  const ProjectSide b{.model = "routed", .map = "full", .adapter = "/lora", .dtype = "bfloat16", .context = 512};
  ASSERT_TRUE(project.setSides(a, b));
  const auto again = Project::open(folder());
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->sideA(), a);
  EXPECT_EQ(again->sideB(), b);
  EXPECT_EQ(file()["presets"]["mine"], 1);
  EXPECT_EQ(file()["sides"]["a"]["note"], "kept");
}

TEST_F(ProjectChanges, ADataSetIsKeptWithItsMappingUntilItIsRemoved) {
  const fs::path rows = temporary.path() / "rows.jsonl", other = temporary.path() / "more/rows.jsonl";
  writeText(rows, "{}");
  writeText(other, "{}");
  EXPECT_EQ(project.addData({rows}, ""), "rows.jsonl");
  EXPECT_EQ(project.addData({other}, ""), "rows.jsonl-2");
  const std::map<std::string, std::string> columns = {{"prompt", "ask"}, {"completion", "reply"}};
  EXPECT_EQ(project.addData({rows, columns}, ""), "rows.jsonl") << "it keeps its name";
  EXPECT_EQ(project.addData({other}, "support"), "support") << "or gets the one given";
  const auto again = Project::open(folder());
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->data(), (std::map<std::string, ProjectData>{{"rows.jsonl", {rows, columns}}, {"support", {other}}}));
  EXPECT_EQ(Project::findData("support", folder())->path, other);
  EXPECT_EQ(Project::findData("rows.jsonl", folder())->columns, columns);
  EXPECT_EQ(Project::findData("elsewhere.txt", folder())->path, "elsewhere.txt");
  ASSERT_TRUE(project.removeData("rows.jsonl"));
  EXPECT_EQ(Project::open(folder())->data().size(), 1u);
  EXPECT_TRUE(fs::exists(rows)) << "the file stays";
  EXPECT_FALSE(project.removeData("rows.jsonl"));
  EXPECT_EQ(project.addData({temporary.path() / "none"}, "").error().name, "file_not_found");
}

TEST_F(ProjectChanges, DataOfTheWrongShapeAreRefusedByName) {
  for (const Json& data : {Json(1), Json{{"mine", 1}}, Json{{"mine", Json::object()}},
                           Json{{"mine", {{"path", "a"}, {"columns", {{"prompt", 1}}}}}}}) {
    Json edited = file();
    edited["data"] = data;
    writeText(folder() / "strata.json", edited.dump());
    const auto refused = Project::open(folder());
    ASSERT_FALSE(refused) << data.dump();
    EXPECT_THAT(refused.error().message, HasSubstr("data"));
  }
}

TEST_F(ProjectChanges, AnEmptySideIsStored) {
  const ProjectSide only{.model = "base", .map = "stride:2"};
  ASSERT_TRUE(project.setSides(only, std::nullopt));
  ASSERT_TRUE(project.setSides(std::nullopt, only)) << "swapped";
  EXPECT_EQ(Project::open(folder())->sideA(), std::nullopt);
  EXPECT_EQ(Project::open(folder())->sideB(), only);
  ASSERT_TRUE(project.setSides(std::nullopt, std::nullopt));
  EXPECT_EQ(Project::open(folder())->sideB(), std::nullopt);
  Json edited = file();
  edited["sides"] = {{"a", nullptr}, {"b", {{"model", "base"}, {"map", "full"}}}};
  writeText(folder() / "strata.json", edited.dump());
  const auto byHand = Project::open(folder());
  ASSERT_TRUE(byHand) << byHand.error().message;
  EXPECT_EQ(byHand->sideA(), std::nullopt) << "null is an empty side too";
  EXPECT_EQ(byHand->sideB()->model, "base");
}

TEST_F(ProjectChanges, ModelsGetNamesUnlikeTheOthers) {
  for (const char* where : {"x/model", "y/model", "z"}) fs::create_directories(temporary.path() / where);
  EXPECT_EQ(*project.addModel(temporary.path() / "x/model", ""), "model");
  EXPECT_EQ(*project.addModel(temporary.path() / "y/model/", ""), "model-2");
  EXPECT_EQ(*project.addModel(temporary.path() / "x/model", ""), "model");
  EXPECT_EQ(*project.addModel(temporary.path() / "z", "zed"), "zed");
  EXPECT_EQ(project.models().at("model-2"), temporary.path() / "y/model");
  EXPECT_EQ(project.addModel(temporary.path() / "z", "model").error().code, ErrorCode::usage);
  EXPECT_EQ(project.addModel(temporary.path() / "z", "a/b").error().code, ErrorCode::usage);
  EXPECT_EQ(project.addModel(temporary.path() / "none", "").error().code, ErrorCode::notFound);
  writeText(temporary.path() / "tiny.GGUF", "");
  EXPECT_EQ(*project.addModel(temporary.path() / "tiny.GGUF", ""), "tiny.GGUF");
  writeText(temporary.path() / "notes.txt", "");
  EXPECT_EQ(project.addModel(temporary.path() / "notes.txt", "").error().code, ErrorCode::usage);
  ASSERT_TRUE(project.removeModel("model"));
  EXPECT_EQ(Project::open(folder())->models().size(), 3u);
  EXPECT_FALSE(project.removeModel("model"));
}

TEST_F(ProjectChanges, ASecondProcessIsRefusedUntilTheFirstIsGone) {
  int pipes[2];
  ASSERT_EQ(::pipe(pipes), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto lock = ProjectLock::take(folder(), std::chrono::milliseconds(0));
    (void)!::write(pipes[1], lock ? "y" : "n", 1);
    ::pause();
    _exit(0);
  }
  char taken = 0;
  ASSERT_EQ(::read(pipes[0], &taken, 1), 1);
  EXPECT_EQ(taken, 'y');
  const auto refused = ProjectLock::take(folder(), std::chrono::milliseconds(50));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::busy);
  EXPECT_THAT(refused.error().message, HasSubstr("open in another Strata"));
  ::kill(child, SIGKILL);
  EXPECT_TRUE(ProjectLock::take(folder(), std::chrono::milliseconds(2000)));
  ::waitpid(child, nullptr, 0);
}

TEST_F(ProjectChanges, ACopyOfAShippedProjectNamesTheModelsByWholePaths) {
  const fs::path shipped = temporary.path() / "shipped/stories";
  fs::create_directories(temporary.path() / "shipped/models/base");
  writeText(shipped / "data.txt", "text");
  const std::string original =
      R"({"format": "strata-project", "version": 1, "name": "stories", "models": {"base": "../models/base"}, "more": 5})";
  writeText(shipped / "strata.json", original);
  const fs::path copy = temporary.path() / "home/strata/stories";
  ASSERT_TRUE(copyProject(shipped, copy));
  EXPECT_EQ(Project::open(copy)->models().at("base"), temporary.path() / "shipped/models/base");
  EXPECT_EQ(readText(copy / "data.txt"), "text");
  EXPECT_EQ((*readJson(copy / "strata.json"))["more"], 5);
  EXPECT_EQ(readText(shipped / "strata.json"), original);
  writeText(copy / "data.txt", "mine");
  ASSERT_TRUE(copyProject(shipped, copy));
  EXPECT_EQ(readText(copy / "data.txt"), "mine");

  // Installed elsewhere since
  fs::rename(temporary.path() / "shipped", temporary.path() / "moved");
  ASSERT_TRUE(copyProject(temporary.path() / "moved/stories", copy));
  EXPECT_EQ(Project::open(copy)->models().at("base"), temporary.path() / "moved/models/base");
}

TEST_F(ProjectChanges, ARunGoesToTheTrashAndBack) {
  std::string id;
  {
    const auto run = strata::Run::create(project, "train", Json::object());
    id = run->info().id;
    EXPECT_EQ(trashRun(project, id).error().code, ErrorCode::busy);
  }
  ASSERT_TRUE(trashRun(project, id));
  EXPECT_TRUE(listRuns(project)->empty());
  EXPECT_TRUE(fs::exists(folder() / "trash" / id / "run.json"));
  ASSERT_TRUE(restoreRun(project, id));
  EXPECT_EQ(listRuns(project)->size(), 1u);
  EXPECT_EQ(trashRun(project, "../" + id).error().code, ErrorCode::usage);
  EXPECT_EQ(restoreRun(project, "none").error().code, ErrorCode::notFound);
}

TEST_F(ProjectChanges, TheLockTellsWhichProcessHoldsIt) {
  fs::path run;
  {
    const auto held = strata::Run::create(project, "train", Json::object());
    run = held->folder();
    EXPECT_EQ(lockHolder(run), ::getpid());
  }
  EXPECT_EQ(lockHolder(run), std::nullopt);
  EXPECT_FALSE(signalHolder(run, SIGKILL));
  EXPECT_EQ(stopRequestedAt(run), std::nullopt);
  ASSERT_TRUE(requestStop(run));
  const auto age = std::chrono::system_clock::now() - *stopRequestedAt(run);
  EXPECT_LT(age, std::chrono::seconds(5));
  EXPECT_GT(age, -std::chrono::seconds(5));
}

TEST_F(ProjectChanges, AProcessThatMerelyHasTheNumberIsNotTheHolder) {
  const auto held = strata::Run::create(project, "train", Json::object());
  std::ofstream(held->folder() / "lock") << "1\n";  // init lives, and does not hold it
  EXPECT_EQ(lockHolder(held->folder()), std::nullopt);
}

TEST_F(ProjectChanges, AJobThatCannotStartSaysWhy) {
  std::string id;
  { id = strata::Run::create(project, "train", Json::object())->info().id; }
  const auto missing = startJob("/nonexistent/strata", folder(), id, std::chrono::milliseconds(100));
  ASSERT_FALSE(missing);
  EXPECT_THAT(missing.error().message, HasSubstr("/nonexistent/strata"));
  writeText(temporary.path() / "broken", "#!/bin/sh\necho It broke: $1 $2. >&2\nexit 1\n");
  fs::permissions(temporary.path() / "broken", fs::perms::owner_all);
  const auto broken = startJob(temporary.path() / "broken", folder(), id, std::chrono::milliseconds(100));
  ASSERT_TRUE(broken) << broken.error().message;
  EXPECT_EQ(broken->state, RunState::failed);
  EXPECT_EQ(broken->message, "It broke: job " + id + ".");
}

TEST_F(ProjectChanges, AJobIsStartedByItsLauncher) {
  std::string id;
  { id = strata::Run::create(project, "train", Json::object())->info().id; }
  writeText(temporary.path() / "program", "#!/bin/sh\necho $WORD $*\necho -----\n");
  fs::permissions(temporary.path() / "program", fs::perms::owner_all);
  const auto ended =
      startJob(temporary.path() / "program", folder(), id, std::chrono::milliseconds(100), "WORD='two words' env --");
  ASSERT_TRUE(ended) << ended.error().message;
  EXPECT_EQ(ended->message, "two words job " + id + " --project " + folder().string() + " --distributed");
  const auto missing = startJob("strata", folder(), id, std::chrono::milliseconds(100), "no-such-launcher -np 2");
  ASSERT_TRUE(missing) << missing.error().message;
  EXPECT_THAT(readText(folder() / "runs" / id / "log"), HasSubstr("no-such-launcher: not found"));
}

}  // namespace
}  // namespace strata
