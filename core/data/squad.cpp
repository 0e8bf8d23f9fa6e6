// SQuAD v1.1 and v2.0 (Rajpurkar et al. 2016, 2018); plausible_answers and answer positions are not read.

#include "core/data/question_formats.h"

namespace strata {
namespace {

/// What the members of an article share.
struct Article {
  std::string title;
  std::string context;
};

Result<void> addQuestion(const JsonMember& member, const Article& article, std::vector<std::string> answers,
                         QuestionBuilder& builder) {
  Question question;
  STRATA_TRY(const JsonMember id, member.at("id"));
  STRATA_TRY(question.id, id.takeId());
  STRATA_TRY(const JsonMember text, member.at("question"));
  STRATA_TRY(question.question, text.takeText());
  STRATA_TRY(const auto impossible, member.find("is_impossible"));
  if (impossible) {
    if (!impossible->value().is_boolean()) return impossible->broken("must be true or false");
    builder.set().mayLackAnswers = builder.set().mayLackAnswers || impossible->value().get<bool>();
  }
  question.answers = std::move(answers);
  question.answerable = !question.answers.empty();
  if (question.answerable) question.target = question.answers.front();
  question.group = article.title;
  question.passages.push_back({"", article.context, question.answerable});
  return builder.add(std::move(question), id);
}

Result<void> addOfficialQuestion(const JsonMember& member, const Article& article, QuestionBuilder& builder) {
  std::vector<std::string> answers;
  // The id and the question are looked at first, so that a broken question is told by its first broken member.
  for (const char* key : {"id", "question"}) STRATA_CHECK(member.at(key));
  STRATA_TRY(const JsonMember list, member.at("answers"));
  STRATA_CHECK(list.forEach([&](const JsonMember& answer) -> Result<void> {
    STRATA_TRY(const JsonMember text, answer.at("text"));
    STRATA_TRY(std::string gold, text.takeText());
    answers.push_back(std::move(gold));
    return {};
  }));
  return addQuestion(member, article, std::move(answers), builder);
}

Result<void> addParagraph(const JsonMember& paragraph, Article& article, QuestionBuilder& builder) {
  STRATA_TRY(const JsonMember context, paragraph.at("context"));
  STRATA_TRY(article.context, context.takeText());
  STRATA_TRY(const JsonMember questions, paragraph.at("qas"));
  return questions.forEach([&](const JsonMember& member) { return addOfficialQuestion(member, article, builder); });
}

Result<void> addArticle(const JsonMember& member, QuestionBuilder& builder) {
  Article article;
  STRATA_TRY(const auto title, member.find("title"));
  if (title) {
    STRATA_TRY(article.title, title->takeText());
  }
  STRATA_TRY(const JsonMember paragraphs, member.at("paragraphs"));
  return paragraphs.forEach([&](const JsonMember& paragraph) { return addParagraph(paragraph, article, builder); });
}

/// {"id", "title", "context", "question", "answers": {"text": […], "answer_start": […]}}
Result<void> addSquadRow(const JsonMember& row, QuestionBuilder& builder) {
  Article article;
  STRATA_TRY(const auto title, row.find("title"));
  if (title) {
    STRATA_TRY(article.title, title->takeText());
  }
  STRATA_TRY(const JsonMember context, row.at("context"));
  STRATA_TRY(article.context, context.takeText());
  STRATA_TRY(const JsonMember answers, row.at("answers"));
  STRATA_TRY(const JsonMember texts, answers.at("text"));
  STRATA_TRY(std::vector<std::string> gold, texts.takeTexts());
  if (gold.empty()) builder.set().mayLackAnswers = true;
  return addQuestion(row, article, std::move(gold), builder);
}

}  // namespace

Result<void> addSquad(const JsonMember& value, QuestionBuilder& builder) {
  if (value.value().is_array()) {
    return value.forEach([&](const JsonMember& row) { return addSquadRow(row, builder); });
  }
  if (!value.value().is_object()) return value.broken("must be a JSON object with \"data\"");
  if (!value.value().contains("data") && value.value().contains("question")) return addSquadRow(value, builder);
  if (const auto version = value.value().find("version"); version != value.value().end() && version->is_string()) {
    builder.set().mayLackAnswers = version->get_ref<const std::string&>().starts_with("v2");
  }
  STRATA_TRY(const JsonMember articles, value.at("data"));
  return articles.forEach([&](const JsonMember& article) { return addArticle(article, builder); });
}

}  // namespace strata
