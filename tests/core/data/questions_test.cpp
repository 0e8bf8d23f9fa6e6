#include "core/data/questions.h"

#include <gmock/gmock.h>
#include <zlib.h>

#include "parquet_file.h"
#include "support.h"

namespace strata {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::sharedData;
using testing::TemporaryFolder;
using testing::writeText;

Result<QuestionSet> read(const std::string& content, std::optional<QaFormat> format = std::nullopt,
                         const std::string& name = "data.json") {
  const TemporaryFolder folder;
  writeText(folder.path() / name, content);
  return readQuestions(folder.path() / name, format);
}

std::string errorOf(const std::string& content, QaFormat format, const std::string& name = "data.json") {
  const auto data = read(content, format, name);
  EXPECT_FALSE(data.has_value());
  return data ? "" : data.error().message;
}

// A SQuAD file with one paragraph whose questions are given.
std::string squadWith(const std::string& questions) {
  return R"({"version": "1.1", "data": [{"title": "T", "paragraphs": [{"context": "C", "qas": [)" + questions +
         "]}]}]}";
}

TEST(SquadQuestions, HaveTheirParagraphAndGoldAnswers) {
  const auto data =
      read(squadWith(R"({"id": "1", "question": "Q?", "answers": [{"text": "a", "answer_start": 0}, {"text": "b"}]})"));
  ASSERT_TRUE(data.has_value()) << data.error().message;
  EXPECT_EQ(data->format, QaFormat::squad);
  EXPECT_FALSE(data->mayLackAnswers);
  ASSERT_EQ(data->questions.size(), 1u);
  const Question& question = data->questions[0];
  EXPECT_EQ(question.id, "1");
  ASSERT_EQ(question.passages.size(), 1u);
  EXPECT_EQ(question.passages[0].text, "C");
  EXPECT_EQ(question.question, "Q?");
  EXPECT_EQ(question.group, "T");
  EXPECT_EQ(question.target, "a");
  EXPECT_TRUE(question.answerable);
  EXPECT_THAT(question.answers, ElementsAre("a", "b"));
}

TEST(SquadQuestions, AnImpossibleOneHasNoAnswersWhateverIsPlausible) {
  const auto data = read(squadWith(
      R"({"id": "1", "question": "Q?", "answers": [], "is_impossible": true, "plausible_answers": [{"text": "p"}]})"));
  ASSERT_TRUE(data.has_value()) << data.error().message;
  EXPECT_TRUE(data->mayLackAnswers);
  EXPECT_FALSE(data->questions[0].answerable);
  EXPECT_THAT(data->questions[0].answers, IsEmpty());
}

TEST(SquadQuestions, ComeAsRowsToo) {
  const auto data = read(
      R"({"id": "1", "title": "T", "context": "C", "question": "Q?", "answers": {"text": ["a"], "answer_start": [0]}})"
      "\n"
      R"({"id": "2", "title": "T", "context": "C", "question": "R?", "answers": {"text": [], "answer_start": []}})");
  ASSERT_TRUE(data.has_value()) << data.error().message;
  EXPECT_EQ(data->format, QaFormat::squad);
  EXPECT_TRUE(data->mayLackAnswers);
  EXPECT_THAT(data->questions[0].answers, ElementsAre("a"));
  EXPECT_FALSE(data->questions[1].answerable);
}

TEST(SquadQuestions, ErrorsNameTheMember) {
  const auto error = [](const std::string& content) { return errorOf(content, QaFormat::squad); };
  const std::string path = "data[0].paragraphs[0].qas[1]";
  const std::string good = R"({"id": "1", "question": "Q", "answers": []},)";
  EXPECT_THAT(error(squadWith(good + R"({"id": null, "question": "Q", "answers": []})")),
              HasSubstr(path + ".id: must be a string or a whole number"));
  EXPECT_THAT(error(squadWith(good + "3")), HasSubstr(path + ": must be an object"));
  EXPECT_THAT(error(squadWith(good + R"({"id": "2", "answers": []})")), HasSubstr(path + ".question: is missing"));
  EXPECT_THAT(error(squadWith(good + R"({"id": "2", "question": "Q", "answers": {}})")),
              HasSubstr(path + ".answers: must be a list"));
  EXPECT_THAT(error(squadWith(good + R"({"id": "2", "question": "Q", "answers": [{"text": null}]})")),
              HasSubstr(path + ".answers[0].text: must be a string"));
  EXPECT_THAT(error(squadWith(good + R"({"id": "1", "question": "Q", "answers": []})")),
              HasSubstr(path + ".id: \"1\" is the id of an earlier question"));
  EXPECT_THAT(error(squadWith(R"({"id": "1", "question": "Q", "answers": [], "is_impossible": 1})")),
              HasSubstr("qas[0].is_impossible: must be true or false"));
  EXPECT_THAT(error(R"({"data": [{}]})"), HasSubstr("data[0].paragraphs: is missing"));
  EXPECT_THAT(error(R"({"data": []})"), HasSubstr("holds no questions"));
  EXPECT_THAT(error("{}"), HasSubstr("data: is missing"));
  EXPECT_THAT(error("3"), HasSubstr("must be a JSON object"));
  EXPECT_THAT(error("{"), HasSubstr("data.json"));
}

TEST(HotpotQuestions, AreReadFromPairsAndFromColumnsAlike) {
  const std::string pairs =
      R"([{"_id": "x", "question": "Q?", "answer": "yes", "type": "comparison", "level": "hard",
           "supporting_facts": [["B", 1]], "context": [["A", ["One.", " Two."]], ["B", ["Three."]]]}])";
  const std::string columns =
      R"({"id": "x", "question": "Q?", "answer": "yes", "type": "comparison", "level": "hard", "supporting_facts": {"title": ["B"], "sent_id": [1]}, "context": {"title": ["A", "B"], "sentences": [["One.", " Two."], ["Three."]]}})";
  for (const auto& [content, name] : {std::pair{pairs, "data.json"}, std::pair{columns, "data.jsonl"}}) {
    const auto data = read(content, std::nullopt, name);
    ASSERT_TRUE(data.has_value()) << data.error().message;
    EXPECT_EQ(data->format, QaFormat::hotpotQa);
    ASSERT_EQ(data->questions.size(), 1u);
    const Question& question = data->questions[0];
    EXPECT_EQ(question.id, "x");
    EXPECT_THAT(question.answers, ElementsAre("yes"));
    EXPECT_THAT(question.supportingFacts, ElementsAre(SupportingFact{"B", 1}));
    ASSERT_EQ(question.passages.size(), 2u);
    EXPECT_EQ(question.passages[0].title, "A");
    EXPECT_EQ(question.passages[0].text, "One. Two.");
    EXPECT_FALSE(question.passages[0].selected);
    EXPECT_TRUE(question.passages[1].selected);
  }
}

TEST(HotpotQuestions, OfAClosedBookAreNamedByTheirRow) {
  const auto data = read(R"([{"question": "Q?", "answer": "a", "type": "bridge"},
                             {"question": "R?", "answer": "b", "type": "bridge"}])");
  ASSERT_TRUE(data.has_value()) << data.error().message;
  EXPECT_EQ(data->questions[1].id, "1");
  EXPECT_THAT(data->questions[1].passages, IsEmpty());
}

TEST(HotpotQuestions, ErrorsNameTheMember) {
  const auto error = [](const std::string& rest) {
    return errorOf(R"([{"_id": "x", "question": "Q?", "answer": "a", )" + rest + "}]", QaFormat::hotpotQa);
  };
  EXPECT_THAT(error(R"("supporting_facts": [["T"]])"), HasSubstr("[0].supporting_facts[0]: must be a list of two"));
  EXPECT_THAT(error(R"("supporting_facts": [["T", "1"]])"),
              HasSubstr("[0].supporting_facts[0][1]: must be the number of a sentence"));
  EXPECT_THAT(error(R"("context": [["T", ["a", 3]]])"), HasSubstr("[0].context[0][1][1]: must be a string"));
  EXPECT_THAT(error(R"("context": {"title": ["T"], "sentences": []})"),
              HasSubstr("[0].context.sentences: must have as many elements as \"title\""));
  EXPECT_THAT(errorOf(R"([{"_id": "x", "question": "Q?", "type": "t"}])", QaFormat::hotpotQa),
              HasSubstr("[0].answer: is missing"));
}

// A TriviaQA file of a domain with one question.
std::string triviaOf(const std::string& domain, const std::string& more = "") {
  return R"({"Domain": ")" + domain + R"(", "VerifiedEval": false, "Data": [{"QuestionId": "q", "Question": "Q?",
    "Answer": {"Value": "The Sun", "Aliases": ["The Sun"], "NormalizedAliases": ["sun", "sol"], "HumanAnswers": ["Helios"]},
    "EntityPages": [{"Filename": "Sun.txt", "Title": "Sun"}],
    "SearchResults": [{"Filename": "1/2.txt", "Title": "T", "Description": "D"}, {"Filename": "1/2.txt"}]}])" +
         more + "}";
}

TEST(TriviaQuestions, AreComparedWithTheirNormalizedAliasesAndPeoplesAnswers) {
  const auto data = read(triviaOf("Wikipedia"));
  ASSERT_TRUE(data.has_value()) << data.error().message;
  EXPECT_EQ(data->format, QaFormat::triviaQa);
  const Question& question = data->questions.at(0);
  EXPECT_EQ(question.target, "The Sun");
  EXPECT_THAT(question.answers, ElementsAre("sun", "sol", "Helios"));
  EXPECT_THAT(question.documentKeys, IsEmpty());
  ASSERT_EQ(question.passages.size(), 1u);  // the results that say something
  EXPECT_EQ(question.passages[0].text, "D");
}

TEST(TriviaQuestions, OfTheWebAreNamedByTheirDocuments) {
  EXPECT_THAT(read(triviaOf("Web"))->questions[0].documentKeys, ElementsAre("q--Sun.txt", "q--1/2.txt"));
}

TEST(TriviaQuestions, OfAVerifiedFileAreTheVerifiedOnes) {
  const auto data = read(R"({"Domain": "Wikipedia", "VerifiedEval": true, "Data": [
    {"QuestionId": "a", "QuestionPartOfVerifiedEval": false, "Question": "A?", "Answer": {"Value": "a", "NormalizedAliases": ["a"]}},
    {"QuestionId": "b", "QuestionPartOfVerifiedEval": true, "Question": "B?", "Answer": {"Value": "b", "NormalizedAliases": ["b"]}}]})");
  ASSERT_TRUE(data.has_value()) << data.error().message;
  ASSERT_EQ(data->questions.size(), 1u);
  EXPECT_EQ(data->questions[0].id, "b");
}

TEST(TriviaQuestions, ComeAsRowsToo) {
  const auto closed = read(R"({"context": "Question: What?\nAnswer:", "answer": "Onion", "aliases": ["Bulb onion"]})",
                           std::nullopt, "data.jsonl");
  ASSERT_TRUE(closed.has_value()) << closed.error().message;
  EXPECT_EQ(closed->questions[0].question, "What?");
  EXPECT_THAT(closed->questions[0].answers, ElementsAre("Bulb onion", "Onion"));
  const auto columns = read(
      R"([{"question_id": "q", "question": "Q?", "answer": {"value": "V", "normalized_aliases": ["v"]},
           "entity_pages": {"title": ["E"], "wiki_context": ["page"]},
           "search_results": {"title": ["S", "N"], "search_context": ["found", ""]}}])");
  ASSERT_TRUE(columns.has_value()) << columns.error().message;
  ASSERT_EQ(columns->questions[0].passages.size(), 2u);
  EXPECT_EQ(columns->questions[0].passages[1].text, "found");
}

TEST(TriviaQuestions, ErrorsNameTheMember) {
  EXPECT_THAT(
      errorOf(R"({"Data": [{"QuestionId": "q", "Question": "Q?", "Answer": {"Value": "v"}}]})", QaFormat::triviaQa),
      HasSubstr("Data[0].Answer.NormalizedAliases: is missing"));
  EXPECT_THAT(errorOf(R"({"context": "c", "answer": "a", "aliases": [1]})", QaFormat::triviaQa, "data.jsonl"),
              HasSubstr("data.jsonl:1: aliases[0]: must be a string"));
}

TEST(MarcoQuestions, AreReadFromColumnsAndRowsAlike) {
  const std::string columns = R"({"query_id": {"0": 7, "5": 8}, "query": {"5": "r", "0": "q"},
    "answers": {"0": ["a", "b"], "5": ["No Answer Present."]}, "query_type": {"0": "numeric", "5": "entity"},
    "wellFormedAnswers": {"0": "[]", "5": "[]"},
    "passages": {"0": [{"is_selected": 0, "passage_text": "p", "url": "u"}, {"is_selected": 1, "passage_text": "s"}],
                 "5": []}})";
  const std::string rows =
      R"({"query_id": 7, "query": "q", "answers": ["a", "b"], "passages": {"is_selected": [0, 1], "passage_text": ["p", "s"], "url": ["u", "v"]}})"
      "\n"
      R"({"query_id": 8, "query": "r", "answers": ["No Answer Present."], "passages": []})";
  for (const std::string& content : {columns, rows}) {
    const auto data = read(content);
    ASSERT_TRUE(data.has_value()) << data.error().message;
    EXPECT_EQ(data->format, QaFormat::msMarco);
    ASSERT_EQ(data->questions.size(), 2u);
    const Question& question = data->questions[0];
    EXPECT_EQ(question.id, "7");
    EXPECT_EQ(question.question, "q");
    EXPECT_THAT(question.answers, ElementsAre("a", "b"));
    ASSERT_EQ(question.passages.size(), 2u);
    EXPECT_TRUE(question.passages[1].selected);
    EXPECT_EQ(data->questions[1].question, "r");
    EXPECT_FALSE(data->questions[1].answerable);
    EXPECT_THAT(data->questions[1].answers, IsEmpty());
  }
}

TEST(MarcoQuestions, WithoutAnyAnswerHaveNoneKnown) {
  const auto data = read(R"([{"query_id": 7, "query": "q", "answers": [], "passages": []}])");
  ASSERT_TRUE(data.has_value()) << data.error().message;
  EXPECT_TRUE(data->questions[0].answerable);
  EXPECT_THAT(data->questions[0].answers, IsEmpty());
}

TEST(MarcoQuestions, ErrorsNameTheMember) {
  EXPECT_THAT(errorOf(R"({"query_id": {"0": 7}, "query": {"1": "q"}, "answers": {"0": []}, "passages": {"0": []}})",
                      QaFormat::msMarco),
              HasSubstr("query: has no row \"0\""));
  EXPECT_THAT(errorOf(R"([{"query_id": 7, "query": "q", "answers": [],
                           "passages": [{"is_selected": "x", "passage_text": "p"}]}])",
                      QaFormat::msMarco),
              HasSubstr("[0].passages[0].is_selected: must be 0 or 1"));
}

TEST(Questions, OfATableAreReadWithTheJsonInItsCells) {
  const auto squad = read(
      "id,title,context,question,answers\n"
      "1,T,[sic],Q?,\"{\"\"text\"\": [\"\"a\"\"], \"\"answer_start\"\": [0]}\"\n",
      QaFormat::squad, "data.csv");
  ASSERT_TRUE(squad.has_value()) << squad.error().message;
  EXPECT_THAT(squad->questions[0].answers, ElementsAre("a"));
  EXPECT_EQ(squad->questions[0].passages[0].text, "[sic]");
  const auto hotpot = read(
      "id\tquestion\tanswer\tsupporting_facts\tcontext\n"
      "x\tQ?\t[1]\t\"[[\"\"B\"\", 0]]\"\t\"[[\"\"B\"\", [\"\"s\"\"]]]\"\n",
      QaFormat::hotpotQa, "data.tsv");
  ASSERT_TRUE(hotpot.has_value()) << hotpot.error().message;
  EXPECT_THAT(hotpot->questions[0].answers, ElementsAre("[1]"));
  EXPECT_TRUE(hotpot->questions[0].passages[0].selected);
  EXPECT_THAT(errorOf("id,question,context,answers\n1,Q?\n", QaFormat::squad, "data.csv"),
              HasSubstr("data.csv:2: the row has 2 fields"));
  EXPECT_THAT(errorOf("id,question,context,answers\n1,Q?,C,a\n", QaFormat::squad, "data.csv"),
              HasSubstr("data.csv:2: answers"));
}

TEST(Questions, OfAParquetFileAreRead) {
  const TemporaryFolder folder;
  testing::writeParquet(folder.path() / "a.parquet", {"Q?"}, {{"a"}});
  const auto data = readQuestions(folder.path() / "a.parquet", QaFormat::squad);
  ASSERT_FALSE(data.has_value());  // this file has no ids
  EXPECT_THAT(data.error().message, HasSubstr("a.parquet:1: context: is missing"));
}

TEST(Questions, OfAGzipFileAreRead) {
  const TemporaryFolder folder;
  const std::string whole = squadWith(R"({"id": "1", "question": "Q?", "answers": [{"text": "a"}]})");
  const std::string line = R"({"id": "1", "context": "C", "question": "Q?", "answers": {"text": ["a"]}})";
  for (const auto& [name, content] : {std::pair{"a.json.gz", whole}, std::pair{"a.jsonl.gz", line}}) {
    gzFile file = gzopen((folder.path() / name).c_str(), "wb");
    gzwrite(file, content.data(), static_cast<unsigned>(content.size()));
    gzclose(file);
    const auto data = readQuestions(folder.path() / name, QaFormat::squad);
    ASSERT_TRUE(data.has_value()) << data.error().message;
    EXPECT_THAT(data->questions[0].answers, ElementsAre("a"));
  }
}

TEST(Questions, OfAFolderAreRefused) {
  const TemporaryFolder folder;
  EXPECT_THAT(readQuestions(folder.path(), QaFormat::squad).error().message, HasSubstr("is a folder; give one file"));
}

TEST(Questions, OfOneJsonValueAreBoundedBeforeItIsParsed) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "data.json";
  writeText(path, R"({"version": "1.1", "data": [)");
  std::filesystem::resize_file(path, 257u << 20);
  const auto data = readQuestions(path, QaFormat::squad);
  ASSERT_FALSE(data.has_value());
  EXPECT_THAT(data.error().message, HasSubstr("holds more than 256 MiB; split it."));
}

TEST(Questions, OfAnotherTaskAreRefused) {
  EXPECT_THAT(errorOf(triviaOf("Web"), QaFormat::squad), HasSubstr("holds questions of TriviaQA, not of SQuAD"));
  const auto data = read(R"({"prompt": "p", "completion": "c"})");
  ASSERT_FALSE(data.has_value());
  EXPECT_THAT(data.error().message, HasSubstr("no questions of SQuAD, HotpotQA, TriviaQA or MS MARCO"));
}

TEST(Questions, OfNoKindAreNotRecognised) {
  for (const char* text : {"3", "[]", "{}", "[1]", R"({"question": "q", "answer": "a"})", R"({"data": [3]})",
                           R"([{"messages": []}])", R"({"query": "q"})"}) {
    EXPECT_FALSE(recogniseQuestions(parseJson(text, "text").value()).has_value()) << text;
  }
}

TEST(Questions, OfOneJsonLineAmongOthersAreToldByTheirLine) {
  EXPECT_THAT(errorOf("\n{\"query_id\": 1, \"query\": \"q\", \"answers\": []}\n{\"query_id\": 2}\n", QaFormat::msMarco),
              HasSubstr("data.json:3: answers: is missing"));
}

TEST(QuestionsGolden, EveryPublishedFormIsRead) {
  STRATA_NEEDS_SHARED_DATA();
  struct Case {
    const char* file;
    QaFormat format;
    std::size_t questions;
    bool passages;
  };
  const Case cases[] = {{"squad/dev-v1.1.reconstructed.json", QaFormat::squad, 10570, true},
                        {"squad/dev-v2.0.reconstructed.json", QaFormat::squad, 11873, true},
                        {"hotpotqa/hotpot_dev_distractor_v1.500.json", QaFormat::hotpotQa, 500, true},
                        {"hotpotqa/hotpotqa_dev_500.jsonl", QaFormat::hotpotQa, 500, true},
                        {"hotpotqa/hotpot_dev_v1_simplified.json", QaFormat::hotpotQa, 7405, false},
                        {"triviaqa/triviaqa_sample.json", QaFormat::triviaQa, 1, true},
                        {"triviaqa/triviaqa_sm_sub.jsonl", QaFormat::triviaQa, 3000, false},
                        {"msmarco/ms_marco_sample.json", QaFormat::msMarco, 200, true}};
  for (const Case& item : cases) {
    const auto data = readQuestions(sharedData() / "qa" / item.file);
    ASSERT_TRUE(data.has_value()) << data.error().message;
    EXPECT_EQ(data->format, item.format) << item.file;
    EXPECT_EQ(data->questions.size(), item.questions) << item.file;
    for (const Question& question : data->questions) {
      ASSERT_FALSE(question.question.empty()) << item.file << " " << question.id;
      ASSERT_EQ(!question.passages.empty(), item.passages) << item.file << " " << question.id;
    }
  }
}

}  // namespace
}  // namespace strata
