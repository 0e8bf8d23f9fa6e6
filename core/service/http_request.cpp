#include "core/service/http_request.h"

#include <algorithm>
#include <array>
#include <limits>
#include <random>
#include <utility>

namespace strata {
namespace {

constexpr std::size_t kMostStops = 16;
constexpr std::size_t kMostPrompts = 256;
constexpr int kMostLogprobs = 20;

/// The caller's own books.
constexpr std::array<std::string_view, 8> kLeftAlone = {"user",
                                                        "metadata",
                                                        "store",
                                                        "service_tier",
                                                        "safety_identifier",
                                                        "prompt_cache_key",
                                                        "parallel_tool_calls",
                                                        "prompt_cache_retention"};

/// What this server does not do, unless the field asks for nothing.
struct Unsupported {
  const char* name;
  const char* nothing;  // JSON values that ask for nothing, null apart
};
constexpr std::array<Unsupported, 21> kUnsupported = {{{"frequency_penalty", "[0, 0.0]"},
                                                       {"presence_penalty", "[0, 0.0]"},
                                                       {"logit_bias", "[{}]"},
                                                       {"logprobs", "[false]"},
                                                       {"top_logprobs", "[0]"},
                                                       {"n", "[1]"},
                                                       {"best_of", "[1]"},
                                                       {"echo", "[false]"},
                                                       {"suffix", "[\"\"]"},
                                                       {"tools", "[[]]"},
                                                       {"tool_choice", "[\"none\", \"auto\"]"},
                                                       {"functions", "[[]]"},
                                                       {"function_call", "[\"none\", \"auto\"]"},
                                                       {"response_format", "[{\"type\": \"text\"}]"},
                                                       {"modalities", "[[\"text\"]]"},
                                                       {"audio", "[]"},
                                                       {"prediction", "[]"},
                                                       {"reasoning_effort", "[\"none\"]"},
                                                       {"verbosity", "[]"},
                                                       {"web_search_options", "[]"},
                                                       {"moderation", "[]"}}};

const char* kindOf(const Json& json) {
  if (json.is_string()) return "a text";
  if (json.is_boolean()) return "true or false";
  if (json.is_number()) return "a number";
  if (json.is_array()) return "a list";
  if (json.is_object()) return "an object";
  return "null";
}

HttpProblem wrongField(const std::string& name, const Json& value, const char* wanted) {
  return HttpProblem::badField(name, "\"" + name + "\" is " + kindOf(value) + "; give " + wanted + ".");
}

HttpProblem unknownField(const std::string& name) {
  return HttpProblem::unsupportedField(name, "\"" + name.substr(0, 60) + "\" is not known; leave it out.");
}

/// A list of token ids; nothing where it is anything else.
std::optional<std::vector<int>> idsOf(const Json& value) {
  if (!value.is_array()) return std::nullopt;
  std::vector<int> ids;
  ids.reserve(value.size());
  for (const Json& id : value) {
    const bool fits = id.is_number_unsigned() && id.get<std::uint64_t>() <= std::numeric_limits<int>::max();
    if (!fits) return std::nullopt;
    ids.push_back(id.get<int>());
  }
  return ids;
}

/// Walks the members of the body; the first problem stands.
class Reader {
 public:
  Reader(const Json& body, CompletionRequest& request) : m_body(body), m_request(request) {}

  std::optional<HttpProblem> read() {
    for (const auto& [name, value] : m_body.items()) {
      member(name, value);
      if (m_problem) return m_problem;
    }
    if (m_request.model.empty()) {
      wrong("model", "\"model\" is missing; name one that GET /v1/models lists.");
    } else if (m_request.chat && m_request.turns.empty()) {
      wrong("messages", "\"messages\" is missing or empty; give at least the user's message.");
    } else if (!m_request.chat && m_request.prompts.empty()) {
      wrong("prompt", "\"prompt\" is missing; give a text.");
    } else if (!m_request.generates && !m_request.echo) {
      wrong("max_tokens",
            "\"max_tokens\" is 0, so there is no answer; give at least 1, or \"echo\": true to score the prompt.");
    } else if (m_request.stream && (m_request.echo || m_request.logprobs || m_request.prompts.size() > 1)) {
      wrong("stream", "\"stream\" takes one prompt, without \"echo\" and \"logprobs\"; leave out one or the other.");
    } else if (m_request.chat && m_request.turns.back().role != "user") {
      wrong("messages", "The last of the messages is the " + m_request.turns.back().role +
                            "'s; end with the user's, which is to be answered.");
    }
    return m_problem;
  }

 private:
  void wrong(const std::string& param, const std::string& message) {
    if (!m_problem) m_problem = HttpProblem::badField(param, message);
  }
  void wrongType(const std::string& name, const Json& value, const char* wanted) {
    if (!m_problem) m_problem = wrongField(name, value, wanted);
  }

  void member(const std::string& name, const Json& value) {
    GenerateConfig& sampling = m_request.sampling;
    if (name == "model") {
      if (!value.is_string()) return wrongType(name, value, "the name of a model");
      m_request.model = value.get<std::string>();
    } else if (name == "messages" && m_request.chat) {
      messages(value);
    } else if (name == "prompt" && !m_request.chat) {
      prompt(value);
    } else if (value.is_null()) {
      return;  // as if it were left out
    } else if (name == "max_tokens" || (name == "max_completion_tokens" && m_request.chat)) {
      m_request.limited = true;
      int limit = sampling.maxTokens;
      whole(name, value, m_request.chat ? 1 : 0, 10'000'000, limit);
      m_request.generates = limit > 0;
      sampling.maxTokens = std::max(limit, 1);
    } else if (name == "echo" && !m_request.chat) {
      boolean(name, value, m_request.echo);
    } else if (name == "logprobs" && !m_request.chat && value != false) {
      int count = 0;
      whole(name, value, 0, kMostLogprobs, count);
      m_request.logprobs = count;
    } else if (name == "temperature") {
      number(name, value, 0, 100, sampling.temperature);
    } else if (name == "top_p") {
      number(name, value, 0, 1, sampling.topP);
    } else if (name == "min_p") {
      number(name, value, 0, 1, sampling.minP);
    } else if (name == "top_k") {
      whole(name, value, 0, 1'000'000'000, sampling.topK);
    } else if (name == "repeat_penalty" || name == "repetition_penalty") {
      number(name, value, 0.01, 100, sampling.repeatPenalty);
    } else if (name == "ignore_eos") {
      boolean(name, value, sampling.ignoreEos);
    } else if (name == "seed") {
      if (!value.is_number_integer()) return wrongType(name, value, "a whole number");
      sampling.seed = value.is_number_unsigned() ? value.get<std::uint64_t>()
                                                 : static_cast<std::uint64_t>(value.get<std::int64_t>());
      m_request.seeded = true;
    } else if (name == "stop") {
      stops(value);
    } else if (name == "stream") {
      boolean(name, value, m_request.stream);
    } else if (name == "stream_options") {
      streamOptions(value);
    } else {
      other(name, value);
    }
  }

  void number(const std::string& name, const Json& value, double least, double most, double& field) {
    if (!value.is_number()) return wrongType(name, value, "a number");
    field = value.get<double>();
    if (!(field >= least && field <= most)) outOfRange(name, value, Json(least), Json(most));
  }
  void whole(const std::string& name, const Json& value, int least, int most, int& field) {
    if (!value.is_number_integer()) return wrongType(name, value, "a whole number");
    const bool huge = value.is_number_unsigned() && value.get<std::uint64_t>() > std::uint64_t{1} << 62;
    const std::int64_t given = huge ? std::numeric_limits<std::int64_t>::max() : value.get<std::int64_t>();
    if (given < least || given > most) return outOfRange(name, value, Json(least), Json(most));
    field = static_cast<int>(given);
  }
  void outOfRange(const std::string& name, const Json& value, const Json& least, const Json& most) {
    wrong(name, "\"" + name + "\" is " + value.dump() + "; give " + least.dump() + " to " + most.dump() + ".");
  }
  void boolean(const std::string& name, const Json& value, bool& field) {
    if (!value.is_boolean()) return wrongType(name, value, "true or false");
    field = value.get<bool>();
  }

  void prompt(const Json& value) {
    std::vector<TextPrompt>& prompts = m_request.prompts;
    if (const auto ids = idsOf(value); value.is_string()) {
      prompts.emplace_back(value.get<std::string>());
    } else if (ids && !ids->empty()) {
      prompts.emplace_back(*ids);
    } else if (value.is_array() && value.size() > kMostPrompts) {
      wrong("prompt", "\"prompt\" holds " + std::to_string(value.size()) + " prompts; give at most " +
                          std::to_string(kMostPrompts) + ".");
    } else if (value.is_array()) {
      for (std::size_t i = 0; i < value.size() && !m_problem; ++i)
        onePrompt(value[i], "prompt[" + std::to_string(i) + "]");
      if (value.empty()) wrong("prompt", "\"prompt\" is an empty list; give at least one text or token id.");
    } else {
      wrongType("prompt", value, "a text, a list of token ids, or a list of texts or of such lists");
    }
  }
  void onePrompt(const Json& value, const std::string& where) {
    if (value.is_string()) {
      m_request.prompts.emplace_back(value.get<std::string>());
    } else if (const auto ids = idsOf(value); ids && !ids->empty()) {
      m_request.prompts.emplace_back(*ids);
    } else {
      wrong(where, "\"" + where + "\" is neither a text nor a list of token ids (whole numbers from 0, at least one).");
    }
  }

  void messages(const Json& value) {
    if (!value.is_array()) return wrongType("messages", value, "a list of {\"role\", \"content\"}");
    for (std::size_t i = 0; i < value.size() && !m_problem; ++i) {
      message(value[i], "messages[" + std::to_string(i) + "]");
    }
  }
  void message(const Json& value, const std::string& where) {
    if (!value.is_object()) return wrongType(where, value, "an object with \"role\" and \"content\"");
    protocol::Turn turn;
    for (const auto& [name, field] : value.items()) {
      if (name == "role") {
        if (!field.is_string()) return wrongType(where + ".role", field, "system, user or assistant");
        turn.role = field.get<std::string>() == "developer" ? "system" : field.get<std::string>();
      } else if (name == "content") {
        content(field, where + ".content", turn.content);
      } else if (name != "name" && name != "refusal" && !field.is_null()) {
        m_problem = HttpProblem::unsupportedField(where + "." + name, "\"" + where + "." + name +
                                                                          "\" is not supported; a message has "
                                                                          "\"role\" and \"content\".");
      }
      if (m_problem) return;
    }
    if (turn.role != "system" && turn.role != "user" && turn.role != "assistant") {
      return wrong(where + ".role", "The role of " + where + " is \"" + turn.role +
                                        "\"; give system, user or assistant (tools are not supported).");
    }
    if (!value.contains("content")) return wrong(where + ".content", where + " has no \"content\"; give a text.");
    m_request.turns.push_back(std::move(turn));
  }
  void content(const Json& value, const std::string& where, std::string& text) {
    if (value.is_string()) {
      text = value.get<std::string>();
      return;
    }
    if (!value.is_array()) return wrongType(where, value, "a text or a list of text parts");
    for (const Json& part : value) {
      const bool isText = part.is_object() && part.contains("type") && part["type"] == "text" &&
                          part.contains("text") && part["text"].is_string();
      if (!isText)
        return wrong(where, where + " holds a part that is not {\"type\": \"text\", \"text\"}; only text is read.");
      text += part["text"].get<std::string>();
    }
  }

  void stops(const Json& value) {
    const Json list = value.is_array() ? value : Json::array({value});
    for (const Json& stop : list) {
      if (!stop.is_string()) return wrongType("stop", value, "a text or a list of texts");
      if (stop.get_ref<const std::string&>().empty())
        return wrong("stop", "\"stop\" holds an empty text; give one that can come.");
      m_request.sampling.stop.push_back(stop.get<std::string>());
    }
    if (list.size() > kMostStops)
      wrong("stop", "\"stop\" holds " + std::to_string(list.size()) + " texts; give at most " +
                        std::to_string(kMostStops) + ".");
  }

  void streamOptions(const Json& value) {
    if (!value.is_object()) return wrongType("stream_options", value, "an object");
    for (const auto& [name, field] : value.items()) {
      if (name == "include_usage") {
        boolean("stream_options.include_usage", field, m_request.includeUsage);
      } else if (name != "include_obfuscation") {
        m_problem = HttpProblem::unsupportedField("stream_options." + name,
                                                  "\"stream_options." + name + "\" is not known; leave it out.");
      }
      if (m_problem) return;
    }
  }

  void other(const std::string& name, const Json& value) {
    for (const std::string_view known : kLeftAlone) {
      if (name == known) return;
    }
    for (const Unsupported& field : kUnsupported) {
      if (name != field.name) continue;
      for (const Json& nothing : Json::parse(field.nothing)) {
        if (value == nothing) return;
      }
      m_problem = HttpProblem::unsupportedField(
          name, "\"" + name + "\" is not supported with the value " + value.dump().substr(0, 60) + "; leave it out.");
      return;
    }
    m_problem = unknownField(name);
  }

  const Json& m_body;
  CompletionRequest& m_request;
  std::optional<HttpProblem> m_problem;
};

HttpResult<Json> parseObject(std::string_view body) {
  Result<Json> json = parseJson(body, "The request's body");
  if (!json) return tl::unexpected(HttpProblem{400, json.error().message, "invalid_request_error", {}, "invalid_json"});
  if (!json->is_object()) {
    return tl::unexpected(
        HttpProblem::badField({}, std::string("The request's body is ") + kindOf(*json) + "; give a JSON object."));
  }
  return std::move(*json);
}

}  // namespace

HttpResult<TokenizeRequest> parseTokenize(std::string_view body) {
  const HttpResult<Json> json = parseObject(body);
  if (!json) return tl::unexpected(json.error());
  TokenizeRequest request;
  bool hasText = false;
  for (const auto& [name, value] : json->items()) {
    if (name == "prompt") {
      if (!value.is_string()) return tl::unexpected(wrongField(name, value, "a text"));
      request.text = value.get<std::string>();
      hasText = true;
    } else if (value.is_null()) {
      continue;  // as if it were left out
    } else if (name == "model") {
      if (!value.is_string()) return tl::unexpected(wrongField(name, value, "the name of a model"));
      request.model = value.get<std::string>();
    } else if (name == "add_special_tokens") {
      if (!value.is_boolean()) return tl::unexpected(wrongField(name, value, "true or false"));
      request.specials = value.get<bool>();
    } else {
      return tl::unexpected(unknownField(name));
    }
  }
  if (!hasText) return tl::unexpected(HttpProblem::badField("prompt", "\"prompt\" is missing; give a text."));
  return request;
}

HttpResult<DetokenizeRequest> parseDetokenize(std::string_view body) {
  const HttpResult<Json> json = parseObject(body);
  if (!json) return tl::unexpected(json.error());
  DetokenizeRequest request;
  bool hasIds = false;
  for (const auto& [name, value] : json->items()) {
    if (name == "tokens") {
      auto ids = idsOf(value);
      if (!ids)
        return tl::unexpected(HttpProblem::badField(name, "\"tokens\" must be a list of whole numbers from 0."));
      request.ids = std::move(*ids);
      hasIds = true;
    } else if (value.is_null()) {
      continue;
    } else if (name == "model") {
      if (!value.is_string()) return tl::unexpected(wrongField(name, value, "the name of a model"));
      request.model = value.get<std::string>();
    } else {
      return tl::unexpected(unknownField(name));
    }
  }
  if (!hasIds)
    return tl::unexpected(HttpProblem::badField("tokens", "\"tokens\" is missing; give a list of token ids."));
  return request;
}

HttpResult<CompletionRequest> parseCompletion(std::string_view body, bool chat) {
  const HttpResult<Json> json = parseObject(body);
  if (!json) return tl::unexpected(json.error());
  CompletionRequest request;
  request.chat = chat;
  request.sampling.temperature = 1;
  if (auto problem = Reader(*json, request).read()) return tl::unexpected(std::move(*problem));
  if (!request.seeded) {
    std::random_device random;  // answers differ from request to request, as with OpenAI; the answer names the seed
    request.sampling.seed = random();
  }
  return request;
}

}  // namespace strata
