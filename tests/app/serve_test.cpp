// strata serve from outside: what it prints, what it answers over a socket, and how it ends.

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "program.h"

namespace strata::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;
using Plain = nlohmann::json;

/// A server of its own process, on a free port.
class ServeProcess {
 public:
  explicit ServeProcess(std::vector<std::string> arguments, const std::string& err = {}) {
    arguments.insert(arguments.begin(), {std::string(STRATA_BINARY_DIR) + "/bin/strata", "serve"});
    arguments.insert(arguments.end(), {"--port", "0", "--json"});
    std::vector<char*> argv;
    for (std::string& argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    int out[2];
    if (pipe2(out, O_CLOEXEC) != 0) return;
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    posix_spawn_file_actions_adddup2(&actions, out[1], 1);
    if (!err.empty()) posix_spawn_file_actions_addopen(&actions, 2, err.c_str(), O_WRONLY | O_CREAT, 0600);
    EXPECT_EQ(posix_spawn(&m_pid, argv[0], &actions, nullptr, argv.data(), environ), 0);
    posix_spawn_file_actions_destroy(&actions);
    close(out[1]);
    std::string line;
    for (char c = 0; read(out[0], &c, 1) == 1 && c != '\n';) line += c;
    close(out[0]);
    hello = Plain::parse(line, nullptr, false);
    const std::string url = hello.is_object() ? hello.value("url", "") : "";
    m_port = std::atoi(url.c_str() + url.rfind(':') + 1);
  }
  ~ServeProcess() {
    if (m_pid > 0) end();
  }
  ServeProcess(const ServeProcess&) = delete;
  ServeProcess& operator=(const ServeProcess&) = delete;

  /// Ctrl+C; the exit code.
  int end() {
    kill(m_pid, SIGINT);
    int status = 0;
    waitpid(m_pid, &status, 0);
    m_pid = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

  /// Connects, sends, and leaves the socket to the caller.
  int ask(const std::string& path, const std::string& body) const {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<std::uint16_t>(m_port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    EXPECT_EQ(::connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)), 0);
    std::string request =
        (body.empty() ? "GET " : "POST ") + path + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
    request += "Authorization: Bearer " + hello.value("token", "") + "\r\n";
    if (!body.empty())
      request += "Content-Type: application/json\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
    request += "\r\n" + body;
    EXPECT_EQ(::send(fd, request.data(), request.size(), MSG_NOSIGNAL), static_cast<ssize_t>(request.size()));
    return fd;
  }
  /// The whole answer, header and body.
  std::string raw(const std::string& path, const std::string& body = {}) const {
    const int fd = ask(path, body);
    std::string text;
    char piece[4096];
    for (ssize_t count = 0; (count = ::recv(fd, piece, sizeof(piece), 0)) > 0;)
      text.append(piece, static_cast<std::size_t>(count));
    ::close(fd);
    return text;
  }
  Plain json(const std::string& path, const std::string& body = {}) const {
    const std::string text = raw(path, body);
    EXPECT_THAT(text, StartsWith("HTTP/1.1 200"));
    return Plain::parse(text.substr(text.find("\r\n\r\n") + 4), nullptr, false);
  }

  Plain hello;

 private:
  pid_t m_pid = 0;
  int m_port = 0;
};

TEST(Serve, ACompletionIsWhatGenerateWrites) {
  ServeProcess server({storyModel()});
  ASSERT_TRUE(server.hello.is_object());
  const std::string name = server.hello["models"][0];
  EXPECT_EQ(server.json("/v1/models")["data"][0]["id"], name);
  double fullBytes = 0;
  for (const std::string& map : {std::string("full"), std::string("stride:2")}) {
    const auto direct =
        answerOf({"generate", storyModel(), "--prompt", "Once upon a time", "--max-tokens", "20", "--map", map});
    const Plain body = {
        {"model", name + "@" + map}, {"prompt", "Once upon a time"}, {"max_tokens", 20}, {"temperature", 0}};
    const Plain served = server.json("/v1/completions", body.dump());
    EXPECT_EQ(served["choices"][0]["text"], direct["text"]) << map;
    EXPECT_EQ(served["usage"]["completion_tokens"], direct["ids"].size());
    EXPECT_EQ(served["strata"]["map"], map);
    const double bytes = direct["kv_bytes"];
    if (map == "full") fullBytes = bytes;
    EXPECT_EQ(served["strata"]["kv_bytes"].get<double>() / served["strata"]["kv_bytes_full"].get<double>(),
              bytes / fullBytes)
        << "the room reserved differs, its share does not";
  }
  EXPECT_THAT(server.raw("/v1/completions", Plain({{"model", name + "@0,0,1,0,0"}, {"prompt", "x"}}).dump()),
              AllOf(StartsWith("HTTP/1.1 400"), HasSubstr("layer 2")));
  EXPECT_EQ(server.end(), 0);
}

TEST(Serve, KeepsKeysAndValuesIn8Bits) {
  const Answer refused = runProgram({"serve", storyModel(), "--port", "0", "--kv", "int3"});
  EXPECT_EQ(refused.code, 2);
  EXPECT_THAT(refused.err, HasSubstr("\"int3\" is unknown; give int8 or fp8"));
  ServeProcess server({storyModel(), "--kv", "int8"});
  ASSERT_TRUE(server.hello.is_object());
  const auto direct =
      answerOf({"generate", storyModel(), "--prompt", "Once upon a time", "--max-tokens", "20", "--kv", "int8"});
  const Plain body = {
      {"model", server.hello["models"][0]}, {"prompt", "Once upon a time"}, {"max_tokens", 20}, {"temperature", 0}};
  EXPECT_EQ(server.json("/v1/completions", body.dump())["choices"][0]["text"], direct["text"]);
}

TEST(Serve, TwoModelsAnswerConversations) {
  ServeProcess server({sampleModel("sample-base"), sampleModel("sample-routed"), "--token", "secret"});
  ASSERT_TRUE(server.hello.is_object());
  EXPECT_EQ(server.hello["token"], "secret");
  ASSERT_EQ(server.hello["models"].size(), 2U);
  for (const Plain& name : server.hello["models"]) {
    Plain body = {
        {"model", name.get<std::string>() + "@even:2"},
        {"messages", Plain::array({{{"role", "user"}, {"content", "Lily has a red ball. What does Lily have?"}}})},
        {"max_tokens", 8},
        {"temperature", 0}};
    const Plain whole = server.json("/v1/chat/completions", body.dump());
    EXPECT_EQ(whole["strata"]["map"], "even:2");
    EXPECT_LT(whole["strata"]["kv_bytes"], whole["strata"]["kv_bytes_full"]);
    body["stream"] = true;
    const std::string stream = server.raw("/v1/chat/completions", body.dump());
    std::string text;
    for (std::size_t at = 0; (at = stream.find("data: {", at)) != std::string::npos; at += 6) {
      const Plain chunk = Plain::parse(stream.substr(at + 6, stream.find("\n\n", at) - at - 6), nullptr, false);
      text += chunk["choices"][0]["delta"].value("content", "");
    }
    EXPECT_EQ(whole["choices"][0]["message"]["content"], text);
    EXPECT_THAT(stream, HasSubstr("data: [DONE]"));
  }
}

TEST(Serve, TheTokenMayComeFromAFileOrTheEnvironment) {
  const TemporaryFolder folder;
  const std::string file = (folder.path() / "token").string();
  writeText(file, "from-a-file\n");
  EXPECT_EQ(ServeProcess({storyModel(), "--token-file", file}).hello["token"], "from-a-file");
  ::setenv("STRATA_TOKEN", "from-the-environment", 1);
  EXPECT_EQ(ServeProcess({storyModel()}).hello["token"], "from-the-environment");
  EXPECT_EQ(ServeProcess({storyModel(), "--token-file", file}).hello["token"], "from-a-file");
  EXPECT_EQ(ServeProcess({storyModel(), "--token", "given"}).hello["token"], "given");
  ::unsetenv("STRATA_TOKEN");
  for (const std::string content : {"", "\n", "two words", "a\x1b[31m"}) {
    writeText(file, content);
    const Answer refused = runProgram({"serve", storyModel(), "--port", "0", "--token-file", file});
    EXPECT_EQ(refused.code, 2) << content;
    EXPECT_THAT(refused.err, HasSubstr(file));
  }
  EXPECT_EQ(runProgram({"serve", storyModel(), "--token-file", "/nowhere/token"}).code, 1);
  EXPECT_EQ(runProgram({"serve", storyModel(), "--token", "a", "--token-file", file}).code, 2);
}

TEST(Serve, WarnsWhereOtherMachinesCanListen) {
  for (const auto& [host, warns] : {std::pair{"0.0.0.0", true}, std::pair{"127.0.0.1", false}}) {
    const TemporaryFolder folder;
    const std::string err = (folder.path() / "err").string();
    const ServeProcess server({storyModel(), "--host", host}, err);
    ASSERT_TRUE(server.hello.is_object());
    EXPECT_EQ(readText(err).find("unencrypted") != std::string::npos, warns) << host;
  }
}

TEST(Serve, AClientThatLeavesHoldsNobodyUp) {
  ServeProcess server({storyModel()});
  ASSERT_TRUE(server.hello.is_object());
  const std::string name = server.hello["models"][0];
  const Plain forever = {{"model", name}, {"prompt", "Once"}, {"ignore_eos", true}, {"stream", true}};
  for (int i = 0; i < 40; ++i) ::close(server.ask("/v1/completions", forever.dump()));  // more than are made at once
  std::string text;
  for (int i = 0; i < 100 && !text.starts_with("HTTP/1.1 200"); ++i) {
    text = server.raw("/v1/completions", Plain({{"model", name}, {"prompt", "Once"}, {"max_tokens", 2}}).dump());
    usleep(50'000);
  }
  EXPECT_THAT(text, StartsWith("HTTP/1.1 200"));
}

TEST(Serve, WhatCannotBeServedIsASentence) {
  const Answer missing = runProgram({"serve", "/nowhere/model", "--port", "0"});
  EXPECT_EQ(missing.code, 1);
  EXPECT_THAT(missing.err, HasSubstr("/nowhere/model"));
  ServeProcess server({storyModel()});
  const std::string url = server.hello["url"];
  const std::string port = url.substr(url.rfind(':') + 1, url.rfind('/') - url.rfind(':') - 1);
  const Answer taken = runProgram({"serve", storyModel(), "--port", port});
  EXPECT_EQ(taken.code, 1);
  EXPECT_THAT(taken.err, AllOf(HasSubstr(port), HasSubstr("--port")));
  EXPECT_EQ(runProgram({"serve"}).code, 2);
}

}  // namespace
}  // namespace strata::testing
