#pragma once
// What the readers of single formats share with questions.cpp.

#include <initializer_list>
#include <optional>
#include <string>
#include <unordered_set>
#include <vector>

#include "core/data/json_member.h"
#include "core/data/questions.h"

namespace strata {

/// Collects questions and refuses an id that comes twice.
class QuestionBuilder {
 public:
  explicit QuestionBuilder(QuestionSet& set) : m_set(set) {}

  QuestionSet& set() { return m_set; }
  /// The id that a question without one gets: the number of its row, from 0.
  std::string rowNumber() const { return std::to_string(m_set.questions.size()); }
  /// `member` is what the complaint about a second id names.
  Result<void> add(Question question, const JsonMember& member);

 private:
  QuestionSet& m_set;
  std::unordered_set<std::string> m_ids;
};

/// A whole file's value, or a row of it.
Result<void> addSquad(const JsonMember& value, QuestionBuilder& builder);
Result<void> addHotpotQa(const JsonMember& value, QuestionBuilder& builder);
Result<void> addTriviaQa(const JsonMember& value, QuestionBuilder& builder);
Result<void> addMsMarco(const JsonMember& value, QuestionBuilder& builder);

/// A list of rows, or one.
Result<void> addNaturalQuestions(const JsonMember& value, QuestionBuilder& builder);
Result<void> addBoolQ(const JsonMember& value, QuestionBuilder& builder);
Result<void> addLastWord(const JsonMember& value, QuestionBuilder& builder);
Result<void> addKeyValues(const JsonMember& value, QuestionBuilder& builder);
Result<void> addMultipleChoice(const JsonMember& value, QuestionBuilder& builder);

/// The row's own id, or its number.
Result<std::string> idOfRow(const JsonMember& row, const QuestionBuilder& builder);
/// The first of the members that is there.
Result<std::optional<JsonMember>> firstOf(const JsonMember& row, std::initializer_list<const char*> keys);
/// A text, or a list of texts.
Result<std::vector<std::string>> oneOrMoreTexts(const JsonMember& member);
template <class AddRow>
Result<void> addRows(const JsonMember& value, const AddRow& addRow) {
  if (!value.value().is_array()) return addRow(value);
  return value.forEach(addRow);
}

}  // namespace strata
