// Who gets an answer, and what a careless or hostile client can do to the others.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <iostream>
#include <limits>

#include "core/service/http_guard.h"
#include "http_test.h"

namespace strata::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr const char* kChat = "/v1/chat/completions";
const std::string kHello = R"({"model": "tiny", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 3})";

std::string reply(const Served& served, const std::string& request, std::chrono::milliseconds time = 3s) {
  const RawSocket socket(served.port);
  EXPECT_TRUE(socket.send(request));
  return socket.receive(time);
}

TEST(HttpGuard, TheHostMustBeThisServer) {
  for (const char* host :
       {"localhost", "LOCALHOST:8080", "127.0.0.1", "127.0.0.1:80", "[::1]", "[::1]:8080", "box:1", "10.0.0.7:80"}) {
    EXPECT_TRUE(namesThisServer(host, "box", "10.0.0.7")) << host;
  }
  for (const char* host :
       {"", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example:80", "[::1].evil", "10.0.0.8", ":80"}) {
    EXPECT_FALSE(namesThisServer(host, "box", "10.0.0.7")) << host;
  }
}

TEST(HttpGuard, TheTokenMustBeWhole) {
  EXPECT_TRUE(carriesToken("Bearer secret", "secret"));
  EXPECT_TRUE(carriesToken("bearer secret", "secret"));
  for (const char* header : {"", "Bearer", "Bearer ", "Bearer secre", "Bearer secrets", "Bearer Secret", "Basic secret",
                             "secret", "Bearer secretsecret"}) {
    EXPECT_FALSE(carriesToken(header, "secret")) << header;
  }
  EXPECT_FALSE(carriesToken("Bearer ", ""));
}

TEST(HttpSecurity, WithoutTheTokenNothingIsAnswered) {
  Served served;
  for (const std::string& header :
       {std::string(), std::string("Authorization: Bearer wrong\r\n"),
        std::string("Authorization: Bearer ") + kToken + "0\r\n",
        std::string("Authorization: Bearer wrong\r\nAuthorization: Bearer ") + kToken + "\r\n"}) {
    for (const char* path : {"/v1/models", "/v1/models/tiny", "/nothing"}) {
      const std::string answer = reply(served, rawRequest("GET", path, "Host: localhost\r\n" + header));
      EXPECT_THAT(answer, AllOf(StartsWith("HTTP/1.1 401"), HasSubstr("\"invalid_api_key\""),
                                HasSubstr("WWW-Authenticate: Bearer"), Not(HasSubstr("tiny"))));
    }
    const std::string answer =
        reply(served, rawRequest("POST", kChat,
                                 "Host: localhost\r\nContent-Type: application/json\r\nContent-Length: " +
                                     std::to_string(kHello.size()) + "\r\n" + header,
                                 kHello));
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 401"));
  }
  EXPECT_EQ(served.slow.finished, 0);
}

TEST(HttpSecurity, AForeignHostIsRefusedWhateverItsToken) {
  const Served served;
  const std::string token = std::string("Authorization: Bearer ") + kToken + "\r\n";
  for (const char* host : {"Host: evil.example\r\n", "", "Host: localhost\r\nHost: evil.example\r\n"}) {
    EXPECT_THAT(reply(served, rawRequest("GET", "/v1/models", host + token)),
                AllOf(StartsWith("HTTP/1.1 403"), HasSubstr("forbidden_host")));
  }
  EXPECT_THAT(
      reply(served, rawRequest("GET", "/v1/models",
                               "Host: [::1]:" + std::to_string(served.port) + "\r\nConnection: close\r\n" + token)),
      StartsWith("HTTP/1.1 200"));
}

TEST(HttpSecurity, NoWebPageOfAnotherOriginIsAnswered) {
  const Served served;
  const std::string preflight = reply(
      served, rawRequest("OPTIONS", kChat,
                         "Host: localhost\r\nOrigin: http://evil.example\r\nAccess-Control-Request-Method: POST\r\n"));
  EXPECT_THAT(preflight, AllOf(StartsWith("HTTP/1.1 405"), Not(HasSubstr("Access-Control"))));
  const std::string answer = reply(
      served, rawRequest("POST", kChat,
                         "Connection: close\r\nOrigin: http://evil.example\r\n" + usualHeaders(kHello.size()), kHello));
  EXPECT_THAT(answer, AllOf(StartsWith("HTTP/1.1 200"), Not(HasSubstr("Access-Control"))));
}

TEST(HttpSecurity, BodiesOverTheLimitAreRefusedWhetherOrNotTheySaySo) {
  HttpServer::Options options;
  options.mostBodyBytes = 10'000;
  const Served served(options);
  const std::string body = R"({"model": ")" + std::string(20'000, 'x') + "\"}";
  EXPECT_THAT(reply(served, rawRequest("POST", kChat, usualHeaders(body.size()), body)),
              AllOf(StartsWith("HTTP/1.1 413"), HasSubstr("10000 bytes")));
  EXPECT_THAT(reply(served, rawRequest("POST", kChat, usualHeaders(99'999'999'999))), StartsWith("HTTP/1.1 413"));
  const std::string chunked = std::string("Host: localhost\r\nAuthorization: Bearer ") + kToken +
                              "\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n";
  EXPECT_THAT(reply(served, rawRequest("POST", kChat, chunked, "5\r\nhello\r\n")), StartsWith("HTTP/1.1 411"));
  EXPECT_THAT(reply(served, rawRequest("POST", kChat, usualHeaders(5) + "Content-Encoding: gzip\r\n", "hello")),
              StartsWith("HTTP/1.1 415"));
}

TEST(HttpSecurity, WrongPathsMethodsAndTypesAreNamed) {
  const Served served;
  EXPECT_EQ(served.client().Get("/v2/models")->status, 404);
  EXPECT_EQ(served.client().Get(kChat)->status, 405);
  EXPECT_EQ(served.client().Delete("/v1/models")->status, 405);
  const auto text = served.client().Post(kChat, kHello, "text/plain");
  ASSERT_TRUE(text);
  EXPECT_EQ(text->status, 415);
  EXPECT_EQ(Plain::parse(text->body)["error"]["code"], "unsupported_media_type");
}

TEST(HttpSecurity, WhatIsNotHttpEndsOnlyItsOwnConnection) {
  const Served served;
  for (const std::string& junk :
       {std::string("\x16\x03\x01junk\r\n\r\n"), std::string("GET\r\n\r\n"), std::string(100'000, 'a'),
        "GET /" + std::string(20'000, 'a') + " HTTP/1.1\r\nHost: localhost\r\n\r\n",
        rawRequest("GET", "/v1/models", "Host: localhost\r\nRange: bytes=" + std::string(7'000, '0') + "-\r\n"),
        rawRequest("GET", "/v1/models", "Host: localhost\r\nX: " + std::string(200'000, 'h') + "\r\n")}) {
    EXPECT_THAT(reply(served, junk, 6s), Not(StartsWith("HTTP/1.1 200"))) << junk.substr(0, 30);
  }
  served.answer(kChat, kHello);
}

/// Clients that hold a connection and send no whole request.
std::vector<RawSocket> idleClients(const Served& served, int count) {
  std::vector<RawSocket> clients;
  for (int i = 0; i < count; ++i) {
    clients.emplace_back(served.port);
    if (i % 3 == 1) clients.back().send("POST /v1/chat");
    if (i % 3 == 2) clients.back().send("GET /v1/models HTTP/1.1\r\nHost: localhost\r\n");
  }
  return clients;
}

TEST(HttpSecurity, IdleClientsBeyondEveryThreadDoNotLockTheNextOneOut) {
  HttpServer::Options options;
  options.patience = 60s;  // no idle client ends by itself while this test runs
  ASSERT_LT(options.connections, 140U);
  const Served served(options);
  const std::vector<RawSocket> idle = idleClients(served, 140);
  const auto begin = std::chrono::steady_clock::now();
  served.answer(kChat, kHello);
  served.answer(kChat, kHello);
  const std::chrono::duration<double, std::milli> taken = std::chrono::steady_clock::now() - begin;
  std::cout << "the 141st of 141 clients waited " << taken.count() << " ms\n";
  EXPECT_LT(taken, 10s);
}

TEST(HttpSecurity, ConnectionsThatWaitForAThreadAreBounded) {
  HttpServer::Options options;
  options.patience = 60s;
  options.connections = 2;
  Served served(options);
  served.slow.perToken = 10ms;
  const std::string body =
      R"({"model": "tiny", "messages": [{"role": "user", "content": "x"}], "max_tokens": 100000, "stream": true})";
  const RawSocket first(served.port), second(served.port);
  first.send(rawRequest("POST", kChat, usualHeaders(body.size()), body));
  second.send(rawRequest("POST", kChat, usualHeaders(body.size()), body));
  ASSERT_TRUE(waitUntil([&] { return served.slow.running == 2; }));
  std::vector<RawSocket> waiting;
  for (int i = 0; i < 3; ++i) waiting.emplace_back(served.port);
  EXPECT_THAT(waiting.back().receive(10s), StartsWith("HTTP/1.1 503")) << "two may wait, the third is refused";
  EXPECT_EQ(served.slow.running, 2) << "answers under way go on";
}

TEST(HttpSecurity, AHeaderMustComeInTime) {
  HttpServer::Options options;
  options.patience = 1s;
  const Served served(options);
  const auto begin = std::chrono::steady_clock::now();
  for (const RawSocket& client : idleClients(served, 3)) EXPECT_THAT(client.receive(20s), Not(HasSubstr("200")));
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 20s);
}

TEST(HttpSecurity, AContentLengthThatIsNoNumberIsRefused) {
  const Served served;
  for (const char* length : {"12abc", "+5", "-1", "0x10", "5, 5", "5 5", "1e3", "5;5"}) {
    for (const auto& [method, path] : {std::pair{"POST", kChat}, std::pair{"GET", "/v1/models"}}) {
      std::string headers = usualHeaders(0);
      headers.replace(headers.rfind("0\r\n"), 1, length);
      EXPECT_THAT(reply(served, rawRequest(method, path, headers, kHello)), StartsWith("HTTP/1.1 400"))
          << method << " " << length;
    }
  }
  EXPECT_EQ(served.slow.finished, 0);
}

TEST(HttpGuard, ReadsAContentLengthDigitByDigit) {
  EXPECT_EQ(parseContentLength("0"), 0U);
  EXPECT_EQ(parseContentLength("0042"), 42U);
  EXPECT_EQ(parseContentLength("99999999999999999999999"), std::numeric_limits<std::uint64_t>::max());
  for (const char* text : {"", " 5", "5 ", "+5", "-5", "5a", "0x5", "5.0"})
    EXPECT_FALSE(parseContentLength(text)) << text;
}

TEST(HttpGuard, KnowsWhichAddressesOnlyThisMachineReaches) {
  for (const char* host : {"127.0.0.1", "127.1.2.3", "localhost", "LOCALHOST", "::1", "[::1]"}) {
    EXPECT_TRUE(isLoopback(host)) << host;
  }
  for (const char* host : {"0.0.0.0", "::", "10.0.0.7", "127.0.0.1.evil.example", "box", "1.127.0.0", ""}) {
    EXPECT_FALSE(isLoopback(host)) << host;
  }
}

TEST(HttpGuard, ATokenMustFitIntoAHeader) {
  EXPECT_EQ(tokenProblem("sk-Abc_123"), "");
  for (const char* token : {"two words", "line\n", "\x1b[31m", "schlüssel"})
    EXPECT_NE(tokenProblem(token), "") << token;
}

TEST(HttpSecurity, ATrickledHeaderDoesNotLastForEver) {
  HttpServer::Options options;
  options.patience = 1s;
  const Served served(options);
  const RawSocket socket(served.port);
  const auto begin = std::chrono::steady_clock::now();
  bool open = socket.send("GET /v1/models HTTP/1.1\r\n");
  for (int i = 0; open && i < 50; ++i) {
    open = socket.send("X-A: b\r\n") && std::chrono::steady_clock::now() - begin < 5s;
    std::this_thread::sleep_for(100ms);
  }
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 3s);
}

TEST(HttpSecurity, AClientThatHangsUpEndsItsAnswer) {
  for (const char* stream : {"true", "false"}) {
    Served served;
    served.slow.perToken = 10ms;
    {
      const std::string body =
          std::string(
              R"({"model": "tiny", "messages": [{"role": "user", "content": "x"}], "max_tokens": 100000, "stream": )") +
          stream + "}";
      const RawSocket socket(served.port);
      ASSERT_TRUE(socket.send(rawRequest("POST", kChat, usualHeaders(body.size()), body)));
      ASSERT_TRUE(waitUntil([&] { return served.slow.running == 1; }));
      if (std::string(stream) == "true") {
        EXPECT_THAT(socket.receive(3s, "word3"), HasSubstr("word3"));
      }
    }
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_TRUE(waitUntil([&] { return served.slow.cancelled == 1; }));
    const std::chrono::duration<double, std::milli> taken = std::chrono::steady_clock::now() - begin;
    std::cout << "stream " << stream << ": cancelled " << taken.count() << " ms after the client went\n";
    EXPECT_TRUE(waitUntil([&] { return served.server.state().active == 0; }));
  }
}

TEST(HttpSecurity, MoreAnswersThanTheLimitAreSentAway) {
  HttpServer::Options options;
  options.mostGenerations = 2;
  Served served(options);
  served.slow.perToken = 10ms;
  const std::string body =
      R"({"model": "tiny", "messages": [{"role": "user", "content": "x"}], "max_tokens": 100000, "stream": true})";
  const RawSocket first(served.port), second(served.port);
  first.send(rawRequest("POST", kChat, usualHeaders(body.size()), body));
  second.send(rawRequest("POST", kChat, usualHeaders(body.size()), body));
  ASSERT_TRUE(waitUntil([&] { return served.slow.running == 2; }));
  const auto third = served.post(kChat, kHello);
  ASSERT_TRUE(third);
  EXPECT_EQ(third->status, 429);
  EXPECT_EQ(third->get_header_value("Retry-After"), "1");
  EXPECT_EQ(Plain::parse(third->body)["error"]["type"], "rate_limit_error");
}

TEST(HttpSecurity, AnUnreadBodyIsNotTakenForAnotherRequest) {
  const Served served;
  const std::string inner =
      rawRequest("GET", "/v1/models", std::string("Host: localhost\r\nAuthorization: Bearer ") + kToken + "\r\n");
  const std::string outer = rawRequest("POST", "/nothing", usualHeaders(inner.size()), inner);
  EXPECT_THAT(reply(served, outer), AllOf(StartsWith("HTTP/1.1 404"), Not(HasSubstr("HTTP/1.1 200"))));
  const std::string get = rawRequest("GET", "/v1/models", usualHeaders(inner.size()), inner);
  const std::string answer = reply(served, get);
  EXPECT_EQ(answer.find("HTTP/1.1"), answer.rfind("HTTP/1.1"));
}

TEST(HttpSecurity, AConnectionServesOneRequestAfterAnother) {
  const Served served;
  auto client = served.client();
  client.set_keep_alive(true);
  for (int i = 0; i < 20; ++i) {
    const auto answer = client.Post(kChat, kHello, "application/json");
    ASSERT_TRUE(answer) << i;
    ASSERT_EQ(answer->status, 200);
  }
}

}  // namespace
}  // namespace strata::testing
