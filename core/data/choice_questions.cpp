// BoolQ (Clark et al. 2019) and multiple choice:
//
//   any        {"question" | "context", "choices": [text, …], "answer" | "answers" | "label" | "gold"}
//   ARC        {"question": {"stem", "choices": [{"text", "label"}, …]}, "answerKey"}; rows of the Hugging Face data
//              set: {"question", "choices": {"text": […], "label": […]}, "answerKey"}
//   HellaSwag  {"activity_label", "ctx_a", "ctx_b", "endings", "label"}
//   MMLU       {"question", "choices": […], "answer": 0 … 3}
//
// The answer is a label, the number of a choice from 0, its letter, or its text; "" and -1: nobody knows.

#include <algorithm>
#include <cctype>
#include <charconv>

#include "core/data/question_formats.h"

namespace strata {
namespace {

struct Choices {
  std::vector<std::string> texts, labels;
};

/// [text, …], [{"text", "label"}, …] or {"text": […], "label": […]}
Result<Choices> choicesOf(const JsonMember& member) {
  Choices choices;
  if (member.value().is_object()) {
    STRATA_TRY(const JsonMember texts, member.at("text"));
    STRATA_TRY(choices.texts, texts.takeTexts());
    STRATA_TRY(const auto labels, member.find("label"));
    if (labels) {
      STRATA_TRY(choices.labels, labels->takeTexts());
      if (choices.labels.size() != choices.texts.size())
        return labels->broken("must have as many elements as \"text\"");
    }
  } else {
    STRATA_CHECK(member.forEach([&](const JsonMember& choice) -> Result<void> {
      if (!choice.value().is_object()) {
        STRATA_TRY(std::string text, choice.takeText());
        choices.texts.push_back(std::move(text));
        return {};
      }
      STRATA_TRY(const JsonMember text, choice.at("text"));
      STRATA_TRY(const JsonMember label, choice.at("label"));
      STRATA_TRY(std::string said, text.takeText());
      STRATA_TRY(std::string named, label.takeText());
      choices.texts.push_back(std::move(said));
      choices.labels.push_back(std::move(named));
      return {};
    }));
    if (!choices.labels.empty() && choices.labels.size() != choices.texts.size())
      return member.broken("must have a label for each choice or for none");
  }
  if (choices.texts.size() < 2) return member.broken("must have two choices or more");
  return choices;
}

std::optional<std::size_t> placeIn(const std::string& word, const std::vector<std::string>& words) {
  const auto found = std::find(words.begin(), words.end(), word);
  if (found == words.end()) return std::nullopt;
  return static_cast<std::size_t>(found - words.begin());
}

/// Which choice an answer names; nothing: nobody knows.
Result<std::optional<std::size_t>> rightOf(const JsonMember& answer, const Choices& choices) {
  const std::size_t n = choices.texts.size();
  std::string word;
  if (answer.value().is_number_integer()) {
    word = answer.value().dump();
  } else if (answer.value().is_array() && answer.value().size() == 1) {
    return rightOf(answer.element(0), choices);
  } else {
    STRATA_TRY(word, answer.takeText());
  }
  if (word.empty() || word == "-1") return std::nullopt;
  if (const auto label = placeIn(word, choices.labels)) return label;
  std::size_t number = 0;
  const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), number);
  if (error == std::errc() && end == word.data() + word.size() && number < n) return number;
  if (word.size() == 1 && word[0] >= 'A' && static_cast<std::size_t>(word[0] - 'A') < n) {
    return static_cast<std::size_t>(word[0] - 'A');
  }
  if (const auto text = placeIn(word, choices.texts)) return text;
  return answer.broken("must be the number of a choice from 0, its letter, label or text");
}

void setChoices(Question& question, std::vector<std::string> choices, std::optional<std::size_t> right) {
  question.choices = std::move(choices);
  if (!right) return;
  question.right = *right;
  question.target = question.choices[*right];
  question.answers = {question.target};
}

/// A text as the harness of the usual figures cleans HellaSwag's, which come from WikiHow.
std::string cleaned(std::string text) {
  const auto replaceAll = [&text](std::string_view from, std::string_view to) {
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) {
      text.replace(at, from.size(), to);
    }
  };
  const std::size_t first = text.find_first_not_of(" \t\r\n\v\f");
  text = first == std::string::npos ? "" : text.substr(first, text.find_last_not_of(" \t\r\n\v\f") - first + 1);
  replaceAll(" [title]", ". ");
  for (std::size_t open = 0; (open = text.find('[', open)) != std::string::npos;) {
    const std::size_t close = text.find_first_of("]\n", open);
    if (close == std::string::npos) break;
    if (text[close] == '\n') {
      open = close;
    } else {
      text.erase(open, close - open + 1);
    }
  }
  replaceAll("  ", " ");
  return text;
}

/// Python's str.capitalize() of ASCII.
std::string capitalised(std::string text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c < 0x80) text[i] = static_cast<char>(i == 0 ? std::toupper(c) : std::tolower(c));
  }
  return text;
}

Result<std::string> hellaSwagContext(const JsonMember& row) {
  STRATA_TRY(const auto activity, row.find("activity_label"));
  STRATA_TRY(const JsonMember begin, row.at("ctx_a"));
  STRATA_TRY(const JsonMember end, row.at("ctx_b"));
  STRATA_TRY(std::string context, begin.takeText());
  STRATA_TRY(std::string rest, end.takeText());
  context += " " + capitalised(std::move(rest));
  if (activity) {
    STRATA_TRY(const std::string label, activity->takeText());
    context = label + ": " + context;
  }
  return cleaned(std::move(context));
}

Result<void> takeChoiceContext(const JsonMember& row, Question& question) {
  STRATA_TRY(const auto context, firstOf(row, {"context", "passage", "article", "query", "ctx"}));
  if (!context) return {};
  STRATA_TRY(std::vector<std::string> texts, oneOrMoreTexts(*context));
  for (std::string& text : texts) question.passages.push_back({"", std::move(text)});
  return {};
}

/// What the question is drawn together with: the column of that role, or `key`.
Result<void> takeGroup(const JsonMember& row, const char* key, Question& question) {
  STRATA_TRY(const auto group, firstOf(row, {"group", key}));
  if (!group) return {};
  STRATA_TRY(question.group, group->takeId());
  return {};
}

Result<void> addChoiceRow(const JsonMember& row, QuestionBuilder& builder) {
  Question question;
  STRATA_TRY(question.id, idOfRow(row, builder));
  STRATA_TRY(const auto asked, row.find("question"));
  STRATA_TRY(auto list, firstOf(row, {"choices", "endings", "options"}));
  const bool isArc = asked && asked->value().is_object(), isHellaSwag = row.value().contains("endings");
  if (isArc) {
    STRATA_TRY(const JsonMember stem, asked->at("stem"));
    STRATA_TRY(question.question, stem.takeText());
    STRATA_TRY(list, asked->at("choices"));
  } else if (asked) {
    STRATA_TRY(question.question, asked->takeText());
  }
  if (isHellaSwag && row.value().contains("ctx_a")) {
    STRATA_TRY(std::string context, hellaSwagContext(row));
    question.passages.push_back({"", std::move(context)});
  } else {
    STRATA_CHECK(takeChoiceContext(row, question));
  }
  if (question.question.empty() && question.passages.empty())
    return row.broken("must have a \"question\" or a \"context\"");
  if (!list) return row.broken("must have \"choices\"");
  STRATA_TRY(Choices choices, choicesOf(*list));
  STRATA_TRY(const auto answer, firstOf(row, {"answers", "answer", "answerKey", "label", "gold"}));
  std::optional<std::size_t> right;
  if (answer) {
    STRATA_TRY(right, rightOf(*answer, choices));
  }
  if (isHellaSwag) {
    for (std::string& text : choices.texts) text = cleaned(std::move(text));
  }
  for (const std::string& text : choices.texts) {
    if (text.empty()) return list->broken("must not hold an empty choice");
  }
  STRATA_CHECK(takeGroup(row, "subject", question));
  setChoices(question, std::move(choices.texts), right);
  return builder.add(std::move(question), row);
}

/// "Passage: …\nQuestion: …?": the passage and the question.
void takeQuery(std::string query, Question& question) {
  constexpr std::string_view kPassage = "Passage: ", kQuestion = "\nQuestion: ";
  while (!query.empty() && (query.back() == '\n' || query.back() == ' ')) query.pop_back();
  const std::size_t at = query.rfind(kQuestion);
  if (at == std::string::npos) {
    question.question = std::move(query);
    return;
  }
  question.question = query.substr(at + kQuestion.size());
  query.resize(at);
  if (query.starts_with(kPassage)) query.erase(0, kPassage.size());
  question.passages.push_back({"", std::move(query)});
}

Result<std::optional<std::size_t>> yesOrNo(const JsonMember& answer, const Choices& choices) {
  if (answer.value().is_boolean()) return answer.value().get<bool>() ? 1 : 0;
  if (!answer.value().is_string()) return rightOf(answer, choices);
  std::string word = answer.value().get<std::string>();
  std::transform(word.begin(), word.end(), word.begin(), [](unsigned char c) { return std::tolower(c); });
  if (word == "true") return 1;
  if (word == "false") return 0;
  Json lower = word;
  const std::string where = "answer";
  auto right = rightOf(JsonMember(lower, where), choices);
  if (right) return right;
  return answer.broken("must be true or false, yes or no");
}

Result<void> addBoolRow(const JsonMember& row, QuestionBuilder& builder) {
  Question question;
  STRATA_TRY(question.id, idOfRow(row, builder));
  STRATA_TRY(const auto query, row.find("query"));
  if (query) {
    STRATA_TRY(std::string text, query->takeText());
    takeQuery(std::move(text), question);
  } else {
    STRATA_TRY(const JsonMember asked, row.at("question"));
    STRATA_TRY(question.question, asked.takeText());
    STRATA_CHECK(takeChoiceContext(row, question));
  }
  if (question.question.ends_with('?')) question.question.pop_back();  // the prompt brings it
  STRATA_CHECK(takeGroup(row, "title", question));
  const Choices choices{{"no", "yes"}, {}};
  STRATA_TRY(const auto answer, firstOf(row, {"answers", "answer", "label", "gold"}));
  std::optional<std::size_t> right;
  if (answer) {
    STRATA_TRY(right, yesOrNo(*answer, choices));
  }
  setChoices(question, choices.texts, right);
  return builder.add(std::move(question), row);
}

}  // namespace

Result<void> addMultipleChoice(const JsonMember& value, QuestionBuilder& builder) {
  return addRows(value, [&](const JsonMember& row) { return addChoiceRow(row, builder); });
}

Result<void> addBoolQ(const JsonMember& value, QuestionBuilder& builder) {
  return addRows(value, [&](const JsonMember& row) { return addBoolRow(row, builder); });
}

}  // namespace strata
