// MS MARCO v2.1 question answering (Bajaj et al. 2016): official columns, or rows. The evaluator's files of references
// and candidates are rows without a query.

#include <unordered_map>

#include "core/data/question_formats.h"

namespace strata {
namespace {

Result<bool> isSelected(const JsonMember& member) {
  if (member.value().is_boolean()) return member.value().get<bool>();
  if (!member.value().is_number_integer()) return member.broken("must be 0 or 1");
  return member.value().get<std::int64_t>() != 0;
}

/// [{"is_selected", "passage_text"}], or {"is_selected": […], "passage_text": […]}
Result<void> takePassages(const JsonMember& passages, Question& question) {
  const auto take = [&](const JsonMember& text, const std::optional<JsonMember>& selected) -> Result<void> {
    Passage passage;
    STRATA_TRY(passage.text, text.takeText());
    if (selected) {
      STRATA_TRY(passage.selected, isSelected(*selected));
    }
    question.passages.push_back(std::move(passage));
    return {};
  };
  if (passages.value().is_array()) {
    return passages.forEach([&](const JsonMember& passage) -> Result<void> {
      STRATA_TRY(const JsonMember text, passage.at("passage_text"));
      STRATA_TRY(const auto selected, passage.find("is_selected"));
      return take(text, selected);
    });
  }
  STRATA_TRY(const JsonMember texts, passages.at("passage_text"));
  STRATA_TRY(const auto selected, passages.find("is_selected"));
  STRATA_CHECK(texts.mustBeList());
  if (selected) {
    STRATA_CHECK(selected->mustBeList());
    if (selected->value().size() != texts.value().size()) {
      return selected->broken("must have as many elements as \"passage_text\"");
    }
  }
  for (std::size_t i = 0; i < texts.value().size(); ++i) {
    STRATA_CHECK(take(texts.element(i), selected ? std::optional(selected->element(i)) : std::nullopt));
  }
  return {};
}

/// The members of one question, wherever the file keeps them.
struct Members {
  JsonMember id, answers;
  std::optional<JsonMember> query, passages;
};

Result<void> addQuestion(const Members& members, QuestionBuilder& builder) {
  Question question;
  STRATA_TRY(question.id, members.id.takeId());
  if (members.query) {
    STRATA_TRY(question.question, members.query->takeText());
  }
  STRATA_TRY(question.answers, members.answers.takeTexts());
  for (const std::string& answer : question.answers)
    question.answerable = question.answerable && answer != kMarcoNoAnswer;
  if (!question.answerable) question.answers.clear();
  if (!question.answers.empty()) question.target = question.answers.front();
  if (members.passages) STRATA_CHECK(takePassages(*members.passages, question));
  return builder.add(std::move(question), members.id);
}

Result<void> addMarcoRow(const JsonMember& row, QuestionBuilder& builder) {
  STRATA_TRY(const JsonMember id, row.at("query_id"));
  STRATA_TRY(const JsonMember answers, row.at("answers"));
  STRATA_TRY(const auto query, row.find("query"));
  STRATA_TRY(const auto passages, row.find("passages"));
  return addQuestion({id, answers, query, passages}, builder);
}

/// A column's cells by the name of their row: in the official files "0", "1", …
class Column {
 public:
  static Result<Column> of(const JsonMember& member) {
    STRATA_CHECK(member.mustBeObject());
    Column column(member);
    std::size_t i = 0;
    for (const auto& item : member.value().items()) column.m_cells.emplace(item.key(), i++);
    return column;
  }
  std::size_t size() const { return m_cells.size(); }
  const std::string& rowName(std::size_t i) const { return m_member.keyOf(i); }
  Result<JsonMember> cell(const std::string& row) const {
    const auto found = m_cells.find(row);
    if (found == m_cells.end()) return m_member.broken("has no row \"" + row + "\"");
    return m_member.element(found->second);
  }

 private:
  explicit Column(JsonMember member) : m_member(std::move(member)) {}
  JsonMember m_member;
  std::unordered_map<std::string, std::size_t> m_cells;
};

Result<void> addColumns(const JsonMember& value, QuestionBuilder& builder) {
  const auto column = [&](const char* key) -> Result<Column> {
    STRATA_TRY(const JsonMember member, value.at(key));
    return Column::of(member);
  };
  STRATA_TRY(const Column ids, column("query_id"));
  STRATA_TRY(const Column queries, column("query"));
  STRATA_TRY(const Column answers, column("answers"));
  STRATA_TRY(const Column passages, column("passages"));
  for (std::size_t i = 0; i < ids.size(); ++i) {
    const std::string& row = ids.rowName(i);
    STRATA_TRY(const JsonMember id, ids.cell(row));
    STRATA_TRY(const JsonMember query, queries.cell(row));
    STRATA_TRY(const JsonMember gold, answers.cell(row));
    STRATA_TRY(const JsonMember texts, passages.cell(row));
    STRATA_CHECK(addQuestion({id, gold, query, texts}, builder));
  }
  return {};
}

}  // namespace

Result<void> addMsMarco(const JsonMember& value, QuestionBuilder& builder) {
  builder.set().mayLackAnswers = true;
  if (value.value().is_array()) {
    return value.forEach([&](const JsonMember& row) { return addMarcoRow(row, builder); });
  }
  STRATA_TRY(const JsonMember id, value.at("query_id"));
  return id.value().is_object() ? addColumns(value, builder) : addMarcoRow(value, builder);
}

}  // namespace strata
