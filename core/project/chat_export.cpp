#include <cstdio>

#include "core/project/chat_store.h"

namespace strata {
namespace {

using protocol::ChatInfo;
using protocol::ChatMessage;

std::string number(const char* format, double value) {
  char text[48];
  std::snprintf(text, sizeof text, format, value);
  return text;
}

std::string speakerOf(const ChatMessage& message) {
  if (message.role == "user") return "You";
  return message.role == "a" ? "A" : "B";
}

/// One line of what made an answer and what it took.
std::string madeByLine(const protocol::Answer& answer) {
  const protocol::MadeBy& by = answer.madeBy;
  std::string line = "Made by " + by.model;
  if (!by.adapter.empty()) line += " with the adapter " + by.adapter;
  line += ", map `" + by.map + "`, " + by.dtype + " on " + by.device + ", seed " + std::to_string(by.sampling.seed) +
          ", temperature " + number("%g", by.sampling.temperature) + ", weights SHA-256 `" + by.hash + "`, Strata " +
          by.version + ". KV cache " + std::to_string(answer.kvBytes) + " of " + std::to_string(answer.kvBytesFull) +
          " bytes; first token after " + number("%.3f", answer.firstTokenSeconds) + " s; " +
          std::to_string(answer.ids.size()) + " tokens; ended by " + answer.finish + ".";
  return line;
}

}  // namespace

std::string chatToMarkdown(const ChatInfo& chat, const std::vector<ChatMessage>& messages) {
  std::string text = "# " + (chat.title.empty() ? "Chat" : chat.title) + "\n\n" + chat.created + "\n";
  if (!chat.system.empty()) text += "\n**System**\n\n" + chat.system + "\n";
  for (const ChatMessage& message : messages) {
    text += "\n**" + speakerOf(message) + "**\n\n";
    if (!message.text.empty()) text += message.text + "\n";
    if (!message.problem.empty()) text += "(no answer: " + message.problem + ")\n";
    if (message.answer) text += "\n" + madeByLine(*message.answer) + "\n";
  }
  return text;
}

std::string chatToJson(const ChatInfo& chat, const std::vector<ChatMessage>& messages) {
  Json json = {{"format", "strata-chat"}, {"version", 1}, {"chat", configToJson(chat)}, {"messages", Json::array()}};
  for (const ChatMessage& message : messages) json["messages"].push_back(configToJson(message));
  return json.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

}  // namespace strata
