// What is sent arrives in order, tokens gathered, and nobody who sends waits.

#include "core/service/output_queue.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>

#include "core/config/visit.h"
#include "core/protocol/framing.h"
#include "core/protocol/rpc.h"

namespace strata::testing {
namespace {

using Clock = std::chrono::steady_clock;

class OutputQueueTest : public ::testing::Test {
 protected:
  OutputQueueTest() {
    EXPECT_EQ(pipe2(m_pipe, O_CLOEXEC), 0);
    m_queue = std::make_unique<OutputQueue>(m_pipe[1], [this] { m_broken = true; });
  }
  ~OutputQueueTest() override {
    closeReader();
    m_queue.reset();
    close(m_pipe[1]);
  }
  void closeReader() {
    signal(SIGPIPE, SIG_IGN);
    if (m_pipe[0] >= 0) close(m_pipe[0]);
    m_pipe[0] = -1;
  }
  std::string readBody() {
    while (true) {
      auto body = m_reader.next().value();
      if (body) return *body;
      char buffer[65536];
      const ssize_t count = ::read(m_pipe[0], buffer, sizeof(buffer));
      if (count <= 0) return {};
      m_reader.feed({buffer, static_cast<std::size_t>(count)});
    }
  }
  RpcMessage read() { return parseRpc(readBody()).value(); }

  int m_pipe[2] = {-1, -1};
  FrameReader m_reader;
  std::atomic<bool> m_broken{false};
  std::unique_ptr<OutputQueue> m_queue;
};

TEST_F(OutputQueueTest, SendsInOrder) {
  for (int i = 0; i < 100; ++i) m_queue->post(rpcResult(i, nullptr));
  for (int i = 0; i < 100; ++i) EXPECT_EQ(read().id, Json(i));
  EXPECT_TRUE(m_queue->drain(std::chrono::seconds(1)));
}

TEST_F(OutputQueueTest, SendsTheFirstTokenAtOnceAndGathersTheRestBeforeTheAnswer) {
  const auto begun = Clock::now();
  m_queue->tokens(1, "a", "Once", {5});
  EXPECT_EQ(read().params["text"], "Once");
  EXPECT_LT(Clock::now() - begun, std::chrono::seconds(1));
  for (int i = 0; i < 50; ++i) m_queue->tokens(1, "a", "x", {i}, 10 * i);
  m_queue->answer(1, rpcResult(1, "done"));
  std::string text;
  std::vector<int> ids;
  int notifications = 0;
  Json used;
  RpcMessage message = read();
  for (; message.kind == RpcMessage::Kind::notification; message = read(), ++notifications) {
    EXPECT_EQ(message.method, "chat/tokens");
    used = message.params["kv_bytes_used"];
    text += message.params["text"].get<std::string>();
    for (const Json& id : message.params["ids"]) ids.push_back(id.get<int>());
  }
  EXPECT_EQ(message.result, "done");
  EXPECT_EQ(text, std::string(50, 'x'));
  EXPECT_EQ(ids.size(), 50U);
  EXPECT_EQ(used, 490) << "the latest";
  EXPECT_LE(notifications, 2 + static_cast<int>(60 * std::chrono::duration<double>(Clock::now() - begun).count()));
}

TEST_F(OutputQueueTest, StreamsDoNotMixTheirTokens) {
  for (int i = 0; i < 20; ++i) {
    m_queue->tokens(1, "a", "a", {i});
    m_queue->tokens("two", "b", "b", {i});
  }
  m_queue->answer(1, rpcResult(1, nullptr));
  m_queue->answer("two", rpcResult("two", nullptr));
  std::map<std::string, std::string> texts;
  for (int answers = 0; answers < 2;) {
    const RpcMessage message = read();
    answers += message.kind == RpcMessage::Kind::response;
    if (message.kind != RpcMessage::Kind::notification) continue;
    texts[message.params["stream"].get<std::string>()] += message.params["text"].get<std::string>();
  }
  EXPECT_EQ(texts["a"], std::string(20, 'a'));
  EXPECT_EQ(texts["b"], std::string(20, 'b'));
}

TEST_F(OutputQueueTest, NobodyWaitsForAReaderThatDoesNotRead) {
  const std::string large = rpcResult(0, std::string(256 << 10, 'x'));  // more than a pipe holds
  m_queue->post(large);
  const auto begun = Clock::now();
  for (int i = 0; i < 10'000; ++i) {
    m_queue->tokens(1, "a", "y", {i});
    m_queue->postLatest("memory", rpcNotification("memory", {{"number", i}}));
  }
  EXPECT_LT(Clock::now() - begun, std::chrono::seconds(5));
  EXPECT_FALSE(m_queue->drain(std::chrono::milliseconds(20)));
  m_queue->answer(1, rpcResult(1, nullptr));
  std::size_t tokens = 0;
  int memories = 0, last = 0;
  for (RpcMessage message = read(); message.id != Json(1); message = read()) {
    if (message.method == "memory") {
      ++memories;
      last = message.params["number"].get<int>();
    } else if (message.method == "chat/tokens") {
      tokens += message.params["ids"].size();
    }
  }
  EXPECT_EQ(tokens, 10'000U);
  EXPECT_LE(memories, 3) << "only the newest waits";
  EXPECT_EQ(last, 9'999);
}

TEST_F(OutputQueueTest, TellsThatNobodyReadsAnyMoreAndDropsTheRest) {
  closeReader();
  m_queue->post("{}");
  EXPECT_TRUE(m_queue->drain(std::chrono::seconds(5)));
  for (int i = 0; i < 500 && !m_broken; ++i) usleep(10'000);
  EXPECT_TRUE(m_broken);
  m_queue->post("{}");
  m_queue->tokens(1, "a", "x", {1});
  EXPECT_TRUE(m_queue->drain(std::chrono::seconds(5)));
}

}  // namespace
}  // namespace strata::testing
