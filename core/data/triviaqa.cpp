// TriviaQA (Joshi et al. 2017). The official files hold no page texts, but what a search engine said of its results.

#include <algorithm>

#include "core/data/question_formats.h"

namespace strata {
namespace {

constexpr std::string_view kPromptStart = "Question: ", kPromptEnd = "\nAnswer:";

Result<std::vector<std::string>> textsOf(const JsonMember& object, const char* key) {
  STRATA_TRY(const auto list, object.find(key));
  if (!list) return std::vector<std::string>();
  return list->takeTexts();
}

Result<std::string> textOf(const JsonMember& object, const char* key) {
  STRATA_TRY(const auto text, object.find(key));
  if (!text) return std::string();
  return text->takeText();
}

bool isTrue(const Json& object, const char* key) {
  if (!object.is_object()) return false;
  const auto found = object.find(key);
  return found != object.end() && found->is_boolean() && found->get<bool>();
}

/// The evaluator compares with the normalised aliases and the answers of people, not with the value itself.
Result<void> takeAnswer(const JsonMember& answer, bool official, Question& question) {
  STRATA_TRY(const JsonMember value, answer.at(official ? "Value" : "value"));
  STRATA_TRY(question.target, value.takeText());
  STRATA_TRY(const JsonMember aliases, answer.at(official ? "NormalizedAliases" : "normalized_aliases"));
  STRATA_TRY(question.answers, aliases.takeTexts());
  STRATA_TRY(std::vector<std::string> human, textsOf(answer, "HumanAnswers"));
  std::move(human.begin(), human.end(), std::back_inserter(question.answers));
  if (question.answers.empty()) question.answers.push_back(question.target);
  return {};
}

Result<void> takeDocuments(const JsonMember& row, const char* key, bool byDocument, Question& question) {
  STRATA_TRY(const auto documents, row.find(key));
  if (!documents) return {};
  return documents->forEach([&](const JsonMember& document) -> Result<void> {
    Passage passage;
    STRATA_TRY(passage.title, textOf(document, "Title"));
    STRATA_TRY(passage.text, textOf(document, "Description"));
    if (!passage.text.empty()) question.passages.push_back(std::move(passage));
    if (!byDocument) return {};
    STRATA_TRY(const JsonMember file, document.at("Filename"));
    STRATA_TRY(const std::string name, file.takeText());
    std::string documentKey = question.id + "--" + name;
    auto& keys = question.documentKeys;
    if (std::find(keys.begin(), keys.end(), documentKey) == keys.end()) keys.push_back(std::move(documentKey));
    return {};
  });
}

Result<void> addOfficialRow(const JsonMember& row, bool byDocument, QuestionBuilder& builder) {
  Question question;
  STRATA_TRY(const JsonMember id, row.at("QuestionId"));
  STRATA_TRY(question.id, id.takeId());
  STRATA_TRY(const JsonMember text, row.at("Question"));
  STRATA_TRY(question.question, text.takeText());
  STRATA_TRY(const JsonMember answer, row.at("Answer"));
  STRATA_CHECK(takeAnswer(answer, true, question));
  STRATA_CHECK(takeDocuments(row, "EntityPages", byDocument, question));
  STRATA_CHECK(takeDocuments(row, "SearchResults", byDocument, question));
  return builder.add(std::move(question), id);
}

/// {"title": […], textKey: […]}: documents in columns, with their texts.
Result<void> takeColumns(const JsonMember& row, const char* key, const char* textKey, Question& question) {
  STRATA_TRY(const auto documents, row.find(key));
  if (!documents) return {};
  STRATA_TRY(const JsonMember titleList, documents->at("title"));
  STRATA_TRY(std::vector<std::string> titles, titleList.takeTexts());
  STRATA_TRY(const JsonMember textList, documents->at(textKey));
  STRATA_TRY(std::vector<std::string> texts, textList.takeTexts());
  if (titles.size() != texts.size()) return textList.broken("must have as many elements as \"title\"");
  for (std::size_t i = 0; i < texts.size(); ++i) {
    if (!texts[i].empty()) question.passages.push_back({std::move(titles[i]), std::move(texts[i])});
  }
  return {};
}

/// A row of the Hugging Face data set: the official names in lower case.
Result<void> addColumnRow(const JsonMember& row, QuestionBuilder& builder) {
  Question question;
  STRATA_TRY(const JsonMember id, row.at("question_id"));
  STRATA_TRY(question.id, id.takeId());
  STRATA_TRY(const JsonMember text, row.at("question"));
  STRATA_TRY(question.question, text.takeText());
  STRATA_TRY(const JsonMember answer, row.at("answer"));
  STRATA_CHECK(takeAnswer(answer, false, question));
  STRATA_CHECK(takeColumns(row, "entity_pages", "wiki_context", question));
  STRATA_CHECK(takeColumns(row, "search_results", "search_context", question));
  return builder.add(std::move(question), id);
}

/// {"context": "Question: …\nAnswer:", "answer", "aliases"}
Result<void> addClosedBookRow(const JsonMember& row, QuestionBuilder& builder) {
  Question question;
  question.id = builder.rowNumber();
  STRATA_TRY(const JsonMember context, row.at("context"));
  STRATA_TRY(question.question, context.takeText());
  std::string_view asked = question.question;
  if (asked.starts_with(kPromptStart)) asked.remove_prefix(kPromptStart.size());
  if (asked.ends_with(kPromptEnd)) asked.remove_suffix(kPromptEnd.size());
  question.question = std::string(asked);
  STRATA_TRY(const JsonMember answer, row.at("answer"));
  STRATA_TRY(question.target, answer.takeText());
  STRATA_TRY(const JsonMember aliases, row.at("aliases"));
  STRATA_TRY(question.answers, aliases.takeTexts());
  auto& answers = question.answers;
  if (std::find(answers.begin(), answers.end(), question.target) == answers.end()) answers.push_back(question.target);
  return builder.add(std::move(question), row);
}

Result<void> addTriviaRow(const JsonMember& row, QuestionBuilder& builder) {
  const Json& value = row.value();
  if (value.is_object() && value.contains("context")) return addClosedBookRow(row, builder);
  if (value.is_object() && value.contains("question_id")) return addColumnRow(row, builder);
  return addOfficialRow(row, false, builder);
}

}  // namespace

Result<void> addTriviaQa(const JsonMember& value, QuestionBuilder& builder) {
  if (value.value().is_array()) {
    return value.forEach([&](const JsonMember& row) { return addTriviaRow(row, builder); });
  }
  if (!value.value().is_object() || !value.value().contains("Data")) return addTriviaRow(value, builder);
  // The evaluator scores a question of any other domain once for each document.
  STRATA_TRY(const std::string domain, textOf(value, "Domain"));
  const bool byDocument = !domain.empty() && domain != "Wikipedia";
  const bool verifiedOnly = isTrue(value.value(), "VerifiedEval");
  STRATA_TRY(const JsonMember data, value.at("Data"));
  return data.forEach([&](const JsonMember& row) -> Result<void> {
    if (verifiedOnly && !isTrue(row.value(), "QuestionPartOfVerifiedEval")) return {};
    return addOfficialRow(row, byDocument, builder);
  });
}

}  // namespace strata
