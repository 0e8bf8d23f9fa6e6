#include "core/data/chat_rows.h"

#include <algorithm>
#include <utility>

#include "core/data/line_reader.h"

namespace strata {
namespace {

Json firstMessages(const Json& messages, std::size_t count) {
  Json first = Json::array();
  for (std::size_t i = 0; i < count; ++i) first.push_back(messages[i]);
  return first;
}

std::size_t commonPrefix(const std::string& a, const std::string& b) {
  const auto differ = std::mismatch(a.begin(), a.end(), b.begin(), b.end());
  return static_cast<std::size_t>(differ.first - a.begin());
}

/// The k-th marked span is the k-th assistant turn's, where there are as many; else the marks say nothing of turns.
std::optional<std::vector<TextSpan>> spansOfTurns(const std::vector<TextSpan>& marked, const Conversation& conversation,
                                                  const std::vector<std::size_t>& trained) {
  std::vector<TextSpan> spans;
  std::size_t turns = 0;
  for (std::size_t i = 0; i < conversation.messages.size(); ++i) {
    if (conversation.messages[i].value("role", Json()) != "assistant") continue;
    const bool learned = std::binary_search(trained.begin(), trained.end(), i);
    if (learned && turns < marked.size()) spans.push_back(marked[turns]);
    ++turns;
  }
  if (turns == marked.size()) return spans;
  if (turns == trained.size()) return marked;
  return std::nullopt;
}

/// The text that a message says, as templates trim it; "" for one that says none.
std::string said(const Json& message) {
  const auto content = message.find("content");
  if (content == message.end() || !content->is_string()) return {};
  const auto& text = content->get_ref<const std::string&>();
  const std::size_t first = text.find_first_not_of(" \t\r\n");
  return first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(" \t\r\n") + 1 - first);
}

class TurnSpans {
 public:
  TurnSpans(const ChatRenderer& renderer, const Conversation& conversation)
      : m_renderer(renderer), m_conversation(conversation), m_trained(answeringTurns(conversation)) {}

  Result<std::vector<ChatText>> texts() const {
    ChatText whole;
    STRATA_TRY(whole.text, m_renderer.render(m_conversation.messages, m_conversation.tools, false));
    STRATA_TRY(const auto marked, m_renderer.generatedSpans(m_conversation.messages, m_conversation.tools));
    if (marked) {
      if (auto spans = spansOfTurns(*marked, m_conversation, m_trained)) {
        whole.learned = std::move(*spans);
        return std::vector{std::move(whole)};
      }
    }
    std::vector<ChatText> apart;
    bool together = true;
    for (const std::size_t turn : m_trained) {
      STRATA_TRY(ChatText one, upTo(turn, whole.text));
      const std::size_t before = whole.learned.empty() ? 0 : whole.learned.back().end;
      together = together && whole.text.starts_with(one.text) && one.learned.front().begin >= before;
      if (together) whole.learned.push_back(one.learned.front());
      apart.push_back(std::move(one));
    }
    if (!together) return apart;
    return std::vector{std::move(whole)};
  }

 private:
  /// The conversation up to a turn, which alone is learned.
  Result<ChatText> upTo(std::size_t turn, const std::string& whole) const {
    const Json before = firstMessages(m_conversation.messages, turn);
    ChatText text;
    if (turn + 1 == m_conversation.messages.size()) {
      text.text = whole;
    } else {
      STRATA_TRY(text.text,
                 m_renderer.render(firstMessages(m_conversation.messages, turn + 1), m_conversation.tools, false));
    }
    STRATA_TRY(const std::string prompt, m_renderer.render(before, m_conversation.tools, true));
    TextSpan span{prompt.size(), text.text.size()};
    if (!text.text.starts_with(prompt)) {
      // A generation prompt may go on where the template's own turn does not (an opened thought): what both begin with
      // has been given, the rest is learned.
      STRATA_TRY(const std::string given, m_renderer.render(before, m_conversation.tools, false));
      span.begin = commonPrefix(prompt, text.text);
      if (span.begin < given.size()) return behindPrompt(turn, prompt, text.text);
    }
    if (span.begin >= span.end) {
      return fail(ErrorCode::invalidData,
                  "the chat template leaves messages[" + std::to_string(turn) + "] out of the text.");
    }
    text.learned = {span};
    return text;
  }

  /// What the template asks for a turn with, then the turn, where `whole` (the messages up to the turn) does not begin
  /// with `prompt`. The turn begins where both have the same: the prompt's end, from what the message before says on.
  Result<ChatText> behindPrompt(std::size_t turn, const std::string& prompt, const std::string& whole) const {
    const std::string before = said(m_conversation.messages[turn - 1]), own = said(m_conversation.messages[turn]);
    const std::size_t asked = before.empty() ? std::string::npos : prompt.rfind(before);
    const std::size_t content = own.empty() ? whole.size() : whole.rfind(own);
    if (asked != std::string::npos && content != std::string::npos && content >= prompt.size() - asked) {
      const std::string_view end = std::string_view(prompt).substr(asked);
      const std::size_t at = whole.rfind(end, content - end.size());
      if (at != std::string::npos && at + end.size() < whole.size()) {
        ChatText text{prompt + whole.substr(at + end.size()), {}};
        text.learned = {{prompt.size(), text.text.size()}};
        return text;
      }
    }
    return fail(ErrorCode::invalidData, "the chat template writes the messages before messages[" +
                                            std::to_string(turn) +
                                            "] differently once it follows; where the turn begins cannot be told.");
  }

  const ChatRenderer& m_renderer;
  const Conversation& m_conversation;
  std::vector<std::size_t> m_trained;
};

bool hasToolCalls(const Conversation& conversation) {
  const Json& messages = conversation.messages;
  return std::any_of(messages.begin(), messages.end(), [](const Json& one) { return one.contains("tool_calls"); });
}

/// A template without tool calls leaves them out in silence, and the model would learn to say nothing.
Result<void> checkCallsWritten(const Conversation& conversation, const std::vector<ChatText>& texts) {
  for (const std::size_t turn : answeringTurns(conversation)) {
    const Json calls = conversation.messages[turn].value("tool_calls", Json::array());
    for (const Json& call : calls) {
      const auto& name = call["function"]["name"].get_ref<const std::string&>();
      // Of the whole text the list of tools has the name too.
      const auto isLearned = [&](const ChatText& text) {
        return std::any_of(text.learned.begin(), text.learned.end(), [&](const TextSpan& span) {
          return std::string_view(text.text).substr(span.begin, span.end - span.begin).find(name) !=
                 std::string_view::npos;
        });
      };
      if (std::any_of(texts.begin(), texts.end(), isLearned)) continue;
      return fail(ErrorCode::unsupported,
                  "the model's chat template does not write the tool calls of messages[" + std::to_string(turn) + "].");
    }
  }
  return {};
}

/// Templates that write content without looking make "None" of null, as Python's do.
bool saysNone(const std::vector<ChatText>& texts) {
  for (const ChatText& text : texts) {
    for (const TextSpan& span : text.learned) {
      const std::size_t first = text.text.find_first_not_of(" \t\r\n", span.begin);
      if (first < span.end && std::string_view(text.text).substr(first).starts_with("None")) return true;
    }
  }
  return false;
}

Result<std::vector<ChatText>> textsWithCalls(const ChatRenderer& renderer, const Conversation& conversation) {
  STRATA_TRY(std::vector<ChatText> texts, TurnSpans(renderer, conversation).texts());
  STRATA_CHECK(checkCallsWritten(conversation, texts));
  return texts;
}

Conversation withArgumentTexts(Conversation conversation) {
  std::size_t next = 0;
  for (Json& message : conversation.messages) {
    if (!message.contains("tool_calls")) continue;
    for (Json& call : message["tool_calls"]) {
      if (next < conversation.argumentTexts.size()) call["function"]["arguments"] = conversation.argumentTexts[next++];
    }
  }
  return conversation;
}

/// White space after the last special token of [begin, end) is not trained: where the training ends.
std::size_t endOfTurn(const Tokenizer& tokenizer, const std::vector<TokenId>& ids, std::size_t begin, std::size_t end) {
  for (std::size_t i = end; i > begin; --i) {
    if (tokenizer.isSpecial(ids[i - 1])) return i;
    const auto text = tokenizer.decode({ids[i - 1]});
    if (!text || !isBlank(*text)) break;
  }
  return end;
}

}  // namespace

std::vector<std::size_t> answeringTurns(const Conversation& conversation) {
  std::vector<std::size_t> turns = conversation.trained;
  if (!turns.empty() && turns.front() == 0) turns.erase(turns.begin());
  return turns;
}

Result<std::vector<ChatText>> chatTexts(const ChatRenderer& renderer, const Conversation& conversation) {
  if (answeringTurns(conversation).empty()) {
    return fail(ErrorCode::unsupported, "no turn of the assistant answers anything.");
  }
  if (!hasToolCalls(conversation)) return TurnSpans(renderer, conversation).texts();
  Conversation asRecorded = conversation;
  for (const std::size_t i : conversation.nullContents) asRecorded.messages[i]["content"] = nullptr;
  const bool hasNull = !conversation.nullContents.empty();
  auto best = textsWithCalls(renderer, asRecorded);
  const auto isGood = [&] { return best && !(hasNull && saysNone(*best)); };
  const auto tryToo = [&](const Conversation& spelling) {
    auto texts = textsWithCalls(renderer, spelling);
    // Of the errors, that the calls are left out says more than what a template makes of another spelling.
    if (texts || (!best && texts.error().code == ErrorCode::unsupported)) best = std::move(texts);
  };
  if (!isGood()) tryToo(withArgumentTexts(asRecorded));
  if (!isGood() && hasNull) tryToo(conversation);
  if (!isGood() && hasNull) tryToo(withArgumentTexts(conversation));
  return best;
}

ChatIds chatIds(const Tokenizer& tokenizer, const ChatText& text) {
  std::vector<std::size_t> cuts;
  for (const TextSpan& span : text.learned) {
    cuts.push_back(span.begin);
    cuts.push_back(span.end);
  }
  SegmentedIds segmented = encodeSegments(tokenizer.ofRenderedChats(), text.text, cuts);
  ChatIds row;
  row.ids = std::move(segmented.ids);
  row.trained.assign(row.ids.size(), false);
  for (std::size_t i = 0; i < text.learned.size(); ++i) {
    const std::size_t begin = segmented.idsBefore[2 * i];
    const std::size_t end = endOfTurn(tokenizer, row.ids, begin, segmented.idsBefore[2 * i + 1]);
    std::fill(row.trained.begin() + static_cast<std::ptrdiff_t>(begin),
              row.trained.begin() + static_cast<std::ptrdiff_t>(end), true);
    row.turnEnds.push_back(end);
  }
  if (!row.trained.empty()) row.trained.front() = false;  // nothing comes before it that could predict it
  return row;
}

}  // namespace strata
