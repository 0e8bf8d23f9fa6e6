#pragma once
// How a question is put to a model: a template that writes it, examples before it, the model's chat template around it.
//
//   STRATA_TRY(const TaskPrompt prompt, TaskPrompt::make(questions, {.shots = examples}));
//   STRATA_TRY(const QuestionPrompt asked, prompt.of(question, 0));
//   encodePair(tokenizer, asked.whole(), prompt.completion(answer));

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "core/base/error.h"
#include "core/data/chat_rows.h"
#include "core/data/question_prompt.h"
#include "core/data/questions.h"
#include "core/jinja/template.h"

namespace strata {

struct AskOptions {
  std::string prompt = {};             // a Jinja template; empty: the task's own (eval_config.h: defaultPrompt)
  const ChatRenderer* chat = nullptr;  // asks through this chat template
  double questionFirst = 0;            // probability, drawn per question, that it stands before its passages
  bool permutePassages = false;        // in an order drawn per question
  bool closedBook = false;             // without passages
  std::vector<Question> shots = {};    // answered before each question
  std::uint64_t seed = 1;              // of those draws
};

class TaskPrompt {
 public:
  /// Of `set` its format, and whether answers may be missing. Refused: a template that is broken, or that writes
  /// neither question nor context.
  static Result<TaskPrompt> make(const QuestionSet& set, const AskOptions& options);

  /// `number`: of the question, for what is drawn. Refused: a template that fails, or writes {{ context }} twice.
  Result<QuestionPrompt> of(const Question& question, std::uint64_t number) const;
  /// What a model should say, as the prompt asks for it; empty where no answer is known.
  std::string target(const Question& question) const;
  /// What can be said, where the question has choices.
  std::vector<std::string> choices(const Question& question) const;
  /// An answer as it stands behind the prompt.
  std::string completion(const std::string& answer) const { return m_options.chat == nullptr ? " " + answer : answer; }
  /// Whether prompts are what a chat template wrote, special tokens and all.
  bool isChat() const { return m_options.chat != nullptr; }
  const std::string& source() const { return m_source; }

 private:
  TaskPrompt(jinja::Template parsed, std::string source, const QuestionSet& set, AskOptions options)
      : m_template(std::move(parsed)),
        m_source(std::move(source)),
        m_format(set.format),
        m_mayLackAnswers(set.mayLackAnswers),
        m_options(std::move(options)) {}
  /// What a template is given beside the question itself.
  struct Parts {
    std::string context, letters;
    std::vector<std::uint32_t> order;  // of the passages; empty: the file's
  };
  Result<std::string> written(const Question& question, std::uint64_t number, const Parts& parts) const;
  Result<QuestionPrompt> alone(const Question& question, std::uint64_t number) const;
  Result<void> learnForm();
  Result<void> writeShots();

  jinja::Template m_template;
  std::string m_source;
  QaFormat m_format;
  bool m_mayLackAnswers;
  bool m_byLetter = false;  // the template lists the choices with letters
  AskOptions m_options;
  std::string m_before;          // the examples
  Json m_turns = Json::array();  // or as turns of a chat
};

/// The task that asks and scores the questions of a format: "squad", …
const char* taskOf(QaFormat format);

}  // namespace strata
