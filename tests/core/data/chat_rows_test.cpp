#include "core/data/chat_rows.h"

#include <gmock/gmock.h>

#include "byte_tokenizer.h"
#include "chat_renderers.h"
#include "core/data/dataset.h"
#include "core/data/template_renderer.h"
#include "support.h"

namespace strata {
namespace {

using testing::ByteTokenizer;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::PlainRenderer;
using testing::TemporaryFolder;
using testing::writeText;

Conversation conversation(const std::string& turns, const std::string& system = "") {
  auto read = readConversation(Json::parse(turns), Json(), system, "messages");
  EXPECT_TRUE(read.has_value()) << read.error().message;
  return read ? std::move(*read) : Conversation();
}

const char* const kTwoTurns =
    R"([{"role": "user", "content": "q1"}, {"role": "assistant", "content": "a1"},
        {"role": "user", "content": "q2"}, {"role": "assistant", "content": "t|a2"}])";

/// A text with what is learned in brackets.
std::string shown(const ChatText& text) {
  std::string out;
  std::size_t at = 0;
  for (const TextSpan& span : text.learned) {
    out += text.text.substr(at, span.begin - at) + "[" + text.text.substr(span.begin, span.end - span.begin) + "]";
    at = span.end;
  }
  return out + text.text.substr(at);
}

std::vector<std::string> shown(const ChatRenderer& renderer, const Conversation& conversation) {
  const auto texts = chatTexts(renderer, conversation);
  EXPECT_TRUE(texts.has_value()) << texts.error().message;
  std::vector<std::string> out;
  for (const ChatText& text : texts.value_or(std::vector<ChatText>())) out.push_back(shown(text));
  return out;
}

TEST(ChatTexts, TurnsAreLearnedFromTheGenerationPromptToTheirEnd) {
  EXPECT_THAT(shown(PlainRenderer(), conversation(kTwoTurns)),
              ElementsAre("<user>q1</>\n<assistant>[a1</>\n]<user>q2</>\n<assistant>[t|a2</>\n]"));
}

TEST(ChatTexts, WhatTheTemplateMarksGoesFirst) {
  PlainRenderer renderer;
  renderer.marks = true;
  EXPECT_THAT(shown(renderer, conversation(kTwoTurns)),
              ElementsAre("<user>q1</>\n<assistant>[a1]</>\n<user>q2</>\n<assistant>[t|a2]</>\n"));
  Conversation last = conversation(kTwoTurns);
  last.trained = {3};
  EXPECT_THAT(shown(renderer, last), ElementsAre("<user>q1</>\n<assistant>a1</>\n<user>q2</>\n<assistant>[t|a2]</>\n"));
}

TEST(ChatTexts, WhereEarlierTurnsAreRewrittenEachTurnHasItsOwnText) {
  PlainRenderer renderer;
  renderer.dropsThoughts = true;
  EXPECT_THAT(shown(renderer, conversation(R"([{"role": "user", "content": "q1"},
      {"role": "assistant", "content": "s|a1"}, {"role": "user", "content": "q2"},
      {"role": "assistant", "content": "t|a2"}])")),
              ElementsAre("<user>q1</>\n<assistant>[s|a1</>\n]",
                          "<user>q1</>\n<assistant>a1</>\n<user>q2</>\n<assistant>[t|a2</>\n]"));
}

TEST(ChatTexts, AnOpenedThoughtIsLearnedWhereTheTurnHasNone) {
  PlainRenderer renderer;
  renderer.opened = "<think>";
  EXPECT_THAT(
      shown(renderer, conversation(R"([{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}])")),
      ElementsAre("<user>q</>\n<assistant>[a</>\n]"));
}

TEST(ChatTexts, ATemplateThatRefusesIsAnError) {
  PlainRenderer renderer;
  renderer.refused = "user";
  EXPECT_THAT(chatTexts(renderer, conversation(kTwoTurns)).error().message, HasSubstr("knows no user"));
}

TEST(ChatTexts, AToolCallThatTheTemplateLeavesOutIsNotLearned) {
  const auto texts = chatTexts(PlainRenderer(), conversation(R"([{"role": "user", "content": "q"},
      {"role": "assistant", "content": "", "tool_calls": [{"name": "find"}]}])"));
  ASSERT_FALSE(texts.has_value());
  EXPECT_EQ(texts.error().code, ErrorCode::unsupported);
  EXPECT_THAT(texts.error().message, HasSubstr("does not write the tool calls of messages[1]"));
}

TemplateRenderer rendererOf(const std::string& source) {
  auto parsed = ChatTemplate::parse(source, "template");
  EXPECT_TRUE(parsed.has_value()) << parsed.error().message;
  return TemplateRenderer(std::move(*parsed));
}

TEST(ChatTexts, ATurnThatOpensTheConversationIsKeptButNotLearned) {
  const std::string turns = R"([{"role": "assistant", "content": "hi"}, {"role": "user", "content": "q"},
      {"role": "assistant", "content": "b"}])";
  EXPECT_THAT(shown(rendererOf("{{ messages[0].role }}:{% for m in messages %}{{ m.content }}/{% endfor %}"),
                    conversation(turns)),
              ElementsAre("assistant:hi/q/[b/]"));
  PlainRenderer marks;
  marks.marks = true;
  EXPECT_THAT(shown(marks, conversation(turns)), ElementsAre("<assistant>hi</>\n<user>q</>\n<assistant>[b]</>\n"));
  const auto alone = chatTexts(marks, conversation(R"([{"role": "assistant", "content": "hi"}])"));
  ASSERT_FALSE(alone.has_value());
  EXPECT_EQ(alone.error().code, ErrorCode::unsupported);
}

/// The system's text stands before the user's last turn, as in Mistral's templates.
const char* const kSystemBesideTheLastTurn =
    "{% for m in messages %}{% if m.role == 'user' %}<{% if loop.last and messages[0].role == 'system' %}"
    "{{ messages[0].content }}|{% endif %}{{ m.content }}>{% elif m.role == 'assistant' %}{{ ' ' + m.content }}$"
    "{% endif %}{% endfor %}";

TEST(ChatTexts, WhereThePromptIsRewrittenTheTurnStandsBehindThePromptThatAsksForIt) {
  EXPECT_THAT(shown(rendererOf(kSystemBesideTheLastTurn), conversation(kTwoTurns, "s")),
              ElementsAre("<s|q1>[ a1$]", "<q1> a1$<s|q2>[ t|a2$]"));
}

TEST(ChatTexts, WhereTheTurnIsRewrittenTooItsBeginningCannotBeTold) {
  const auto texts =
      chatTexts(rendererOf("{{ messages|length }}{% for m in messages %}{{ m.content|length }}{% endfor %}"),
                conversation(kTwoTurns));
  ASSERT_FALSE(texts.has_value());
  EXPECT_THAT(texts.error().message, HasSubstr("where the turn begins cannot be told"));
}

const char* const kCall = R"([{"role": "user", "content": "q"}, {"role": "assistant", "content": null,
    "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{\"x\":1}"}}]}])";

TEST(ChatTexts, CallsAreWrittenWhereTheTemplateWantsNullContentAndArgumentsAsText) {
  const TemplateRenderer renderer = rendererOf(
      "{% for m in messages %}{% if m.role == 'assistant' and m.content is none %}{{ m.tool_calls[0].function.name + "
      "m.tool_calls[0].function.arguments }}$$${% elif m.role == 'assistant' %}{{ m.content }}$${% else %}"
      "<{{ m.content }}>{% endif %}{% endfor %}");
  EXPECT_THAT(shown(renderer, conversation(kCall)), ElementsAre(R"(<q>[f{"x":1}$$$])"));
  std::string asObject = kCall;
  const std::string text = R"("{\"x\":1}")";
  asObject.replace(asObject.find(text), text.size(), R"({"x":[1,{"y":"é"}]})");
  EXPECT_THAT(shown(renderer, conversation(asObject)), ElementsAre(R"(<q>[f{"x": [1, {"y": "é"}]}$$$])"));
}

TEST(ChatTexts, CallsKeepTheirArgumentsAsJsonWhereTheTemplateTakesThem) {
  EXPECT_THAT(shown(rendererOf("{% for m in messages %}{% if m.tool_calls %}{{ m.tool_calls[0].function | tojson }}"
                               "{% else %}<{{ m.content }}>{% endif %}{% endfor %}"),
                    conversation(kCall)),
              ElementsAre(R"(<q>[{"name": "f", "arguments": {"x": 1}}])"));
}

TEST(ChatTexts, NullContentIsNotLearnedAsNone) {
  EXPECT_THAT(shown(rendererOf("{% for m in messages %}{{ m.content }}{% if m.tool_calls %}"
                               "!{{ m.tool_calls[0].function.name }}{% endif %}{% endfor %}"),
                    conversation(kCall)),
              ElementsAre("q[!f]"));
}

TEST(ChatTexts, ATemplateThatFailsAtNullAndWritesNoCallsLeavesThemOut) {
  const auto texts =
      chatTexts(rendererOf("{% for m in messages %}{{ '<' + m.content + '>' }}{% endfor %}"), conversation(kCall));
  ASSERT_FALSE(texts.has_value());
  EXPECT_EQ(texts.error().code, ErrorCode::unsupported);
}

TEST(ChatTexts, ACallThatOnlyTheListOfToolsNamesIsNotWritten) {
  Conversation call = conversation(kCall);
  call.tools = Json::parse(R"([{"type": "function", "function": {"name": "f"}}])");
  const auto texts = chatTexts(
      rendererOf("{{ tools | tojson }}{% for m in messages %}<{{ m.content or 'nothing' }}>{% endfor %}"), call);
  ASSERT_FALSE(texts.has_value());
  EXPECT_THAT(texts.error().message, HasSubstr("does not write the tool calls of messages[1]"));
}

TEST(ChatTexts, WeightZeroIsNotLearned) {
  EXPECT_THAT(shown(PlainRenderer(), conversation(R"([{"role": "assistant", "content": "a", "weight": 0},
      {"role": "user", "content": "q"}, {"role": "assistant", "content": "b", "weight": 1}])")),
              ElementsAre("<assistant>a</>\n<user>q</>\n<assistant>[b</>\n]"));
}

/// "</>" is one special token, whose id stands after the bytes.
class MarkTokenizer : public ByteTokenizer {
 public:
  static constexpr TokenId kMark = 300;
  std::vector<TokenId> encode(std::string_view text, SpecialTokens) const override {
    std::vector<TokenId> ids;
    for (std::size_t at = 0; at < text.size(); ++at) {
      if (text.substr(at).starts_with("</>")) {
        ids.push_back(kMark);
        at += 2;
      } else {
        ids.push_back(static_cast<unsigned char>(text[at]));
      }
    }
    return ids;
  }
  bool isSpecial(TokenId id) const override { return id == kMark; }
  std::int64_t vocabSize() const override { return 301; }
};

TEST(ChatIds, TrainingEndsWithTheMarkOfTheTurn) {
  const auto texts = chatTexts(PlainRenderer(), conversation(kTwoTurns));
  const ChatIds row = chatIds(MarkTokenizer(), texts->front());
  std::string trained;
  for (std::size_t i = 0; i < row.ids.size(); ++i) {
    if (row.trained[i]) trained += row.ids[i] == MarkTokenizer::kMark ? '$' : static_cast<char>(row.ids[i]);
  }
  EXPECT_EQ(trained, "a1$t|a2$");
  EXPECT_EQ(row.ids[row.turnEnds[0]], '\n');
  EXPECT_EQ(row.turnEnds[1], row.ids.size() - 1);
}

class ChatDataset : public ::testing::Test {
 protected:
  Result<Dataset> open(const std::string& lines, DataOptions options) {
    writeText(m_folder.path() / "a.jsonl", lines);
    options.chat = &m_renderer;
    return Dataset::open(m_folder.path() / "a.jsonl", ByteTokenizer(), options);
  }
  static std::string row(const std::string& answer) {
    return R"({"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": ")" + answer + "\"}]}\n";
  }
  PlainRenderer m_renderer;
  TemporaryFolder m_folder;
};

TEST_F(ChatDataset, EveryTrainedByteLiesInATurnAndEveryByteOfATurnIsTrained) {
  m_renderer.begin = "^";
  const auto data = open(row("answer") + row(""), {.length = 64});
  ASSERT_TRUE(data.has_value()) << data.error().message;
  ASSERT_EQ(data->rows().size(), 1u);
  const Row& row = data->rows().front();
  std::string text, trained;
  for (std::size_t i = 0; i < row.ids.size(); ++i) {
    text += static_cast<char>(row.ids[i]);
    if (row.trained[i]) trained += static_cast<char>(row.ids[i]);
  }
  EXPECT_EQ(text, "^<user>q</>\n<assistant>answer</>\n");  // the template's own BOS, and no second one
  EXPECT_EQ(trained, "answer</>\n");
  EXPECT_EQ(data->report().format, "messages");
  ASSERT_EQ(data->report().dropped.size(), 1u);
  EXPECT_THAT(data->report().dropped[0].reason, HasSubstr("turns are empty"));
}

TEST_F(ChatDataset, AConversationOfNothingButAnOpeningTurnIsLeftOutAsWellFormed) {
  const std::string opening =
      R"({"messages": [{"role": "assistant", "content": "hi"}, {"role": "user", "content": "q"}]})";
  const auto data = open(row("answer") + opening + "\n", {.length = 64});
  ASSERT_TRUE(data.has_value()) << data.error().message;
  EXPECT_EQ(data->rows().size(), 1u);
  EXPECT_EQ(data->report().broken, 0);
  ASSERT_EQ(data->report().dropped.size(), 1u);
  EXPECT_THAT(data->report().dropped[0].reason, HasSubstr("begins with the assistant"));
}

TEST_F(ChatDataset, ALongConversationEndsWithTheLastTurnThatFits) {
  const std::string two =
      R"({"messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "aa"},
      {"role": "user", "content": "q"}, {"role": "assistant", "content": "bbbbbbbbbbbbbbbbbbbbbbb"}]})";
  std::string line;
  for (const char c : two) line += c == '\n' ? ' ' : c;
  const auto data = open(line, {.length = 60});
  ASSERT_TRUE(data.has_value()) << data.error().message;
  EXPECT_EQ(data->rows()[0].ids.size(), std::string("<user>q</>\n<assistant>aa</>\n").size());
  EXPECT_EQ(data->report().truncated, 1);
  EXPECT_EQ(open(line, {.length = 24})->rows()[0].ids.size(), 24u);
  EXPECT_THAT(open(line, {.length = 20}).error().message,
              HasSubstr("No token of the assistant lies within the length"));
}

TEST_F(ChatDataset, WithoutATemplateConversationsAreRefused) {
  writeText(m_folder.path() / "a.jsonl", row("x"));
  EXPECT_THAT(Dataset::open(m_folder.path() / "a.jsonl", ByteTokenizer(), {}).error().message,
              HasSubstr("needs a model's chat template"));
}

}  // namespace
}  // namespace strata
