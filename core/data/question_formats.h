#pragma once
// What the readers of single formats share with questions.cpp.

#include <string>
#include <unordered_set>

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

}  // namespace strata
