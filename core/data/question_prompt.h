#pragma once
// The text that a question is asked with, in training and in evaluation alike:
//
//   Context: <passage>             several passages: Passages:\n[1] <title>: <passage>\n[2] …
//   Question: <question>           with questionFirst this line stands first
//   If there is no answer, say unanswerable.      where there may be none
//   Answer:
//
// Closed book: no passages. The answer follows after a space.

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "core/data/questions.h"

namespace strata {

/// What a model says where there is no answer: MS MARCO's own words, or "unanswerable".
const char* noAnswerOf(QaFormat format);

struct PromptOptions {
  const char* noAnswer = nullptr;  // what to say where there is none; nullptr: every question has one
  bool questionFirst = false;
  std::vector<std::uint32_t> order = {};  // of the passages; empty: the file's
};

/// Without special tokens. One that is too long loses the end of `passages`.
struct QuestionPrompt {
  std::string head, passages, tail;
  std::string with(const std::string& someOfThem) const { return head + someOfThem + tail; }
  std::string whole() const { return with(passages); }
};
QuestionPrompt questionPrompt(const Question& question, const PromptOptions& options);

/// The longest beginning of `text`, in whole characters, for which `fits`, which holds for shorter ones too; "" where
/// none does.
std::string longestThatFits(const std::string& text, const std::function<bool(const std::string&)>& fits);

/// What the model should say, without a leading space; empty where no answer is known.
std::string questionAnswer(const Question& question, const char* noAnswer);

}  // namespace strata
