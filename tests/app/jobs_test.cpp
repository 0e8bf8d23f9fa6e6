// Jobs with real processes: they outlive the engine, are found again, and stop when asked.

#include <sys/file.h>
#include <sys/resource.h>

#include "engine_process.h"

namespace strata::testing {
namespace {

namespace fs = std::filesystem;

class Jobs : public ::testing::Test {
 protected:
  Jobs() {
    std::string text;
    for (int i = 0; i < 40; ++i) text += std::string(kStory) + "<|endoftext|>\n";
    writeText(m_folder.path() / "project/train.txt", text);
    writeText(project() / "strata.json",
              R"({"format": "strata-project", "version": 1, "name": "p", "models": {"m": ")" + storyModel() + "\"}}");
    startEngine();
  }
  ~Jobs() override {
    for (const auto& run : fs::directory_iterator(project() / "runs", m_ignored)) {
      if (const pid_t pid = holder(run.path()); pid > 0) kill(pid, SIGKILL);
    }
  }
  fs::path project() const { return m_folder.path() / "project"; }
  fs::path run(const std::string& id) const { return project() / "runs" / id; }
  void startEngine() {
    engine = std::make_unique<EngineProcess>();
    engine->initialize();
    engine->result(engine->send("project/open", {{"folder", project().string()}}));
  }
  void killEngine() { engine.reset(); }
  Json result(const std::string& method, const Json& params = Json::object()) {
    return engine->result(engine->send(method, params));
  }
  static Json training(int steps, const Json& more = Json::object()) {
    Json config = {{"model", "m"}, {"data", "train.txt"}, {"steps", steps},
                   {"batch", 2},   {"length", 32},        {"threads", 1}};
    config.update(more);
    return {{"kind", "train"}, {"config", config}};
  }
  std::string start(const Json& params) {
    const Json job = result("jobs/start", params)["job"];
    EXPECT_EQ(job["alive"], true) << job.dump();
    return job["id"];
  }
  Json job(const std::string& id) {
    const Json jobs = result("jobs/list")["jobs"];
    for (const Json& each : jobs) {
      if (each["id"] == id) return each;
    }
    ADD_FAILURE() << "no job " << id << " in " << jobs.dump();
    return {{"alive", false}, {"state", ""}, {"step", 0}};
  }
  /// Waits until a condition on the job holds.
  bool becomes(const std::string& id, const std::function<bool(const Json&)>& wanted, double seconds = 60) {
    const auto end = std::chrono::steady_clock::now() + Seconds(seconds);
    for (; std::chrono::steady_clock::now() < end; std::this_thread::sleep_for(std::chrono::milliseconds(50))) {
      if (wanted(job(id))) return true;
    }
    return false;
  }
  /// The process that the lock's file names, where somebody holds the lock.
  static pid_t holder(const fs::path& run) {
    const int lock = ::open((run / "lock").c_str(), O_RDONLY | O_CLOEXEC);
    if (lock < 0) return 0;
    const bool free = ::flock(lock, LOCK_SH | LOCK_NB) == 0;
    ::close(lock);
    return free ? 0 : static_cast<pid_t>(std::atoi(readText(run / "lock").c_str()));
  }

  std::unique_ptr<EngineProcess> engine;

 private:
  TemporaryFolder m_folder;
  std::error_code m_ignored;
};

TEST_F(Jobs, ATrainingOutlivesTheEngineIsFoundAgainAndStopsWithinAStep) {
  const std::string id = start(training(1000000, {{"lr", 1e-4}}));
  const pid_t pid = holder(run(id));
  ASSERT_GT(pid, 0);
  EXPECT_EQ(getsid(pid), pid);
  const int own = getpriority(PRIO_PROCESS, 0);  // the engine's too
  EXPECT_EQ(getpriority(PRIO_PROCESS, static_cast<id_t>(pid)), std::min(own + 10, 19));
  EXPECT_TRUE(becomes(id, [](const Json& job) { return job["step"].get<int>() > 0; }));
  killEngine();
  std::this_thread::sleep_for(std::chrono::milliseconds(300));
  EXPECT_EQ(holder(run(id)), pid) << "the job died with its engine";
  startEngine();
  EXPECT_TRUE(becomes(id, [](const Json& job) { return job["alive"] == true && job["step"].get<int>() > 0; }));
  const Json before = job(id);
  EXPECT_EQ(before["state"], "running");
  EXPECT_EQ(before["title"], "stories260K on train.txt");
  EXPECT_GT(before["seconds_left"], 0);
  EXPECT_GT(before["loss"], 0);
  result("jobs/stop", {{"id", id}});
  const auto asked = std::chrono::steady_clock::now();
  EXPECT_TRUE(becomes(id, [](const Json& job) { return job["alive"] == false; }));
  // A step takes milliseconds; the rest is the checkpoint, on whatever disk and load there is.
  EXPECT_LT(Seconds(std::chrono::steady_clock::now() - asked).count(), 20);
  const Json after = job(id);
  EXPECT_EQ(after["state"], "stopped");
  EXPECT_TRUE(fs::exists(run(id) / "checkpoints" / ("step-" + std::to_string(after["step"].get<int>()))));
  EXPECT_FALSE(fs::exists(run(id) / "stop"));

  // It goes on where it was, and can be extended.
  EXPECT_EQ(result("jobs/start", {{"kind", "train"}, {"resume", id}})["job"]["id"], id);
  EXPECT_TRUE(becomes(id, [&](const Json& job) { return job["step"] > after["step"]; }));
  result("jobs/stop", {{"id", id}});
  EXPECT_TRUE(becomes(id, [](const Json& job) { return job["state"] == "stopped"; }));
  const std::string extended =
      result("jobs/start", {{"kind", "train"}, {"extend", id}, {"config", {{"steps", 3}}}})["job"]["id"];
  EXPECT_TRUE(becomes(extended, [](const Json& job) { return job["state"] == "done"; }));
  EXPECT_EQ(job(extended)["parent"], id);
  const Json models = result("models/list")["models"];
  const auto made =
      std::find_if(models.begin(), models.end(), [&](const Json& each) { return each["model"] == extended; });
  ASSERT_NE(made, models.end());
  EXPECT_EQ((*made)["source"], "run");
  EXPECT_EQ((*made)["parent"], "m");
  EXPECT_EQ((*made)["problem"], "");
}

TEST_F(Jobs, PointsAndProgressComeByThemselves) {
  const std::string id = start(training(1000000));
  result("jobs/watch", {{"id", id}});
  EXPECT_TRUE(engine->noted([&](const auto& note) {
    return note.method == "jobs/points" && note.params["id"] == id && !note.params["series"].empty();
  }));
  EXPECT_TRUE(engine->noted([&](const auto& note) {
    return note.method == "jobs/changed" && note.params["jobs"][0]["step"].template get<int>() > 0;
  }));
  const Json log = result("jobs/log", {{"id", id}});
  EXPECT_NE(log["text"].get<std::string>().find("run " + id), std::string::npos) << log["text"];
  EXPECT_GT(log["next"], 0);
  EXPECT_EQ(engine->call("jobs/remove", {{"id", id}}).kind, RpcMessage::Kind::errorResponse) << "it is alive";
  result("jobs/stop", {{"id", id}});
  EXPECT_TRUE(becomes(id, [](const Json& job) { return job["alive"] == false; }));
  result("jobs/remove", {{"id", id}});
  EXPECT_TRUE(result("jobs/list")["jobs"].empty());
  result("jobs/remove", {{"id", id}, {"how", "restore"}});
  EXPECT_EQ(job(id)["state"], "stopped");
}

TEST_F(Jobs, WhatCannotBeginSaysWhyAndLeavesNoHalfRun) {
  const auto refusal = [&](const Json& params) {
    const RpcMessage answer = engine->call("jobs/start", params);
    EXPECT_EQ(answer.kind, RpcMessage::Kind::errorResponse) << answer.result.dump();
    return answer.error.message;
  };
  EXPECT_NE(refusal(training(5, {{"sampler", "magic"}})).find("magic"), std::string::npos);
  EXPECT_NE(refusal(training(5, {{"stepz", 1}})).find("stepz"), std::string::npos);
  EXPECT_NE(refusal({{"kind", "magic"}}).find("magic"), std::string::npos);
  EXPECT_TRUE(result("jobs/list")["jobs"].empty());
  const Json failed = result("jobs/start", training(5, {{"data", "none.txt"}}))["job"];
  EXPECT_EQ(failed["state"], "failed");
  EXPECT_NE(failed["message"].get<std::string>().find("none.txt"), std::string::npos) << failed.dump();
}

TEST_F(Jobs, AnEvaluationTellsHowFarItIsAndHeedsTheStopFile) {
  const Json config = {{"model", sampleModel("sample-base")},
                       {"task", "squad"},
                       {"data", (sourceFolder() / "projects/tiny-stories/recall.json").string()},
                       {"maps", "full;retention:.5"},
                       {"threads", 1}};
  const std::string id = start({{"kind", "eval"}, {"config", config}});
  EXPECT_TRUE(becomes(id, [](const Json& job) { return job["step"].get<int>() > 0; }));
  EXPECT_GT(job(id)["steps"], job(id)["step"]);
  result("jobs/stop", {{"id", id}});
  EXPECT_TRUE(becomes(id, [](const Json& job) { return job["alive"] == false; }));
  EXPECT_EQ(job(id)["state"], "stopped");

  Json few = config;
  few["limit"] = 2;
  const std::string whole = start({{"kind", "eval"}, {"config", few}});
  EXPECT_TRUE(becomes(whole, [](const Json& job) { return job["state"] == "done"; }));
  EXPECT_TRUE(fs::exists(run(whole) / "results.json"));
}

TEST_F(Jobs, ARunOfTheCommandLineShowsUpAndIsStoppedFromTheWindow) {
  std::thread program([&] {
    runProgram({"train", "--model", storyModel(), "--data", project() / "train.txt", "--project", project(), "--steps",
                "1000000", "--batch", "2", "--length", "32", "--threads", "1"});
  });
  std::string id;
  EXPECT_TRUE(engine->noted([&](const auto& note) {
    if (note.method != "jobs/changed" || note.params["jobs"][0]["alive"] != true) return false;
    id = note.params["jobs"][0]["id"];
    return true;
  }));
  if (!id.empty()) result("jobs/stop", {{"id", id}});
  program.join();
  EXPECT_EQ(id.empty() ? Json("no job was told of") : job(id)["state"], "stopped");
}

TEST_F(Jobs, TrainingWaitsForTrainingInAnOrderThatCanBeChanged) {
  const std::string first = start(training(1000000));
  const auto queued = [&](int steps) { return result("jobs/start", training(steps))["job"]; };
  const Json second = queued(2), third = queued(2), fourth = queued(2);
  EXPECT_EQ(second["state"], "queued");
  EXPECT_EQ(second["alive"], false);
  EXPECT_EQ(second["place"], 1);
  EXPECT_EQ(fourth["place"], 3);
  result("jobs/move", {{"id", fourth["id"]}, {"before", second["id"]}});
  result("jobs/move", {{"id", second["id"]}});
  EXPECT_EQ(job(fourth["id"])["place"], 1);
  EXPECT_EQ(job(third["id"])["place"], 2);
  EXPECT_EQ(job(second["id"])["place"], 3);
  EXPECT_EQ(engine->call("jobs/move", {{"id", first}}).error.code, ErrorCode::usage) << "it runs";
  result("jobs/stop", {{"id", third["id"]}});
  EXPECT_EQ(job(third["id"])["state"], "stopped");
  EXPECT_EQ(job(third["id"])["place"], 0);
  result("jobs/stop", {{"id", first}});
  const auto isDone = [](const Json& job) { return job["state"] == "done"; };
  EXPECT_TRUE(becomes(second["id"], isDone));
  EXPECT_TRUE(isDone(job(fourth["id"]))) << "it was moved before";
  EXPECT_EQ(job(third["id"])["state"], "stopped");
}

TEST_F(Jobs, APausedQueueStaysPausedUntilItIsLetGo) {
  result("jobs/pause_queue", {{"paused", true}});
  EXPECT_TRUE(engine->noted(
      [](const auto& note) { return note.method == "jobs/changed" && note.params["queue_paused"] == true; }));
  const std::string id = result("jobs/start", training(2))["job"]["id"];
  EXPECT_EQ(job(id)["place"], 1);
  killEngine();
  startEngine();
  EXPECT_EQ(result("jobs/list")["queue_paused"], true);
  EXPECT_EQ(job(id)["place"], 1);
  EXPECT_EQ(job(id)["state"], "queued");
  result("jobs/pause_queue", {{"paused", false}});
  EXPECT_TRUE(becomes(id, [](const Json& job) { return job["state"] == "done"; }));
  EXPECT_EQ(result("jobs/list")["queue_paused"], false);
}

TEST_F(Jobs, ASweepMakesARunForEachValueWithOneSeed) {
  Json params = training(2);
  params["p_cross"] = {0.0, 0.5, 1.0};
  const Json jobs = result("jobs/start", params)["jobs"];
  ASSERT_EQ(jobs.size(), 3u);
  EXPECT_NE(jobs[0]["sweep"], "");
  std::vector<Json> configs;
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_EQ(jobs[i]["sweep"], jobs[0]["sweep"]);
    EXPECT_EQ(jobs[i]["p_cross"], params["p_cross"][i]);
    EXPECT_TRUE(becomes(jobs[i]["id"], [](const Json& job) { return job["state"] == "done"; }));
    configs.push_back(result("jobs/config", {{"id", jobs[i]["id"]}})["config"]);
    configs.back().erase("p-cross");
  }
  EXPECT_EQ(configs[0], configs[1]) << "data, seed and the rest are shared";
  EXPECT_EQ(configs[0], configs[2]);

  params["p_cross"] = {0.5, 1.5};
  EXPECT_EQ(engine->call("jobs/start", params).error.code, ErrorCode::usage);
  EXPECT_EQ(result("jobs/list")["total"], 3) << "one that is refused makes none";
  params.erase("p_cross");
  params["configs"] = {{{"lr", 1e-3}}, {{"lr", 1e-4}, {"steps", 1}}};
  const Json more = result("jobs/start", params)["jobs"];
  ASSERT_EQ(more.size(), 2u);
  EXPECT_NE(more[0]["sweep"], jobs[0]["sweep"]);
  EXPECT_TRUE(becomes(more[1]["id"], [](const Json& job) { return job["state"] == "done" && job["steps"] == 1; }));
}

}  // namespace
}  // namespace strata::testing
