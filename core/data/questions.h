#pragma once
// Question files of the published data sets, read into one record. Each is read in its official schema and in the rows
// that Hugging Face data sets keep of it (a JSON list, or one object a line):
//
//   SQuAD v1.1, v2.0   {"version", "data": [{"title", "paragraphs": [{"context", "qas"}]}]}
//   HotpotQA           [{"_id", "question", "answer", "supporting_facts", "context"}]; without contexts: closed book
//   TriviaQA           {"Domain", "Data": [{"QuestionId", "Question", "Answer", "EntityPages", "SearchResults"}]};
//                      {"context": "Question: …\nAnswer:", "answer", "aliases"}: closed book
//   MS MARCO v2.1      {"query_id": {"0": …}, "query": …, "passages": …, "answers": …}: columns
//
// Rows of others are read where they are asked for by name (they are never recognised):
//
//   Natural Questions  {"question", "answers" | "answer", "ctxs"?: [{"title", "text"}]}
//   BoolQ              {"question", "passage", "answer" | "label"}; {"query": "Passage: …\nQuestion: …?", "gold"}
//   LAMBADA            {"text"}, whose last word is to be said; {"context", "continuation"}
//   key-value pairs    {"ordered_kv_records": [[key, value], …], "key", "value"}
//   multiple choice    {"question" | "context", "choices", "answer"}; ARC, HellaSwag, MMLU: see choice_questions.cpp
//
// Any other names of keys are mapped by columns (columns.h).
//
//   STRATA_TRY(const QuestionSet set, readQuestions(path, QaFormat::hotpotQa));
// Errors name the path of the broken member: "dev.json: data[3].paragraphs[0].qas[2].id: is missing."

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

#include "core/base/error.h"
#include "core/base/json.h"
#include "core/data/columns.h"

namespace strata {

enum class QaFormat {
  squad,
  hotpotQa,
  triviaQa,
  msMarco,
  naturalQuestions,
  boolQ,
  lastWord,
  keyValues,
  multipleChoice
};

/// "SQuAD", "HotpotQA", "TriviaQA", "MS MARCO", …
const char* toString(QaFormat format);

/// MS MARCO's words for a query that its passages do not answer.
inline constexpr const char* kMarcoNoAnswer = "No Answer Present.";

struct Passage {
  std::string title;  // empty where the format has none
  std::string text;
  bool selected = false;  // the data mark it as what the answer rests on
};

/// A sentence of a passage, counted from 0 (HotpotQA).
struct SupportingFact {
  std::string title;
  std::int64_t sentence = 0;
  bool operator==(const SupportingFact&) const = default;
  bool operator<(const SupportingFact& other) const {
    return std::tie(title, sentence) < std::tie(other.title, other.sentence);
  }
};

struct Question {
  std::string id;                 // the number of its row where the format gives none
  std::vector<Passage> passages;  // in the file's order; empty: closed book
  std::string question;           // empty in MS MARCO's files of references and candidates
  /// What answers are compared with. Empty: there is no answer (not `answerable`), or none is known.
  std::vector<std::string> answers;
  bool answerable = true;
  std::string group;   // the article it was asked about; empty: it stands alone
  std::string target;  // the answer in the words of the data, what a model should say; empty where `answers` is
  std::vector<std::string> choices;             // BoolQ and multiple choice: what can be said; `target` is one of them
  std::size_t right = 0;                        // which one
  std::vector<SupportingFact> supportingFacts;  // HotpotQA
  /// TriviaQA of another domain than Wikipedia: what prediction files call the question, once for each of its
  /// documents: "id--document".
  std::vector<std::string> documentKeys;
};

struct QuestionSet {
  QaFormat format = QaFormat::squad;
  /// Some questions have no answer and a model may say so: SQuAD v2 ("version", or any is_impossible); MS MARCO.
  bool mayLackAnswers = false;
  std::vector<Question> questions;
};

/// Which format a file's value is, or a row of it, by its keys. Nothing: no format of questions.
std::optional<QaFormat> recogniseQuestions(const Json& value);

/// A whole file's value. Refused: no questions, an id that comes twice.
Result<QuestionSet> parseQuestions(Json value, QaFormat format, const std::string& where);

/// A file of JSON (one value, at most 256 MiB), JSON lines, CSV or Parquet; all but the last may be gzipped. `format`
/// is recognised where none is given. The first row that cannot be read is an error: a score is of all questions or
/// none.
/// With columns each record is mapped first, and the format says how it is asked and scored; then a folder is refused
/// too, and a format must be given.
Result<QuestionSet> readQuestions(const std::filesystem::path& path, std::optional<QaFormat> format = std::nullopt,
                                  const Columns& columns = {});

/// `count` questions for the value of one of `pairs` (2 or more) keys, all of them random UUIDs, drawn by the seed.
QuestionSet keyValueQuestions(int pairs, int count, std::uint64_t seed);

}  // namespace strata
