#include "core/project/run_checkpoint.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <ctime>
#include <fstream>
#include <random>
#include <thread>

#include "core/base/files.h"
#include "core/base/json.h"
#include "support.h"

namespace strata {
namespace {

using strata::testing::readText;
using strata::testing::TemporaryFolder;
using strata::testing::writeText;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
namespace fs = std::filesystem;

Result<void> writeContent(const fs::path& folder, std::int64_t step) {
  writeText(folder / "model.safetensors", std::string(20000, static_cast<char>('a' + step % 26)));
  writeText(folder / "state/optimizer.bin", "step " + std::to_string(step));
  return {};
}

struct RunCheckpoint : ::testing::Test {
  TemporaryFolder temporary;
  fs::path run = temporary.path() / "run";
  std::vector<std::string> warnings;

  Result<void> save(std::int64_t step, std::optional<std::int64_t> best = {}) {
    return saveCheckpoint(
        run, step, [step](const fs::path& folder) { return writeContent(folder, step); }, best);
  }
  std::optional<std::int64_t> newest() {
    warnings.clear();
    return *newestGoodCheckpoint(run, [this](const Error& error) { warnings.push_back(error.message); });
  }
  void damage(std::int64_t step) { writeText(checkpointFolder(run, step) / "state/optimizer.bin", "step ?"); }
  std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(run / "checkpoints"), {}));
  }
};

TEST_F(RunCheckpoint, HoldsWhatWasWrittenAndAManifest) {
  ASSERT_TRUE(save(10));
  EXPECT_THAT(checkpointSteps(run), ElementsAre(10));
  const Json manifest = Json::parse(readText(checkpointFolder(run, 10) / "manifest.json"));
  EXPECT_EQ(manifest["step"], 10);
  EXPECT_EQ(manifest["files"].size(), 2u);
  EXPECT_EQ(manifest["files"]["model.safetensors"]["bytes"], 20000);
  EXPECT_EQ(manifest["files"]["state/optimizer.bin"]["sha256"],
            *sha256OfFile(checkpointFolder(run, 10) / "state/optimizer.bin"));
  EXPECT_TRUE(verifyCheckpoint(checkpointFolder(run, 10)));
}

TEST_F(RunCheckpoint, KeepsTheLastTwo) {
  for (const int step : {2, 10, 100}) ASSERT_TRUE(save(step));
  EXPECT_THAT(checkpointSteps(run), ElementsAre(10, 100));
  EXPECT_EQ(entries(), 2u);
}

TEST_F(RunCheckpoint, KeepsTheBestBesideTheLastTwo) {
  ASSERT_TRUE(save(1, 1));
  ASSERT_TRUE(writeBest(run, 1));
  for (const int step : {2, 3, 4}) ASSERT_TRUE(save(step));
  EXPECT_THAT(checkpointSteps(run), ElementsAre(1, 3, 4));
  ASSERT_TRUE(writeBest(run, 4));
  ASSERT_TRUE(save(5));
  EXPECT_THAT(checkpointSteps(run), ElementsAre(4, 5));
}

TEST_F(RunCheckpoint, TheBestInBestJsonIsKeptUntilItIsReplaced) {
  ASSERT_TRUE(save(1, 1));
  ASSERT_TRUE(writeBest(run, 1));
  ASSERT_TRUE(save(2));
  ASSERT_TRUE(save(3, 3));
  EXPECT_THAT(checkpointSteps(run), ElementsAre(1, 2, 3)) << "a kill before writeBest must not lose the best";
}

TEST_F(RunCheckpoint, AFailedWriteLeavesNothing) {
  ASSERT_TRUE(save(1));
  const auto failed = saveCheckpoint(run, 2, [](const fs::path& folder) -> Result<void> {
    writeText(folder / "half", "x");
    return fail(ErrorCode::diskFull, "The disk is full.");
  });
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::diskFull);
  EXPECT_THAT(checkpointSteps(run), ElementsAre(1));
  EXPECT_EQ(entries(), 1u);
}

TEST_F(RunCheckpoint, AnExceptionOfTheWriterIsAnError) {
  const auto failed =
      saveCheckpoint(run, 2, [](const fs::path&) -> Result<void> { throw std::runtime_error("no luck"); });
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().message, HasSubstr("no luck"));
  EXPECT_EQ(entries(), 0u);
}

TEST_F(RunCheckpoint, LeftoversOfAKilledSaveAreNotListedAndVanishWithTheNext) {
  ASSERT_TRUE(save(1));
  writeText(run / "checkpoints/.step-2.tmp-4711-0/model.safetensors", "half");
  writeText(run / "checkpoints/.removed-step-0/model.safetensors", "half removed");
  fs::create_directories(run / "checkpoints/step-007");
  EXPECT_THAT(checkpointSteps(run), ElementsAre(1));
  EXPECT_EQ(newest(), 1);
  ASSERT_TRUE(save(2));
  EXPECT_THAT(checkpointSteps(run), ElementsAre(1, 2));
  EXPECT_EQ(entries(), 3u) << "the two checkpoints, and the folder that is not ours";
}

TEST_F(RunCheckpoint, VerifyNamesTheDamagedFile) {
  ASSERT_TRUE(save(1));
  const fs::path folder = checkpointFolder(run, 1);
  damage(1);
  EXPECT_THAT(verifyCheckpoint(folder).error().message, HasSubstr("optimizer.bin"));
  fs::resize_file(folder / "model.safetensors", 100);
  EXPECT_THAT(verifyCheckpoint(folder).error().message, HasSubstr("100 bytes instead of 20000"));
  fs::remove(folder / "model.safetensors");
  EXPECT_THAT(verifyCheckpoint(folder).error().message, HasSubstr("lacks model.safetensors"));
  fs::remove(folder / "manifest.json");
  EXPECT_FALSE(verifyCheckpoint(folder));
}

TEST_F(RunCheckpoint, VerifyRefusesAManifestThatLies) {
  ASSERT_TRUE(save(1));
  const fs::path file = checkpointFolder(run, 1) / "manifest.json";
  for (const char* text : {"", "{", "[]", "{}", "{\"files\": []}", "{\"files\": {\"model.safetensors\": 5}}",
                           "{\"files\": {\"model.safetensors\": {\"bytes\": -1, \"sha256\": \"\"}}}",
                           "{\"files\": {\"../../../secret\": {\"bytes\": 1, \"sha256\": \"\"}}}",
                           "{\"files\": {\"/etc/hostname\": {\"bytes\": 1, \"sha256\": \"\"}}}"}) {
    writeText(file, text);
    EXPECT_FALSE(verifyCheckpoint(checkpointFolder(run, 1))) << text;
  }
}

TEST_F(RunCheckpoint, RefusesWhatItsManifestDoesNotListAndAnEmptyManifest) {
  ASSERT_TRUE(save(1));
  const fs::path folder = checkpointFolder(run, 1);
  for (const char* added : {"tokenizer_x.txt", ".hidden", "state/more.bin"}) {
    writeText(folder / added, "x");
    for (const auto& result : {verifyCheckpoint(folder), checkCheckpoint(folder)}) {
      ASSERT_FALSE(result) << added;
      EXPECT_THAT(result.error().message, HasSubstr(std::string("holds ") + added));
    }
    fs::remove(folder / added);
  }
  fs::create_symlink("/etc/hostname", folder / "link");
  EXPECT_THAT(verifyCheckpoint(folder).error().message, HasSubstr("link, which is no regular file"));
  fs::remove(folder / "link");
  EXPECT_TRUE(verifyCheckpoint(folder));
  Json manifest = Json::parse(readText(folder / "manifest.json"));
  manifest["files"] = Json::object();
  writeText(folder / "manifest.json", manifest.dump());
  EXPECT_THAT(verifyCheckpoint(folder).error().message, HasSubstr("it lists no files"));
}

TEST_F(RunCheckpoint, RefusesAFileThatIsALinkToTheSameBytes) {
  ASSERT_TRUE(save(1));
  const fs::path folder = checkpointFolder(run, 1);
  fs::rename(folder / "model.safetensors", run / "elsewhere");
  fs::create_symlink(run / "elsewhere", folder / "model.safetensors");
  EXPECT_THAT(verifyCheckpoint(folder).error().message, HasSubstr("model.safetensors, which is no regular file"));
}

TEST_F(RunCheckpoint, RefusesAStepThatIsNotTheFolders) {
  ASSERT_TRUE(save(1));
  fs::rename(checkpointFolder(run, 1), checkpointFolder(run, 7));
  for (const auto& result : {verifyCheckpoint(checkpointFolder(run, 7)), checkCheckpoint(checkpointFolder(run, 7))}) {
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().message, HasSubstr("is of step 1 by its manifest, not of step-7"));
  }
}

TEST_F(RunCheckpoint, SeesAByteThatChangedAfterItWasVerified) {
  ASSERT_TRUE(save(1));
  const fs::path folder = checkpointFolder(run, 1), file = folder / "model.safetensors";
  // At once, when the file's time has not moved on, and after the files were remembered.
  for (const auto wait : {std::chrono::milliseconds(0), std::chrono::milliseconds(100)}) {
    std::this_thread::sleep_for(wait);
    ASSERT_TRUE(verifyCheckpoint(folder));
    const fs::file_time_type time = fs::last_write_time(file);
    std::fstream(file, std::ios::in | std::ios::out | std::ios::binary).seekp(5000).write("zzzz", 4);
    fs::last_write_time(file, time);
    EXPECT_TRUE(checkCheckpoint(folder)) << "names and sizes are as they were";
    EXPECT_THAT(verifyCheckpoint(folder).error().message, HasSubstr("model.safetensors is damaged"));
    writeText(file, std::string(20000, 'b'));
    EXPECT_TRUE(verifyCheckpoint(folder));
  }
}

TEST_F(RunCheckpoint, ReadsFilesThatDidNotChangeOnce) {
  const auto big = [](const fs::path& folder) -> Result<void> {
    writeText(folder / "model.safetensors", std::string(64 << 20, 'x'));
    return {};
  };
  ASSERT_TRUE(saveCheckpoint(run, 1, big));
  const fs::path folder = checkpointFolder(run, 1);
  const auto processorTime = [&] {
    timespec before{}, after{};
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &before);
    EXPECT_TRUE(verifyCheckpoint(folder));
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &after);
    return static_cast<double>(after.tv_sec - before.tv_sec) +
           1e-9 * static_cast<double>(after.tv_nsec - before.tv_nsec);
  };
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  const double first = processorTime(), second = processorTime();
  EXPECT_LT(second, first / 5) << first << " s and then " << second << " s";
}

TEST_F(RunCheckpoint, IsKnownByItsPlaceInARun) {
  ASSERT_TRUE(save(1));
  const fs::path folder = checkpointFolder(run, 1);
  damage(1);
  EXPECT_TRUE(verifyIfCheckpoint(folder)) << "there is no run around it";
  writeText(run / "run.json", "{}");
  EXPECT_FALSE(verifyIfCheckpoint(folder));
  EXPECT_FALSE(verifyIfCheckpoint(folder.string() + "/"));
  fs::create_directory_symlink(folder, temporary.path() / "mine");
  EXPECT_FALSE(verifyIfCheckpoint(temporary.path() / "mine"));
  EXPECT_TRUE(verifyIfCheckpoint(temporary.path()));
  EXPECT_TRUE(verifyIfCheckpoint(temporary.path() / "nowhere"));
}

TEST(CheckpointManifest, IsPrintedAndParsed) {
  CheckpointManifest manifest;
  manifest.step = 40;
  manifest.files["state/optimizer.bin"] = {5, std::string(64, 'a')};
  const auto again = parseManifest(printManifest(manifest), "manifest.json");
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->step, 40);
  EXPECT_EQ(again->files, manifest.files);
}

TEST(CheckpointManifest, NamesWhatIsWrong) {
  const Json good = {{"format", "strata-run-checkpoint"},
                     {"version", 1},
                     {"step", 4},
                     {"files", {{"a", {{"bytes", 1}, {"sha256", std::string(64, '0')}}}}}};
  ASSERT_TRUE(parseManifest(good.dump(), "m"));
  const auto refusal = [&](const char* key, const Json& value) {
    Json changed = good;
    changed[key] = value;
    const auto parsed = parseManifest(changed.dump(), "m");
    return parsed ? std::string("it was read") : parsed.error().message;
  };
  EXPECT_THAT(refusal("format", "other"), HasSubstr("\"format\""));
  EXPECT_THAT(refusal("version", 2), HasSubstr("newer Strata"));
  EXPECT_THAT(refusal("version", "1"), HasSubstr("\"version\""));
  EXPECT_THAT(refusal("step", -1), HasSubstr("\"step\""));
  EXPECT_THAT(refusal("step", 18446744073709551615u), HasSubstr("\"step\""));
  EXPECT_THAT(refusal("files", Json::array()), HasSubstr("\"files\""));
  EXPECT_THAT(refusal("files", Json::object()), HasSubstr("lists no files"));
  for (const char* name : {"../a", "/a", "a/../../b", "a//b", "./a", "", ".", "..", "a/", "manifest.json"}) {
    EXPECT_THAT(refusal("files", {{name, good["files"]["a"]}}), HasSubstr("outside the checkpoint")) << name;
  }
  for (const Json& file : {Json(5), Json({{"bytes", -1}, {"sha256", std::string(64, '0')}}),
                           Json({{"bytes", 1}, {"sha256", "abc"}}), Json({{"bytes", 1}})}) {
    EXPECT_THAT(refusal("files", {{"a", file}}), HasSubstr("no size and SHA-256 for a")) << file;
  }
}

TEST_F(RunCheckpoint, TheNewestGoodOneIsFoundBehindADamagedOne) {
  ASSERT_TRUE(save(1));
  ASSERT_TRUE(save(2));
  damage(2);
  EXPECT_EQ(newest(), 1);
  EXPECT_THAT(warnings, ElementsAre(HasSubstr("step-2")));
}

TEST_F(RunCheckpoint, WhenBothAreDamagedThereIsNoneAndTheRunStartsAgain) {
  ASSERT_TRUE(save(1));
  ASSERT_TRUE(save(2));
  damage(1);
  damage(2);
  EXPECT_EQ(newest(), std::nullopt);
  EXPECT_EQ(warnings.size(), 2u);
  ASSERT_TRUE(save(1));
  EXPECT_EQ(newest(), 1);
  EXPECT_THAT(checkpointSteps(run), ElementsAre(1)) << "later, damaged ones must not crowd out what is saved now";
}

TEST_F(RunCheckpoint, ADamagedOneOfTheSameStepIsReplacedAndAWholeOneStays) {
  ASSERT_TRUE(save(1));
  damage(1);
  ASSERT_TRUE(save(1));
  EXPECT_EQ(newest(), 1);
  bool called = false;
  ASSERT_TRUE(saveCheckpoint(run, 1, [&](const fs::path&) -> Result<void> {
    called = true;
    return {};
  }));
  EXPECT_FALSE(called);
  EXPECT_EQ(newest(), 1);
}

TEST_F(RunCheckpoint, ARunWithoutCheckpointsHasNone) {
  EXPECT_THAT(checkpointSteps(run), IsEmpty());
  EXPECT_EQ(newest(), std::nullopt);
  EXPECT_EQ(resolveCheckpoint(run, {}).error().code, ErrorCode::notFound);
}

TEST_F(RunCheckpoint, RunMeansTheStepElseTheBestElseTheLast) {
  for (const int step : {1, 2}) ASSERT_TRUE(save(step));
  EXPECT_EQ(*resolveCheckpoint(run, {}), checkpointFolder(run, 2));
  ASSERT_TRUE(writeBest(run, 1));
  EXPECT_EQ(readBest(run), 1);
  EXPECT_EQ(*resolveCheckpoint(run, {}), checkpointFolder(run, 1));
  EXPECT_EQ(*resolveCheckpoint(run, 2), checkpointFolder(run, 2));
  EXPECT_THAT(resolveCheckpoint(run, 3).error().message, HasSubstr("1, 2"));
}

TEST_F(RunCheckpoint, ABrokenOrDanglingBestIsPassedOver) {
  ASSERT_TRUE(save(1));
  for (const char* text : {"", "{", "[1]", "{\"step\": \"1\"}", "{\"step\": 99}"}) {
    writeText(run / "best.json", text);
    EXPECT_EQ(*resolveCheckpoint(run, {}), checkpointFolder(run, 1)) << text;
  }
}

TEST_F(RunCheckpoint, IsExchangedForAnotherOfItsStepWhereThatIsAskedFor) {
  ASSERT_TRUE(save(1));
  ASSERT_TRUE(save(2));
  const auto write = [](const char* text) {
    return [text](const fs::path& folder) { return writeFile(folder / "state.json", text); };
  };
  ASSERT_TRUE(saveCheckpoint(run, 2, write("kept")));
  EXPECT_FALSE(fs::exists(checkpointFolder(run, 2) / "state.json")) << "a whole one stays";
  const auto failed = saveCheckpoint(
      run, 2, [](const fs::path&) -> Result<void> { return fail(ErrorCode::diskFull, "The disk is full."); }, {},
      SameStep::replace);
  ASSERT_FALSE(failed);
  EXPECT_TRUE(verifyCheckpoint(checkpointFolder(run, 2))) << "the old one stands until the new one is whole";
  ASSERT_TRUE(saveCheckpoint(run, 2, write("new"), {}, SameStep::replace));
  EXPECT_EQ(readText(checkpointFolder(run, 2) / "state.json"), "new");
  EXPECT_TRUE(verifyCheckpoint(checkpointFolder(run, 2)));
  EXPECT_THAT(checkpointSteps(run), ElementsAre(1, 2));
  EXPECT_EQ(entries(), 2u) << "nothing of the old one is left";
  ASSERT_TRUE(saveCheckpoint(run, 3, write("first"), {}, SameStep::replace));
  EXPECT_THAT(checkpointSteps(run), ElementsAre(2, 3));
}

TEST_F(RunCheckpoint, SurvivesKillsAtAnyMoment) {
  constexpr int kRounds = 20;
  const auto begin = std::chrono::steady_clock::now();
  ASSERT_TRUE(save(1));
  const std::chrono::microseconds oneSave =
      std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now() - begin);
  std::mt19937 random(7);
  std::int64_t reached = 1;
  for (int round = 0; round < kRounds; ++round) {
    int progress[2];
    ASSERT_EQ(pipe(progress), 0);
    const pid_t child = fork();
    if (child == 0) {
      for (std::int64_t step = reached + 1;; ++step) {
        if (!save(step, step - step % 5)) _exit(1);
        if (write(progress[1], &step, sizeof step) != sizeof step) _exit(1);
      }
    }
    close(progress[1]);
    std::int64_t acknowledged = reached;
    // Every other kill comes during the second or third save, when there is something to remove.
    if (round % 2 == 1) {
      ASSERT_EQ(read(progress[0], &acknowledged, sizeof acknowledged), ssize_t{sizeof acknowledged});
    }
    std::this_thread::sleep_for(oneSave * (random() % 1000) / 500);
    kill(child, SIGKILL);
    int status = 0;
    ASSERT_EQ(waitpid(child, &status, 0), child);
    ASSERT_TRUE(WIFSIGNALED(status)) << "the saving itself failed";
    for (std::int64_t step = 0; read(progress[0], &step, sizeof step) == sizeof step;) acknowledged = step;
    close(progress[0]);
    const std::optional<std::int64_t> good = newest();
    EXPECT_THAT(warnings, IsEmpty()) << "what has the name of a checkpoint is whole";
    ASSERT_TRUE(good);
    EXPECT_GE(*good, acknowledged) << "a checkpoint that was reported as saved is there";
    EXPECT_EQ(readText(checkpointFolder(run, *good) / "state/optimizer.bin"), "step " + std::to_string(*good));
    reached = *good;
  }
  EXPECT_GE(reached, kRounds / 2);
  ASSERT_TRUE(save(reached + 1));
  EXPECT_LE(entries(), 3u) << "nothing of the killed saves is left";
}

}  // namespace
}  // namespace strata
