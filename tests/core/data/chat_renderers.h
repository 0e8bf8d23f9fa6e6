#pragma once
// Chat templates written by hand, each with a habit that real ones have.

#include "core/data/chat_rows.h"

namespace strata::testing {

/// "<role>text</>\n" for each message, "<assistant>" to go on. With `open`, the generation prompt opens a thought that
/// the template's own turns do not have.
class PlainRenderer : public ChatRenderer {
 public:
  Result<std::string> render(const Json& messages, const Json&, bool addGenerationPrompt) const override {
    std::string text = begin;
    for (std::size_t i = 0; i < messages.size(); ++i) {
      const std::string role = messages[i]["role"].get<std::string>();
      if (role == refused) return fail(ErrorCode::invalidData, "the template knows no " + role);
      text += "<" + role + ">" + contentOf(messages, i) + "</>\n";
    }
    if (addGenerationPrompt) text += "<assistant>" + opened;
    return text;
  }
  Result<std::optional<std::vector<TextSpan>>> generatedSpans(const Json& messages, const Json& tools) const override {
    if (!marks) return std::nullopt;
    std::vector<TextSpan> spans;
    for (std::size_t i = 0; i < messages.size(); ++i) {
      if (messages[i]["role"] != "assistant") continue;
      Json before = messages;
      before.get_ref<Json::array_t&>().resize(i);
      const std::size_t begin = render(before, tools, false)->size() + std::string("<assistant>").size();
      spans.push_back({begin, begin + contentOf(messages, i).size()});
    }
    return spans;
  }

  std::string begin;    // what the template writes first: a BOS
  std::string opened;   // what the generation prompt adds
  std::string refused;  // a role that the template raises an error at
  bool marks = false;   // whether it marks what is generated
  bool dropsThoughts = false;

 protected:
  /// A thought, "thought|answer", is kept in the last message alone.
  std::string contentOf(const Json& messages, std::size_t i) const {
    const Json& given = messages[i]["content"];
    const std::string content = given.is_string() ? given.get<std::string>() : "";
    const std::size_t bar = content.find('|');
    return dropsThoughts && i + 1 < messages.size() && bar != std::string::npos ? content.substr(bar + 1) : content;
  }
};

}  // namespace strata::testing
