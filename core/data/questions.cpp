#include "core/data/questions.h"

#include <algorithm>
#include <new>
#include <utility>

#include "core/data/conversations.h"
#include "core/data/line_reader.h"
#include "core/data/question_formats.h"
#include "core/data/raw_records.h"
#include "core/data/records.h"

namespace strata {
namespace {

constexpr std::uint64_t kMaxFileBytes = 256ull << 20;  // of one JSON value, which takes several times that in memory

bool holds(const Json& object, const char* key, bool (Json::*isKind)() const noexcept) {
  const auto found = object.find(key);
  return found != object.end() && ((*found).*isKind)();
}

/// {"title": […], "sentences": […]} or pairs of both.
bool isHotpotContext(const Json& context) {
  if (context.is_object()) return context.contains("title") && context.contains("sentences");
  return context.is_array() && std::all_of(context.begin(), context.end(), [](const Json& pair) {
           return pair.is_array() && pair.size() == 2 && pair[0].is_string() && pair[1].is_array();
         });
}

/// Other questions have a type or a level too, so their answer and context must be HotpotQA's.
bool isHotpotRow(const Json& row) {
  const auto answer = row.find("answer"), context = row.find("context");
  if (answer == row.end()) return false;
  if (row.contains("supporting_facts")) return true;
  const bool known = context == row.end() || context->is_null() || isHotpotContext(*context);
  return (row.contains("type") || row.contains("level")) && answer->is_string() && known;
}

std::optional<QaFormat> recogniseRow(const Json& row) {
  if (!row.is_object()) return std::nullopt;
  const auto has = [&](const char* key) { return row.contains(key); };
  if (has("query") && has("query_id")) return QaFormat::msMarco;
  if (has("Question") && has("QuestionId")) return QaFormat::triviaQa;
  if (has("question") && has("question_id") && holds(row, "answer", &Json::is_object)) return QaFormat::triviaQa;
  if (has("context") && has("answer") && holds(row, "aliases", &Json::is_array)) return QaFormat::triviaQa;
  if (!has("question")) return std::nullopt;
  if (has("context") && holds(row, "answers", &Json::is_object)) return QaFormat::squad;
  if (isHotpotRow(row)) return QaFormat::hotpotQa;
  return std::nullopt;
}

std::optional<QaFormat> recogniseObject(const Json& object) {
  if (holds(object, "Data", &Json::is_array)) return QaFormat::triviaQa;
  if (holds(object, "data", &Json::is_array)) {
    const Json& data = object.at("data");
    const bool isSquad = data.empty() || (data[0].is_object() && data[0].contains("paragraphs"));
    return isSquad ? std::optional(QaFormat::squad) : std::nullopt;
  }
  return recogniseRow(object);
}

Result<void> add(const JsonMember& value, QuestionBuilder& builder) {
  switch (builder.set().format) {
    case QaFormat::squad:
      return addSquad(value, builder);
    case QaFormat::hotpotQa:
      return addHotpotQa(value, builder);
    case QaFormat::triviaQa:
      return addTriviaQa(value, builder);
    case QaFormat::msMarco:
      return addMsMarco(value, builder);
    case QaFormat::naturalQuestions:
      return addNaturalQuestions(value, builder);
    case QaFormat::boolQ:
      return addBoolQ(value, builder);
    case QaFormat::lastWord:
      return addLastWord(value, builder);
    case QaFormat::keyValues:
      return addKeyValues(value, builder);
    case QaFormat::multipleChoice:
      return addMultipleChoice(value, builder);
  }
  return fail(ErrorCode::internal, "The format of the questions is unknown.");
}

/// Takes the values of one file: the whole of a .json file, or each line.
class QuestionParser {
 public:
  explicit QuestionParser(std::optional<QaFormat> format) : m_format(format), m_builder(m_set) {}

  Result<void> take(Json&& value, const std::string& where) {
    if (m_empty) STRATA_CHECK(decide(value, where));
    m_empty = false;
    return add(JsonMember(value, where), m_builder);
  }

  Result<QuestionSet> finish(const std::string& where) {
    if (m_set.questions.empty()) {
      return fail(ErrorCode::invalidData, where + " holds no questions; give other data.", where);
    }
    return std::move(m_set);
  }

 private:
  Result<void> decide(const Json& value, const std::string& where) {
    const std::optional<QaFormat> recognised = recogniseQuestions(value);
    if (m_format && recognised && *m_format != *recognised) {
      return fail(ErrorCode::invalidData,
                  where + " holds questions of " + toString(*recognised) + ", not of " + toString(*m_format) +
                      "; give other data or the task that belongs to them.",
                  where);
    }
    if (!m_format && !recognised) {
      return fail(ErrorCode::invalidData,
                  where + " holds no questions of SQuAD, HotpotQA, TriviaQA or MS MARCO; give other data.", where);
    }
    m_set.format = m_format ? *m_format : *recognised;
    return {};
  }

  std::optional<QaFormat> m_format;
  QuestionSet m_set;
  QuestionBuilder m_builder;
  bool m_empty = true;
};

/// Whether the file is JSON lines, whatever its name: a line with an object of its own and another line after it.
Result<bool> isJsonLines(const std::filesystem::path& path) {
  if (endingOf(path) == ".jsonl" || endingOf(path) == ".ndjson") return true;
  STRATA_TRY(LineReader reader, LineReader::open(path));
  std::string first, next;
  while (isBlank(first)) {
    const auto more = reader.next(first);
    if (!more) return false;  // one line of more than a line of JSON lines may have
    if (!*more) return false;
  }
  while (isBlank(next)) {
    const auto more = reader.next(next);
    if (more && !*more) return false;
    if (!more) break;
  }
  return Json::accept(first) && first[first.find_first_not_of(" \t")] == '{';
}

Result<QuestionSet> readLines(const std::filesystem::path& path, std::optional<QaFormat> format) {
  STRATA_TRY(LineReader reader, LineReader::open(path));
  QuestionParser parser(format);
  std::string line;
  for (;;) {
    STRATA_TRY(const bool more, reader.next(line));
    if (!more) return parser.finish(path.string());
    if (isBlank(line)) continue;
    const std::string where = reader.where();
    STRATA_TRY(Json value, parseJson(line, where));
    if (!value.is_object()) return fail(ErrorCode::invalidData, where + ": the line must be a JSON object.", where);
    STRATA_CHECK(parser.take(std::move(value), where));
  }
}

/// Tables of texts keep what is no text as JSON. What a question's context or answer is depends on the data set; the
/// other members are never texts.
void parseCells(Json& row) {
  for (const char* key : {"answers", "aliases", "supporting_facts", "passages", "entity_pages", "search_results",
                          "ctxs", "choices", "endings"}) {
    if (const auto cell = row.find(key); cell != row.end()) *cell = unquoted(*cell);
  }
  if (const auto context = row.find("context"); context != row.end()) {
    if (Json parsed = unquoted(*context); isHotpotContext(parsed)) *context = std::move(parsed);
  }
  if (const auto answer = row.find("answer"); answer != row.end()) {
    if (Json parsed = unquoted(*answer); parsed.is_object() && parsed.contains("value")) *answer = std::move(parsed);
  }
}

/// The rows of a table, CSV or Parquet.
Result<QuestionSet> readTable(const std::filesystem::path& path, std::optional<QaFormat> format) {
  QuestionParser parser(format);
  RecordSink sink;
  sink.take = [&](RawRecord&& record) -> Result<void> {
    if (record.value.is_object()) parseCells(record.value);
    return parser.take(std::move(record.value), placeOf(record.file, record.line));
  };
  sink.drop = [](DroppedRow&& row) -> Result<void> {
    return fail(ErrorCode::invalidData, row.sentence(), placeOf(row.file, row.line));
  };
  STRATA_CHECK(readRawRecords(path, {}, sink));
  return parser.finish(path.string());
}

/// The readers that take mapped rows themselves: what they hold is no mere question with answers.
bool mapsByItself(QaFormat format) {
  return format == QaFormat::boolQ || format == QaFormat::lastWord || format == QaFormat::multipleChoice;
}

Result<void> addMapped(RawRecord&& raw, const Columns& columns, QuestionBuilder& builder) {
  const std::string where = placeOf(raw.file, raw.line);
  const auto placed = [&](const Error& error) { return fail(error.code, where + ": " + error.message, where); };
  if (mapsByItself(builder.set().format)) {
    auto mapped = mapColumns(raw.value, columns);
    if (!mapped) return placed(mapped.error());
    for (const char* key : {"choices", "answers"}) {
      if (const auto cell = mapped->find(key); cell != mapped->end()) *cell = unquoted(*cell);
    }
    return add(JsonMember(*mapped, where), builder);
  }
  auto records = recogniseRecord(std::move(raw.value), columns);
  if (!records) return placed(records.error());
  for (DataRecord& record : *records) {
    if (record.kind != RecordKind::question) {
      return fail(ErrorCode::usage, "columns: questions need a column for question and one for answers; name them.",
                  "columns");
    }
    if (record.question.id.empty()) record.question.id = builder.rowNumber();
    builder.set().mayLackAnswers = builder.set().mayLackAnswers || record.mayLackAnswers;
    Json none;
    STRATA_CHECK(builder.add(std::move(record.question), JsonMember(none, where)));
  }
  return {};
}

Result<QuestionSet> readMapped(const std::filesystem::path& path, QaFormat format, const Columns& given) {
  STRATA_TRY(const Columns columns, checkedColumns(given));
  QuestionSet set;
  set.format = format;
  QuestionBuilder builder(set);
  RecordSink sink;
  sink.take = [&](RawRecord&& raw) { return addMapped(std::move(raw), columns, builder); };
  sink.drop = [](DroppedRow&& row) -> Result<void> {
    return fail(ErrorCode::invalidData, row.sentence(), placeOf(row.file, row.line));
  };
  STRATA_CHECK(readRawRecords(
      path, [&](const std::vector<std::string>& keys) { return haveColumns(keys, columns); }, sink));
  if (set.questions.empty()) {
    return fail(ErrorCode::invalidData, path.string() + " holds no questions; give other data.", path.string());
  }
  return set;
}

Result<QuestionSet> readFileOfQuestions(const std::filesystem::path& path, std::optional<QaFormat> format,
                                        const Columns& columns) {
  std::error_code failed;
  if (std::filesystem::is_directory(path, failed)) {
    return fail(ErrorCode::unsupported, path.string() + " is a folder; give one file of questions.", path.string());
  }
  if (!columns.empty() && format) return readMapped(path, *format, columns);
  const std::string ending = endingOf(path);
  if (ending == ".csv" || ending == ".tsv" || ending == ".parquet") return readTable(path, format);
  STRATA_TRY(const bool lines, isJsonLines(path));
  if (lines) return readLines(path, format);
  Json value;
  {
    STRATA_TRY(const std::string text, readAll(path, kMaxFileBytes));
    STRATA_TRY(value, parseJson(text, path.string()));
  }
  QuestionParser parser(format);
  STRATA_CHECK(parser.take(std::move(value), path.string()));
  return parser.finish(path.string());
}

}  // namespace

const char* toString(QaFormat format) {
  switch (format) {
    case QaFormat::squad:
      return "SQuAD";
    case QaFormat::hotpotQa:
      return "HotpotQA";
    case QaFormat::triviaQa:
      return "TriviaQA";
    case QaFormat::msMarco:
      return "MS MARCO";
    case QaFormat::naturalQuestions:
      return "Natural Questions";
    case QaFormat::boolQ:
      return "BoolQ";
    case QaFormat::lastWord:
      return "LAMBADA";
    case QaFormat::keyValues:
      return "key-value pairs";
    case QaFormat::multipleChoice:
      return "multiple choice";
  }
  return "questions";
}

Result<void> QuestionBuilder::add(Question question, const JsonMember& member) {
  if (!m_ids.insert(question.id).second) {
    return member.broken("\"" + question.id + "\" is the id of an earlier question");
  }
  m_set.questions.push_back(std::move(question));
  return {};
}

std::optional<QaFormat> recogniseQuestions(const Json& value) {
  if (value.is_object()) return recogniseObject(value);
  if (value.is_array() && !value.empty()) return recogniseRow(value[0]);
  return std::nullopt;
}

Result<QuestionSet> parseQuestions(Json value, QaFormat format, const std::string& where) {
  QuestionParser parser(format);
  STRATA_CHECK(parser.take(std::move(value), where));
  return parser.finish(where);
}

Result<std::string> idOfRow(const JsonMember& row, const QuestionBuilder& builder) {
  STRATA_TRY(const auto id, row.find("id"));
  return id ? id->takeId() : builder.rowNumber();
}

Result<std::optional<JsonMember>> firstOf(const JsonMember& row, std::initializer_list<const char*> keys) {
  for (const char* key : keys) {
    STRATA_TRY(auto member, row.find(key));
    if (member) return member;
  }
  return std::nullopt;
}

Result<std::vector<std::string>> oneOrMoreTexts(const JsonMember& member) {
  if (member.value().is_array()) return member.takeTexts();
  STRATA_TRY(std::string text, member.takeText());
  return std::vector<std::string>{std::move(text)};
}

Result<QuestionSet> readQuestions(const std::filesystem::path& path, std::optional<QaFormat> format,
                                  const Columns& columns) {
  try {
    return readFileOfQuestions(path, format, columns);
  } catch (const std::bad_alloc&) {
    return fail(ErrorCode::outOfMemory, "The question file " + path.string() + " does not fit into memory.",
                path.string());
  } catch (const std::exception& exception) {
    return fail(ErrorCode::internal, path.string() + ": the questions cannot be read: " + exception.what(),
                path.string());
  }
}

}  // namespace strata
