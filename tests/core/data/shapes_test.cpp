#include <gmock/gmock.h>

#include "core/data/records.h"
#include "support.h"

namespace strata {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::sharedData;

DataRecord one(const std::string& json, const Columns& columns = {}) {
  auto records = recogniseRecord(Json::parse(json), columns);
  EXPECT_TRUE(records.has_value()) << records.error().message;
  if (!records) return {};
  EXPECT_EQ(records->size(), 1u);
  return std::move(records->front());
}

std::string reason(const std::string& json, const Columns& columns = {}) {
  const auto records = recogniseRecord(Json::parse(json), columns);
  EXPECT_FALSE(records.has_value()) << json;
  return records ? "" : records.error().message;
}

std::string messages(const DataRecord& record) {
  return dumpLine(record.conversation.messages);
}

TEST(RecordShape, MessagesAreTakenAsTheyAre) {
  const DataRecord record = one(R"({"messages": [{"role": "user", "content": "q"},
      {"role": "assistant", "content": "a", "name": "n", "tool_calls": null}]})");
  EXPECT_EQ(record.format, DataFormat::messages);
  EXPECT_EQ(messages(record), R"([{"role":"user","content":"q"},{"role":"assistant","content":"a","name":"n"}])");
  EXPECT_THAT(record.conversation.trained, ElementsAre(1));
}

TEST(RecordShape, ToolCallsAreWrappedAndTheirArgumentsParsed) {
  const DataRecord record = one(R"({"messages": [{"role": "user", "content": "q"},
      {"role": "assistant", "content": null, "tool_calls": [{"id": "1", "type": "function",
        "function": {"name": "f", "arguments": "{\"x\": 1}"}}]},
      {"role": "tool", "tool_call_id": "1", "content": "2"}, {"role": "assistant", "content": "a"}],
      "tools": "[{\"name\": \"f\", \"parameters\": {}}]"})");
  EXPECT_EQ(record.conversation.messages[1]["tool_calls"][0]["function"]["arguments"]["x"], 1);
  EXPECT_EQ(record.conversation.messages[1]["content"], "");
  EXPECT_EQ(record.conversation.tools[0]["function"]["name"], "f");
  EXPECT_THAT(record.conversation.trained, ElementsAre(1, 3));
}

TEST(RecordShape, ShareGptTurnsGetTheirRoles) {
  const DataRecord record = one(R"({"system": "s", "conversations": [{"from": "human", "value": "q"},
      {"from": "function_call", "value": "{\"name\": \"f\", \"arguments\": {\"x\": 1}}"},
      {"from": "observation", "value": "2"}, {"from": "gpt", "value": "a"}]})");
  EXPECT_EQ(record.format, DataFormat::shareGpt);
  EXPECT_EQ(messages(record),
            R"([{"role":"system","content":"s"},{"role":"user","content":"q"},{"role":"assistant","content":"",)"
            R"("tool_calls":[{"type":"function","function":{"name":"f","arguments":{"x":1}}}]},)"
            R"({"role":"tool","content":"2"},{"role":"assistant","content":"a"}])");
  EXPECT_THAT(record.conversation.trained, ElementsAre(2, 4));
}

TEST(RecordShape, AStrayKeyDoesNotChangeWhoSpeaksOrWhatIsSaid) {
  const DataRecord record = one(R"({"conversations": [
      {"from": "human", "value": "q", "role": "assistant", "content": "no", "id": 1},
      {"from": "gpt", "value": "a", "role": 5}]})");
  EXPECT_EQ(messages(record), R"([{"role":"user","content":"q","id":1},{"role":"assistant","content":"a"}])");
  EXPECT_THAT(record.conversation.trained, ElementsAre(1));
}

TEST(RecordShape, AlpacaBecomesAConversation) {
  const DataRecord record = one(R"({"instruction": "i", "input": "n", "output": "o", "system": "s",
      "history": [["q1", "a1"]]})");
  EXPECT_EQ(record.format, DataFormat::alpaca);
  EXPECT_EQ(messages(record),
            R"([{"role":"system","content":"s"},{"role":"user","content":"q1"},{"role":"assistant","content":"a1"},)"
            R"({"role":"user","content":"i\nn"},{"role":"assistant","content":"o"}])");
  EXPECT_THAT(record.conversation.trained, ElementsAre(2, 4));
  EXPECT_EQ(messages(one(R"({"instruction": "i", "context": "", "response": "o"})")),
            R"([{"role":"user","content":"i"},{"role":"assistant","content":"o"}])");
}

TEST(RecordShape, OfAPreferencePairTheChosenAnswerIsLearned) {
  const DataRecord turn = one(R"({"conversations": [{"from": "human", "value": "q"}, {"from": "gpt", "value": "a"},
      {"from": "human", "value": "r"}], "chosen": {"from": "gpt", "value": "good"},
      "rejected": {"from": "gpt", "value": "bad"}})");
  EXPECT_EQ(turn.format, DataFormat::preference);
  EXPECT_EQ(turn.conversation.messages[3]["content"], "good");
  EXPECT_THAT(turn.conversation.trained, ElementsAre(3));
  const DataRecord text = one(R"({"prompt": "p", "chosen": "good", "rejected": "bad"})");
  EXPECT_EQ(text.prompt + "|" + text.completion, "p|good");
  const DataRecord lists = one(R"({"prompt": "q", "chosen": [{"role": "user", "content": "q"},
      {"role": "assistant", "content": "good"}], "rejected": []})");
  EXPECT_THAT(lists.conversation.trained, ElementsAre(1));
  const DataRecord whole = one(R"({"chosen": "\n\nHuman: q\n\nAssistant: good", "rejected": "x"})");
  EXPECT_EQ(whole.completion, " good");
}

TEST(RecordShape, PromptAndCompletionMayBeTextsOrTurns) {
  const DataRecord text = one(R"({"prompt": "p", "response": "c"})");
  EXPECT_EQ(text.format, DataFormat::promptCompletion);
  EXPECT_EQ(text.prompt + "|" + text.completion, "p|c");
  const DataRecord turns = one(R"({"prompt": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "x"},
      {"role": "user", "content": "q"}], "completion": [{"role": "assistant", "content": "a"}]})");
  EXPECT_THAT(turns.conversation.trained, ElementsAre(3));
}

TEST(RecordShape, QuestionsComeInManyForms) {
  const DataRecord squad = one(R"({"id": "1", "title": "T", "context": "c", "question": "q",
      "answers": {"text": ["a", "b"], "answer_start": [0, 1]}})");
  EXPECT_EQ(squad.format, DataFormat::squad);
  EXPECT_EQ(squad.group, "T");
  EXPECT_EQ(squad.question.target, "a");
  const DataRecord open = one(R"({"question": "q", "answers": ["a"], "ctxs": [{"title": "t", "text": "p"}]})");
  EXPECT_EQ(open.format, DataFormat::questions);
  EXPECT_EQ(open.question.passages[0].title, "t");
  const DataRecord closed = one(R"({"question": "q", "answer": "a"})");
  EXPECT_TRUE(closed.question.passages.empty());
  const auto article =
      recogniseRecord(Json::parse(R"({"title": "T", "paragraphs": [{"context": "c", "qas": [{"id": "1", "question": "q",
      "answers": [], "is_impossible": true}, {"id": "2", "question": "r", "answers": [{"text": "a"}]}]}]})"),
                      {});
  ASSERT_TRUE(article.has_value()) << article.error().message;
  ASSERT_EQ(article->size(), 2u);
  EXPECT_TRUE(article->front().mayLackAnswers);
}

TEST(RecordShape, ATextThatHappensToBeJsonStaysAText) {
  EXPECT_EQ(one(R"({"prompt": "JSON please", "chosen": "[1, 2]", "rejected": "no"})").completion, "[1, 2]");
  EXPECT_EQ(one(R"({"prompt": "p", "chosen": "{\"role\": \"admin\"}", "rejected": "no"})").completion,
            "{\"role\": \"admin\"}");
  EXPECT_EQ(one(R"({"prompt": "[1]", "completion": "[2]"})").completion, "[2]");
  const DataRecord question = one(R"({"question": "q", "answer": "[1, 2]", "context": "{\"a\": 1}"})");
  EXPECT_THAT(question.question.answers, ElementsAre("[1, 2]"));
  EXPECT_EQ(question.question.passages[0].text, "{\"a\": 1}");
  EXPECT_THAT(one(R"({"question": "q", "answers": "[\"x\", \"y\"]"})").question.answers, ElementsAre("x", "y"));
}

TEST(RecordShape, TurnsInATextAreReadAsTheTurnsThemselves) {
  const DataRecord turns = one(R"({"prompt": "[{\"role\": \"user\", \"content\": \"hi\"}]",
                                   "completion": "[{\"role\": \"assistant\", \"content\": \"yo\"}]"})");
  EXPECT_EQ(messages(turns), R"([{"role":"user","content":"hi"},{"role":"assistant","content":"yo"}])");
  EXPECT_THAT(turns.conversation.trained, ElementsAre(1));
}

TEST(RecordShape, AQuestionWithATypeOrLevelIsHotpotQaOnlyInItsShape) {
  const DataRecord list = one(R"({"question": "q", "answer": ["a", "b"], "type": "x", "context": "c"})");
  EXPECT_EQ(list.format, DataFormat::questions);
  EXPECT_THAT(list.question.answers, ElementsAre("a", "b"));
  EXPECT_EQ(one(R"({"question": "q", "answer": "4", "level": "easy", "context": "c"})").question.passages[0].text, "c");
  EXPECT_EQ(one(R"({"question": "q", "answer": "4", "type": "bridge"})").format, DataFormat::hotpotQa);
  EXPECT_EQ(one(R"({"question": "q", "answer": "4", "level": "hard", "context": [["T", ["s"]]]})").format,
            DataFormat::hotpotQa);
}

TEST(RecordShape, AGroupIsAnyTextNumberOrTruthValue) {
  const auto groupOf = [](const std::string& group) {
    return one(R"({"prompt": "p", "completion": "c", "group": )" + group + "}").group;
  };
  EXPECT_EQ(groupOf("\"a\""), "a");
  EXPECT_EQ(groupOf("7"), "7");
  EXPECT_EQ(groupOf("0.0"), "0");
  EXPECT_EQ(groupOf("1.5"), "1.5");
  EXPECT_EQ(groupOf("true"), "true");
  EXPECT_EQ(groupOf("[1]"), "");
  const Columns columns = {{"prompt", "p"}, {"completion", "c"}, {"group", "doc"}};
  EXPECT_EQ(one(R"({"p": "a", "c": "b", "doc": 2.0})", columns).group, "2");
  for (const std::string bad : {"null", "[1]", "{}"}) {
    EXPECT_THAT(reason(R"({"p": "a", "c": "b", "doc": )" + bad + "}", columns),
                HasSubstr("the column \"doc\" for group must hold a text or a number"));
  }
}

TEST(RecordShape, BlanksAroundARoleAreNoPartOfIt) {
  EXPECT_EQ(checkedColumns({{"prompt", "q"}, {" completion", "a"}}).value(),
            (Columns{{"prompt", "q"}, {"completion", "a"}}));
  EXPECT_THAT(checkedColumns({{"prompt", "q"}, {" prompt", "a"}}).error().message, HasSubstr("prompt is given twice"));
}

TEST(RecordShape, ColumnsAreMapped) {
  EXPECT_EQ(one(R"({"q": "p", "reply": {"text": "c"}})", {{"prompt", "q"}, {"completion", "reply.text"}}).completion,
            "c");
  EXPECT_EQ(one(R"({"a.b": "x"})", {{"text", "a.b"}}).text, "x");
  EXPECT_EQ(one(R"({"list": ["x", "y"]})", {{"text", "list.1"}}).text, "y");
  const DataRecord chat = one(R"({"conv": "[{\"role\": \"assistant\", \"content\": \"a\"}]"})", {{"messages", "conv"}});
  EXPECT_THAT(chat.conversation.trained, ElementsAre(0));
  const DataRecord question = one(R"({"f": "q", "p": "c", "a": "x", "doc": 7})",
                                  {{"question", "f"}, {"context", "p"}, {"answers", "a"}, {"group", "doc"}});
  EXPECT_EQ(question.question.answers.front(), "x");
  EXPECT_EQ(question.group, "7");
  EXPECT_THAT(reason(R"({"q": "p"})", {{"prompt", "q"}, {"completion", "a"}}),
              HasSubstr("the column \"a\" for completion is missing; the keys here are q"));
  EXPECT_THAT(checkColumns({{"promt", "q"}}).error().message, HasSubstr("\"promt\" is not something a column can be"));
}

TEST(RecordShape, WhatIsBrokenIsSaid) {
  EXPECT_THAT(reason(R"({"foo": 1, "bar": 2})"), HasSubstr("(foo, bar)"));
  EXPECT_THAT(reason(R"({"foo": 1, "bar": 2})"), HasSubstr("which columns are what, for example prompt=q"));
  EXPECT_THAT(reason(R"({"foo": 1, "bar": 2})"), Not(HasSubstr("--"))) << "the window shows it too";
  EXPECT_THAT(reason("[1]"), HasSubstr("must be a JSON object"));
  EXPECT_THAT(reason(R"({"messages": 1})"), HasSubstr("messages: must be a list"));
  EXPECT_THAT(reason(R"({"messages": [1]})"), HasSubstr("messages[0]: a turn must be an object"));
  EXPECT_THAT(reason(R"({"messages": [{"content": "x"}]})"), HasSubstr("messages[0]: \"role\" is missing"));
  EXPECT_THAT(reason(R"({"messages": [{"role": "user"}]})"), HasSubstr("messages[0]: \"content\" is missing"));
  EXPECT_THAT(reason(R"({"messages": [{"role": "user", "content": "x"}]})"), HasSubstr("no turn of the assistant"));
  EXPECT_THAT(reason(R"({"messages": [{"role": "user", "content": [{"type": "image"}]}]})"), HasSubstr("is not text"));
  EXPECT_THAT(reason(R"j({"conversations": [{"from": "function_call", "value": "f(x)"}]})j"),
              HasSubstr("conversations[0]: the function call is not JSON"));
  EXPECT_THAT(reason(R"({"instruction": "x"})"), HasSubstr("the key \"output\" is missing"));
  EXPECT_THAT(reason(R"({"question": 1, "answer": "x"})"), HasSubstr("\"question\" must be a string"));
}

TEST(RecordShapeGolden, EveryInstructionFileIsRecognised) {
  STRATA_NEEDS_SHARED_DATA();
  const std::vector<std::tuple<std::string, std::string, int>> files = {
      {"instruct/dolly_hhrlhf_train_small.jsonl", "prompt/completion", 1000},
      {"instruct/dpo_en_demo.json", "preference (the chosen answers)", 300},
      {"instruct/glaive_toolcall_en_demo.json", "ShareGPT", 300},
      {"instruct/identity.json", "Alpaca", 91},
      {"qa/squad/dev-v1.1.reconstructed.json", "SQuAD", 10570},
      {"qa/hotpotqa/hotpot_dev_distractor_v1.500.json", "HotpotQA", 500},
      {"qa/hotpotqa/hotpotqa_dev_500.jsonl", "HotpotQA", 500},
      {"qa/triviaqa/triviaqa_sm_sub.jsonl", "TriviaQA", 3000},
      {"qa/msmarco/ms_marco_sample.json", "MS MARCO", 200},
      {"qa/nq/nq-open-oracle.jsonl.gz", "questions", 2655}};
  for (const auto& [file, format, count] : files) {
    int records = 0;
    const auto read = readRecords(sharedData() / file, [&, &format = format](DataRecord&& record) -> Result<void> {
      EXPECT_EQ(toString(record.format), format) << record.where();
      ++records;
      return {};
    });
    EXPECT_TRUE(read.has_value()) << read.error().message;
    EXPECT_EQ(records, count) << file;
  }
}

}  // namespace
}  // namespace strata
