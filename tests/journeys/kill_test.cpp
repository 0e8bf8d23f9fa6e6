// SIGKILL at any moment of a training run, then --resume: final weights and curves are those of an uninterrupted run.

#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <random>
#include <sstream>
#include <thread>

#include "core/base/json.h"
#include "core/project/run_reader.h"
#include "program.h"

extern char** environ;

namespace strata::testing {
namespace {

class Kill : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string text;
    for (int i = 0; i < 2000; ++i)
      text += "Lily saw " + std::to_string(i * 37 % 211) + " birds. She was happy and ran home.\n";
    writeText(m_folder.path() / "train.txt", text);
  }

  std::vector<std::string> trainCommand(const std::filesystem::path& project) const {
    return {program(),      "train",
            "--model",      (sourceFolder() / "resources/models/stories260K").string(),
            "--data",       (m_folder.path() / "train.txt").string(),
            "--project",    project.string(),
            "--steps",      "40",
            "--batch",      "4",
            "--length",     "48",
            "--lr",         "1e-3",
            "--p-cross",    "0.5",
            "--save-every", "4",
            "--threads",    "2",
            "--json"};
  }
  std::vector<std::string> resumeCommand(const std::filesystem::path& project, const std::string& run) const {
    return {program(), "train", "--resume", run, "--project", project.string(), "--json"};
  }

  /// Runs a command; kills it after `killAfter` unless it ended. Whether it ended by itself with exit code 0.
  static bool run(const std::vector<std::string>& command, std::chrono::milliseconds killAfter) {
    std::vector<char*> arguments;
    for (const std::string& word : command) arguments.push_back(const_cast<char*>(word.c_str()));
    arguments.push_back(nullptr);
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_addopen(&actions, 1, "/dev/null", 1, 0);
    posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", 1, 0);
    pid_t pid = 0;
    EXPECT_EQ(posix_spawn(&pid, arguments[0], &actions, nullptr, arguments.data(), environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    const auto deadline = std::chrono::steady_clock::now() + killAfter;
    int status = 0;
    while (waitpid(pid, &status, WNOHANG) == 0) {
      if (std::chrono::steady_clock::now() >= deadline) {
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
        return false;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0)
        << "exit status " << status << " of " << command[1] << " " << command[2] << " " << command[3];
    return true;
  }

  static std::filesystem::path onlyRun(const std::filesystem::path& project) {
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(project / "runs", none)) {
      if (std::filesystem::exists(entry.path() / "run.json")) return entry.path();
    }
    return {};
  }
  static std::string finalWeights(const std::filesystem::path& project) {
    return readText(onlyRun(project) / "checkpoints" / "step-40" / "model.safetensors");
  }

  /// The points of the curves that do not depend on the clock, in order: "loss,12,380,3.25".
  std::string curves(const std::filesystem::path& project) const {
    const std::filesystem::path file = m_folder.path() / "curves.csv";
    const std::string said = outputOf("'" + program() + "' runs export " + onlyRun(project).filename().string() +
                                      " --project '" + project.string() + "' --format csv '" + file.string() + "'");
    std::istringstream lines(readText(file));
    std::string points;
    for (std::string metric, step, tokens, seconds, value;
         std::getline(lines, metric, ',') && std::getline(lines, step, ',') && std::getline(lines, tokens, ',') &&
         std::getline(lines, seconds, ',') && std::getline(lines, value);) {
      for (const char* each : {"loss", "grad_norm", "lr", "borrowed"}) {
        if (metric == each) points += metric + ',' + step + ',' + tokens + ',' + value + '\n';
      }
    }
    std::filesystem::remove(file);
    EXPECT_EQ(std::count(points.begin(), points.end(), '\n'), 4 * 40) << said;
    return points;
  }

  /// Kills `wanted` times at random moments, then lets the run end.
  void expectBitEqualAfterKills(int wanted, unsigned seed) {
    const auto forever = std::chrono::minutes(5);
    const auto started = std::chrono::steady_clock::now();
    ASSERT_TRUE(run(trainCommand(m_folder.path() / "whole"), forever));
    const auto whole =
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - started).count();
    const std::string expected = finalWeights(m_folder.path() / "whole");
    ASSERT_FALSE(expected.empty());
    const std::string expectedCurves = curves(m_folder.path() / "whole");

    std::mt19937 random(seed);
    int kills = 0;
    for (int round = 0; kills < wanted; ++round) {
      ASSERT_LT(round, 20 * wanted);
      const std::filesystem::path project = m_folder.path() / ("killed-" + std::to_string(round));
      bool done = false;
      while (!done) {
        const auto wait = kills < wanted
                              ? std::chrono::milliseconds(std::uniform_int_distribution<long>(20, whole)(random))
                              : std::chrono::duration_cast<std::chrono::milliseconds>(forever);
        const auto existing = onlyRun(project);
        if (!existing.empty() && readText(existing / "run.json").find("\"done\"") != std::string::npos)
          break;  // killed on its way out
        done = run(existing.empty() ? trainCommand(project) : resumeCommand(project, existing.filename()), wait);
        if (!done) ++kills;
      }
      EXPECT_TRUE(finalWeights(project) == expected) << "after " << kills << " kills";
      EXPECT_EQ(curves(project), expectedCurves) << "after " << kills << " kills";
      std::filesystem::remove_all(project);
    }
    EXPECT_GE(kills, wanted);
    RecordProperty("kills", kills);
    std::printf("killed %d times\n", kills);
  }

  TemporaryFolder m_folder;
};

class Kills : public Kill, public ::testing::WithParamInterface<unsigned> {};
TEST_P(Kills, TenLeaveWeightsAndCurvesAsTheyWouldBe) {
  expectBitEqualAfterKills(10, GetParam());
}
INSTANTIATE_TEST_SUITE_P(Seeds, Kills, ::testing::Range(1U, 6U));

using KillSlow = Kill;
TEST_F(KillSlow, TwoHundredKillsLeaveWeightsAndCurvesAsTheyWouldBe) {
  expectBitEqualAfterKills(200, 6);
}

/// Evaluations that are killed and begun again.
class EvaluationKill : public Kill {
 protected:
  void SetUp() override {
    Json data = Json::array();
    for (int i = 0; i < 96; ++i) {
      data.push_back(
          {{"id", "q" + std::to_string(i)},
           {"title", "T" + std::to_string(i / 16)},
           {"context", "Lily saw " + std::to_string(i / 4 * 7) + " birds in the park. She ran home to her mom."},
           {"question", std::string(static_cast<std::size_t>(i % 4), 'a') + " What did Lily see?"},
           {"answers", {{"text", {"birds"}}, {"answer_start", {12}}}}});
    }
    for (const Json& row : data) m_data += row.dump() + "\n";
    writeText(m_folder.path() / "questions.jsonl", m_data);
  }

  std::vector<std::string> evalCommand(const std::filesystem::path& project) const {
    return {program(),
            "eval",
            (sourceFolder() / "resources/models/stories260K").string(),
            "--task",
            "squad",
            "--data",
            (m_folder.path() / "questions.jsonl").string(),
            "--maps",
            "full;stride:2;0,1,1,0,1",
            "--threads",
            "1",
            "--project",
            project.string(),
            "--json"};
  }
  static std::vector<std::string> jobCommand(const std::filesystem::path& project, const std::string& run) {
    return {program(), "job", run, "--project", project.string()};
  }

  /// What the evaluation says, without how long it took.
  static Json results(const std::filesystem::path& project) {
    Json file = Json::parse(readText(onlyRun(project) / "results.json"));
    for (Json& each : file["results"]) each.erase("seconds");
    return file;
  }
  /// Each answer once, in the order of the ids.
  static std::string answers(const std::filesystem::path& project) {
    const RunReader reader = RunReader::open(onlyRun(project)).value();
    std::string all;
    const std::vector<std::string> maps = reader.answerMaps().value();
    for (const std::string& map : maps) {
      const std::vector<RunAnswer> page = reader.answers(map, 0, 1000).value();
      for (const RunAnswer& each : page) {
        all += map + ' ' + each.question + ' ' + each.answer;
        for (const auto& [name, score] : each.scores) all += ' ' + name + '=' + Json(score).dump();
        all += '\n';
      }
    }
    EXPECT_EQ(std::count(all.begin(), all.end(), '\n'), 3 * 96);
    return all;
  }

  void expectEqualAfterKills(int wanted, unsigned seed) {
    const auto forever = std::chrono::minutes(5);
    const auto started = std::chrono::steady_clock::now();
    ASSERT_TRUE(run(evalCommand(m_folder.path() / "whole"), forever));
    const auto whole =
        std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() - started).count();
    const Json expected = results(m_folder.path() / "whole");
    const std::string expectedAnswers = answers(m_folder.path() / "whole");
    std::mt19937 random(seed);
    int kills = 0;
    for (int round = 0; kills < wanted; ++round) {
      ASSERT_LT(round, 20 * wanted);
      const std::filesystem::path project = m_folder.path() / ("killed-" + std::to_string(round));
      for (bool done = false; !done;) {
        const auto wait = kills < wanted
                              ? std::chrono::milliseconds(std::uniform_int_distribution<long>(whole / 5, whole)(random))
                              : std::chrono::duration_cast<std::chrono::milliseconds>(forever);
        const auto existing = onlyRun(project);
        if (!existing.empty() && readText(existing / "run.json").find("\"done\"") != std::string::npos) break;
        done = run(existing.empty() ? evalCommand(project) : jobCommand(project, existing.filename()), wait);
        if (!done) ++kills;
      }
      EXPECT_EQ(results(project), expected) << "after " << kills << " kills";
      EXPECT_EQ(answers(project), expectedAnswers) << "after " << kills << " kills";
      std::filesystem::remove_all(project);
    }
    std::printf("killed %d times\n", kills);
  }

  std::string m_data;
};

TEST_F(EvaluationKill, TenLeaveEachAnswerOnceAndTheResultsAsTheyWouldBe) {
  expectEqualAfterKills(10, 1);
}

using EvaluationKillSlow = EvaluationKill;
TEST_F(EvaluationKillSlow, FiftyLeaveEachAnswerOnceAndTheResultsAsTheyWouldBe) {
  expectEqualAfterKills(50, 2);
}

}  // namespace
}  // namespace strata::testing
