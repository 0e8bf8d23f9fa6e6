// How a record's shape is recognised: by its keys.

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string_view>
#include <utility>

#include "core/data/records.h"

namespace strata {
namespace {

tl::unexpected<Error> broken(std::string what) {
  return fail(ErrorCode::invalidData, std::move(what));
}

/// A record's members by name; a null is as good as missing.
class Members {
 public:
  explicit Members(const Json& object) : m_object(object) {}

  const Json* find(std::string_view key) const {
    const auto found = m_object.find(key);
    return found == m_object.end() || found->is_null() ? nullptr : &*found;
  }
  bool has(std::string_view key) const { return find(key) != nullptr; }
  /// The first of these keys that is there.
  const char* firstOf(std::initializer_list<const char*> keys) const {
    for (const char* key : keys) {
      if (has(key)) return key;
    }
    return nullptr;
  }
  /// null where it is missing.
  Json value(std::string_view key) const {
    const Json* found = find(key);
    return found == nullptr ? Json() : *found;
  }
  Result<std::string> text(const char* key) const {
    const auto found = m_object.find(key);
    if (found == m_object.end()) return broken(std::string("the key \"") + key + "\" is missing; add it.");
    if (!found->is_string()) return broken(std::string("\"") + key + "\" must be a string.");
    return found->get<std::string>();
  }
  Result<std::string> textOr(const char* key) const { return has(key) ? text(key) : Result<std::string>(""); }

 private:
  const Json& m_object;
};

bool isTurns(const Json& value) {
  return value.is_array() || (value.is_object() && (value.contains("role") || value.contains("from")));
}

bool isTurn(const Json& value) {
  const auto says = [&](const char* who, std::initializer_list<const char*> what) {
    return value.contains(who) && std::any_of(what.begin(), what.end(), [&](auto key) { return value.contains(key); });
  };
  return value.is_object() && (says("role", {"content", "tool_calls"}) || says("from", {"value"}));
}

bool isTextOrHasOne(const Json& value) {
  return value.is_string() || (value.is_object() && value.contains("text") && value["text"].is_string());
}

/// What a text holds as JSON where that is what is wanted, as tables keep lists; any other text, though it may be JSON,
/// stays one.
template <class IsWanted>
Json unquotedIf(const Json& value, const IsWanted& isWanted) {
  if (!value.is_string()) return value;
  Json parsed = unquoted(value);
  return isWanted(parsed) ? parsed : value;
}

/// A turn, or a list of them.
Json turnsIn(const Json& value) {
  return unquotedIf(value, [](const Json& parsed) {
    const bool list = parsed.is_array() && !parsed.empty() && std::all_of(parsed.begin(), parsed.end(), isTurn);
    return list || isTurn(parsed);
  });
}

/// A list of texts, each by itself or as {"text"}; or {"text": […]}.
Json textsIn(const Json& value) {
  return unquotedIf(value, [](const Json& parsed) {
    const Json& list = parsed.is_object() && parsed.contains("text") ? parsed["text"] : parsed;
    return list.is_array() && std::all_of(list.begin(), list.end(), isTextOrHasOne);
  });
}

Result<DataRecord> pairRecord(const Members& members, const char* prompt, const char* completion, DataFormat format) {
  DataRecord record;
  record.format = format;
  record.kind = RecordKind::pair;
  STRATA_TRY(record.prompt, members.text(prompt));
  STRATA_TRY(record.completion, members.text(completion));
  return record;
}

Result<DataRecord> conversationRecord(const Members& members, const Json& turns, const std::string& key,
                                      DataFormat format, std::size_t firstTrained = 0) {
  DataRecord record;
  record.format = format;
  record.kind = RecordKind::conversation;
  STRATA_TRY(record.conversation,
             readConversation(unquoted(turns), members.value("tools"), members.value("system"), key, firstTrained));
  return record;
}

/// A prompt and what answers it, both lists of turns; or a prompt in text beside turns that repeat it.
Result<DataRecord> turnsAfterPrompt(const Members& members, const Json& answer, const std::string& key,
                                    DataFormat format) {
  const Json prompt = turnsIn(members.value("prompt"));
  Json messages = Json::array();
  if (isTurns(prompt)) STRATA_CHECK(appendTurns(messages, prompt, "prompt"));
  const std::size_t before = messages.size();
  STRATA_CHECK(appendTurns(messages, answer, key));
  // Whole conversations are learned from their last turn alone: what comes before is the prompt.
  const std::size_t first = before > 0 ? before : messages.size() - std::min<std::size_t>(messages.size(), 1);
  return conversationRecord(members, messages, key, format, format == DataFormat::preference ? first : before);
}

Json userTurn(const std::string& text) {
  return Json{{"role", "user"}, {"content", text}};
}
Json assistantTurn(const std::string& text) {
  return Json{{"role", "assistant"}, {"content", text}};
}

/// The instruction and its input become one turn of the user, a line break between them.
Result<DataRecord> alpacaRecord(const Members& members, const char* output, DataFormat format) {
  STRATA_TRY(std::string asked, members.text("instruction"));
  const char* input = members.firstOf({"input", "context"});
  if (input != nullptr) {
    STRATA_TRY(const std::string more, members.text(input));
    if (!more.empty()) asked += (asked.empty() ? "" : "\n") + more;
  }
  STRATA_TRY(const std::string answer, members.text(output));
  Json messages = Json::array();
  const Json history = unquoted(members.value("history"));
  if (history.is_array()) {
    for (const Json& turn : history) {
      if (!turn.is_array() || turn.size() != 2 || !turn[0].is_string() || !turn[1].is_string()) {
        return broken("\"history\" must be a list of pairs of texts, what was asked and answered.");
      }
      messages.push_back(userTurn(turn[0].get<std::string>()));
      messages.push_back(assistantTurn(turn[1].get<std::string>()));
    }
  } else if (!history.is_null() && history != "") {
    return broken("\"history\" must be a list of pairs of texts, what was asked and answered.");
  }
  messages.push_back(userTurn(asked));
  messages.push_back(assistantTurn(answer));
  return conversationRecord(members, messages, "history", format);
}

Result<DataRecord> preferenceRecord(const Members& members) {
  constexpr DataFormat kFormat = DataFormat::preference;
  const Json chosen = turnsIn(members.value("chosen"));
  if (const char* key = members.firstOf({"conversations", "messages"})) {
    Json messages = Json::array();
    STRATA_CHECK(appendTurns(messages, unquoted(members.value(key)), key));
    const std::size_t first = messages.size();
    if (chosen.is_string()) {
      messages.push_back(assistantTurn(chosen.get<std::string>()));
    } else {
      STRATA_CHECK(appendTurns(messages, chosen, "chosen"));
    }
    return conversationRecord(members, messages, key, kFormat, first);
  }
  if (isTurns(chosen)) return turnsAfterPrompt(members, chosen, "chosen", kFormat);
  if (members.has("instruction")) return alpacaRecord(members, "chosen", kFormat);
  if (members.has("question")) {
    STRATA_TRY(const std::string question, members.text("question"));
    STRATA_TRY(const std::string answer, members.text("chosen"));
    return conversationRecord(members, Json::array({userTurn(question), assistantTurn(answer)}), "chosen", kFormat);
  }
  if (members.has("prompt")) return pairRecord(members, "prompt", "chosen", kFormat);
  STRATA_TRY(const std::string whole, members.text("chosen"));
  constexpr std::string_view kAnswer = "\n\nAssistant:";
  const std::size_t at = whole.rfind(kAnswer);
  if (at == std::string::npos) {
    return broken("\"chosen\" is a text without a prompt; name the prompt's column with columns.");
  }
  DataRecord record;
  record.format = kFormat;
  record.kind = RecordKind::pair;
  record.prompt = whole.substr(0, at + kAnswer.size());
  record.completion = whole.substr(at + kAnswer.size());
  return record;
}

Result<void> addTexts(const Json& value, const char* key, std::vector<std::string>& texts) {
  if (value.is_string()) {
    texts.push_back(value.get<std::string>());
    return {};
  }
  const Json list = value.is_object() && value.contains("text") ? value["text"] : value;
  if (!list.is_array()) return broken(std::string("\"") + key + "\" must be a text or a list of texts.");
  for (const Json& one : list) {
    const Json& text = one.is_object() && one.contains("text") ? one["text"] : one;
    if (!text.is_string()) return broken(std::string("\"") + key + "\" must be a text or a list of texts.");
    texts.push_back(text.get<std::string>());
  }
  return {};
}

/// {"question", "answers", "context"} in any of the forms that tables keep them in.
Result<DataRecord> questionRecord(const Members& members) {
  DataRecord record;
  record.format = DataFormat::questions;
  record.kind = RecordKind::question;
  Question& question = record.question;
  STRATA_TRY(question.question, members.text("question"));
  if (const char* key = members.firstOf({"answers", "answer"})) {
    STRATA_CHECK(addTexts(textsIn(members.value(key)), key, question.answers));
  }
  if (const char* key = members.firstOf({"context", "passages", "ctxs"})) {
    const Json passages = textsIn(members.value(key));
    std::vector<std::string> texts;
    STRATA_CHECK(addTexts(passages, key, texts));
    for (std::size_t i = 0; i < texts.size(); ++i) {
      Passage passage;
      passage.text = std::move(texts[i]);
      if (passages.is_array() && passages[i].is_object()) {
        const Json title = passages[i].value("title", Json());
        if (title.is_string()) passage.title = title.get<std::string>();
      }
      question.passages.push_back(std::move(passage));
    }
  }
  const Json id = members.value("id");
  question.id = id.is_string() ? id.get<std::string>() : id.is_null() ? "" : id.dump();
  question.answerable = !question.answers.empty();
  record.mayLackAnswers = !question.answerable;
  if (question.answerable) question.target = question.answers.front();
  return record;
}

DataFormat formatOf(QaFormat format) {
  switch (format) {
    case QaFormat::squad:
      return DataFormat::squad;
    case QaFormat::hotpotQa:
      return DataFormat::hotpotQa;
    case QaFormat::triviaQa:
      return DataFormat::triviaQa;
    case QaFormat::msMarco:
      return DataFormat::msMarco;
    default:
      break;
  }
  return DataFormat::questions;
}

Result<std::vector<DataRecord>> questionRecords(Json value, QaFormat format) {
  auto set = parseQuestions(std::move(value), format, "the record");
  if (!set) return tl::unexpected(std::move(set).error());
  std::vector<DataRecord> records;
  for (Question& question : set->questions) {
    DataRecord record;
    record.format = formatOf(format);
    record.kind = RecordKind::question;
    record.group = question.group;
    record.mayLackAnswers = set->mayLackAnswers;
    record.question = std::move(question);
    records.push_back(std::move(record));
  }
  return records;
}

tl::unexpected<Error> unknownShape(const Json& object) {
  return broken("no known shape has these keys (" + listKeys(object) +
                "); known are text; prompt and completion; messages; conversations; instruction and output; chosen and "
                "rejected; question, context and answers. Say which columns are what, for example "
                "prompt=q,completion=a.");
}

/// Every shape but the question formats.
Result<DataRecord> singleRecord(const Json& object) {
  const Members members(object);
  if (members.has("chosen") && (members.has("rejected") || !members.has("messages"))) return preferenceRecord(members);
  if (members.has("messages")) {
    return conversationRecord(members, members.value("messages"), "messages", DataFormat::messages);
  }
  if (const char* key = members.firstOf({"conversations", "conversation"})) {
    return conversationRecord(members, members.value(key), key, DataFormat::shareGpt);
  }
  if (members.has("instruction")) {
    const char* output = members.firstOf({"output", "response"});
    return alpacaRecord(members, output == nullptr ? "output" : output, DataFormat::alpaca);
  }
  const char* completion = members.firstOf({"completion", "response"});
  if (members.has("prompt") || completion != nullptr) {
    if (completion == nullptr) completion = object.contains("response") ? "response" : "completion";
    const Json prompt = turnsIn(members.value("prompt")), answer = turnsIn(members.value(completion));
    if (isTurns(prompt) && isTurns(answer)) return turnsAfterPrompt(members, answer, completion, DataFormat::messages);
    return pairRecord(members, "prompt", completion, DataFormat::promptCompletion);
  }
  if (members.has("question") && members.firstOf({"answers", "answer", "context"}) != nullptr) {
    return questionRecord(members);
  }
  if (object.contains("text")) {
    DataRecord record;
    STRATA_TRY(record.text, members.text("text"));
    return record;
  }
  return unknownShape(object);
}

/// What names a group, as text; nothing for what is no name. Tables write whole numbers as fractions (2.0).
std::optional<std::string> groupName(const Json& value) {
  constexpr double kMostExact = 9007199254740992.0;  // 2^53
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_float()) {
    const double number = value.get<double>();
    if (!std::isfinite(number)) return std::nullopt;
    if (std::trunc(number) == number && std::abs(number) <= kMostExact) {
      return std::to_string(static_cast<std::int64_t>(number));
    }
  }
  if (value.is_number() || value.is_boolean()) return value.dump();
  return std::nullopt;
}

/// A record's own word for what it belongs to.
std::string groupOf(const Json& object) {
  for (const char* key : {"group", "document_id", "doc_id", "title"}) {
    const auto found = object.find(key);
    if (found == object.end()) continue;
    if (auto name = groupName(*found)) return std::move(*name);
  }
  return {};
}

}  // namespace

bool hasRecordKeys(const std::vector<std::string>& keys) {
  constexpr std::array<std::string_view, 10> kTelling = {"messages",   "conversations", "conversation", "instruction",
                                                         "prompt",     "completion",    "chosen",       "text",
                                                         "paragraphs", "question"};
  return std::any_of(keys.begin(), keys.end(), [&](const std::string& key) {
    return std::find(kTelling.begin(), kTelling.end(), key) != kTelling.end();
  });
}

Result<std::vector<DataRecord>> recogniseRecord(Json value, const Columns& columns) {
  if (!value.is_object()) {
    return broken("a record must be a JSON object, such as {\"prompt\": …, \"completion\": …} or {\"messages\": […]}.");
  }
  std::string group = groupOf(value);
  if (columns.contains("choices")) {
    return broken("the column choices belongs to evaluations; leave it out.");
  }
  if (!columns.empty()) {
    STRATA_TRY(Json mapped, mapColumns(value, columns));
    if (const auto column = columns.find("group"); column != columns.end()) {
      auto name = groupName(mapped["group"]);
      if (!name) {
        return broken("the column \"" + column->second + "\" for group must hold a text or a number; correct it.");
      }
      group = std::move(*name);
    }
    value = std::move(mapped);
  } else {
    if (value.contains("paragraphs") && !value.contains("data")) {
      return questionRecords(Json{{"data", Json::array({std::move(value)})}}, QaFormat::squad);
    }
    if (const auto format = recogniseQuestions(value)) return questionRecords(std::move(value), *format);
  }
  STRATA_TRY(DataRecord record, singleRecord(value));
  record.group = std::move(group);
  if (record.kind == RecordKind::question && record.question.group.empty()) record.question.group = record.group;
  std::vector<DataRecord> records;
  records.push_back(std::move(record));
  return records;
}

}  // namespace strata
