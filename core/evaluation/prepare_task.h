#pragma once
// A configured task with its data read and its examples drawn.
//
//   STRATA_TRY(const PreparedTask task, prepareTask(config, model, maps, chat));
//   STRATA_TRY(const auto results, task.run(hooks));

#include <functional>
#include <memory>
#include <vector>

#include "core/base/json.h"
#include "core/config/eval_config.h"
#include "core/evaluation/tasks.h"

namespace strata {

struct PreparedTask {
  /// How the task asks, shortens, answers and draws; what results were made with.
  Json settings;
  std::function<Result<std::vector<TaskResult>>(const TaskHooks&)> run;
};

/// `chat` is the model's chat template. Refused: what checkEvalConfig() and the readers refuse, and fewer questions
/// than examples that are not asked.
Result<PreparedTask> prepareTask(const EvalConfig& config, const std::shared_ptr<const Model>& model,
                                 const std::vector<NamedMap>& maps, const std::shared_ptr<const ChatRenderer>& chat);

/// The questions that a configuration asks, and how, without a model (config.chat is not looked at).
struct AskedQuestions {
  QuestionSet data;
  AskOptions ask;
  int limit = 0;         // of the first of `data`
  std::string evidence;  // folder that TriviaQA's documents were read from; empty: none
};
Result<AskedQuestions> readAsked(const EvalConfig& config);

}  // namespace strata
