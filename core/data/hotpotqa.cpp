// HotpotQA (Yang et al. 2018), distractor and full-wiki: pairs of a title and its sentences. The rows of the Hugging
// Face data set keep titles and sentences in two lists instead.

#include <set>

#include "core/data/question_formats.h"

namespace strata {
namespace {

/// A passage's text is its sentences one after the other: they bring their own spaces.
Result<std::string> joined(const JsonMember& sentences) {
  STRATA_TRY(const std::vector<std::string> parts, sentences.takeTexts());
  std::string text;
  for (const std::string& part : parts) text += part;
  return text;
}

/// [[first, second], …], or {firstKey: […], secondKey: […]} with lists of one length.
template <class Take>
Result<void> forEachPair(const JsonMember& pairs, const char* firstKey, const char* secondKey, const Take& take) {
  if (pairs.value().is_array()) {
    return pairs.forEach([&](const JsonMember& pair) -> Result<void> {
      STRATA_CHECK(pair.mustBeList());
      if (pair.value().size() != 2) return pair.broken("must be a list of two");
      return take(pair.element(0), pair.element(1));
    });
  }
  STRATA_TRY(const JsonMember first, pairs.at(firstKey));
  STRATA_TRY(const JsonMember second, pairs.at(secondKey));
  STRATA_CHECK(first.mustBeList());
  STRATA_CHECK(second.mustBeList());
  if (first.value().size() != second.value().size()) {
    return second.broken("must have as many elements as \"" + std::string(firstKey) + "\"");
  }
  for (std::size_t i = 0; i < first.value().size(); ++i) STRATA_CHECK(take(first.element(i), second.element(i)));
  return {};
}

Result<void> takeSupportingFacts(const JsonMember& facts, Question& question) {
  return forEachPair(facts, "title", "sent_id",
                     [&](const JsonMember& title, const JsonMember& sentence) -> Result<void> {
                       SupportingFact fact;
                       STRATA_TRY(fact.title, title.takeText());
                       if (!sentence.value().is_number_integer())
                         return sentence.broken("must be the number of a sentence");
                       fact.sentence = sentence.value().get<std::int64_t>();
                       question.supportingFacts.push_back(std::move(fact));
                       return {};
                     });
}

Result<void> takeContext(const JsonMember& context, Question& question) {
  std::set<std::string_view> supporting;
  for (const SupportingFact& fact : question.supportingFacts) supporting.insert(fact.title);
  return forEachPair(context, "title", "sentences",
                     [&](const JsonMember& title, const JsonMember& sentences) -> Result<void> {
                       Passage passage;
                       STRATA_TRY(passage.title, title.takeText());
                       STRATA_TRY(passage.text, joined(sentences));
                       passage.selected = supporting.contains(passage.title);
                       question.passages.push_back(std::move(passage));
                       return {};
                     });
}

Result<void> addHotpotRow(const JsonMember& row, QuestionBuilder& builder) {
  Question question;
  STRATA_TRY(auto id, row.find("_id"));
  if (!id) {
    STRATA_TRY(id, row.find("id"));
  }
  question.id = builder.rowNumber();
  if (id) {
    STRATA_TRY(question.id, id->takeId());
  }
  STRATA_TRY(const JsonMember text, row.at("question"));
  STRATA_TRY(question.question, text.takeText());
  STRATA_TRY(const JsonMember answer, row.at("answer"));
  STRATA_TRY(question.target, answer.takeText());
  question.answers = {question.target};
  STRATA_TRY(const auto facts, row.find("supporting_facts"));
  if (facts) STRATA_CHECK(takeSupportingFacts(*facts, question));
  STRATA_TRY(const auto context, row.find("context"));
  if (context) STRATA_CHECK(takeContext(*context, question));
  return builder.add(std::move(question), id ? *id : row);
}

}  // namespace

Result<void> addHotpotQa(const JsonMember& value, QuestionBuilder& builder) {
  if (value.value().is_object()) return addHotpotRow(value, builder);
  return value.forEach([&](const JsonMember& row) { return addHotpotRow(row, builder); });
}

}  // namespace strata
