#pragma once
// Runs the built program and reads its answer.

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "support.h"

extern char** environ;

namespace strata::testing {

struct Answer {
  int code = -1;
  std::string out, err;
  nlohmann::json json() const { return nlohmann::json::parse(out, nullptr, false); }
};

/// SIGINT goes to the program once `interruptAt` appears on its stderr.
inline Answer runProgram(std::vector<std::string> arguments, const std::string& input = {},
                         const std::string& interruptAt = {}) {
  TemporaryFolder folder;
  const auto inputFile = folder.path() / "in";
  writeText(inputFile, input);
  int out[2], err[2];
  if (pipe2(out, O_CLOEXEC) != 0 || pipe2(err, O_CLOEXEC) != 0) return {};
  arguments.insert(arguments.begin(), std::string(STRATA_BINARY_DIR) + "/bin/strata");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, 0, inputFile.c_str(), O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, out[1], 1);
  posix_spawn_file_actions_adddup2(&actions, err[1], 2);
  pid_t pid = 0;
  const int failed = posix_spawn(&pid, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(out[1]);
  close(err[1]);
  Answer answer;
  if (failed == 0) {
    pollfd files[2] = {{out[0], POLLIN, 0}, {err[0], POLLIN, 0}};
    std::string* texts[2] = {&answer.out, &answer.err};
    bool interrupted = interruptAt.empty();
    for (int open = 2; open > 0 && poll(files, 2, -1) > 0;) {
      for (int i = 0; i < 2; ++i) {
        if (files[i].fd < 0 || files[i].revents == 0) continue;
        char buffer[65536];
        const ssize_t count = read(files[i].fd, buffer, sizeof(buffer));
        if (count > 0) {
          texts[i]->append(buffer, static_cast<std::size_t>(count));
        } else {
          files[i].fd = -1;
          --open;
        }
      }
      if (!interrupted && answer.err.find(interruptAt) != std::string::npos) {
        kill(pid, SIGINT);
        interrupted = true;
      }
    }
    int status = 0;
    waitpid(pid, &status, 0);
    answer.code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }
  close(out[0]);
  close(err[0]);
  return answer;
}

/// Runs with --json and expects success and one object on one line.
inline nlohmann::json answerOf(std::vector<std::string> arguments, const std::string& input = {}) {
  arguments.push_back("--json");
  const Answer answer = runProgram(arguments, input);
  EXPECT_EQ(answer.code, 0) << answer.err;
  EXPECT_EQ(std::count(answer.out.begin(), answer.out.end(), '\n'), 1) << answer.out;
  const auto json = answer.json();
  EXPECT_TRUE(json.is_object()) << answer.out;
  return json.is_object() ? json : nlohmann::json::object();
}

inline void expectKeys(const nlohmann::json& json, const std::vector<std::string>& keys) {
  for (const std::string& key : keys) EXPECT_TRUE(json.contains(key)) << "no key " << key << " in " << json.dump();
}

inline std::string sampleModel(const std::string& name) {
  return (sourceFolder() / "resources/models" / name).string();
}

inline std::string storyModel() {
  return (sourceFolder() / "resources/models/stories260K").string();
}
inline std::string goldenModel(const std::string& name) {
  return (sourceFolder() / "tests/golden/models" / name).string();
}

inline std::string joined(const nlohmann::json& numbers) {
  std::string text;
  for (const auto& number : numbers) text += (text.empty() ? "" : ",") + number.dump();
  return text;
}

constexpr const char* kStory =
    "Once upon a time, there was a little girl named Lily. She loved to play outside in the park.\n<|endoftext|>\n"
    "One day, a boy saw a big red ball. He wanted to play with it, so he asked his mom.\n";

}  // namespace strata::testing
