#include "core/service/http_server.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "http_test.h"

namespace strata::testing {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr const char* kChat = "/v1/chat/completions";
constexpr const char* kText = "/v1/completions";
constexpr const char* kHello =
    R"({"model": "tiny", "messages": [{"role": "user", "content": "Hello"}], "max_tokens": 3})";

TEST(HttpServer, ListsWhatItServes) {
  const Served served;
  const auto response = served.client().Get("/v1/models");
  ASSERT_TRUE(response);
  const Plain list = Plain::parse(response->body);
  EXPECT_EQ(list["object"], "list");
  ASSERT_EQ(list["data"].size(), 1U);
  EXPECT_EQ(list["data"][0]["id"], "tiny");
  EXPECT_EQ(list["data"][0]["strata"]["layers"], 6);
  const auto one = served.client().Get("/v1/models/tiny@stride:2");
  ASSERT_TRUE(one);
  EXPECT_EQ(Plain::parse(one->body)["strata"]["map"], "stride:2");
  EXPECT_EQ(served.client().Get("/v1/models/other")->status, 404);
}

TEST(HttpServer, AnswersAConversation) {
  Served served;
  const Plain answer = served.answer(
      kChat,
      R"({"model": "tiny@stride:2", "messages": [{"role": "developer", "content": "Be brief."}, {"role": "user", "content": [{"type": "text", "text": "Hel"}, {"type": "text", "text": "lo"}]}], "max_completion_tokens": 3, "temperature": 0.5, "top_p": 0.9, "seed": 42, "stop": ["a", "b"]})");
  EXPECT_EQ(answer["object"], "chat.completion");
  EXPECT_EQ(answer["choices"][0]["message"]["content"], "word0 word1 word2");
  EXPECT_EQ(answer["choices"][0]["message"]["role"], "assistant");
  EXPECT_EQ(answer["choices"][0]["finish_reason"], "length");
  EXPECT_EQ(answer["usage"]["prompt_tokens"], 7);
  EXPECT_EQ(answer["usage"]["completion_tokens"], 3);
  EXPECT_EQ(answer["usage"]["total_tokens"], 10);
  EXPECT_EQ(answer["model"], "tiny@stride:2");
  EXPECT_EQ(answer["strata"]["map"], "stride:2");
  EXPECT_EQ(answer["strata"]["kv_bytes"], 4096);
  EXPECT_EQ(answer["strata"]["model_hash"], "abc123");
  EXPECT_EQ(answer["strata"]["seed"], 42);
  ASSERT_EQ(served.slow.last.turns.size(), 2U);
  EXPECT_EQ(served.slow.last.turns[0], (protocol::Turn{"system", "Be brief."}));
  EXPECT_EQ(served.slow.last.turns[1], (protocol::Turn{"user", "Hello"}));
  EXPECT_EQ(served.slow.last.sampling.stop, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(served.slow.last.sampling.temperature, 0.5);
  EXPECT_EQ(served.slow.last.sampling.topP, 0.9);
}

TEST(HttpServer, AnEqualMapWrittenOtherwiseHasTheSameFingerprintAndAnotherMapAnother) {
  const Served served;
  const auto fingerprint = [&](const std::string& model) {
    return served.answer(kText,
                         R"({"model": ")" + model + R"(", "prompt": "x", "max_tokens": 1})")["system_fingerprint"];
  };
  EXPECT_EQ(fingerprint("tiny@stride:2"), fingerprint("tiny@0,0,2,2,4,4"));
  EXPECT_NE(fingerprint("tiny@stride:2"), fingerprint("tiny"));
}

TEST(HttpServer, GoesOnWithAText) {
  Served served;
  const Plain answer = served.answer(kText, R"({"model": "tiny", "prompt": ["Once"], "max_tokens": 2, "stop": "x"})");
  EXPECT_EQ(answer["object"], "text_completion");
  EXPECT_EQ(answer["choices"][0]["text"], "word0 word1");
  ASSERT_EQ(served.slow.tasks.size(), 1U);
  EXPECT_EQ(served.slow.tasks[0].prompt, TextPrompt("Once"));
  EXPECT_FALSE(served.slow.tasks[0].echo);
  EXPECT_FALSE(served.slow.tasks[0].logprobs);
}

TEST(HttpServer, SeveralPromptsAreChoicesInTheirOrder) {
  Served served;
  const auto promptsOf = [&](const std::string& prompt) {
    served.slow.tasks.clear();
    const Plain answer = served.answer(kText, R"({"model": "tiny", "max_tokens": 2, "prompt": )" + prompt + "}");
    EXPECT_EQ(answer["choices"].size(), served.slow.tasks.size());
    for (std::size_t i = 0; i < answer["choices"].size(); ++i) EXPECT_EQ(answer["choices"][i]["index"], i);
    EXPECT_EQ(answer["usage"]["prompt_tokens"], 7 * served.slow.tasks.size());
    EXPECT_EQ(answer["usage"]["completion_tokens"], 2 * served.slow.tasks.size());
    std::vector<TextPrompt> prompts;
    for (const CompletionTask& task : served.slow.tasks) prompts.push_back(task.prompt);
    return prompts;
  };
  using Ids = std::vector<int>;
  EXPECT_EQ(promptsOf(R"(["One", "Two"])"), (std::vector<TextPrompt>{"One", "Two"}));
  EXPECT_EQ(promptsOf("[1, 2, 3]"), (std::vector<TextPrompt>{Ids{1, 2, 3}}));
  EXPECT_EQ(promptsOf("[[1, 2], [3]]"), (std::vector<TextPrompt>{Ids{1, 2}, Ids{3}}));
  EXPECT_EQ(promptsOf(R"([[1], "Two"])"), (std::vector<TextPrompt>{Ids{1}, "Two"}));
}

TEST(HttpServer, EchoesAndListsLogProbabilitiesInOpenAisLegacyShape) {
  Served served;
  const Plain answer =
      served.answer(kText, R"({"model": "tiny", "prompt": "x", "max_tokens": 1, "echo": true, "logprobs": 2})");
  EXPECT_EQ(answer["choices"][0]["text"], "echo word0");
  const Plain logprobs = answer["choices"][0]["logprobs"];
  EXPECT_EQ(logprobs["tokens"], Plain({"a", "same"}));
  EXPECT_EQ(logprobs["token_logprobs"], Plain({nullptr, -2.5}));
  EXPECT_EQ(logprobs["text_offset"], Plain({0, 1}));
  EXPECT_EQ(logprobs["top_logprobs"][0], Plain());
  EXPECT_EQ(logprobs["top_logprobs"][1], (Plain{{"same", -0.5}, {"other", -1.5}})) << "the likeliest of one text";
  EXPECT_EQ(served.slow.tasks[0].logprobs, 2);
  const Plain without = served.answer(kText, R"({"model": "tiny", "prompt": "x", "max_tokens": 1, "logprobs": false})");
  EXPECT_EQ(without["choices"][0]["logprobs"], Plain());
}

TEST(HttpServer, AnAnswerOfNoTokensScoresThePrompt) {
  Served served;
  const Plain answer =
      served.answer(kText, R"({"model": "tiny", "prompt": "x", "max_tokens": 0, "echo": true, "logprobs": 0})");
  EXPECT_FALSE(served.slow.tasks[0].generates);
  EXPECT_EQ(answer["choices"][0]["text"], "echo ");
  EXPECT_EQ(answer["choices"][0]["finish_reason"], "length");
  EXPECT_EQ(answer["usage"]["completion_tokens"], 0);
}

TEST(HttpServer, NamesWhatIsWrongWithACompletion) {
  const Served served;
  std::string prompts = R"("x")";
  for (int i = 0; i < 256; ++i) prompts += R"(, "x")";
  const std::vector<std::pair<std::string, const char*>> fields = {
      {R"("prompt": "x", "max_tokens": 0)", "max_tokens"},
      {R"("prompt": "x", "max_tokens": -1)", "max_tokens"},
      {R"("prompt": "x", "logprobs": 21)", "logprobs"},
      {R"("prompt": "x", "logprobs": -1)", "logprobs"},
      {R"("prompt": "x", "logprobs": true)", "logprobs"},
      {R"("prompt": "x", "echo": 1)", "echo"},
      {R"("prompt": "x", "n": 2)", "n"},
      {R"("prompt": "x", "best_of": 2)", "best_of"},
      {R"("prompt": "x", "top_logprobs": 2)", "top_logprobs"},
      {R"("prompt": "x", "suffix": "y")", "suffix"},
      {R"("prompt": "x", "stream": true, "echo": true)", "stream"},
      {R"("prompt": "x", "stream": true, "logprobs": 1)", "stream"},
      {R"("prompt": ["x", "y"], "stream": true)", "stream"},
      {R"("max_tokens": 1)", "prompt"},
      {R"("prompt": 3)", "prompt"},
      {R"("prompt": [])", "prompt"},
      {R"("prompt": [[]])", "prompt[0]"},
      {R"("prompt": ["x", 3])", "prompt[1]"},
      {R"("prompt": [1, -2])", "prompt[0]"},
      {R"("prompt": [[1, 2.5]])", "prompt[0]"},
      {R"("prompt": [[1, 3000000000]])", "prompt[0]"},
      {R"("prompt": [)" + prompts + "]", "prompt"},
  };
  for (const auto& [field, param] : fields) {
    const Plain answer = served.answer(kText, R"({"model": "tiny", )" + field + "}", 400);
    EXPECT_EQ(answer["error"]["param"], param) << field.substr(0, 80);
    EXPECT_THAT(answer["error"]["message"].get<std::string>(), HasSubstr(param));
  }
}

TEST(HttpServer, ACancelledPromptEndsTheRequest) {
  Served served;
  served.slow.perToken = 20ms;
  {
    const RawSocket client(served.port);
    const std::string body = R"({"model": "tiny", "prompt": ["x", "y", "z"], "max_tokens": 100})";
    client.send(rawRequest("POST", kText, usualHeaders(body.size()), body));
    ASSERT_TRUE(waitUntil([&] { return served.slow.running == 1; }));
  }
  EXPECT_TRUE(waitUntil([&] { return served.server.state().active == 0; }));
  const std::lock_guard lock(served.slow.mutex);
  EXPECT_EQ(served.slow.tasks.size(), 1U);
  EXPECT_EQ(served.slow.cancelled, 1);
}

TEST(HttpServer, TokenizesAsVllmDoes) {
  Served served;
  const Plain whole = served.answer("/tokenize", R"({"model": "tiny", "prompt": "AB"})");
  EXPECT_EQ(whole["tokens"], Plain({1, 65, 66}));
  EXPECT_EQ(whole["count"], 3);
  EXPECT_EQ(whole["max_model_len"], 512);
  EXPECT_EQ(served.answer("/tokenize", R"({"prompt": "AB", "add_special_tokens": false})")["tokens"], Plain({65, 66}));
  EXPECT_EQ(served.answer("/detokenize", R"({"tokens": [65, 66]})")["prompt"], "AB");
  EXPECT_EQ(Plain::parse(served.client().Get("/tokenizer_info")->body)["eos_token"], "</s>");
  EXPECT_EQ(served.client().Get("/tokenize")->status, 405);
  EXPECT_EQ(served.post("/tokenizer_info", "{}")->status, 405);
}

TEST(HttpServer, NamesWhatIsWrongWithATokenRequest) {
  Served served;
  const auto refused = [&](const char* path, const char* body, const char* word, int status = 400) {
    EXPECT_THAT(served.answer(path, body, status)["error"]["message"].get<std::string>(), HasSubstr(word)) << body;
  };
  refused("/tokenize", R"({})", "\"prompt\" is missing");
  refused("/tokenize", R"({"prompt": [1]})", "\"prompt\" is a list");
  refused("/tokenize", R"({"prompt": "x", "messages": []})", "\"messages\" is not known");
  refused("/tokenize", R"({"prompt": "x", "add_special_tokens": 1})", "true or false");
  refused("/tokenize", R"({"prompt": "x", "model": "huge"})", "served are: tiny", 404);
  refused("/tokenize", R"({"prompt": "x", "model": 1})", "the name of a model");
  refused("/detokenize", R"({})", "\"tokens\" is missing");
  refused("/detokenize", R"({"tokens": "x"})", "whole numbers from 0");
  refused("/detokenize", R"({"tokens": [-1]})", "whole numbers from 0");
  refused("/detokenize", R"({"tokens": [256]})", "outside the vocabulary");
  refused("/detokenize", "[", "not valid JSON");
  ASSERT_TRUE(served.server.serve(refOf("mute"), served.never));
  refused("/tokenize", R"({"prompt": "x"})", "2 are served");
  EXPECT_EQ(served.client().Get("/tokenizer_info")->status, 400);
  EXPECT_EQ(Plain::parse(served.client().Get("/tokenizer_info?model=tiny")->body)["model"], "tiny");
  EXPECT_THAT(served.client().Get("/tokenizer_info?model=mute")->body, HasSubstr("has no tokenizer"));
}

TEST(HttpServer, WithoutALimitAnAnswerMayFillTheContext) {
  Served served;
  served.answer(kText, R"({"model": "tiny", "prompt": "x"})");
  EXPECT_EQ(served.server.state().requests, 1);
  const Plain answer = served.answer(kText, R"({"model": "tiny", "prompt": "x"})");
  EXPECT_EQ(answer["usage"]["completion_tokens"], 512);
}

TEST(HttpServer, StreamsChunksThenUsageThenDone) {
  const Served served;
  const auto response = served.post(
      kChat,
      R"({"model": "tiny", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 3, "stream": true, "stream_options": {"include_usage": true}})");
  ASSERT_TRUE(response);
  EXPECT_EQ(response->status, 200);
  EXPECT_THAT(response->get_header_value("Content-Type"), HasSubstr("text/event-stream"));
  const auto events = eventsOf(response->body);
  ASSERT_GE(events.size(), 4U);
  EXPECT_EQ(events.back(), "[DONE]");
  const Plain first = Plain::parse(events.front());
  EXPECT_EQ(first["object"], "chat.completion.chunk");
  EXPECT_EQ(first["choices"][0]["delta"]["role"], "assistant");
  EXPECT_TRUE(first["usage"].is_null());
  std::string text;
  for (std::size_t i = 0; i + 2 < events.size(); ++i) {
    const Plain chunk = Plain::parse(events[i]);
    EXPECT_EQ(chunk["id"], first["id"]);
    text += chunk["choices"][0]["delta"].value("content", "");
  }
  EXPECT_EQ(text, "word0 word1 word2");
  const Plain last = Plain::parse(events[events.size() - 3]);
  EXPECT_EQ(last["choices"][0]["finish_reason"], "length");
  EXPECT_EQ(last["strata"]["kv_bytes"], 4096);
  const Plain usage = Plain::parse(events[events.size() - 2]);
  EXPECT_TRUE(usage["choices"].empty());
  EXPECT_EQ(usage["usage"]["completion_tokens"], 3);
}

TEST(HttpServer, AStreamOfACompletionHasNoUsageUnlessAsked) {
  const Served served;
  const auto response = served.post(kText, R"({"model": "tiny", "prompt": "x", "max_tokens": 2, "stream": true})");
  ASSERT_TRUE(response);
  EXPECT_THAT(response->body, AllOf(HasSubstr("text_completion"), Not(HasSubstr("usage"))));
  EXPECT_EQ(eventsOf(response->body).back(), "[DONE]");
}

TEST(HttpServer, AnErrorOfTheEngineIsTheStatusOfAStreamToo) {
  Served served;
  served.slow.problem = Error{ErrorCode::usage, "The prompt has 600 tokens and the context is 512.", "--context"};
  for (const char* stream : {"true", "false"}) {
    const Plain answer =
        served.answer(kText, std::string(R"({"model": "tiny", "prompt": "x", "stream": )") + stream + "}", 400);
    EXPECT_EQ(answer["error"]["message"], "The prompt has 600 tokens and the context is 512.");
    EXPECT_EQ(answer["error"]["type"], "invalid_request_error");
  }
}

TEST(HttpServer, NamesWhatIsWrongWithARequest) {
  const Served served;
  struct Case {
    const char* body;
    int status;
    const char* param;  // nullptr: null
    const char* sentence;
  };
  const std::string ask = R"("model": "tiny", "messages": [{"role": "user", "content": "x"}])";
  const std::vector<Case> cases = {
      {"{", 400, nullptr, "not valid JSON"},
      {"[]", 400, nullptr, "a list"},
      {R"({"a": 1, "a": 2})", 400, nullptr, "a"},
      {R"({"messages": []})", 400, "model", "\"model\" is missing"},
      {R"({"model": "tiny"})", 400, "messages", "\"messages\" is missing or empty"},
      {R"({"model": "tiny", "messages": "x"})", 400, "messages", "a text"},
      {R"({"model": "tiny", "messages": [{"role": "tool", "content": "x"}]})", 400, "messages[0].role", "tool"},
      {R"({"model": "tiny", "messages": [{"role": "user"}]})", 400, "messages[0].content", "no \"content\""},
      {R"({"model": "tiny", "messages": [{"role": "user", "content": [{"type": "image_url"}]}]})", 400,
       "messages[0].content", "only text"},
      {R"({"model": "tiny", "messages": [{"role": "assistant", "content": "x"}]})", 400, "messages", "assistant"},
      {R"({"model": 3, "messages": []})", 400, "model", "a number"},
      {R"({"model": "huge", "messages": [{"role": "user", "content": "x"}]})", 404, "model", "served are: tiny"},
      {R"({"model": "tiny@stride:99x", "messages": [{"role": "user", "content": "x"}]})", 400, "model", "stride"},
      {R"({"model": "tiny@0,2,2,3,4,5", "messages": [{"role": "user", "content": "x"}]})", 400, "model", "layer 1"},
      {R"({"model": "tiny@file:/etc/passwd", "messages": [{"role": "user", "content": "x"}]})", 400, "model",
       "not a file"},
  };
  for (const Case& test : cases) {
    const Plain answer = served.answer(kChat, test.body, test.status);
    ASSERT_TRUE(answer.contains("error")) << test.body;
    EXPECT_EQ(answer["error"]["param"], test.param == nullptr ? Plain() : Plain(test.param)) << test.body;
    EXPECT_THAT(answer["error"]["message"].get<std::string>(), HasSubstr(test.sentence)) << test.body;
  }
  const std::vector<std::pair<const char*, const char*>> fields = {
      {R"("n": 2)", "n"},
      {R"("temperature": "hot")", "temperature"},
      {R"("temperature": -1)", "temperature"},
      {R"("top_p": 1.5)", "top_p"},
      {R"("max_tokens": 0)", "max_tokens"},
      {R"("max_tokens": 2.5)", "max_tokens"},
      {R"("seed": "x")", "seed"},
      {R"("stop": [1])", "stop"},
      {R"("stop": "")", "stop"},
      {R"("stream": 1)", "stream"},
      {R"("frequency_penalty": 0.5)", "frequency_penalty"},
      {R"("logprobs": true)", "logprobs"},
      {R"("tools": [{"type": "function"}])", "tools"},
      {R"("response_format": {"type": "json_object"})", "response_format"},
      {R"("logit_bias": {"5": 1})", "logit_bias"},
      {R"("bogus": 1)", "bogus"},
  };
  for (const auto& [field, param] : fields) {
    const Plain answer = served.answer(kChat, "{" + ask + ", " + field + "}", 400);
    EXPECT_EQ(answer["error"]["param"], param) << field;
    EXPECT_THAT(answer["error"]["message"].get<std::string>(), HasSubstr(param));
  }
}

TEST(HttpServer, FieldsThatAskForNothingAreTaken) {
  const Served served;
  served.answer(
      kChat,
      R"({"model": "tiny", "messages": [{"role": "user", "content": "x", "name": "me"}], "max_tokens": 1, "n": 1, "frequency_penalty": 0, "presence_penalty": 0.0, "logit_bias": {}, "logprobs": false, "tools": [], "tool_choice": "auto", "response_format": {"type": "text"}, "user": "me", "metadata": {"a": "b"}, "stop": null, "seed": null})");
}

TEST(HttpServer, AModelThatCannotChatSaysWhy) {
  Served served;
  ASSERT_TRUE(served.server.serve(refOf("mute"), served.never));
  const Plain answer =
      served.answer(kChat, R"({"model": "mute", "messages": [{"role": "user", "content": "x"}]})", 400);
  EXPECT_EQ(answer["error"]["message"], "The model has no tokenizer.");
}

TEST(HttpServer, TwoModelsOfOneNameGetTwoAndOneCanBeTakenAway) {
  Served served;
  EXPECT_EQ(*served.server.serve(refOf("other/tiny"), served.never), "tiny-2");
  EXPECT_EQ(*served.server.serve(refOf("other/tiny"), served.never), "tiny-2") << "again is the same";
  EXPECT_EQ(served.server.state().models, (std::vector<std::string>{"tiny", "tiny-2"}));
  EXPECT_TRUE(served.server.unserve("other/tiny"));
  EXPECT_FALSE(served.server.unserve("other/tiny"));
  EXPECT_FALSE(served.server.serve(refOf("missing"), served.never));
}

TEST(HttpServer, ATakenPortIsASentenceUnlessAnyWillDo) {
  const Served served;
  HttpServer::Options options;
  options.port = served.port;
  SlowEngine slow;
  HttpServer second(slow.engine(), options);
  const auto started = second.start();
  ASSERT_FALSE(started);
  EXPECT_THAT(started.error().message,
              AllOf(HasSubstr(std::to_string(served.port)), HasSubstr("another program has it")));
  const Served third, fourth;
  EXPECT_NE(third.port, fourth.port);
}

TEST(HttpServer, ATokenIsMadeWhereNoneIsGiven) {
  SlowEngine slow;
  const HttpServer a(slow.engine(), {}), b(slow.engine(), {});
  EXPECT_EQ(a.state().token.size(), 64U);
  EXPECT_NE(a.state().token, b.state().token);
}

TEST(HttpServer, StoppingEndsWhatIsUnderWay) {
  Served served;
  served.slow.perToken = 20ms;
  std::thread client([&] {
    served.post(kChat, R"({"model": "tiny", "messages": [{"role": "user", "content": "x"}], "stream": true})");
  });
  ASSERT_TRUE(waitUntil([&] { return served.slow.running == 1; }));
  const RawSocket idle(served.port);
  const auto begin = std::chrono::steady_clock::now();
  served.server.stop();
  EXPECT_LT(std::chrono::steady_clock::now() - begin, 3s);
  client.join();
  EXPECT_EQ(served.slow.running, 0);
  EXPECT_FALSE(served.server.state().on);
}

TEST(HttpServer, CountsItsRequests) {
  std::atomic<int> changes = 0;
  HttpServer::Options options;
  options.onChange = [&] { ++changes; };
  const Served served(options);
  served.answer(kChat, kHello);
  EXPECT_TRUE(waitUntil([&] { return served.server.state().requests == 1 && served.server.state().active == 0; }));
  EXPECT_GE(changes, 4);  // served, started, begun, done
}

}  // namespace
}  // namespace strata::testing
