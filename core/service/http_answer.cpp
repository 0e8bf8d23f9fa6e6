#include "core/service/http_answer.h"

#include <chrono>
#include <span>
#include <utility>

#include "core/base/files.h"
#include "core/service/http_guard.h"

namespace strata {
namespace {

std::string event(const Json& json) {
  return "data: " + dumpLine(json) + "\n\n";
}

Json usageOf(std::int64_t prompt, std::int64_t cached, std::int64_t made) {
  return {{"prompt_tokens", prompt},
          {"completion_tokens", made},
          {"total_tokens", prompt + made},
          {"prompt_tokens_details", {{"cached_tokens", cached}}}};
}

Json usageOf(const protocol::Answer& answer) {
  return usageOf(answer.promptTokens, answer.cachedTokens, static_cast<std::int64_t>(answer.ids.size()));
}

/// OpenAI's legacy shape: four lists of one length. Of tokens that look alike the likeliest is listed.
Json logprobsOf(const std::vector<TokenScore>& scores) {
  Json tokens = Json::array(), logprobs = Json::array(), top = Json::array(), offsets = Json::array();
  for (const TokenScore& score : scores) {
    tokens.push_back(score.text);
    offsets.push_back(score.offset);
    logprobs.push_back(score.logprob ? Json(*score.logprob) : Json(nullptr));
    Json likeliest = score.logprob ? Json::object() : Json(nullptr);
    for (const auto& [text, logprob] : score.likeliest) {
      if (!likeliest.contains(text) || likeliest[text].get<double>() < logprob) likeliest[text] = logprob;
    }
    top.push_back(std::move(likeliest));
  }
  Json lists = Json::object();  // moved: an initialiser list would copy them
  lists["tokens"] = std::move(tokens);
  lists["token_logprobs"] = std::move(logprobs);
  lists["top_logprobs"] = std::move(top);
  lists["text_offset"] = std::move(offsets);
  return lists;
}

/// eos and stop are one to OpenAI.
const char* finishOf(const protocol::Answer& answer) {
  return answer.finish == "length" ? "length" : "stop";
}

/// Changes with whatever may change a seeded answer: weights, map, precision, device.
std::string fingerprintOf(const ServedSide& side) {
  const protocol::LoadedModel& info = side.model.info;
  const auto map = parseMap(side.side.map, info.layers);
  const std::string text = info.hash + "\n" + (map ? printMap(*map) : side.side.map) + "\n" + info.dtype +
                           info.ref.weights + (info.ref.kv.empty() ? "" : " kv " + info.ref.kv) + "\n" + info.device;
  return "fp_" + sha256(std::as_bytes(std::span(text))).substr(0, 12);
}

}  // namespace

HttpAnswer::HttpAnswer(const CompletionRequest& request, const ServedSide& side)
    : m_chat(request.chat),
      m_includeUsage(request.includeUsage),
      m_withScores(request.logprobs.has_value()),
      m_id((request.chat ? "chatcmpl-" : "cmpl-") + makeToken().substr(0, 24)),
      m_model(side.id),
      m_fingerprint(fingerprintOf(side)),
      m_created(std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch())
                    .count()) {}

Json HttpAnswer::envelope(const char* object) const {
  return {{"id", m_id},
          {"object", object},
          {"created", m_created},
          {"model", m_model},
          {"system_fingerprint", m_fingerprint}};
}

Json HttpAnswer::madeBy(const protocol::Answer& answer) const {
  return {
      {"map", answer.madeBy.map},         {"kv_bytes", answer.kvBytes},          {"kv_bytes_full", answer.kvBytesFull},
      {"model_hash", answer.madeBy.hash}, {"seed", answer.madeBy.sampling.seed}, {"finish", answer.finish}};
}

Json HttpAnswer::whole(const std::vector<Completion>& completions) const {
  Json json = envelope(m_chat ? "chat.completion" : "text_completion");
  Json choices = Json::array();
  std::int64_t prompt = 0, cached = 0, made = 0;
  protocol::Answer largest = completions.front().answer;
  for (const Completion& completion : completions) {
    const protocol::Answer& answer = completion.answer;
    Json choice = {{"index", choices.size()}};
    if (m_chat) {
      choice["message"] = {{"role", "assistant"}, {"content", answer.text}, {"refusal", nullptr}};
    } else {
      choice["text"] = completion.prompt + answer.text;
    }
    choice["logprobs"] = m_withScores ? logprobsOf(completion.scores) : Json(nullptr);
    choice["finish_reason"] = finishOf(answer);
    choices.push_back(std::move(choice));
    prompt += answer.promptTokens;
    cached += answer.cachedTokens;
    made += static_cast<std::int64_t>(answer.ids.size());
    if (answer.kvBytes > largest.kvBytes) largest = answer;
  }
  json["choices"] = std::move(choices);
  json["usage"] = usageOf(prompt, cached, made);
  json["strata"] = madeBy(largest);  // of several prompts, with the largest cache
  return json;
}

Json HttpAnswer::chunk(const Json& delta, const Json& finish) const {
  Json json = envelope(m_chat ? "chat.completion.chunk" : "text_completion");
  Json choice = {{"index", 0}};
  if (m_chat) {
    choice["delta"] = delta;
  } else {
    choice["text"] = delta.value("content", std::string());
  }
  choice["logprobs"] = nullptr;
  choice["finish_reason"] = finish;
  json["choices"] = Json::array({choice});
  if (m_includeUsage) json["usage"] = nullptr;
  return json;
}

std::string HttpAnswer::begin() const {
  return m_chat ? event(chunk({{"role", "assistant"}, {"content", ""}}, nullptr)) : std::string();
}

std::string HttpAnswer::text(const std::string& piece) const {
  return event(chunk({{"content", piece}}, nullptr));
}

std::string HttpAnswer::end(const protocol::Answer& answer) const {
  Json last = chunk(Json::object(), finishOf(answer));
  last["strata"] = madeBy(answer);
  std::string events = event(last);
  if (m_includeUsage) {
    Json usage = envelope(m_chat ? "chat.completion.chunk" : "text_completion");
    usage["choices"] = Json::array();
    usage["usage"] = usageOf(answer);
    events += event(usage);
  }
  return events + "data: [DONE]\n\n";
}

std::string HttpAnswer::failure(const HttpProblem& problem) {
  return event(problemToJson(problem));
}

}  // namespace strata
