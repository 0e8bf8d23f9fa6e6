// The server between two pipes, with handlers of the test's own.

#include "core/service/server.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <new>

#include "core/protocol/framing.h"

namespace strata::testing {
namespace {

using ::testing::HasSubstr;

/// Stands for a method that takes its time; `path` says what it does.
using Slow = protocol::ListFolder;

class RpcServerTest : public ::testing::Test {
 protected:
  RpcServerTest() {
    EXPECT_EQ(pipe2(m_in, O_CLOEXEC), 0);
    EXPECT_EQ(pipe2(m_out, O_CLOEXEC), 0);
    m_server = std::make_unique<RpcServer>(RpcServer::Options{.input = m_in[0], .output = m_out[1], .mostThreads = 2});
    m_server->methods().add<protocol::Initialize>(
        [](const auto&, RequestContext&) -> Result<protocol::Initialize::Answer> {
          return protocol::Initialize::Answer{};
        },
        Lane::reader);
    m_server->methods().add<Slow>([](const Slow::Params& params, RequestContext& context) -> Result<Slow::Answer> {
      if (params.path == "bad_alloc") throw std::bad_alloc();
      if (params.path == "throw") throw std::runtime_error("something of a library");
      if (params.path == "huge") return Slow::Answer{std::string(kMostFrameBytes, 'x'), "", {}, false};
      if (params.path == "fail") return fail(ErrorCode::io, "The folder cannot be read.", params.path);
      for (int i = 0; params.path == "wait" && !context.cancelled; ++i) {
        context.progress("Waiting", i, 0);
        usleep(1'000);
      }
      if (context.cancelled) return fail(ErrorCode::cancelled, "It was cancelled.");
      return Slow::Answer{params.path, "", {}, false};
    });
    m_thread = std::thread([this] { m_code = m_server->run(); });
  }
  ~RpcServerTest() override {
    finish();
    m_server.reset();
    for (const int fd : {m_in[0], m_out[0], m_out[1]}) close(fd);
  }
  int finish() {
    if (m_in[1] >= 0) close(m_in[1]);
    m_in[1] = -1;
    if (m_thread.joinable()) m_thread.join();
    return m_code;
  }
  void sendBody(const std::string& body) {
    const std::string bytes = frameOf(body);
    ASSERT_EQ(write(m_in[1], bytes.data(), bytes.size()), static_cast<ssize_t>(bytes.size()));
  }
  void send(const Json& id, const std::string& method, const Json& params = Json::object()) {
    Json message = {{"jsonrpc", "2.0"}, {"method", method}, {"params", params}};
    message["id"] = id;
    sendBody(message.dump());
  }
  void sendSlow(const Json& id, const std::string& path) { send(id, Slow::kName, {{"path", path}}); }
  void initialize() {
    send("i", "initialize");
    EXPECT_EQ(answerTo("i").kind, RpcMessage::Kind::response);
  }
  RpcMessage answerTo(const Json& id) {
    while (!m_answers.contains(id.dump())) {
      const auto body = m_reader.next().value();
      if (!body) {
        char buffer[65536];
        const ssize_t count = read(m_out[0], buffer, sizeof(buffer));
        if (count <= 0) return {};
        m_reader.feed({buffer, static_cast<std::size_t>(count)});
        continue;
      }
      const RpcMessage message = parseRpc(*body).value();
      if (message.kind == RpcMessage::Kind::notification) {
        ++m_notes[message.method];
      } else {
        m_answers[message.id.dump()] = message;
      }
    }
    const RpcMessage answer = m_answers[id.dump()];
    m_answers.erase(id.dump());
    return answer;
  }

  int m_in[2] = {-1, -1}, m_out[2] = {-1, -1};
  int m_code = -1;
  FrameReader m_reader;
  std::map<std::string, RpcMessage> m_answers;
  std::map<std::string, int> m_notes;
  std::unique_ptr<RpcServer> m_server;
  std::thread m_thread;
};

TEST_F(RpcServerTest, SendsNothingOfItsOwnBeforeItIsInitialized) {
  m_server->notifier()(protocol::ServeChanged{});
  sendSlow(1, "fine");
  EXPECT_EQ(answerTo(1).code, RpcCode::notInitialized);
  initialize();
  EXPECT_TRUE(m_notes.empty());
  sendSlow(2, "fine");
  answerTo(2);
  m_server->notifier()(protocol::ServeChanged{});
  sendSlow(3, "fine");
  answerTo(3);
  EXPECT_EQ(m_notes["serve/changed"], 1);
}

TEST_F(RpcServerTest, AMessageThatIsTooLargeIsRefusedByItsIdAndTheNextIsAnswered) {
  initialize();
  sendBody(R"({"jsonrpc":"2.0","id":1,"method":")" + std::string(Slow::kName) + R"(","params":{"path":")" +
           std::string(kMostFrameBytes, 'x') + "\"}}");
  EXPECT_THAT(answerTo(1).error.message, HasSubstr("and one may have 16; send it in parts."));
  sendSlow(2, "fine");
  EXPECT_EQ(answerTo(2).result["path"], "fine");
}

TEST_F(RpcServerTest, WhatAHandlerThrowsIsTheAnswerOfItsRequestAlone) {
  initialize();
  sendSlow(1, "bad_alloc");
  EXPECT_EQ(answerTo(1).error.code, ErrorCode::outOfMemory);
  sendSlow(2, "throw");
  EXPECT_THAT(answerTo(2).error.message, HasSubstr("something of a library"));
  sendSlow(3, "fail");
  const RpcMessage failed = answerTo(3);
  EXPECT_EQ(failed.code, RpcCode::engineError);
  EXPECT_EQ(failed.error.context, "fail");
  sendSlow(4, "huge");
  EXPECT_THAT(answerTo(4).error.message, HasSubstr("more than one message holds"));
  sendSlow(5, "fine");
  EXPECT_EQ(answerTo(5).result["path"], "fine");
}

TEST_F(RpcServerTest, RefusesParametersThatDoNotFit) {
  initialize();
  send(1, Slow::kName, {{"pathh", "fine"}});
  const RpcMessage refused = answerTo(1);
  EXPECT_EQ(refused.code, RpcCode::invalidParams);
  EXPECT_THAT(refused.error.message, HasSubstr("pathh"));
  EXPECT_THAT(refused.error.message, HasSubstr(Slow::kName));
}

TEST_F(RpcServerTest, CancelsWhatRunsAndWhatStillWaitsForAThread) {
  initialize();
  for (const int id : {1, 2, 3, 4}) sendSlow(id, "wait");  // two run, two wait
  for (const int id : {4, 1, 2, 3}) {
    send("c" + std::to_string(id), "cancel", {{"id", id}});
    EXPECT_EQ(answerTo("c" + std::to_string(id)).result["found"], true);
  }
  for (const int id : {1, 2, 3, 4}) EXPECT_EQ(answerTo(id).code, RpcCode::requestCancelled);
  send("again", "cancel", {{"id", 1}});
  EXPECT_EQ(answerTo("again").result["found"], false);
}

TEST_F(RpcServerTest, AnswersCancelWhileAllThreadsAreBusy) {
  initialize();
  for (const int id : {1, 2, 3}) sendSlow(id, "wait");
  send("c", "cancel", {{"id", 2}});
  EXPECT_EQ(answerTo("c").result["found"], true);  // had it waited for a thread, it would wait for ever
  EXPECT_FALSE(m_answers.contains("1"));
  EXPECT_FALSE(m_answers.contains("3"));
}

TEST_F(RpcServerTest, ThinsOutProgress) {
  initialize();
  sendSlow(1, "wait");
  usleep(450'000);
  send(2, "cancel", {{"id", 1}});
  answerTo(1);
  EXPECT_GE(m_notes["progress"], 2);
  EXPECT_LE(m_notes["progress"], 12) << "ten a second, whatever is called";
}

TEST_F(RpcServerTest, RefusesAnIdThatIsInUse) {
  initialize();
  sendSlow(1, "wait");
  sendSlow(1, "fine");
  const RpcMessage refused = answerTo(1);
  EXPECT_EQ(refused.code, RpcCode::invalidRequest);
  EXPECT_THAT(refused.error.message, HasSubstr("id 1"));
}

TEST_F(RpcServerTest, IgnoresNotificationsAndAnswersThatNobodyAskedFor) {
  initialize();
  sendBody(R"({"jsonrpc": "2.0", "method": "window/moved"})");
  sendBody(R"({"jsonrpc": "2.0", "id": 3, "result": 1})");
  sendBody("[]");
  EXPECT_EQ(answerTo(nullptr).code, RpcCode::invalidRequest);
  sendSlow(4, "fine");
  EXPECT_EQ(answerTo(4).result["path"], "fine");
}

TEST_F(RpcServerTest, EndsWithItsInputAndCancelsWhatRuns) {
  initialize();
  sendSlow(1, "wait");
  EXPECT_EQ(finish(), 0);
  EXPECT_EQ(answerTo(1).code, RpcCode::requestCancelled);
}

TEST_F(RpcServerTest, EndsWhenAClientThatAnnouncedSignsOfLifeGivesNone) {
  initialize();
  sendBody(rpcNotification("alive", {{"silence_ms", 50}}));
  m_thread.join();
  EXPECT_EQ(m_code, 0);
}

TEST_F(RpcServerTest, AnAnswerInProgressIsNoSilence) {
  initialize();
  sendSlow(1, "wait");
  sendBody(rpcNotification("alive", {{"silence_ms", 20}}));
  usleep(200'000);
  send(2, "cancel", {{"id", 1}});
  EXPECT_EQ(answerTo(2).result["found"], true);
  EXPECT_EQ(answerTo(1).code, RpcCode::requestCancelled);
  m_thread.join();  // now it is silence
  EXPECT_EQ(m_code, 0);
}

TEST_F(RpcServerTest, AnAnnouncementThatMeansNothingChangesNothing) {
  initialize();
  sendBody(rpcNotification("alive", {{"silence_ms", 0}}));
  sendBody(rpcNotification("alive", nullptr));
  sendSlow(1, "fine");
  EXPECT_EQ(answerTo(1).result["path"], "fine");
}

TEST_F(RpcServerTest, ShutdownIsAnsweredFirst) {
  initialize();
  send(1, "shutdown");
  EXPECT_EQ(answerTo(1).kind, RpcMessage::Kind::response);
  m_thread.join();
  EXPECT_EQ(m_code, 0);
}

}  // namespace
}  // namespace strata::testing
