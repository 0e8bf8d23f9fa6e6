#include "core/evaluation/task_prompt.h"

#include <gmock/gmock.h>

#include "core/data/template_renderer.h"
#include "stories.h"
#include "support.h"

namespace strata {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Question plainQuestion(const std::vector<Passage>& passages, const std::string& text, const std::string& answer) {
  Question question;
  question.passages = passages;
  question.question = text;
  question.target = answer;
  if (!answer.empty()) question.answers = {answer};
  return question;
}

std::string asked(const QuestionSet& set, const Question& question, const AskOptions& options = {},
                  std::uint64_t number = 0) {
  const auto prompt = TaskPrompt::make(set, options);
  EXPECT_TRUE(prompt) << prompt.error().message;
  const auto text = prompt->of(question, number);
  EXPECT_TRUE(text) << text.error().message;
  return text ? text->whole() : "";
}

std::string refusal(const AskOptions& options, const Question& question = plainQuestion({{"", "C."}}, "Q?", "a")) {
  const auto prompt = TaskPrompt::make(setOf(QaFormat::squad), options);
  if (!prompt) return prompt.error().message;
  const auto text = prompt->of(question, 0);
  EXPECT_FALSE(text);
  return text ? "" : text.error().message;
}

TEST(TaskPrompt, OfEveryTaskIsWordForWord) {
  const Question one = plainQuestion({{"", "C."}}, "Q", "a");
  EXPECT_EQ(asked(setOf(QaFormat::naturalQuestions), plainQuestion({{"T", "C."}}, "q", "a")),
            "Context: T: C.\nQuestion: q\nAnswer:");
  EXPECT_EQ(asked(setOf(QaFormat::boolQ), one), "C.\nQuestion: Q?\nAnswer:");
  EXPECT_EQ(asked(setOf(QaFormat::boolQ), plainQuestion({}, "Q", "yes")), "Question: Q?\nAnswer:");
  EXPECT_EQ(asked(setOf(QaFormat::lastWord), plainQuestion({{"", "Once upon a"}}, "", "time")), "Once upon a");
  EXPECT_EQ(asked(setOf(QaFormat::keyValues), plainQuestion({{"", "{\"k\": \"v\"}"}}, "k", "v")),
            "Extract the value corresponding to the specified key in the JSON object below.\n\nJSON data:\n"
            "{\"k\": \"v\"}\n\nKey: \"k\"\nCorresponding value:");
  const QuestionSet choices = setOf(QaFormat::multipleChoice);
  EXPECT_EQ(asked(choices, plainQuestion({}, "Q?", "a")), "Question: Q?\nAnswer:");
  EXPECT_EQ(asked(choices, one), "Context: C.\nQuestion: Q\nAnswer:");
  EXPECT_EQ(asked(choices, plainQuestion({{"", "A man is"}}, "", "a")), "A man is");
}

TEST(TaskPrompt, OfTheQuestionTasksIsWhatTrainingWrites) {
  STRATA_NEEDS_SHARED_DATA();
  for (const char* file : {"squad/dev-v1.1.reconstructed.json", "squad/dev-v2.0.reconstructed.json",
                           "hotpotqa/hotpot_dev_distractor_v1.500.json", "triviaqa/triviaqa_sm_sub.jsonl",
                           "msmarco/ms_marco_sample.json"}) {
    const auto set = readQuestions(testing::sharedData() / "qa" / file);
    ASSERT_TRUE(set) << set.error().message;
    for (const bool first : {false, true}) {
      const auto prompt = TaskPrompt::make(*set, {.questionFirst = first ? 1.0 : 0.0});
      ASSERT_TRUE(prompt) << prompt.error().message;
      PromptOptions options{.noAnswer = set->mayLackAnswers ? noAnswerOf(set->format) : nullptr};
      options.questionFirst = first;
      for (std::size_t i = 0; i < set->questions.size(); i += 7) {
        const QuestionPrompt expected = questionPrompt(set->questions[i], options),
                             got = prompt->of(set->questions[i], i).value();
        ASSERT_EQ(got.whole(), expected.whole()) << file << " " << i;
        ASSERT_EQ(got.passages, expected.passages) << file << " " << i;
      }
    }
  }
}

TEST(TaskPrompt, CanBeReplacedByATemplate) {
  const Question question = plainQuestion({{"T", "One {{ question }}."}, {"", "Two."}}, "Q?", "a");
  EXPECT_EQ(asked(setOf(QaFormat::squad), question, {.prompt = "{{ context }}\nQ: {{ question }}\nA:\n"}),
            "[1] T: One {{ question }}.\n[2] Two.\nQ: Q?\nA:")
      << "what data hold is no template, and a file's last newline does not count";
  EXPECT_EQ(asked(setOf(QaFormat::squad), question,
                  {.prompt = "{% for p in passages %}<{{ p.title }}|{{ p.text }}>{% endfor %}{{ question }}"}),
            "<T|One {{ question }}.><|Two.>Q?");
}

TEST(TaskPrompt, ThatAsksNothingOrFailsIsRefused) {
  EXPECT_THAT(refusal({.prompt = "Answer:"}), HasSubstr("neither {{ question }} nor {{ context }}"));
  EXPECT_THAT(refusal({.prompt = "{{ question"}), HasSubstr("The prompt"));
  EXPECT_THAT(refusal({.prompt = "{{ context }}{{ context }}{{ question }}"}), HasSubstr("writes {{ context }} twice"));
  EXPECT_THAT(refusal({.prompt = "{{ question }}{{ raise_exception('not so') }}"}), HasSubstr("not so"));
}

TEST(TaskPrompt, ThatListsChoicesWithLettersIsAnsweredByOne) {
  Question question = plainQuestion({}, "Q?", "dog");
  question.choices = {"cat", "dog"};
  question.right = 1;
  const QuestionSet set = setOf(QaFormat::multipleChoice);
  const auto byText = TaskPrompt::make(set, {});
  EXPECT_EQ(byText->target(question), "dog");
  EXPECT_THAT(byText->choices(question), ElementsAre("cat", "dog"));
  const AskOptions options{.prompt = "{{ question }}\n{{ lettered_choices }}\nAnswer:"};
  const auto byLetter = TaskPrompt::make(set, options);
  EXPECT_EQ(byLetter->target(question), "B");
  EXPECT_THAT(byLetter->choices(question), ElementsAre("A", "B"));
  EXPECT_EQ(asked(set, question, options), "Q?\nA. cat\nB. dog\nAnswer:");
}

TEST(TaskPrompt, ShowsExamplesBeforeTheQuestion) {
  AskOptions options;
  options.shots = {plainQuestion({{"", "Tom runs."}}, "Who runs?", "Tom"), plainQuestion({}, "Who?", "")};
  options.shots[1].answerable = false;
  EXPECT_EQ(asked(setOf(QaFormat::squad), plainQuestion({{"", "C."}}, "Q?", "a"), options),
            "Context: Tom runs.\nQuestion: Who runs?\nAnswer: Tom\n\nQuestion: Who?\nAnswer: unanswerable\n\n"
            "Context: C.\nQuestion: Q?\nAnswer:");
}

TEST(TaskPrompt, GoesThroughAChatTemplateWithExamplesAsTurns) {
  const TemplateRenderer chat(ChatTemplate::parse("{% for m in messages %}<{{ m.role }}>{{ m.content }}</>{% endfor %}"
                                                  "{% if add_generation_prompt %}<assistant>{% endif %}",
                                                  "t")
                                  .value());
  AskOptions options;
  options.chat = &chat;
  options.shots = {plainQuestion({}, "Who runs?", "Tom")};
  const auto prompt = TaskPrompt::make(setOf(QaFormat::squad), options);
  ASSERT_TRUE(prompt) << prompt.error().message;
  const auto text = prompt->of(plainQuestion({{"", "C."}}, "Q?", "a"), 0);
  EXPECT_EQ(
      text->whole(),
      "<user>Question: Who runs?\nAnswer:</><assistant>Tom</><user>Context: C.\nQuestion: Q?\nAnswer:</><assistant>");
  EXPECT_EQ(text->passages, "C.") << "which can still be shortened";
  EXPECT_EQ(prompt->completion("a"), "a");
  const TemplateRenderer deaf(ChatTemplate::parse("hello", "t").value());
  options.chat = &deaf;
  EXPECT_THAT(refusal(options), HasSubstr("chat template changes what it is given"));
}

TEST(TaskPrompt, DrawsOrdersAndPlacesByTheSeed) {
  std::vector<Passage> passages;
  for (const char* text : {"a", "b", "c", "d", "e"}) passages.push_back({"", text});
  const Question question = plainQuestion(passages, "Q?", "a");
  const QuestionSet set = setOf(QaFormat::hotpotQa);
  const AskOptions options{.questionFirst = 0.5, .permutePassages = true, .seed = 3};
  int first = 0, changed = 0;
  for (std::uint64_t i = 0; i < 40; ++i) {
    const std::string text = asked(set, question, options, i);
    EXPECT_EQ(text, asked(set, question, options, i));
    first += text.starts_with("Question: ") ? 1 : 0;
    changed += text.find("[1] a\n[2] b\n[3] c\n[4] d\n[5] e") == std::string::npos ? 1 : 0;
  }
  EXPECT_GT(first, 10);
  EXPECT_LT(first, 30);
  EXPECT_GT(changed, 35);
  EXPECT_EQ(asked(set, question, {.closedBook = true}), "Question: Q?\nAnswer:");
}

}  // namespace
}  // namespace strata
