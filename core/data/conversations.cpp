#include "core/data/conversations.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

namespace strata {
namespace {

constexpr std::size_t kMostMessages = 4096;

// Notes in a message until readConversation() has taken them out: what the record said before it was brought into form.
constexpr const char* kArgumentsText = "strata: arguments as text";  // in a call's function
constexpr const char* kNullContent = "strata: content is null";

tl::unexpected<Error> broken(const std::string& place, const std::string& what) {
  return fail(ErrorCode::invalidData, place + ": " + what);
}

/// What a turn is: a role of the templates, with function calls told apart.
struct Role {
  std::string name;
  bool call = false;
};

Role roleOf(const std::string& given) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 11> kNames = {{{"human", "user"},
                                                                                     {"gpt", "assistant"},
                                                                                     {"chatgpt", "assistant"},
                                                                                     {"bing", "assistant"},
                                                                                     {"bard", "assistant"},
                                                                                     {"bot", "assistant"},
                                                                                     {"model", "assistant"},
                                                                                     {"observation", "tool"},
                                                                                     {"function_response", "tool"},
                                                                                     {"tool_response", "tool"},
                                                                                     {"function", "tool"}}};
  if (given == "function_call" || given == "tool_call") return {"assistant", true};
  for (const auto& [name, role] : kNames) {
    if (given == name) return {std::string(role), false};
  }
  return {given, false};
}

/// Text, or the text parts of a list joined.
Result<std::string> textOf(const Json& content, const std::string& place) {
  if (content.is_string()) return content.get<std::string>();
  if (!content.is_array()) return broken(place, "the content must be a text.");
  std::string text;
  for (const Json& part : content) {
    const bool isText =
        part.is_object() && part.value("type", Json()) == "text" && part.contains("text") && part["text"].is_string();
    if (!isText) return broken(place, "a part of the content is not text; a language model learns from text alone.");
    text += part["text"].get_ref<const std::string&>();
  }
  return text;
}

/// {"name", "arguments"} or {"function": {…}} as {"type": "function", "function": {…}}.
Result<Json> callOf(const Json& given, const std::string& place) {
  if (!given.is_object()) return broken(place, "a tool call must be an object with \"name\" and \"arguments\".");
  const bool wrapped = given.contains("function") && given["function"].is_object();
  Json function = wrapped ? given["function"] : given;
  if (!function.contains("name") || !function["name"].is_string()) {
    return broken(place, "a tool call has no \"name\"; add it.");
  }
  const Json arguments = function.contains("arguments") ? function["arguments"] : Json::object();
  function["arguments"] = unquoted(arguments);
  if (arguments.is_string()) function[kArgumentsText] = arguments;
  Json call = Json::object();
  if (wrapped) call = given;
  call["type"] = "function";
  call["function"] = std::move(function);
  return call;
}

Result<Json> callsOf(const Json& given, const std::string& place) {
  Json calls = Json::array();
  if (given.is_array()) {
    for (const Json& one : given) {
      STRATA_TRY(Json call, callOf(one, place));
      calls.push_back(std::move(call));
    }
    return calls;
  }
  STRATA_TRY(Json call, callOf(given, place));
  calls.push_back(std::move(call));
  return calls;
}

Result<Json> messageOf(const Json& turn, const std::string& place) {
  if (!turn.is_object()) return broken(place, "a turn must be an object with \"role\" and \"content\".");
  const bool shareGpt = turn.contains("from");
  const char* roleKey = shareGpt ? "from" : "role";
  const char* contentKey = shareGpt ? "value" : "content";
  if (!turn.contains(roleKey) || !turn[roleKey].is_string()) {
    return broken(place, std::string("\"") + roleKey + "\" is missing or is no text; say whose turn it is.");
  }
  const Role role = roleOf(turn[roleKey].get<std::string>());
  Json message = {{"role", role.name}};
  const Json content = turn.value(contentKey, Json());
  if (role.call) {
    STRATA_TRY(const std::string text, textOf(content, place));
    const Json parsed = unquoted(text);
    if (!parsed.is_structured()) {
      return broken(place, "the function call is not JSON with \"name\" and \"arguments\"; correct it.");
    }
    message["content"] = "";
    STRATA_TRY(message["tool_calls"], callsOf(parsed, place));
    return message;
  }
  const bool calls = turn.contains("tool_calls") && turn["tool_calls"].is_array() && !turn["tool_calls"].empty();
  if (content.is_null() && calls) {
    message["content"] = "";
    if (turn.contains(contentKey)) message[kNullContent] = true;
  } else if (content.is_null()) {
    return broken(place, std::string("\"") + contentKey + "\" is missing; add the turn's text.");
  } else {
    STRATA_TRY(message["content"], textOf(content, place));
  }
  for (const auto& [key, value] : turn.items()) {
    const bool taken = key == roleKey || key == contentKey || key == "tool_calls";
    if (taken || message.contains(key) || value.is_null()) continue;  // a second role says nothing
    message[key] = value;
  }
  if (calls) {
    STRATA_TRY(message["tool_calls"], callsOf(turn["tool_calls"], place));
  }
  return message;
}

Result<Json> toolsOf(const Json& given) {
  const Json tools = unquoted(given);
  if (tools.is_null() || (tools.is_string() && tools.get_ref<const std::string&>().empty())) return Json();
  if (!tools.is_array()) return broken("tools", "must be a list of functions, or JSON of one in a text.");
  if (tools.empty()) return Json();
  Json wrapped = Json::array();
  for (const Json& tool : tools) {
    if (!tool.is_object()) return broken("tools", "a tool must be an object; correct it.");
    wrapped.push_back(tool.contains("function") ? tool : Json{{"type", "function"}, {"function", tool}});
  }
  return wrapped;
}

/// JSON as Python writes it, and so the data that models saw: with a space behind each comma and colon.
std::string spacedText(const Json& value) {
  if (!value.is_structured() || value.empty()) return dumpLine(value);
  std::string text;
  for (const auto& [key, member] : value.items()) {
    text += text.empty() ? "" : ", ";
    if (value.is_object()) text += dumpLine(key) + ": ";
    text += spacedText(member);
  }
  return value.is_object() ? "{" + text + "}" : "[" + text + "]";
}

/// Takes the notes out of the messages.
void takeNotes(Json& messages, Conversation& conversation) {
  for (std::size_t i = 0; i < messages.size(); ++i) {
    Json& message = messages[i];
    if (message.erase(kNullContent) > 0) conversation.nullContents.push_back(i);
    if (!message.contains("tool_calls")) continue;
    for (Json& call : message["tool_calls"]) {
      Json& function = call["function"];
      const Json given = function.value(kArgumentsText, Json());
      function.erase(kArgumentsText);
      conversation.argumentTexts.push_back(given.is_string() ? given.get<std::string>()
                                                             : spacedText(function["arguments"]));
    }
  }
}

bool learned(const Json& message) {
  if (message.value("role", Json()) != "assistant") return false;
  const Json weight = message.value("weight", Json()), train = message.value("train", Json());
  return !(weight.is_number() && weight.get<double>() == 0) && train != false;
}

}  // namespace

Json unquoted(const Json& value) {
  if (!value.is_string()) return value;
  const auto& text = value.get_ref<const std::string&>();
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  if (first == std::string::npos || (text[first] != '[' && text[first] != '{')) return value;
  auto parsed = parseJson(text, "the text");
  if (!parsed) return value;
  return std::move(*parsed);
}

Result<void> appendTurns(Json& to, const Json& turns, const std::string& key) {
  if (turns.is_object()) {
    STRATA_TRY(Json message, messageOf(turns, key));
    to.push_back(std::move(message));
    return {};
  }
  if (!turns.is_array()) return broken(key, "must be a list of turns.");
  if (to.size() + turns.size() > kMostMessages) {
    return broken(key, "has more than " + std::to_string(kMostMessages) + " messages; split the conversation.");
  }
  for (std::size_t i = 0; i < turns.size(); ++i) {
    STRATA_TRY(Json message, messageOf(turns[i], key + "[" + std::to_string(i) + "]"));
    to.push_back(std::move(message));
  }
  return {};
}

Result<Conversation> readConversation(const Json& turns, const Json& tools, const Json& system, const std::string& key,
                                      std::size_t firstTrained) {
  Conversation conversation;
  STRATA_TRY(conversation.tools, toolsOf(tools));
  Json messages = Json::array();
  STRATA_CHECK(appendTurns(messages, turns, key));
  const bool hasSystem = !messages.empty() && messages.front().value("role", Json()) == "system";
  if (system.is_string() && !system.get_ref<const std::string&>().empty() && !hasSystem) {
    messages.insert(messages.begin(), Json{{"role", "system"}, {"content", system}});
    ++firstTrained;
  }
  for (std::size_t i = firstTrained; i < messages.size(); ++i) {
    if (learned(messages[i])) conversation.trained.push_back(i);
  }
  for (Json& message : messages) {
    message.erase("weight");
    message.erase("train");
  }
  takeNotes(messages, conversation);
  conversation.messages = std::move(messages);
  if (conversation.trained.empty()) {
    return broken(key, "there is no turn of the assistant, so nothing to learn.");
  }
  return conversation;
}

}  // namespace strata
