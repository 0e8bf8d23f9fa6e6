// JSON-RPC 2.0 messages there and back.

#include "core/protocol/rpc.h"

#include <gmock/gmock.h>

namespace strata::testing {
namespace {

using ::testing::HasSubstr;
using Kind = RpcMessage::Kind;

RpcProblem problemOf(const std::string& body) {
  const auto message = parseRpc(body);
  EXPECT_FALSE(message) << body;
  return message ? RpcProblem{} : message.error();
}

TEST(Rpc, RequestsAndNotificationsComeBackAsTheyWere) {
  const auto request = parseRpc(rpcRequest(7, "models/load", {{"ref", 1}}));
  ASSERT_TRUE(request);
  EXPECT_EQ(request->kind, Kind::request);
  EXPECT_EQ(request->id, Json(7));
  EXPECT_EQ(request->method, "models/load");
  EXPECT_EQ(request->params, Json({{"ref", 1}}));
  const auto notification = parseRpc(rpcNotification("progress", Json::object()));
  ASSERT_TRUE(notification);
  EXPECT_EQ(notification->kind, Kind::notification);
}

TEST(Rpc, AnswersComeBackAsTheyWere) {
  const auto result = parseRpc(rpcResult("a", {1, 2}));
  ASSERT_TRUE(result);
  EXPECT_EQ(result->kind, Kind::response);
  EXPECT_EQ(result->id, Json("a"));
  EXPECT_EQ(result->result, Json({1, 2}));
  const auto nothing = parseRpc(rpcResult(1, nullptr));
  ASSERT_TRUE(nothing) << "a null result is one";
  const auto error =
      parseRpc(rpcError(3, RpcCode::engineError, {ErrorCode::diskFull, "The disk is full.", "/data/file"}));
  ASSERT_TRUE(error);
  EXPECT_EQ(error->kind, Kind::errorResponse);
  EXPECT_EQ(error->code, RpcCode::engineError);
  EXPECT_EQ(error->error.code, ErrorCode::diskFull);
  EXPECT_EQ(error->error.message, "The disk is full.");
  EXPECT_EQ(error->error.context, "/data/file");
}

TEST(Rpc, AnErrorThatHasANameCarriesItsArguments) {
  const Error missing =
      namedError("model_not_found", {{"model", "base \"2\""}}, fail(ErrorCode::notFound, "There is no model.", "base"))
          .value();
  const auto answer = parseRpc(rpcError(7, RpcCode::engineError, missing));
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->error.name, "model_not_found");
  EXPECT_EQ(answer->error.arguments.at("model"), "base \"2\"");
  EXPECT_EQ(answer->error.message, "There is no model.");
  const Json plain = *parseJson(rpcError(7, RpcCode::engineError, Error{ErrorCode::io, "It fails.", ""}), "error");
  EXPECT_FALSE(plain["error"]["data"].contains("name"));
}

TEST(Rpc, ACancelledRequestHasACodeOfItsOwn) {
  EXPECT_EQ(rpcCodeOf({ErrorCode::cancelled, "", ""}), RpcCode::requestCancelled);
  EXPECT_EQ(rpcCodeOf({ErrorCode::io, "", ""}), RpcCode::engineError);
}

TEST(Rpc, BrokenJsonIsAParseErrorWithoutAnId) {
  for (const char* body : {"", "{", "[1", "{\"id\": 1, \"id\": 2}", "\xff", "nul"}) {
    const RpcProblem problem = problemOf(body);
    EXPECT_EQ(problem.code, RpcCode::parseError) << body;
    EXPECT_TRUE(problem.id.is_null());
    EXPECT_FALSE(problem.error.message.empty());
  }
}

TEST(Rpc, WhatIsNoMessageIsRefusedWithItsIdWhereThatIsKnown) {
  struct Case {
    const char* body;
    RpcCode code;
    Json id;
  };
  for (const Case& given : std::vector<Case>{
           {"[]", RpcCode::invalidRequest, nullptr},
           {"1", RpcCode::invalidRequest, nullptr},
           {R"({"id": 5, "method": "x"})", RpcCode::invalidRequest, 5},
           {R"({"jsonrpc": "1.0", "id": 5, "method": "x"})", RpcCode::invalidRequest, 5},
           {R"({"jsonrpc": "2.0", "id": 5, "method": 1})", RpcCode::invalidRequest, 5},
           {R"({"jsonrpc": "2.0", "id": 1.5, "method": "x"})", RpcCode::invalidRequest, nullptr},
           {R"({"jsonrpc": "2.0", "id": {}, "method": "x"})", RpcCode::invalidRequest, nullptr},
           {R"({"jsonrpc": "2.0", "id": 5, "method": "x", "params": [1]})", RpcCode::invalidParams, 5},
           {R"({"jsonrpc": "2.0", "id": 5})", RpcCode::invalidRequest, 5},
           {R"({"jsonrpc": "2.0", "result": 5})", RpcCode::invalidRequest, nullptr},
       }) {
    const RpcProblem problem = problemOf(given.body);
    EXPECT_EQ(problem.code, given.code) << given.body;
    EXPECT_EQ(problem.id, given.id) << given.body;
  }
}

TEST(Rpc, BytesThatAreNoUtf8DoNotBreakAMessage) {
  const auto message = parseRpc(rpcResult(1, "a\xff"));
  ASSERT_TRUE(message);
  EXPECT_EQ(message->result.get<std::string>(), "a\xef\xbf\xbd");
}

}  // namespace
}  // namespace strata::testing
