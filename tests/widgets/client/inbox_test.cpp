#include "widgets/client/inbox.h"

#include <gtest/gtest.h>

#include "core/protocol/messages.h"

namespace strata {
namespace {

RpcMessage notification(const char* method, Json params) {
  RpcMessage message;
  message.kind = RpcMessage::Kind::notification;
  message.method = method;
  message.params = std::move(params);
  return message;
}
RpcMessage tokens(int request, const std::string& text, int id) {
  return notification(protocol::Tokens::kName,
                      {{"request", request}, {"stream", "a"}, {"text", text}, {"ids", Json::array({id})}});
}

TEST(Inbox, TokensOfOneAnswerWaitAsOneMessage) {
  Inbox inbox;
  inbox.add(tokens(1, "Once", 1), 10);
  inbox.add(tokens(2, "Two", 7), 10);
  inbox.add(tokens(1, " upon", 2), 10);
  EXPECT_EQ(inbox.bytes(), 30);
  const auto first = inbox.take();
  EXPECT_EQ(first->params["text"], "Once upon");
  EXPECT_EQ(first->params["ids"], Json::array({1, 2}));
  EXPECT_EQ(inbox.take()->params["text"], "Two");
  EXPECT_FALSE(inbox.take());
  EXPECT_EQ(inbox.bytes(), 0);
}

TEST(Inbox, TokensComeBeforeTheAnswerTheyBelongTo) {
  Inbox inbox;
  inbox.add(tokens(1, "a", 1), 1);
  RpcMessage answer;
  answer.kind = RpcMessage::Kind::response;
  answer.id = 1;
  inbox.add(answer, 1);
  inbox.add(tokens(2, "b", 1), 1);
  EXPECT_EQ(inbox.take()->params["text"], "a");
  EXPECT_EQ(inbox.take()->kind, RpcMessage::Kind::response);
  EXPECT_EQ(inbox.take()->params["text"], "b");
}

TEST(Inbox, OnlyTheNewestMemoryOfADeviceWaits) {
  Inbox inbox;
  inbox.add(notification(protocol::Memory::kName, {{"device", "cpu"}, {"kv", 1}}), 5);
  inbox.add(notification(protocol::Memory::kName, {{"device", "cuda:0"}, {"kv", 2}}), 5);
  inbox.add(notification(protocol::Memory::kName, {{"device", "cpu"}, {"kv", 3}}), 7);
  EXPECT_EQ(inbox.bytes(), 12);
  EXPECT_EQ(inbox.take()->params["kv"], 3);
  EXPECT_EQ(inbox.take()->params["kv"], 2);
  EXPECT_TRUE(inbox.empty());
}

TEST(Inbox, PointsOfARunWaitAsOneMessageInTheirOrder) {
  const auto points = [](const char* run, const char* name, const char* step) {
    return notification(protocol::JobPoints::kName,
                        {{"id", run}, {"series", Json::array({{{"name", name}, {"step", step}}})}});
  };
  Inbox inbox;
  inbox.add(points("one", "loss", "AAAAAAAA8D8="), 5);
  inbox.add(points("two", "loss", "AAAAAAAA8D8="), 5);
  inbox.add(points("one", "lr", "AAAAAAAAAEA="), 5);
  const auto first = inbox.take();
  ASSERT_EQ(first->params["series"].size(), 2u);
  EXPECT_EQ(first->params["series"][0]["name"], "loss");
  EXPECT_EQ(first->params["series"][1]["name"], "lr");
  EXPECT_EQ(inbox.take()->params["id"], "two");
  EXPECT_FALSE(inbox.take());
}

TEST(Inbox, JoinedMessagesStaySmallEnoughForOneTurn) {
  Inbox inbox;
  for (int i = 0; i < 4; ++i) inbox.add(tokens(1, std::string(30'000, 'x'), i), 30'000);
  std::string text;
  int messages = 0;
  while (const auto message = inbox.take()) {
    text += message->params["text"].get<std::string>();
    ++messages;
  }
  EXPECT_EQ(messages, 2);
  EXPECT_EQ(text.size(), 120'000);
}

TEST(Inbox, AMessageOfAnotherShapeIsDeliveredAsItCame) {
  Inbox inbox;
  inbox.add(tokens(1, "a", 1), 1);
  inbox.add(notification(protocol::Tokens::kName, {{"request", 1}, {"stream", "a"}, {"text", 5}}), 1);
  EXPECT_EQ(inbox.take()->params["text"], "a");
  EXPECT_EQ(inbox.take()->params["text"], 5);
}

}  // namespace
}  // namespace strata
