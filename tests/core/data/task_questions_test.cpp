// Questions that are read for one task alone: Natural Questions, BoolQ, LAMBADA, key-value pairs, multiple choice, and
// any file by its columns.

#include <gmock/gmock.h>

#include <set>

#include "core/data/evidence.h"
#include "core/data/questions.h"
#include "support.h"

namespace strata {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::sharedData;
using testing::TemporaryFolder;
using testing::writeText;

Result<QuestionSet> readAs(QaFormat format, const std::string& content, const Columns& columns = {},
                           const std::string& name = "data.jsonl") {
  const TemporaryFolder folder;
  writeText(folder.path() / name, content);
  return readQuestions(folder.path() / name, format, columns);
}

Question onlyOne(QaFormat format, const std::string& content, const Columns& columns = {},
                 const std::string& name = "data.jsonl") {
  const auto set = readAs(format, content, columns, name);
  EXPECT_TRUE(set) << set.error().message;
  return set && set->questions.size() == 1 ? set->questions.front() : Question();
}

std::string reasonOf(QaFormat format, const std::string& content, const Columns& columns = {}) {
  const auto set = readAs(format, content, columns);
  EXPECT_FALSE(set) << content;
  return set ? "" : set.error().message;
}

TEST(NaturalQuestions, ComeWithTheirPassagesAndAreGroupedByTheGoldOnesArticle) {
  const Question question =
      onlyOne(QaFormat::naturalQuestions,
              R"({"question": "who?", "answers": ["X", "Y"], "ctxs": [{"title": "A", "text": "a", "isgold": false},
          {"title": "B", "text": "b", "isgold": true}]})",
              {}, "data.json");
  EXPECT_THAT(question.answers, ElementsAre("X", "Y"));
  ASSERT_EQ(question.passages.size(), 2u);
  EXPECT_EQ(question.passages[1].title, "B");
  EXPECT_EQ(question.group, "B");
  EXPECT_THAT(onlyOne(QaFormat::naturalQuestions, R"({"question": "who", "answer": ["X"]})").passages, IsEmpty());
  EXPECT_THAT(reasonOf(QaFormat::naturalQuestions, R"({"question": "who"})"), HasSubstr("must have \"answers\""));
}

TEST(BoolQuestions, AreReadInEveryFormThatIsPublished) {
  for (const char* row :
       {R"({"question": "is it so", "passage": "It is.", "answer": true, "title": "T"})",
        R"({"question": "is it so?", "passage": "It is.", "label": 1, "idx": 3})",
        R"({"query": "Passage: It is.\nQuestion: is it so?\n", "choices": ["no", "yes"], "gold": 1})"}) {
    const Question question = onlyOne(QaFormat::boolQ, row);
    EXPECT_EQ(question.question, "is it so") << row;
    ASSERT_EQ(question.passages.size(), 1u) << row;
    EXPECT_EQ(question.passages[0].text, "It is.");
    EXPECT_THAT(question.choices, ElementsAre("no", "yes"));
    EXPECT_EQ(question.right, 1u);
    EXPECT_EQ(question.target, "yes");
  }
  EXPECT_EQ(onlyOne(QaFormat::boolQ, R"({"q": "so?", "p": "It is.", "a": "No"})",
                    {{"question", "q"}, {"context", "p"}, {"answers", "a"}})
                .target,
            "no");
  EXPECT_THAT(onlyOne(QaFormat::boolQ, R"({"question": "so", "passage": "x", "label": -1})").answers, IsEmpty());
  EXPECT_THAT(reasonOf(QaFormat::boolQ, R"({"question": "so", "passage": "x", "answer": "maybe"})"),
              HasSubstr("must be true or false, yes or no"));
}

TEST(LastWords, AreCutOffATextOrGivenBesideIt) {
  const Question cut = onlyOne(QaFormat::lastWord, R"({"text": "He did not care about signs"})");
  ASSERT_EQ(cut.passages.size(), 1u);
  EXPECT_EQ(cut.passages[0].text, "He did not care about");
  EXPECT_EQ(cut.target, "signs");
  EXPECT_EQ(onlyOne(QaFormat::lastWord, R"({"context": "not about", "continuation": " signs"})").target, "signs");
  EXPECT_EQ(onlyOne(QaFormat::lastWord, R"({"t": "all my signs"})", {{"text", "t"}}).passages[0].text, "all my");
  EXPECT_THAT(reasonOf(QaFormat::lastWord, R"({"text": "word"})"),
              HasSubstr("text: must have a last word after a space"));
  EXPECT_THAT(reasonOf(QaFormat::lastWord, R"({"context": "a", "continuation": " "})"), HasSubstr("must not be empty"));
}

TEST(KeyValues, ArePrintedAsOneObjectAndAskedForByKey) {
  const Question question =
      onlyOne(QaFormat::keyValues, R"({"ordered_kv_records": [["k", "v"], ["l", "w"]], "key": "l", "value": "w"})");
  EXPECT_EQ(question.passages[0].text, "{\"k\": \"v\",\n \"l\": \"w\"}");
  EXPECT_EQ(question.question, "l");
  EXPECT_EQ(question.target, "w");
  EXPECT_THAT(reasonOf(QaFormat::keyValues, R"({"ordered_kv_records": [["k", "v"]], "key": "x", "value": "v"})"),
              HasSubstr("key: must be one of the keys"));
  EXPECT_THAT(reasonOf(QaFormat::keyValues, R"({"ordered_kv_records": [["k", "v"]], "key": "k", "value": "w"})"),
              HasSubstr("value: must be the value of its key"));
  EXPECT_THAT(reasonOf(QaFormat::keyValues, R"({"ordered_kv_records": [["k"]], "key": "k", "value": "w"})"),
              HasSubstr("ordered_kv_records[0]: must be a key and its value"));
}

TEST(KeyValues, AreDrawnAnewForEachQuestionAndTheSameForASeed) {
  const QuestionSet set = keyValueQuestions(5, 40, 7), again = keyValueQuestions(5, 40, 7);
  ASSERT_EQ(set.questions.size(), 40u);
  std::set<std::string> keys;
  std::set<std::size_t> places;
  for (std::size_t i = 0; i < set.questions.size(); ++i) {
    const Question& question = set.questions[i];
    const std::string& text = question.passages[0].text;
    EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 4);
    EXPECT_THAT(text, HasSubstr("\"" + question.question + "\": \"" + question.target + "\""));
    EXPECT_THAT(question.question,
                ::testing::MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
    keys.insert(question.question);
    const std::size_t at = text.find(question.question);
    places.insert(
        static_cast<std::size_t>(std::count(text.begin(), text.begin() + static_cast<std::ptrdiff_t>(at), '\n')));
    EXPECT_EQ(text, again.questions[i].passages[0].text);
  }
  EXPECT_EQ(keys.size(), 40u);
  EXPECT_EQ(places.size(), 5u) << "every place is asked for";
  EXPECT_NE(keyValueQuestions(5, 1, 8).questions[0].question, set.questions[0].question);
}

TEST(MultipleChoice, IsReadInTheFormsOfArcHellaSwagAndMmlu) {
  for (
      const char* row : {
          R"({"id": "M", "question": {"stem": "Which?", "choices": [{"text": "a", "label": "A"}, {"text": "b", "label": "B"}]},
               "answerKey": "B"})",
          R"({"id": "M", "question": "Which?", "choices": {"text": ["a", "b"], "label": ["1", "2"]}, "answerKey": "2"})",
          R"({"id": "M", "question": "Which?", "choices": ["a", "b"], "answer": 1, "subject": "law"})",
          R"({"id": "M", "question": "Which?", "choices": ["a", "b"], "answer": "B"})",
          R"({"id": "M", "question": "Which?", "choices": ["a", "b"], "answer": "b"})"}) {
    std::string line = row;
    line.erase(std::remove(line.begin(), line.end(), '\n'), line.end());
    const Question question = onlyOne(QaFormat::multipleChoice, line);
    EXPECT_EQ(question.id, "M") << row;
    EXPECT_EQ(question.question, "Which?") << row;
    EXPECT_THAT(question.choices, ElementsAre("a", "b")) << row;
    EXPECT_EQ(question.right, 1u) << row;
    EXPECT_THAT(question.answers, ElementsAre("b"));
  }
  const Question hellaSwag = onlyOne(
      QaFormat::multipleChoice,
      R"({"ind": 24, "activity_label": "Roof shingle removal", "ctx_a": "A man is on a roof.", "ctx_b": "he [step] Starts", )"
      R"("endings": ["is using wrap [title] to wrap.", "sits."], "label": "1"})");
  EXPECT_EQ(hellaSwag.id, "0") << "its numbers come twice";
  EXPECT_EQ(hellaSwag.question, "");
  EXPECT_EQ(hellaSwag.passages[0].text, "Roof shingle removal: A man is on a roof. He starts");
  EXPECT_THAT(hellaSwag.choices, ElementsAre("is using wrap. to wrap.", "sits."));
  EXPECT_EQ(hellaSwag.target, "sits.");
  EXPECT_THAT(onlyOne(QaFormat::multipleChoice, R"({"ctx": "a", "endings": ["b", "c"], "label": ""})").answers,
              IsEmpty())
      << "test splits do not tell";
}

TEST(MultipleChoice, ThatCannotBeAskedIsRefusedByItsMember) {
  const auto reason = [](const std::string& row) { return reasonOf(QaFormat::multipleChoice, row); };
  EXPECT_THAT(reason(R"({"question": "Q", "answer": 0})"), HasSubstr("must have \"choices\""));
  EXPECT_THAT(reason(R"({"question": "Q", "choices": ["a"], "answer": 0})"),
              HasSubstr("choices: must have two choices"));
  EXPECT_THAT(reason(R"({"question": "Q", "choices": ["a", "b"], "answer": 2})"),
              HasSubstr("answer: must be the number"));
  EXPECT_THAT(reason(R"({"question": "Q", "choices": ["a", ""], "answer": 0})"),
              HasSubstr("choices: must not hold an empty"));
  EXPECT_THAT(reason(R"({"choices": ["a", "b"], "answer": 0})"),
              HasSubstr("must have a \"question\" or a \"context\""));
  EXPECT_THAT(reason(R"({"question": "Q", "choices": {"text": ["a", "b"], "label": ["A"]}, "answerKey": "A"})"),
              HasSubstr("choices.label: must have as many elements"));
}

TEST(Columns, MapQuestionsOfAnyFile) {
  const Columns columns = {{"question", "q.text"}, {"context", "doc"}, {"answers", "gold.0"}, {"id", "n"}};
  const auto set =
      readAs(QaFormat::squad,
             "{\"n\": 7, \"q\": {\"text\": \"Who?\"}, \"doc\": \"Tom runs.\", \"gold\": [\"Tom\", \"x\"]}\n", columns);
  ASSERT_TRUE(set) << set.error().message;
  EXPECT_EQ(set->format, QaFormat::squad);
  EXPECT_EQ(set->questions[0].id, "7");
  EXPECT_EQ(set->questions[0].question, "Who?");
  EXPECT_EQ(set->questions[0].passages[0].text, "Tom runs.");
  EXPECT_THAT(set->questions[0].answers, ElementsAre("Tom"));
  const Columns table = {{"question", "Q"}, {"answers", "A"}};
  EXPECT_THAT(onlyOne(QaFormat::triviaQa, "Q,A\nWho?,\"[\"\"Tom\"\", \"\"Tim\"\"]\"\n", table, "data.csv").answers,
              ElementsAre("Tom", "Tim"));
  EXPECT_EQ(onlyOne(QaFormat::multipleChoice, R"({"stem": "Q?", "opts": ["a", "b"], "key": "B"})",
                    {{"question", "stem"}, {"choices", "opts"}, {"answers", "key"}})
                .right,
            1u);
}

TEST(Columns, ThatDoNotFitTheFileAreToldWithTheLine) {
  EXPECT_THAT(reasonOf(QaFormat::squad, "{\"a\": 1}\n", {{"question", "q"}, {"answers", "a"}}),
              HasSubstr("data.jsonl:1: the column \"q\" for question is missing"));
  EXPECT_THAT(reasonOf(QaFormat::squad, "{\"a\": \"x\"}\n", {{"text", "a"}}), HasSubstr("need a column for question"));
  EXPECT_THAT(reasonOf(QaFormat::multipleChoice, "{\"a\": \"x\"}\n", {{"question", "a"}, {"choices", "c"}}),
              HasSubstr("data.jsonl:1: the column \"c\" for choices is missing"));
  EXPECT_THAT(reasonOf(QaFormat::squad, "{\"q\": \"x\"}\n", {{"query", "q"}}), HasSubstr("\"query\" is not something"));
}

TEST(Columns, FitRepLiQa) {
  const Columns columns = {{"question", "question"},
                           {"context", "document_extracted"},
                           {"answers", "answer"},
                           {"id", "question_id"},
                           {"group", "document_id"}};
  const Question question = onlyOne(
      QaFormat::squad,
      R"({"document_id": "kcpluczl", "document_topic": "Small and Medium Enterprises", "document_path": "a.pdf", )"
      R"("document_extracted": "The fair began in 2025.", "question_id": "kcpluczl-q1", "question": "When did it begin?", )"
      R"("answer": "In 2025.", "long_answer": "The fair began in 2025."})",
      columns);
  EXPECT_EQ(question.id, "kcpluczl-q1");
  EXPECT_EQ(question.group, "kcpluczl");
  EXPECT_EQ(question.passages[0].text, "The fair began in 2025.");
  EXPECT_THAT(question.answers, ElementsAre("In 2025."));
}

std::string triviaAbout(const std::string& filename) {
  return R"({"Domain": "Wikipedia", "Data": [{"QuestionId": "q", "Question": "Q?", "Answer": {"Value": "v", "NormalizedAliases": ["v"]},
      "EntityPages": [{"Title": "T", "Filename": ")" +
         filename + R"("}],
      "SearchResults": [{"Title": "S", "Description": "short", "Filename": "1/1_2.txt"}]}]})";
}

TEST(Evidence, IsReadForTheQuestionsThatAreAsked) {
  const TemporaryFolder folder;
  const auto data = folder.path() / "qa/dev.json";
  for (const char* name : {"qa", "evidence/wikipedia", "evidence/web/1"})
    std::filesystem::create_directories(folder.path() / name);
  writeText(data, triviaAbout("A_B.txt"));
  writeText(folder.path() / "evidence/wikipedia/A_B.txt", "A page about it.");
  writeText(folder.path() / "evidence/web/1/1_2.txt", "What a search found.");
  EXPECT_EQ(evidenceFolder(data), folder.path() / "evidence");
  QuestionSet set = readQuestions(data).value();
  ASSERT_TRUE(readEvidence(data, evidenceFolder(data), {}, set));
  EXPECT_EQ(set.questions[0].passages[0].text, "short") << "not asked";
  const auto read = readEvidence(data, evidenceFolder(data), {"q"}, set);
  ASSERT_TRUE(read) << read.error().message;
  ASSERT_EQ(set.questions[0].passages.size(), 2u);
  EXPECT_EQ(set.questions[0].passages[0].text, "A page about it.");
  EXPECT_EQ(set.questions[0].passages[1].text, "What a search found.");
}

TEST(Evidence, ThatIsMissingOrOutsideItsFolderIsRefused) {
  const TemporaryFolder folder;
  const auto data = folder.path() / "dev.json";
  EXPECT_TRUE(evidenceFolder(data).empty());
  std::filesystem::create_directories(folder.path() / "evidence/wikipedia");
  writeText(folder.path() / "secret.txt", "s");
  for (const auto& [name, reason] :
       {std::pair{"none.txt", "none.txt"},
        std::pair{"../../secret.txt", "EntityPages[0].Filename: must name a file inside"},
        std::pair{"/etc/hostname", "must name a file inside"}, std::pair{"", "must name a file inside"}}) {
    writeText(data, triviaAbout(name));
    QuestionSet set = readQuestions(data).value();
    const auto read = readEvidence(data, evidenceFolder(data), {"q"}, set);
    ASSERT_FALSE(read) << name;
    EXPECT_THAT(read.error().message, HasSubstr(reason));
  }
}

TEST(TaskQuestionsGolden, EveryPublishedFileIsRead) {
  STRATA_NEEDS_SHARED_DATA();
  struct Case {
    const char* file;
    QaFormat format;
    std::size_t questions;
    Columns columns = {};
  };
  const Case cases[] = {
      {"nq/nq-open-oracle.jsonl.gz", QaFormat::naturalQuestions, 2655},
      {"other/boolq.jsonl", QaFormat::boolQ, 3270},
      {"other/boolq.jsonl", QaFormat::multipleChoice, 3270},
      {"other/lambada_openai.jsonl", QaFormat::lastWord, 5153},
      {"other/kv-retrieval-75_keys.jsonl.gz", QaFormat::keyValues, 500},
      {"other/jeopardy_all.jsonl", QaFormat::triviaQa, 2117, {{"question", "context"}, {"answers", "continuation"}}}};
  for (const Case& item : cases) {
    const auto data = readQuestions(sharedData() / "qa" / item.file, item.format, item.columns);
    ASSERT_TRUE(data.has_value()) << data.error().message;
    EXPECT_EQ(data->questions.size(), item.questions) << item.file;
    for (const Question& question : data->questions) {
      ASSERT_FALSE(question.answers.empty()) << item.file << " " << question.id;
      ASSERT_EQ(question.target, question.choices.empty() ? question.answers[0] : question.choices[question.right]);
    }
  }
}

}  // namespace
}  // namespace strata
