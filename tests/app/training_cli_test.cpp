// Runs from the command line: start, interrupt, resume, extend, export, remove; nothing half-written is left.

#include "program.h"

namespace strata::testing {
namespace {

namespace fs = std::filesystem;

class TrainingProgram : public ::testing::Test {
 protected:
  TrainingProgram() {
    std::string text;
    for (int i = 0; i < 40; ++i) text += std::string(kStory) + "<|endoftext|>\n";
    writeText(m_folder.path() / "train.txt", text);
  }
  std::string data() const { return m_folder.path() / "train.txt"; }
  std::string project() const { return m_folder.path() / "project"; }
  std::vector<std::string> train(std::vector<std::string> more) const {
    std::vector<std::string> all = {"train",   "--model", storyModel(), "--data", data(),      "--project", project(),
                                    "--batch", "2",       "--length",   "32",     "--threads", "1"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }
  fs::path folder() const { return m_folder.path(); }

 private:
  TemporaryFolder m_folder;
};

TEST_F(TrainingProgram, ARunIsTrainedListedUsedExportedAndRemoved) {
  const auto run = answerOf(train({"--steps", "4", "--save-every", "2"}));
  expectKeys(run, {"run", "steps", "loss", "tokens", "checkpoint"});
  EXPECT_EQ(run["steps"], 4);
  EXPECT_EQ(run["loss"].size(), 4u);
  EXPECT_EQ(run["tokens"], 4 * 2 * 32);
  const std::string id = run["run"];
  const auto list = answerOf({"runs", "list", "--project", project()});
  EXPECT_EQ(list["runs"][0]["id"], id);
  expectKeys(list["runs"][0], {"id", "name", "kind", "state", "created"});
  EXPECT_EQ(list["runs"][0]["name"], "Fine-tune of stories260K, p 0.5");
  const std::string log = readText(fs::path(project()) / "runs" / id / "log");
  for (const char* said : {"Fine-tune of stories260K, p 0.5", "Training 4/4", "done after 4 steps"}) {
    EXPECT_NE(log.find(said), std::string::npos) << said << " is not in the log:\n" << log;
  }
  EXPECT_EQ(answerOf({"runs", "show", id, "--project", project()})["checkpoints"], nlohmann::json({2, 4}));

  const auto score = [&](const std::string& model) {
    return answerOf({"score", model, "--project", project(), "--ids", "1,403,407,261,378"})["nll"].get<double>();
  };
  EXPECT_NE(score(id), score(id + "@2"));
  EXPECT_EQ(score(id), score(project() + "/runs/" + id + "@4"));
  answerOf({"export", id, "--project", project(), "--map", "stride:2", folder() / "out"});
  const auto exported = answerOf({"score", folder() / "out", "--ids", "1,403,407,261,378", "--map", "full"});
  EXPECT_EQ(exported["nll"].get<double>(), score(id));
  EXPECT_EQ(answerOf({"runs", "rm", id, "--project", project()})["removed"], id);
  EXPECT_TRUE(answerOf({"runs", "list", "--project", project()})["runs"].empty());
}

TEST_F(TrainingProgram, ADamagedCheckpointIsRefusedByWhateverOpensIt) {
  const std::string full = answerOf(train({"--steps", "1"}))["run"];
  const std::string lora = answerOf(train({"--steps", "1", "--lora", "2"}))["run"];
  const auto checkpoint = [&](const std::string& id) {
    return fs::path(project()) / "runs" / id / "checkpoints/step-1";
  };
  const auto damage = [](const fs::path& file) {
    std::fstream(file, std::ios::in | std::ios::out | std::ios::binary).seekp(-100, std::ios::end).write("zzzz", 4);
  };
  damage(checkpoint(full) / "model.safetensors");
  damage(checkpoint(lora) / "adapter_model.safetensors");
  const std::string ids = "1,403,407";
  std::vector<std::vector<std::string>> commands = {
      {"score", storyModel(), "--adapter", checkpoint(lora), "--ids", ids},
      {"inspect", storyModel(), "--adapter", checkpoint(lora)},
      {"export", storyModel(), folder() / "out", "--adapter", checkpoint(lora)},
      {"train", "--model", project() + "/runs/" + full, "--data", data(), "--project", project(), "--steps", "2"}};
  for (const std::string& model : {full, full + "@1", lora, checkpoint(full).string()}) {
    commands.push_back({"score", model, "--project", project(), "--ids", ids});
    commands.push_back({"generate", model, "--project", project(), "--ids", ids, "--max-tokens", "2"});
    commands.push_back({"inspect", model, "--project", project()});
    commands.push_back({"eval", model, "--project", project(), "--task", "nll", "--data", data()});
    commands.push_back({"export", model, "--project", project(), folder() / "out"});
  }
  for (const auto& command : commands) {
    const Answer answer = runProgram(command);
    std::string shown;
    for (const std::string& word : command) shown += word + " ";
    EXPECT_EQ(answer.code, 1) << shown;
    EXPECT_NE(answer.err.find("is damaged: its SHA-256"), std::string::npos) << shown << answer.err;
  }
  EXPECT_FALSE(fs::exists(folder() / "out"));
}

TEST_F(TrainingProgram, ARunThatNamesItselfIsRefusedInASentence) {
  const std::string id = answerOf(train({"--steps", "1", "--lora", "2"}))["run"];
  const fs::path file = fs::path(project()) / "runs" / id / "run.json";
  auto run = nlohmann::json::parse(readText(file));
  run["config"]["model"] = (fs::path(project()) / "runs" / id).string();
  writeText(file, run.dump());
  for (const auto& command : std::vector<std::vector<std::string>>{{"inspect", id}, {"export", id, folder() / "out"}}) {
    std::vector<std::string> whole = command;
    whole.insert(whole.end(), {"--project", project()});
    const Answer answer = runProgram(whole);
    EXPECT_EQ(answer.code, 1);
    EXPECT_NE(answer.err.find("go in a ring"), std::string::npos) << answer.err;
  }
}

TEST_F(TrainingProgram, ALockThatIsALinkIsNotWritten) {
  const std::string id = answerOf(train({"--steps", "1"}))["run"];
  const fs::path run = fs::path(project()) / "runs" / id;
  writeText(folder() / "precious", "precious");
  fs::remove(run / "lock");
  fs::create_symlink(folder() / "precious", run / "lock");
  const Answer answer = runProgram({"runs", "rm", id, "--project", project()});
  EXPECT_EQ(answer.code, 1);
  EXPECT_NE(answer.err.find("lock is a symbolic link"), std::string::npos) << answer.err;
  EXPECT_EQ(readText(folder() / "precious"), "precious");
  EXPECT_TRUE(fs::exists(run));
}

TEST_F(TrainingProgram, AnInterruptedRunChecksPointsAndGoesOn) {
  const Answer first = runProgram(train({"--steps", "100000", "--json"}), "", "Training 1/");
  EXPECT_EQ(first.code, 130) << first.err;
  const auto stopped = first.json();
  EXPECT_EQ(stopped["state"], "stopped");
  const std::string id = stopped["run"];
  EXPECT_TRUE(fs::exists(stopped["checkpoint"].get<std::string>()));
  const Answer second = runProgram({"train", "--resume", id, "--project", project(), "--json"}, "", "Training ");
  EXPECT_EQ(second.code, 130) << second.err;
  EXPECT_GT(second.json()["steps"], stopped["steps"]);
  EXPECT_EQ(runProgram({"train", "--resume", id, "--project", project(), "--lr", "1"}).code, 2);

  const auto extended = answerOf({"train", "--extend", id, "--project", project(), "--steps", "2"});
  EXPECT_EQ(extended["steps"], 2);
  EXPECT_EQ(answerOf({"runs", "show", extended["run"].get<std::string>(), "--project", project()})["parent"], id);
}

TEST_F(TrainingProgram, AnAdapterRunMergesIntoTheOriginalsForm) {
  const auto run = answerOf(train({"--steps", "3", "--lora", "4", "--lr", "0.01"}));
  const std::string path = project() + "/runs/" + run["run"].get<std::string>();
  EXPECT_TRUE(fs::exists(fs::path(run["checkpoint"].get<std::string>()) / "adapter_config.json"));
  answerOf({"export", path, folder() / "out"});
  EXPECT_EQ(fs::file_size(folder() / "out/model.safetensors"),
            fs::file_size(fs::path(storyModel()) / "model.safetensors"));
  const auto score = [&](const std::string& model) {
    return answerOf({"score", model, "--ids", "1,403,407,261,378"})["nll"].get<double>();
  };
  EXPECT_NEAR(score(folder() / "out"), score(path), 1e-5);
  EXPECT_NE(score(path), score(storyModel()));
  const Answer twice = runProgram({"train", "--model", path, "--data", data(), "--project", project(), "--lora", "4"});
  EXPECT_EQ(twice.code, 1);
  EXPECT_NE(twice.err.find("LoRA over a LoRA"), std::string::npos) << twice.err;
}

TEST_F(TrainingProgram, TheNameOfADataSetStandsForItsFileAndMapping) {
  writeText(folder() / "desk.jsonl", "{\"ask\": \"It was late.\", \"reply\": \"The end of the day came.\"}\n");
  const nlohmann::json columns = {{"prompt", "ask"}, {"completion", "reply"}};
  const std::string file = folder() / "desk.jsonl";
  writeText(
      fs::path(project()) / "strata.json",
      nlohmann::json{
          {"format", "strata-project"}, {"version", 1}, {"data", {{"desk", {{"path", file}, {"columns", columns}}}}}}
          .dump());
  const auto run = answerOf({"train", "--model", storyModel(), "--data", "desk", "--project", project(), "--batch", "1",
                             "--length", "32", "--threads", "1", "--steps", "1"});
  const auto config = answerOf({"runs", "show", run["run"].get<std::string>(), "--project", project()})["config"];
  EXPECT_EQ(config["data"], file);
  EXPECT_EQ(config["columns"], columns);
}

TEST_F(TrainingProgram, PresetsConfigFilesAndOptionsGoOverOneAnother) {
  writeText(folder() / "config.json", R"({"steps": 7, "batch": 4, "sampler": "strategy:1,.5", "lr": 0.001})");
  const auto run = answerOf(train({"--config", folder() / "config.json", "--steps", "1", "--distill"}));
  const auto config = answerOf({"runs", "show", run["run"].get<std::string>(), "--project", project()})["config"];
  EXPECT_EQ(config["steps"], 1);
  EXPECT_EQ(config["batch"], 2);  // given by train()
  EXPECT_EQ(config["sampler"], "strategy:1,.5");
  EXPECT_EQ(config["distill"], true);
  const auto watched = answerOf(train({"--steps", "2", "--eval-data", data(), "--eval-every", "1", "--eval-rows", "2",
                                       "--eval-maps", "full", "--eval-maps", "0,0,0,0,0;stride:2"}));
  EXPECT_EQ(
      answerOf({"runs", "show", watched["run"].get<std::string>(), "--project", project()})["config"]["eval-maps"],
      "full;0,0,0,0,0;stride:2");
  const auto tried = answerOf(train({"--preset", "paper", "--micro-batch", "1", "--steps", "1"}));
  EXPECT_EQ(tried["steps"], 1);
  const auto ofAPreset = answerOf({"runs", "show", tried["run"].get<std::string>(), "--project", project()})["config"];
  EXPECT_EQ(ofAPreset["warmup"], 50);
  EXPECT_EQ(ofAPreset["length"], 32) << "given by train()";
}

TEST_F(TrainingProgram, EpochsTakeThePlaceOfSteps) {
  const auto run = answerOf(train({"--preset", "paper", "--micro-batch", "1", "--epochs", "0.001"}));
  const auto config = answerOf({"runs", "show", run["run"].get<std::string>(), "--project", project()})["config"];
  EXPECT_EQ(config["steps"], run["steps"]);
  EXPECT_LT(run["steps"], 1000) << "those of the preset are replaced";
  const Answer both = runProgram(train({"--epochs", "2", "--steps", "100"}));
  EXPECT_EQ(both.code, 2);
  EXPECT_NE(both.err.find("Both --steps and --epochs"), std::string::npos) << both.err;
}

TEST_F(TrainingProgram, RandomWeightsComeFromTheSeed) {
  const auto first = answerOf({"train", "--init", storyModel(), "--data", data(), "--project", project(), "--batch",
                               "2", "--length", "32", "--steps", "2", "--seed", "3"});
  const auto second = answerOf({"train", "--init", storyModel(), "--data", data(), "--project", project(), "--batch",
                                "2", "--length", "32", "--steps", "2", "--seed", "3"});
  EXPECT_EQ(first["loss"], second["loss"]);
  const std::string path = project() + "/runs/" + first["run"].get<std::string>();
  answerOf({"export", path, folder() / "out"});
  EXPECT_TRUE(fs::exists(folder() / "out/tokenizer.model"));
}

TEST_F(TrainingProgram, WhatAResumeChangesLastsForTheNextOne) {
  const auto stopped = runProgram(train({"--steps", "100000", "--json"}), "", "Training 1/").json();
  const std::string id = stopped["run"];
  EXPECT_EQ(
      runProgram({"train", "--resume", id, "--project", project(), "--micro-batch", "1", "--json"}, "", "Training ")
          .code,
      130);
  const auto config = answerOf({"runs", "show", id, "--project", project()})["config"];
  EXPECT_EQ(config["micro-batch"], 1);
  EXPECT_EQ(config["routing-groups"], 1);
}

TEST_F(TrainingProgram, ARunWithoutAWholeCheckpointIsNotBegunAnewInSilence) {
  const auto stopped = runProgram(train({"--steps", "100000", "--json"}), "", "Training 1/").json();
  const fs::path weights = fs::path(stopped["checkpoint"].get<std::string>()) / "model.safetensors";
  writeText(weights, "damaged");
  const Answer resumed = runProgram({"train", "--resume", stopped["folder"].get<std::string>(), "--json"});
  EXPECT_EQ(resumed.code, 1);
  EXPECT_EQ(resumed.json()["error"]["code"], "invalid_data");
  EXPECT_EQ(readText(weights), "damaged");
}

TEST_F(TrainingProgram, EarlyStopKeepsTheStartWhereTrainingOnlyHarms) {
  const std::vector<std::string> watching = {"--eval-data",  data(), "--eval-rows",           "2",
                                             "--eval-every", "1",    "--early-stop-patience", "2"};
  std::vector<std::string> harmful = {"--steps", "20", "--lr", "0.5"};
  harmful.insert(harmful.end(), watching.begin(), watching.end());
  const auto run = answerOf(train(harmful));
  EXPECT_EQ(run["steps"], 2);
  EXPECT_TRUE(run["checkpoint"].get<std::string>().ends_with("step-0")) << run["checkpoint"];
  std::vector<std::string> unknown = {"--steps", "20", "--early-stop-map", "stride:2"};
  unknown.insert(unknown.end(), watching.begin(), watching.end());
  const Answer refused = runProgram(train(unknown));
  EXPECT_EQ(refused.code, 2);
  EXPECT_NE(refused.err.find("stride:2"), std::string::npos) << refused.err;
}

TEST_F(TrainingProgram, QuestionsAreAnsweredAtEachEvaluation) {
  const fs::path questions = folder() / "questions.jsonl";
  std::string lines;
  for (const char* id : {"a", "b", "c"}) {
    lines += nlohmann::json{{"id", id},
                            {"title", "t"},
                            {"context", "Lily has a red ball."},
                            {"question", "Who has a ball?"},
                            {"answers", {{"text", {"Lily"}}, {"answer_start", {0}}}}}
                 .dump() +
             "\n";
  }
  writeText(questions, lines);
  const std::vector<std::string> asking = {
      "--steps", "2",           "--eval-every", "1", "--eval-questions", questions, "--eval-questions-limit",
      "2",       "--eval-maps", "full;stride:2"};
  std::vector<std::string> watching = asking;
  watching.insert(watching.end(), {"--early-stop-metric", "f1", "--early-stop-patience", "9"});
  const auto run = answerOf(train(watching));
  const std::string id = run["run"];
  EXPECT_EQ(run["steps"], 2);
  const std::string log = readText(fs::path(project()) / "runs" / id / "log");
  for (const char* line : {"step 0  map full  f1 ", "step 2  map stride:2  f1 "}) {
    EXPECT_NE(log.find(line), std::string::npos) << line << " is not in the log:\n" << log;
  }
  answerOf({"runs", "export", id, "--project", project(), "--format", "csv", folder() / "out.csv"});
  const std::string table = readText(folder() / "out.csv");
  for (const char* metric : {"f1/full", "f1_low/full", "f1_high/stride:2", "em/stride:2", "answer_nll/full"}) {
    EXPECT_NE(table.find(metric), std::string::npos) << metric;
  }
  EXPECT_EQ(table.find("nll/full"), table.find("answer_nll/full") + std::string("answer_").size())
      << "nothing held out";

  std::vector<std::string> wrong = asking;
  wrong.insert(wrong.end(), {"--eval-task", "msmarco"});
  const Answer refused = runProgram(train(wrong));
  EXPECT_EQ(refused.code, 1);
  EXPECT_NE(refused.err.find("holds questions of SQuAD, not of MS MARCO"), std::string::npos) << refused.err;
}

TEST_F(TrainingProgram, AnExtensionTakesAPresetAndKeepsTheKindOfTraining) {
  const std::string id = answerOf(train({"--steps", "1"}))["run"];
  const auto extended = answerOf({"train", "--extend", id, "--project", project(), "--preset", "paper", "--micro-batch",
                                  "1", "--steps", "1", "--length", "32"});
  const auto config = answerOf({"runs", "show", extended["run"].get<std::string>(), "--project", project()})["config"];
  EXPECT_EQ(config["warmup"], 50);
  const Answer lora = runProgram({"train", "--extend", id, "--project", project(), "--lora", "4"});
  EXPECT_EQ(lora.code, 2);
  EXPECT_NE(lora.err.find("--lora"), std::string::npos) << lora.err;
}

TEST_F(TrainingProgram, ARunInheritsTheMapOfItsModel) {
  answerOf({"export", storyModel(), "--map", "stride:2", folder() / "shared"});
  for (const char* lora : {"0", "2"}) {
    const auto run = answerOf({"train", "--model", folder() / "shared", "--data", data(), "--project", project(),
                               "--batch", "2", "--length", "32", "--steps", "1", "--lora", lora});
    const auto score = answerOf({"score", run["folder"].get<std::string>(), "--ids", "1,403,407"});
    EXPECT_EQ(score["src"], nlohmann::json({0, 0, 2, 2, 4})) << lora;
  }
}

TEST_F(TrainingProgram, AnExportNamesTheOriginalThatIsGone) {
  const fs::path model = folder() / "model";
  fs::copy(storyModel(), model);
  const auto run = answerOf({"train", "--model", model, "--data", data(), "--project", project(), "--batch", "2",
                             "--length", "32", "--steps", "1"});
  fs::remove_all(model);
  const Answer answer = runProgram({"export", run["folder"].get<std::string>(), folder() / "out"});
  EXPECT_EQ(answer.code, 1);
  EXPECT_NE(answer.err.find("which is gone"), std::string::npos) << answer.err;
  EXPECT_FALSE(fs::exists(folder() / "out"));
}

TEST_F(TrainingProgram, ARunThatCannotGoOnIsPausedWithTheReasonAndExitCodeOne) {
  const Answer answer = runProgram(train(
      {"--steps", "200", "--lr", "10", "--weight-decay", "10", "--clip", "0", "--schedule", "constant", "--json"}));
  EXPECT_EQ(answer.code, 1) << answer.err;
  const auto run = answer.json();
  EXPECT_EQ(run["state"], "paused");
  EXPECT_EQ(run["error"]["code"], "invalid_data");
  EXPECT_GT(run["loss"].size(), 0u);
  EXPECT_EQ(run["checkpoint"], run["folder"].get<std::string>() + "/checkpoints/step-" + run["steps"].dump());
  const std::string id = run["run"];
  const auto shown = answerOf({"runs", "show", id, "--project", project()});
  EXPECT_EQ(shown["state"], "paused");
  EXPECT_EQ(shown["message"], run["error"]["message"]);
  const Answer resumed = runProgram({"train", "--resume", id, "--project", project()});
  EXPECT_EQ(resumed.code, 1);
  EXPECT_NE(resumed.out.find("paused after"), std::string::npos) << resumed.out;
  EXPECT_NE(resumed.err.find("strata: The loss or its gradient"), std::string::npos) << resumed.err;
}

TEST_F(TrainingProgram, NothingIsLeftWhereTrainingNeverBegan) {
  writeText(folder() / "broken.jsonl", "{\"prompt\": \"a\", \"completion\": \"b\"}\n{\"prompt\": 1}\n");
  for (const std::vector<std::string>& bad : {std::vector<std::string>{"--data", folder() / "broken.jsonl"},
                                              {"--data", "/nonexistent.txt"},
                                              {"--length", "100000"}}) {
    std::vector<std::string> arguments = {"train", "--model", storyModel(), "--project", project(), "--steps", "1"};
    if (bad[0] != "--data") arguments.insert(arguments.end(), {"--data", data()});
    arguments.insert(arguments.end(), bad.begin(), bad.end());
    EXPECT_NE(runProgram(arguments).code, 0);
    EXPECT_FALSE(fs::exists(project())) << bad[0];
  }
}

}  // namespace
}  // namespace strata::testing
