// strata train --distributed under mpirun: real processes over Open MPI, killed, and resumed on another number of
// ranks.

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <thread>

#include "core/base/json.h"
#include "core/project/job.h"
#include "core/project/run_reader.h"
#include "program.h"

namespace strata::testing {
namespace {

class Ranks : public ::testing::Test {
 protected:
  void SetUp() override {
    if (outputOf("command -v mpirun").empty()) GTEST_SKIP() << "no mpirun";
    if (!std::filesystem::exists(STRATA_BINARY_DIR "/lib/libstrata_mpi.so")) GTEST_SKIP() << "built without Open MPI";
    // Of real text: on one that is learnt by heart losses become so small that rounding alone is 1e-5 of them.
    writeText(m_folder.path() / "train.txt",
              readText(sourceFolder() / "projects/tiny-stories/train.txt").substr(0, 200000));
  }

  /// mpirun's own rules: more ranks than cores, and root where the test is root.
  static std::string launcher(int ranks) {
    return "OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 timeout 120 mpirun --oversubscribe --bind-to "
           "none "
           "-np " +
           std::to_string(ranks) + " ";
  }
  /// AdamW's first step for a parameter is as long as the learning rate whatever its gradient, so where that is next to
  /// nothing, rounding decides its sign: a small rate keeps that from growing.
  std::string options(const std::string& project, int steps, const std::string& batch = "--batch 4 --length 48") const {
    return " train --model " + (sourceFolder() / "resources/models/stories260K").string() + " --data " +
           (m_folder.path() / "train.txt").string() + " --project " + (m_folder.path() / project).string() +
           " --steps " + std::to_string(steps) + " " + batch +
           " --micro-batch 1 --lr 3e-4 --p-cross 0.5 --threads 1 --json";
  }
  std::string trainOn(int ranks, const std::string& project, int steps, const std::string& more = "") const {
    return ranks == 1 ? program() + options(project, steps) + more
                      : launcher(ranks) + program() + options(project, steps) + " --distributed" + more;
  }
  /// What a command answers on standard output, an object in one line. What it says meanwhile goes to said(): mpirun
  /// forwards both streams in pieces, and in one file one would cut through the other.
  Json answerOf(const std::string& command) const {
    const std::string output = outputOf("({ " + command + "; } 2>" + m_said.string() + ")");
    const std::size_t at = output.find("{\"");
    Json json =
        at == std::string::npos ? Json() : Json::parse(output.substr(at, output.find('\n', at) - at), nullptr, false);
    EXPECT_TRUE(json.is_object()) << command << "\n" << output << said();
    return json.is_object() ? json : Json{{"loss", Json::array()}, {"run", ""}, {"state", ""}};
  }
  std::string said() const { return readText(m_said); }
  static void expectNear(const std::vector<double>& a, const std::vector<double>& b) {
    ASSERT_EQ(a.size(), b.size());
    for (std::size_t i = 0; i < a.size(); ++i) EXPECT_NEAR(a[i], b[i], 1e-5 * a[i]) << "step " << i;
  }

  TemporaryFolder m_folder;
  std::filesystem::path m_said = m_folder.path() / "said";
};

TEST_F(Ranks, TrainAsOneProcessDoesOver50Steps) {
  const auto alone = answerOf(trainOn(1, "alone", 50))["loss"].get<std::vector<double>>();
  for (const int ranks : {2, 4}) {
    SCOPED_TRACE(ranks);
    const Json answer = answerOf(trainOn(ranks, "on" + std::to_string(ranks), 50));
    EXPECT_EQ(answer["state"], "done");
    expectNear(alone, answer["loss"].get<std::vector<double>>());
  }
}

TEST_F(Ranks, GoOnFromFourToTwoToOne) {
  const auto alone = answerOf(trainOn(1, "alone", 30))["loss"].get<std::vector<double>>();
  const std::string project = "parts";
  const Json whole = answerOf(trainOn(4, project, 30, " --save-every 10"));
  expectNear(alone, whole["loss"].get<std::vector<double>>());
  const std::filesystem::path run = whole["folder"].get<std::string>();
  for (const int ranks : {2, 1}) {
    SCOPED_TRACE(ranks);
    // As a kill before the last checkpoint would leave it.
    std::filesystem::remove_all(run / "checkpoints/step-30");
    ASSERT_TRUE(std::filesystem::exists(run / "checkpoints/step-20"));
    Json info = Json::parse(readText(run / "run.json"));
    info["state"] = "stopped";
    writeText(run / "run.json", info.dump());
    const std::string resume = program() + " train --resume " + whole["run"].get<std::string>() + " --project " +
                               (m_folder.path() / project).string() + " --json";
    const Json rest = answerOf(ranks == 1 ? resume : launcher(ranks) + resume + " --distributed");
    EXPECT_EQ(rest["state"], "done");
    expectNear(alone, rest["loss"].get<std::vector<double>>());
  }
}

/// The answer of a verb, without what no two processes share.
Json withoutTimes(Json json) {
  for (const char* key : {"seconds", "run"}) json.erase(key);
  if (json.contains("results")) {
    for (Json& each : json["results"]) each.erase("seconds");
  }
  return json;
}

TEST_F(Ranks, EvaluateAndSearchToTheSameNumbers) {
  const std::string model = " " + (sourceFolder() / "resources/models/sample-routed").string();
  const std::string texts = (sourceFolder() / "projects/tiny-stories").string();
  const std::string text = (m_folder.path() / "some.txt").string();
  writeText(text, readText(texts + "/heldout.txt").substr(0, 6000));
  for (const std::string& verb :
       {"eval" + model + " --task squad --data " + texts + "/recall.json --limit 6 --maps full --maps retention:.5",
        "eval" + model + " --task nll --data " + text + " --maps full --maps even:2",
        "search" + model + " --text " + text + " --tokens 300 --retention .5 --method dp",
        "sensitivity" + model + " --text " + text + " --tokens 300"}) {
    SCOPED_TRACE(verb);
    const std::string command = program() + " " + verb + " --threads 1 --json";
    EXPECT_EQ(withoutTimes(answerOf(command)), withoutTimes(answerOf(launcher(3) + command + " --distributed")));
  }
}

TEST_F(Ranks, GoOnWithAnEvaluationThatOneProcessBegan) {
  const std::string project = (m_folder.path() / "project").string();
  const std::string command = program() + " eval " + (sourceFolder() / "resources/models/sample-routed").string() +
                              " --task squad --data " +
                              (sourceFolder() / "projects/tiny-stories/recall.json").string() +
                              " --limit 40 --maps full --maps retention:.5 --threads 1 --json --project " + project;
  Json whole = withoutTimes(answerOf(command));
  std::filesystem::path run;
  for (const auto& entry : std::filesystem::directory_iterator(project + "/runs")) run = entry.path();
  // As a kill would leave it: running, and half of the answers not stored.
  Json info = Json::parse(readText(run / "run.json"));
  info["state"] = "stopped";
  writeText(run / "run.json", info.dump());
  const std::string forget = "import sqlite3; base = sqlite3.connect('" + (run / "run.sqlite").string() +
                             "'); base.execute('delete from answers where map = ?', ['retention:.5']); base.commit()";
  EXPECT_EQ(outputOf("python3 -c \"" + forget + "\""), "");
  const Json resumed =
      withoutTimes(answerOf(launcher(2) + program() + " eval --resume " + run.string() + " --json --distributed"));
  EXPECT_EQ(resumed, whole);
}

TEST_F(Ranks, TrainARunThatAnEngineQueuedForThem) {
  const std::string model = (sourceFolder() / "resources/models/stories260K").string();
  const Json config = {{"model", model}, {"data", (m_folder.path() / "train.txt").string()},
                       {"steps", 20},    {"batch", 4},
                       {"length", 48},   {"micro-batch", 1},
                       {"lr", 3e-4},     {"p-cross", 0.5},
                       {"threads", 1}};
  const Project project = *Project::openOrCreate(m_folder.path() / "queued");
  std::string id;
  { id = strata::Run::create(project, "train", config)->info().id; }
  ASSERT_TRUE(startJob(program(), project.folder(), id, std::chrono::seconds(1), launcher(2)));
  RunInfo info = *readRun(project.runsFolder() / id);
  for (int i = 0; i < 1200 && info.state != RunState::done && info.state != RunState::failed; ++i) {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    info = *readRun(project.runsFolder() / id);
  }
  EXPECT_EQ(info.state, RunState::done) << readText(project.runsFolder() / id / "log");
  EXPECT_NE(readText(project.runsFolder() / id / "log").find("2 ranks; each sends"), std::string::npos);
}

TEST_F(Ranks, SayOneSentenceForWhatAllOfThemCannotDo) {
  const std::string output =
      outputOf(launcher(2) + program() + options("none", 5, "--batch 4 --length 100000") + " --distributed");
  EXPECT_NE(output.find("exceeds the model's context"), std::string::npos) << output;
  std::size_t said = 0;
  for (std::size_t at = output.find("strata: "); at != std::string::npos; at = output.find("strata: ", at + 1)) ++said;
  EXPECT_EQ(said, 1U) << output;
}

TEST_F(Ranks, AreNoMoreThanSequencesOfAStep) {
  const std::string output =
      outputOf(launcher(3) + program() + options("few", 5, "--batch 2 --length 48") + " --distributed");
  EXPECT_NE(output.find("cannot be shared by 3 ranks"), std::string::npos) << output;
}

/// Rank 1 is killed with SIGKILL at some step; nothing hangs, mpirun names it, and the run goes on to
/// the losses of one that nothing happened to, to the bit.
void killAndResume(const std::string& train, const std::string& resume, const std::filesystem::path& project, int kills,
                   const std::vector<double>& unharmed) {
  std::string command = train;
  std::string id;
  for (int i = 0; i < kills; ++i) {
    // The rank names itself in its environment; it dies once the run has made some steps.
    const std::string killer =
        "(for i in $(seq 400); do sleep 0.05; "
        "p=$(grep -lz '^OMPI_COMM_WORLD_RANK=1$' /proc/[0-9]*/environ 2>/dev/null | cut -d/ -f3 | "
        "while read p; do tr '\\0' ' ' </proc/$p/cmdline 2>/dev/null | grep -q '" +
        project.string() +
        "' && [ \"$(cat /proc/$p/comm)\" = strata ] && echo $p; done); "
        "[ -n \"$p\" ] && sleep 0." +
        std::to_string(3 + i % 6) + " && kill -9 $p && break; done) & ";
    const std::string output = outputOf(killer + command + "; wait");
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator(project / "runs", none)) id = entry.path().filename();
    if (id.empty()) continue;  // killed before it began
    EXPECT_TRUE(output.find("rank 1") != std::string::npos || output.find("\"state\"") != std::string::npos ||
                output.find("is done") != std::string::npos)
        << output;
    command = resume + id + " --project " + project.string() + " --json --distributed";
  }
  const std::string said = project.string() + ".said";
  const std::string output = outputOf("({ " + command + "; } 2>" + said + ")");
  const std::size_t at = output.find("{\"run\"");
  if (at == std::string::npos) {
    EXPECT_NE(readText(said).find("is done"), std::string::npos) << output;  // the last kill came too late
    return;
  }
  const auto losses = Json::parse(output.substr(at, output.find('\n', at) - at))["loss"].get<std::vector<double>>();
  EXPECT_EQ(losses, unharmed);
}

TEST_F(Ranks, ADeadRankEndsAllAndTheRunGoesOn) {
  const auto unharmed = answerOf(trainOn(2, "unharmed", 60))["loss"].get<std::vector<double>>();
  killAndResume(trainOn(2, "killed", 60, " --save-every 5"), launcher(2) + program() + " train --resume ",
                m_folder.path() / "killed", 2, unharmed);
}

class RanksSlow : public Ranks {};

TEST_F(RanksSlow, TwentyKillsOfARankLoseNothing) {
  const auto unharmed = answerOf(trainOn(2, "unharmed", 400))["loss"].get<std::vector<double>>();
  killAndResume(trainOn(2, "killed", 400, " --save-every 5"), launcher(2) + program() + " train --resume ",
                m_folder.path() / "killed", 20, unharmed);
}

/// Two machines that are network namespaces: mpirun starts its daemons in them by `ip netns exec`, and the ranks speak
/// TCP.
TEST_F(RanksSlow, TrainOnTwoMachinesOverTcp) {
  if (::geteuid() != 0 || outputOf("command -v ip").empty()) GTEST_SKIP() << "needs root and ip";
  const std::string down =
      "ip netns del strata-a 2>/dev/null; ip netns del strata-b 2>/dev/null; "
      "ip link del strata-br 2>/dev/null; ";
  const std::string up =
      down +
      "set -e; ip link add strata-br type bridge; ip addr add 10.77.0.1/24 dev strata-br; ip link set strata-br up; "
      "for n in a b; do ip netns add strata-$n; ip link add strata-v$n type veth peer name eth0 netns strata-$n; "
      "ip link set strata-v$n master strata-br up; ip -n strata-$n link set lo up; ip -n strata-$n link set eth0 up; "
      "done; "
      "ip -n strata-a addr add 10.77.0.2/24 dev eth0; ip -n strata-b addr add 10.77.0.3/24 dev eth0; "
      "ip netns list | grep -c strata-";
  const std::string made = outputOf("(" + up + ")");
  if (made.find('2') == std::string::npos) GTEST_SKIP() << "no network namespaces here: " << made;
  const std::filesystem::path agent = m_folder.path() / "agent";
  writeText(agent,
            "#!/bin/bash\nhost=$1; shift\ncase $host in 10.77.0.2) n=a ;; *) n=b ;; esac\n"
            "exec ip netns exec strata-$n bash -c \"$*\"\n");
  std::filesystem::permissions(agent, std::filesystem::perms::owner_all);
  const std::string mpi =
      "OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 timeout 120 mpirun --oversubscribe --bind-to none -np "
      "2 "
      "--host 10.77.0.2:1,10.77.0.3:1 --mca plm_rsh_agent " +
      agent.string() +
      " --mca btl tcp,self --mca btl_tcp_if_include 10.77.0.0/24 --mca oob_tcp_if_include 10.77.0.0/24 ";
  const auto alone = answerOf(trainOn(1, "alone", 50))["loss"].get<std::vector<double>>();
  const Json answer = answerOf(mpi + program() + options("machines", 50) + " --distributed");
  const std::string output = said();
  const std::string sent = outputOf("ip -n strata-a -s link show eth0 | tail -1");
  outputOf(down + "true");
  expectNear(alone, answer["loss"].get<std::vector<double>>());
  const std::size_t told = output.find("each sends ");
  ASSERT_NE(told, std::string::npos) << output;
  const double formula = 50 * std::stod(output.substr(told + 11));
  EXPECT_GT(std::stod(sent), formula);
  EXPECT_LT(std::stod(sent), 1.05 * formula);  // headers, and what starts the ranks
}

}  // namespace
}  // namespace strata::testing
